"""Laws' kernels: level, edge, spot, wave and ripple along each axis, optionally as energy (IBSI-2, JTXT and PQSD).

K. Laws, "Rapid texture identification", SPIE 0238 (1980); normalised to unit length as IBSI lays down.
"""

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.radiomics.filters.boundary import Boundary, Box, check_boundary, filter_axes, needed
from deepradiomics.radiomics.filters.rotations import Kernel, Pooling, pooled, rotated
from deepradiomics.radiomics.filters.smooth import mean_filter

KERNELS = {
    "L3": (1, 2, 1),
    "E3": (-1, 0, 1),
    "S3": (-1, 2, -1),
    "L5": (1, 4, 6, 4, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S5": (-1, 0, 2, 0, -1),
    "W5": (-1, 2, 0, -2, 1),
    "R5": (1, -4, 6, -4, 1),
}


def laws_filter(
    voxels: np.ndarray,
    kernels: str = "L5E5E5",
    boundary: Boundary = "mirror",
    dimension: int = 3,
    *,
    rotation_invariance: bool = False,
    pooling: Pooling = "max",
    energy_delta: int | None = None,
    box: Box | None = None,
) -> np.ndarray:
    """Return the answer to a product of Laws' kernels, or its energy: the mean magnitude around each voxel.

    Args:
        voxels: (z, y, x).
        kernels: their names along x, y and, in 3-D, z, such as ``L5E5E5``.
        boundary: what lies beyond the image; of the answer too, where energy is taken.
        dimension: 3, or 2 for each slice (y, x) on its own.
        rotation_invariance: pool the answers of all positions that right angles turn the filter into.
        pooling: ``max``, ``average`` or ``min``.
        energy_delta: half width δ of the cube of 2 δ + 1 voxels over which magnitudes are averaged; None: no energy.
        box: the part wanted; the same numbers as for the whole image. None: all.

    Returns:
        float64, of the box's shape.

    Raises:
        InputError: an unknown kernel, as many kernels as the dimension has not, an unknown boundary or pooling.
    """
    check_boundary(boundary)
    axes = filter_axes(dimension)
    chosen = [_kernel(kernels[k : k + 2], kernels) for k in range(0, len(kernels), 2)]
    if len(chosen) != dimension:
        raise InputError(
            f"lawsKernel {kernels!r}: filterDimension {dimension} needs {dimension} kernels, one for each axis, "
            f"such as {'L5E5' if dimension == 2 else 'L5E5E5'}."
        )
    delta = energy_delta or 0
    largest = max(kernel.reach for kernel in chosen)
    reach = [largest + delta if axis in axes else 0 for axis in range(3)]
    outer, inner = needed(voxels.shape, box, reach, boundary)
    filters = rotated(chosen) if rotation_invariance else [tuple(chosen)]
    answer = pooled(voxels[outer].astype(np.float64), filters, axes, boundary, pooling)
    if energy_delta is not None:
        answer = mean_filter(np.abs(answer), 2 * delta + 1, boundary, dimension)
    return answer[inner]


def _kernel(name: str, full_name: str) -> Kernel:
    if name not in KERNELS:
        raise InputError(f"lawsKernel {full_name!r}: unknown kernel {name!r}; known: {', '.join(KERNELS)}.")
    values = np.array(KERNELS[name], float)
    return Kernel(tuple(values / np.sqrt((values**2).sum())), len(values) // 2)
