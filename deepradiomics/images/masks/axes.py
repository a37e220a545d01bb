"""The same voxels with their axes in another order or counted the other way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deepradiomics.images.geometry import Geometry
from deepradiomics.images.volume import Mask

Order = Sequence[tuple[int, int]]
"""For each new axis (x, y, z): the old axis, and −1 where it is counted from its end."""
_PARALLEL = 2e-3  # how far direction cosines of parallel axes may differ


def signed_axes(axes: np.ndarray, geometry: Geometry) -> tuple[tuple[int, int], ...] | None:
    """Which axes of a grid run along the columns of ``axes`` (3, 3), and which way; None: it is turned otherwise.

    A frame's normal may point either way along the image's slices: its third axis is counted as the image has it where
    only that differs.
    """
    cosines = geometry.axes.T @ axes  # (old, new)
    nearest = np.abs(cosines).argmax(axis=0)
    if sorted(nearest.tolist()) != [0, 1, 2]:
        return None
    signs = np.sign(cosines[nearest, range(3)])
    exact = np.zeros((3, 3))
    exact[nearest, range(3)] = signs
    if np.abs(cosines - exact).max() > _PARALLEL:
        return None
    signs[2] = 1  # frames are placed by their positions: the third axis need not be turned
    return tuple((int(axis), int(sign)) for axis, sign in zip(nearest, signs, strict=True))


def reordered_geometry(geometry: Geometry, order: Order) -> Geometry:
    """The grid with its axes in another order.

    >>> reordered_geometry(Geometry((4, 3, 2)), [(1, 1), (0, -1), (2, 1)]).origin_mm
    (3.0, 0.0, 0.0)
    """
    first = [0, 0, 0]
    for axis, sign in order:
        if sign < 0:
            first[axis] = geometry.size[axis] - 1
    origin = geometry.index_to_physical(first)
    axes = np.stack([geometry.axes[:, axis] * sign for axis, sign in order], axis=1)
    return Geometry(
        tuple(geometry.size[axis] for axis, _ in order),  # type: ignore[arg-type]
        tuple(geometry.spacing_mm[axis] for axis, _ in order),  # type: ignore[arg-type]
        tuple(origin.tolist()),
        tuple(axes.ravel().tolist()),
    )


def inverse_order(order: Order) -> Order:
    """The order that turns the axes back.

    >>> inverse_order([(1, 1), (2, -1), (0, 1)])
    ((2, 1), (0, 1), (1, -1))
    """
    places = {axis: (new, sign) for new, (axis, sign) in enumerate(order)}
    return tuple(places[axis] for axis in range(3))


def reordered_mask(mask: Mask, order: Order, geometry: Geometry) -> Mask:
    """The mask with its axes in another order; ``geometry`` is its grid then."""

    def reordered(array: np.ndarray) -> np.ndarray:
        turned = array.transpose([2 - order[2 - n][0] for n in range(3)])  # arrays are (z, y, x)
        return turned[tuple(slice(None, None, order[2 - n][1]) for n in range(3))]

    covered = {label: reordered(region) for label, region in mask.covered.items()}
    return replace(mask, labels=reordered(mask.labels), geometry=geometry, covered=covered)
