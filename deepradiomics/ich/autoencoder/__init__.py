"""The VAE-GAN of lesions: training and latents."""
