"""Imaging encoders for the lens: pre-training, fine-tuning, embeddings."""
