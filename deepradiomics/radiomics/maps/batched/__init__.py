"""Maps in batches of voxels, for numpy and torch."""
