"""RadiomicLens: what fine-tuning changed in an imaging encoder, told in radiomic terms."""
