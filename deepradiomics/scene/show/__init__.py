"""Results in the scene, one file a kind of result."""
