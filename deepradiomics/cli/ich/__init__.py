"""Commands of ICHLatentFeatures."""
