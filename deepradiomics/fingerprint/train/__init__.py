"""Training a fingerprint model from a manifest."""
