"""A head CT as the networks see it: windowed, in a cube around the brain, with grey levels from 0 to 1.

::

    HU ─ window −20 … 120 ─ smooth to the cube's resolution ─ cube around the brain, 128³ of 1.5 mm ─ 0 … 1
                                                    mask ─ the same ─ more than half of the voxel

The cube's axes are the CT's own, in the radiological order (x to the left, y to the back, z upwards), so a tilted head
is not turned. Its middle is the middle of the brain's bounding box; 192 mm hold a brain with a margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.options import Option, Options
from deepradiomics.prepare.head.brain import find_brain
from deepradiomics.prepare.orientation import canonical_grid
from deepradiomics.prepare.resample import resample

_LOST = 0.5  # share of a lesion outside the cube above which it is refused


@dataclass(frozen=True)
class HeadRecipe(Options):
    """How a head CT becomes a cube.

    Raises:
        InputError: a value is out of range.
    """

    TITLE: ClassVar = "recipe"

    window_hu: Annotated[
        tuple[float, float],
        Option(
            "grey levels that become 0 and 1; what lies outside is clipped", -1e5, 1e5, axes="(low, high)", unit="HU"
        ),
    ] = (-20.0, 120.0)
    size_zyx: Annotated[
        tuple[int, int, int], Option("of the cube along (z, y, x)", 8, 1024, axes="(z, y, x)", unit="voxels")
    ] = (128, 128, 128)
    spacing_mm: Annotated[float, Option("edge of its voxels", 0.1, 20, unit="mm")] = 1.5

    def _check_together(self) -> None:
        object.__setattr__(self, "spacing_mm", float(self.spacing_mm))
        if self.window_hu[0] >= self.window_hu[1]:
            raise InputError(f"window_hu: expected a lower and a higher grey level, got {self.window_hu}.")


@dataclass(frozen=True, eq=False)
class PreparedHead:
    """A head in its cube.

    Args:
        image: float32 (z, y, x) in [0, 1].
        geometry: of the cube, in the patient (LPS).
        recipe: how it was made.
        mask: uint8 (z, y, x), 1 in the haematoma; None where no mask was given.
        notes: what was assumed or cut off.
    """

    image: np.ndarray
    geometry: Geometry
    recipe: HeadRecipe
    mask: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def prepare_head(volume: Volume, recipe: HeadRecipe, mask: Mask | None = None, case: str = "") -> PreparedHead:
    """Put a head CT, and the haematoma where one is given, into the recipe's cube.

    Args:
        volume: head CT in HU (see :func:`deepradiomics.prepare.head.hu.check_hu`).
        recipe: window, size and spacing.
        mask: any grid; every label counts as haematoma.
        case: how messages call it.

    Raises:
        InputError: voxels are not finite.
        MaskError: the mask is empty, or larger than the cube.
        GeometryError: the mask lies outside the cube or the CT.
    """
    who = f"Case {case}: " if case else ""
    try:
        volume.require_finite()
    except InputError as error:
        raise InputError(f"{who}{error}") from error
    notes: list[str] = []
    grid = _cube(volume, recipe, notes)
    if mask is not None:
        _check_place(mask, volume.geometry, grid, who, notes)
    low, high = recipe.window_hu
    windowed = (np.clip(volume.voxels.astype(np.float32), low, high) - np.float32(low)) / np.float32(high - low)
    image = _on_cube(windowed, volume.geometry, grid)
    on_cube = None
    if mask is not None:
        share = _on_cube(mask.union().astype(np.float32), mask.geometry, grid)
        on_cube = (share >= 0.5).astype(np.uint8)
        if not on_cube.any():  # the smoothed share of a small lesion stays below a half everywhere
            on_cube = (share >= 0.5 * share.max()).astype(np.uint8)
            notes.append(f"{who}the haematoma is smaller than the cube's voxels of {recipe.spacing_mm:g} mm.")
    return PreparedHead(np.clip(image, 0, 1), grid, recipe, on_cube, tuple(notes))


def to_volume_grid(array: np.ndarray, prepared: PreparedHead | Geometry, geometry: Geometry) -> np.ndarray:
    """Return an array of the cube (probabilities, a map) on another grid, float32 (z, y, x); 0 outside the cube.

    Args:
        array: (z, y, x); with fewer voxels than the cube, such as a bottleneck's map, it is taken to fill the cube.
        prepared: the cube, or its geometry.
        geometry: the grid wanted, such as the CT's own.
    """
    grid = prepared.geometry if isinstance(prepared, PreparedHead) else prepared
    array = np.ascontiguousarray(array, np.float32)
    if array.shape != grid.shape:
        grid = grid.resized(array.shape[::-1])
    return resample(Volume(array, grid), geometry).voxels.astype(np.float32, copy=False)


def _cube(volume: Volume, recipe: HeadRecipe, notes: list[str]) -> Geometry:
    brain = find_brain(volume)
    if brain is None:
        notes.append("No brain was found; the cube is centred on the head, or on the image.")
        points = _head_points(volume)
    else:
        points = brain.points_mm()
    axes = canonical_grid(volume.geometry, "axial").axes
    along = points @ axes  # (n, 3): coordinates along the cube's axes
    centre = axes @ ((along.min(axis=0) + along.max(axis=0)) / 2)
    size = np.array(recipe.size_zyx[::-1])
    origin = centre - axes @ ((size - 1) / 2 * recipe.spacing_mm)
    return Geometry(
        tuple(size.tolist()), (recipe.spacing_mm,) * 3, tuple(origin.tolist()), tuple(axes.ravel().tolist())
    )


def _head_points(volume: Volume) -> np.ndarray:
    """(n, 3): what is not air, at every fourth voxel; the corners of the image where all is air."""
    steps = tuple(slice(None, None, max(1, count // 64)) for count in volume.voxels.shape)
    tissue = np.argwhere(volume.voxels[steps] > -300)
    if not len(tissue):
        return volume.geometry.corners_mm()
    return volume.geometry.index_to_physical((tissue * [step.step for step in steps])[:, ::-1])


def _on_cube(array: np.ndarray, source: Geometry, grid: Geometry) -> np.ndarray:
    """Linear interpolation after smoothing by what a voxel of the cube averages, float32; 0 outside the source."""
    from scipy import ndimage

    # A box of the target's width has a variance of width²/12, the source's voxels have averaged theirs already.
    target = grid.spacing_mm[0]
    sigmas = [np.sqrt(max(0.0, target**2 - source_mm**2) / 12) / source_mm for source_mm in source.spacing_mm[::-1]]
    if max(sigmas) > 0.1:
        array = ndimage.gaussian_filter(array, sigmas, truncate=3.0)
    return resample(Volume(array, source), grid).voxels.astype(np.float32, copy=False)


def _check_place(mask: Mask, image: Geometry, grid: Geometry, who: str, notes: list[str]) -> None:
    where = np.argwhere(mask.union())
    if not len(where):
        raise MaskError(f"{who}the mask of the haematoma is empty. Draw it again, or leave it out.")
    points = mask.geometry.index_to_physical(where[:, ::-1])
    if _outside(points, image) == 1:
        raise GeometryError(f"{who}the haematoma's mask lies outside the CT. Do both belong to the same scan?")
    lost = _outside(points, grid)
    edge = " x ".join(f"{length:.0f}" for length in grid.extent_mm)
    if lost > _LOST:
        raise MaskError(
            f"{who}{lost:.0%} of the haematoma lie outside the cube of {edge} mm around the brain: the lesion is "
            "larger than the crop, or lies elsewhere. Check the mask, or enlarge size_zyx or spacing_mm of the recipe."
        )
    if lost > 0:
        notes.append(f"{who}{max(lost, 0.01):.0%} of the haematoma lie outside the cube of {edge} mm and are cut off.")


def _outside(points: np.ndarray, grid: Geometry) -> float:
    """Share of the points (n, 3) outside the grid's outer voxel edges."""
    index = grid.physical_to_index(points)
    inside = ((index >= -0.5 - 1e-6) & (index < np.array(grid.size) - 0.5 + 1e-6)).all(axis=1)
    return float(1 - inside.mean())
