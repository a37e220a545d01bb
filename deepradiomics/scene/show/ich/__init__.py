"""Results of ICHLatentFeatures in the scene."""
