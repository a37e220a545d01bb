"""IBSI's mean filter and its Laplacian of Gaussian: finite kernels, sampled and cut off as IBSI-2 lays down."""

import math
from collections.abc import Sequence

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.radiomics.filters.boundary import Boundary, Box, check_boundary, convolve_axis, filter_axes, needed


def mean_filter(
    voxels: np.ndarray, support: int = 5, boundary: Boundary = "mirror", dimension: int = 3, *, box: Box | None = None
) -> np.ndarray:
    """Return the mean over a square (2-D) or cube (3-D) around each voxel (IBSI S60F).

    Args:
        voxels: (z, y, x).
        support: side of the cube in voxels, M; odd.
        boundary: what lies beyond the image.
        dimension: 3, or 2 for each slice (y, x) on its own.
        box: the part wanted; the same numbers as for the whole image. None: all.

    Returns:
        float64, of the box's shape.

    Raises:
        InputError: an even or negative support, an unknown boundary or dimension.

    >>> mean_filter(np.array([[[0.0, 3.0, 0.0, 0.0]]]), support=3, boundary="zero", dimension=2).tolist()
    [[[0.3333333333333333, 0.3333333333333333, 0.3333333333333333, 0.0]]]
    """
    if int(support) != support or support < 1 or support % 2 == 0:
        raise InputError(f"meanSupport: expected an odd number of voxels of at least 1, got {support!r}.")
    check_boundary(boundary)
    axes = filter_axes(dimension)
    kernel = np.full(int(support), 1.0 / support)
    reach = [len(kernel) // 2 if axis in axes else 0 for axis in range(3)]
    outer, inner = needed(voxels.shape, box, reach, boundary)
    result = voxels[outer].astype(np.float64)
    for axis in axes:
        result = convolve_axis(result, kernel, axis, boundary)
    return result[inner]


def log_filter(
    voxels: np.ndarray,
    sigma_mm: float,
    spacing: Sequence[float],
    boundary: Boundary = "mirror",
    truncate: float = 4.0,
    dimension: int = 3,
    *,
    box: Box | None = None,
) -> np.ndarray:
    """Return IBSI's Laplacian of Gaussian (L6PA): the kernel sampled at voxel centres, M = 1 + 2 ⌊d σ + ½⌋ voxels wide.

    g(k) = Σᵢ (kᵢ²/σᵢ⁴ - 1/σᵢ²) · Πᵢ exp(-kᵢ²/2σᵢ²) / (√2π σᵢ), with σᵢ in voxels of axis i: for equal spacings this is
    IBSI's formula. It is a sum of as many separable kernels as there are axes.

    Args:
        voxels: (z, y, x).
        sigma_mm: width of the Gaussian.
        spacing: mm along (z, y, x).
        boundary: what lies beyond the image.
        truncate: d, where the kernel is cut off, in sigmas.
        dimension: 3, or 2 for each slice (y, x) on its own.
        box: the part wanted; the same numbers as for the whole image. None: all.

    Returns:
        float64, of the box's shape.

    Raises:
        InputError: sigma or truncate not above 0, an unknown boundary or dimension.
    """
    for name, value in (("sigma", sigma_mm), ("logTruncate", truncate)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name}: expected a number above 0, got {value!r}.")
    check_boundary(boundary)
    axes = filter_axes(dimension)
    smooth, curved = {}, {}
    for axis in axes:
        sigma = sigma_mm / spacing[axis]
        half = math.floor(truncate * sigma + 0.5)
        k = np.arange(-half, half + 1, dtype=np.float64)
        smooth[axis] = np.exp(-(k**2) / (2 * sigma**2)) / (math.sqrt(2 * math.pi) * sigma)
        curved[axis] = (k**2 / sigma**4 - 1 / sigma**2) * smooth[axis]
    reach = [len(smooth[axis]) // 2 if axis in axes else 0 for axis in range(3)]
    outer, inner = needed(voxels.shape, box, reach, boundary)
    part = voxels[outer].astype(np.float64)

    def pass_over(values: np.ndarray, rest: tuple[int, ...], curved_yet: bool) -> np.ndarray:
        """Sum over which of the axes left is the curved one; all terms share the passes before."""
        if not rest:
            return values
        axis = rest[0]
        if curved_yet:
            return pass_over(convolve_axis(values, smooth[axis], axis, boundary), rest[1:], True)
        bent = convolve_axis(values, curved[axis], axis, boundary)
        if len(rest) == 1:
            return bent
        flat = convolve_axis(values, smooth[axis], axis, boundary)
        return pass_over(bent, rest[1:], True) + pass_over(flat, rest[1:], False)

    return pass_over(part, axes, False)[inner]
