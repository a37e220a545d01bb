"""Cohorts of head CTs: the manifest, its table, folds, marks of who was seen in training."""
