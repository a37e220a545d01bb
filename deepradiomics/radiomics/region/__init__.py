"""From image and mask to the voxels that are measured: checks, resampling, grey levels."""
