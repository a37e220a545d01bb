"""Fine-tuning of an encoder for a task."""
