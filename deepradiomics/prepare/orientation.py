"""Radiological planes: the same voxels, seen as an axial, coronal or sagittal stack."""

from itertools import permutations

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.volume import Volume

# Columns: where index x, y and z of a stack in that plane run to, in LPS. Slices are stacked along z.
PLANE_AXES = {
    "axial": np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], float).T,  # x → L, y → P, z → S
    "coronal": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float).T,  # x → L, y → I, z → P
    "sagittal": np.array([[0, 1, 0], [0, 0, -1], [1, 0, 0]], float).T,  # x → P, y → I, z → L (left-handed)
}


def match_axes(axes: np.ndarray, wanted: np.ndarray) -> list[tuple[int, int]]:
    """Say which column of ``axes`` (3, 3), with which sign, comes nearest to each column of ``wanted``.

    All six assignments are compared by the sum of |cosines|, so that no axis is used twice even near 45°.

    Returns:
        Three pairs (column, +1 or −1).
    """
    cosines = wanted.T @ axes  # (wanted column, column)
    best = max(permutations(range(3)), key=lambda p: sum(abs(cosines[w, c]) for w, c in enumerate(p)))
    return [(c, 1 if cosines[w, c] >= 0 else -1) for w, c in enumerate(best)]


def canonical_grid(geometry: Geometry, plane: str) -> Geometry:
    """Return the grid of the same voxels with axes permuted and flipped to the plane's convention.

    Axial x→L, y→P, z→S; coronal x→L, y→I, z→P; sagittal x→P, y→I, z→L: the nearest axes of an oblique grid.
    Every voxel centre of the result is a voxel centre of ``geometry`` and the other way round.

    Raises:
        InputError: unknown plane.
    """
    return _reordered(geometry, _matches(geometry, plane))


def reformat(volume: Volume, plane: str) -> Volume:
    """Return the volume as a stack of another plane: the same voxels in another order, nothing interpolated.

    The slices of the new plane keep the coarse spacing of the original between-slice direction; a note says so.
    """
    matches = _matches(volume.geometry, plane)
    order = [column for column, _ in matches]  # new x, y, z ← old index axis
    voxels = volume.voxels.transpose([2 - order[2 - k] for k in range(3)])
    voxels = voxels[tuple(slice(None, None, matches[2 - k][1]) for k in range(3))]
    grid = _reordered(volume.geometry, matches)
    spacing = grid.spacing_mm
    note = (
        f"The {plane} view was reformatted from the {volume.name or 'given'} image, not acquired: "
        f"in-plane spacing {spacing[0]:.3g} x {spacing[1]:.3g} mm."
    )
    return Volume(np.ascontiguousarray(voxels), grid, plane, volume.source, (*volume.notes, note))


def _matches(geometry: Geometry, plane: str) -> list[tuple[int, int]]:
    if plane not in PLANE_AXES:
        raise InputError(f"plane: expected one of {', '.join(PLANE_AXES)}, got {plane!r}.")
    return match_axes(geometry.axes, PLANE_AXES[plane])


def _reordered(geometry: Geometry, matches: list[tuple[int, int]]) -> Geometry:
    first = np.zeros(3)
    columns = []
    for column, sign in matches:
        first[column] = 0 if sign > 0 else geometry.size[column] - 1
        columns.append(sign * geometry.axes[:, column])
    return Geometry(
        tuple(geometry.size[column] for column, _ in matches),  # type: ignore[arg-type]
        tuple(geometry.spacing_mm[column] for column, _ in matches),  # type: ignore[arg-type]
        tuple(geometry.index_to_physical(first).tolist()),
        tuple(np.stack(columns, axis=1).ravel().tolist()),
    )
