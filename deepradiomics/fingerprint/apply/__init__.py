"""One patient: prediction, the features that matter, and where they come from."""
