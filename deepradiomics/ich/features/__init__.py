"""Radiomics and latents of every case of a cohort."""
