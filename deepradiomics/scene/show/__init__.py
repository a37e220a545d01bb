"""Results in the scene, one file per kind of result."""
