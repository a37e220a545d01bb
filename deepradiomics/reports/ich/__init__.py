"""Reports and figures of ICHLatentFeatures."""
