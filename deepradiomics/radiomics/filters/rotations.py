"""Separable filters turned by right angles, their answers pooled: IBSI's rotation invariance.

A filter that is a product of one-dimensional kernels goes over into one of the same kind under each rotation of the
cube (24, in a plane 4): the kernels change places, and some are reversed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Literal

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.radiomics.filters.boundary import Boundary, convolve_axis

Pooling = Literal["max", "average", "min"]


@dataclass(frozen=True)
class Kernel:
    """A one-dimensional kernel: its values and the index of the tap that meets the voxel itself."""

    taps: tuple[float, ...]
    centre: int

    def reversed(self) -> "Kernel":
        """Return its mirror image."""
        return Kernel(self.taps[::-1], len(self.taps) - 1 - self.centre)

    @property
    def reach(self) -> int:
        """How many voxels to either side it looks at."""
        return max(self.centre, len(self.taps) - 1 - self.centre)


def rotated(kernels: Sequence[Kernel]) -> list[tuple[Kernel, ...]]:
    """Return the filter (kernels along x, y and, in 3-D, z) in each of its 24 (4) positions; some may be equal."""
    result = []
    for order in permutations(range(len(kernels))):
        swaps = sum(a > b for k, a in enumerate(order) for b in order[k + 1 :])
        for signs in product((1, -1), repeat=len(kernels)):
            if np.prod(signs) == (-1) ** swaps:  # determinant 1: turned, not mirrored
                result.append(
                    tuple(kernels[a] if s > 0 else kernels[a].reversed() for a, s in zip(order, signs, strict=True))
                )
    return result


def pooled(
    voxels: np.ndarray, filters: Sequence[tuple[Kernel, ...]], axes: Sequence[int], boundary: Boundary, pooling: Pooling
) -> np.ndarray:
    """Return the largest, mean or least answer of some separable filters at each voxel; equal passes are shared."""
    if pooling not in ("max", "average", "min"):
        raise InputError(f"pooling: expected max, average or min, got {pooling!r}.")
    times: dict[tuple[Kernel, ...], int] = {}
    for kernels in filters:
        times[kernels] = times.get(kernels, 0) + 1
    result: np.ndarray | None = None
    for kernels, answer in _answers(voxels, sorted(times, key=repr), tuple(axes), boundary):
        if pooling == "average":
            answer = answer * (times[kernels] / len(filters))
        if result is None:
            result = answer
        elif pooling == "average":
            result = result + answer
        else:
            result = np.maximum(result, answer) if pooling == "max" else np.minimum(result, answer)
    assert result is not None
    return result


def _answers(
    voxels: np.ndarray,
    filters: list[tuple[Kernel, ...]],
    axes: tuple[int, ...],
    boundary: Boundary,
    done: tuple[Kernel, ...] = (),
) -> Iterator[tuple[tuple[Kernel, ...], np.ndarray]]:
    if len(done) == len(axes):
        yield done, voxels
        return
    for first in dict.fromkeys(kernels[len(done)] for kernels in filters):
        rest = [kernels for kernels in filters if kernels[len(done)] == first]
        turned = convolve_axis(voxels, np.array(first.taps), axes[len(done)], boundary, centre=first.centre)
        yield from _answers(turned, rest, axes, boundary, (*done, first))
