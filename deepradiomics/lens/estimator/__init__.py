"""The estimator `RadiomicLens`: from two embeddings and radiomic features to the shift of each feature."""
