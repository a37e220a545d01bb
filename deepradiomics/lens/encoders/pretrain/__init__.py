"""Masked pre-training of an encoder."""
