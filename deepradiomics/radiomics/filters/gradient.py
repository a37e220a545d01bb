"""The magnitude of the gradient, by central differences, as SimpleITK computes it."""

import numpy as np
import SimpleITK as sitk

from deepradiomics.radiomics.filters.boundary import Box, needed


def gradient_image(
    voxels: np.ndarray, spacing_mm: tuple[float, float, float], use_spacing: bool = True, box: Box | None = None
) -> np.ndarray:
    """Return the gradient magnitude, in grey values per mm or, without spacing, per voxel.

    Args:
        voxels: (z, y, x).
        spacing_mm: along (z, y, x).
        use_spacing: False takes all spacings as 1.
        box: the part wanted; None for all.

    Returns:
        float32, or float64 for a float64 image, of the box's shape; the image goes on beyond its border unchanged.
    """
    outer, inner = needed(voxels.shape, box, (1, 1, 1), "nearest")
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels[outer]))
    image.SetSpacing(spacing_mm[::-1])
    return sitk.GetArrayFromImage(sitk.GradientMagnitude(image, use_spacing))[inner]
