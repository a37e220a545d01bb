"""Synthetic prostate MR."""
