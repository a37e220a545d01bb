"""IBSI's undecimated separable wavelets: any boundary, levels with holes between the taps, rotation invariance.

They differ from PyRadiomics' wavelets (``wavelet.py``): those are periodic, even-sized, and without holes.
"""

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.radiomics.filters.boundary import Boundary, Box, check_boundary, filter_axes, needed
from deepradiomics.radiomics.filters.rotations import Kernel, Pooling, pooled, rotated
from deepradiomics.radiomics.filters.wavelet import known_wavelet


def separable_wavelet(
    voxels: np.ndarray,
    wavelet: str,
    band: str = "LLH",
    level: int = 1,
    boundary: Boundary = "mirror",
    *,
    rotation_invariance: bool = False,
    pooling: Pooling = "average",
    box: Box | None = None,
) -> np.ndarray:
    """Return one sub-band of the undecimated (à trous) wavelet transform, float64 of the box's shape (IBSI 25BO).

    Args:
        voxels: (z, y, x).
        wavelet: a discrete wavelet of PyWavelets.
        band: L (low-pass) or H (high-pass) along x, y and z; two letters filter each slice (y, x) on its own.
        level: 1 is the finest; levels before it are low-pass along all axes.
        boundary: what lies beyond the image.
        rotation_invariance: pool the answers of all positions that right angles turn the filter into.
        pooling: ``average``, ``max`` or ``min``.
        box: the part wanted; the same numbers as for the whole image. None: all.

    Raises:
        InputError: an unknown band, wavelet or boundary, or a level below 1 or far larger than the image.
    """
    if len(band) not in (2, 3) or set(band) - set("LH"):
        raise InputError(f"band: expected two or three letters L or H, such as LLH, got {band!r}.")
    if level < 1:
        raise InputError(f"level: expected at least 1, got {level}.")
    check_boundary(boundary)
    axes = filter_axes(len(band))
    span = (known_wavelet(wavelet).dec_len - 1) * 2 ** (level - 1) + 1
    if span > 4 * max(voxels.shape[axis] for axis in axes):
        raise InputError(
            f"level {level}: the filter of {wavelet} spans {span} voxels there, the image has {voxels.shape} "
            "(z, y, x). Take a lower level (or start_level) or a shorter wavelet."
        )
    stages = [
        [_kernel(wavelet, letter, k) for letter in ("L" * len(band) if k < level - 1 else band)] for k in range(level)
    ]
    positions = [rotated(stage) if rotation_invariance else [tuple(stage)] for stage in stages]
    far = sum(max(kernel.reach for kernel in stage) for stage in stages)
    outer, inner = needed(voxels.shape, box, [far if axis in axes else 0 for axis in range(3)], boundary)
    image = voxels[outer].astype(np.float64)
    # a position holds for all levels together, so each is followed from the first level to the last
    times: dict[tuple[tuple[Kernel, ...], ...], int] = {}
    for position in zip(*positions, strict=True):
        times[position] = times.get(position, 0) + 1
    total: np.ndarray | None = None
    for position, count in times.items():
        answer = image
        for filters in position:
            answer = pooled(answer, [filters], axes, boundary, "max")
        if pooling == "average":
            answer = answer * (count / len(positions[0]))
        if total is None:
            total = answer
        else:
            total = {"average": np.add, "max": np.maximum, "min": np.minimum}[pooling](total, answer)
    assert total is not None
    return total[inner]


def _kernel(wavelet: str, letter: str, stage: int) -> Kernel:
    """Return one filter of the wavelet with 2^stage - 1 holes between its taps."""
    bank = known_wavelet(wavelet)
    taps = np.array(bank.dec_lo if letter == "L" else bank.dec_hi)
    spread = np.zeros((len(taps) - 1) * 2**stage + 1)
    spread[:: 2**stage] = taps
    return Kernel(tuple(spread), len(taps) // 2 * 2**stage)
