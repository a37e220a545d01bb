"""What lies beyond the image for a filter of finite support, and which voxels a part of the image needs.

IBSI's names: ``mirror`` repeats the edge voxel (numpy's symmetric), ``nearest`` holds it, ``periodic`` wraps, ``zero``.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import scipy  # which loads its parts when they are first used

from deepradiomics.errors import InputError

Boundary = Literal["mirror", "zero", "nearest", "periodic"]
SCIPY_MODE = {"mirror": "reflect", "zero": "constant", "nearest": "nearest", "periodic": "wrap"}
Box = tuple[slice, slice, slice]


def convolve_axis(
    voxels: np.ndarray,
    kernel: np.ndarray,
    axis: int,
    boundary: Boundary,
    *,
    dilation: int = 1,
    centre: int | None = None,
) -> np.ndarray:
    """Convolve along one axis, out[i] = sum over k of kernel[k] · in[i + (centre - k) · dilation].

    Args:
        voxels: float64 (z, y, x).
        kernel: (K,) its values.
        axis: 0, 1, 2 for z, y, x.
        boundary: what lies beyond the image.
        dilation: distance of two taps in voxels (the "holes" of undecimated wavelets).
        centre: index of the tap that meets the voxel itself; None takes the middle, K // 2.
    """
    middle = len(kernel) // 2 if centre is None else centre
    reach = max(middle, len(kernel) - 1 - middle) * dilation
    taps = np.zeros(2 * reach + 1)  # odd, so that its centre is not a matter of convention
    first = reach - middle * dilation
    taps[first : first + (len(kernel) - 1) * dilation + 1 : dilation] = kernel
    return scipy.ndimage.convolve1d(voxels, taps, axis=axis, mode=SCIPY_MODE[boundary])


def needed(shape: Sequence[int], box: Box | None, reach: Sequence[int], boundary: Boundary) -> tuple[Box, Box]:
    """Return the part of the image that a box needs, and where the box lies in that part.

    Filtering that part alone, with the same boundary, gives in the box the very numbers of the whole image.

    Args:
        shape: of the image (z, y, x).
        box: the voxels wanted; None for all.
        reach: how many voxels the filter looks at to either side, along each axis.
        boundary: ``periodic`` needs the whole axis where the reach crosses an end.
    """
    outer, inner = [], []
    for size, side, far in zip(shape, box or (slice(None),) * 3, reach, strict=True):
        start, stop, _ = side.indices(size)
        low, high = start - far, stop + far
        if boundary == "periodic" and (low < 0 or high > size):
            low, high = 0, size
        low, high = max(low, 0), min(high, size)
        outer.append(slice(low, high))
        inner.append(slice(start - low, stop - low))
    return tuple(outer), tuple(inner)  # type: ignore[return-value]


def filter_axes(dimension: int) -> tuple[int, ...]:
    """Return the numpy axes a filter runs along, x first: (2, 1, 0) in 3-D, (2, 1) within slices.

    Raises:
        InputError: neither 2 nor 3.
    """
    if dimension not in (2, 3):
        raise InputError(f"filterDimension: expected 2 (within slices) or 3, got {dimension!r}.")
    return (2, 1, 0)[:dimension]


def check_boundary(boundary: str) -> None:
    """Raise InputError when a boundary has no such name."""
    if boundary not in SCIPY_MODE:
        raise InputError(f"filterBoundary: expected one of {', '.join(SCIPY_MODE)}, got {boundary!r}.")
