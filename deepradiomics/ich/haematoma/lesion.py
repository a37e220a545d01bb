"""The lesion crop: a cube of the head CT around the haematoma and the tissue next to it, as the autoencoder sees it.

::

    mask ─ on a grid of 1 mm ─ dilated by a cube of 5 voxels (2 mm to every side) ─┐
    CT ─ 64³ voxels of 1 mm along the CT's own axes, centred on the lesion's box (or larger voxels) ─ window

The paper dilates "with a structuring element size 5" and does not say on which grid. On a CT of 0.5 × 0.5 × 5 mm five
voxels would be 1 mm of tissue in the plane and 10 mm across it, so the dilation is done on the grid of 1 mm: it means
the same in every scan. Whether the crop keeps what lies outside the dilated lesion is an option; by default it does.
Source: "Comparing Handcrafted Radiomics Versus Latent Deep Learning Features …", section 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.options import Option, Options
from deepradiomics.prepare.resample import field_of_view, resample, resample_mask

WINDOW_HU = (-20.0, 120.0)
"""Grey levels kept: from below CSF to above the densest clot. Air, fat and bone saturate."""
DILATION_GRID_MM = 1.0


@dataclass(frozen=True)
class CropRecipe(Options):
    """How a lesion is cut out. A network's bundle keeps the recipe it was trained with.

    Raises:
        InputError: a value is out of range.
    """

    TITLE: ClassVar = "recipe"

    window_hu: Annotated[
        tuple[float, float],
        Option(
            "grey levels that become 0 and 1; beyond them the image saturates",
            -1024,
            4000,
            axes="(low, high)",
            unit="HU",
        ),
    ] = WINDOW_HU
    size: Annotated[int, Option("edge of the cube, even", 8, 256, unit="voxels")] = 64
    spacing_mm: Annotated[float, Option("edge of a voxel, unless the lesion needs larger ones", 0.2, 10, unit="mm")] = (
        1.0
    )
    masked: Annotated[
        bool, Option("whether everything outside the dilated lesion is set to 0 (the window's lower end)")
    ] = False
    dilation_voxels: Annotated[
        int, Option("edge of the dilating cube on the grid of 1 mm, odd; 1 does not dilate", 1, 31, unit="voxels")
    ] = 5

    def _check_together(self) -> None:
        if self.window_hu[0] >= self.window_hu[1]:
            raise InputError(f"window_hu: expected low < high, got {self.window_hu}.")
        if self.dilation_voxels % 2 == 0:
            raise InputError(f"dilation_voxels: expected an odd number, got {self.dilation_voxels}.")
        if self.size % 2:
            raise InputError(f"size: expected an even number of voxels, got {self.size}.")


@dataclass(frozen=True, eq=False)
class LesionCrop:
    """A cube around one lesion.

    Args:
        image: float32 (size, size, size) in [0, 1].
        mask: bool, same shape: the haematoma.
        ring: bool, same shape: what the dilation added to it.
        geometry: where the cube lies.
        scale: 1, or less where the lesion was shrunk to fit: 0.8 means voxels 1 / 0.8 as large as the recipe's.
        notes: what was assumed or done, one sentence each.
    """

    image: np.ndarray
    mask: np.ndarray
    ring: np.ndarray
    geometry: Geometry
    scale: float = 1.0
    notes: tuple[str, ...] = ()

    @property
    def dilated(self) -> np.ndarray:
        """Haematoma and ring together, bool (z, y, x)."""
        return self.mask | self.ring


def lesion_crop(
    volume: Volume,
    mask: Mask,
    recipe: CropRecipe | None = None,
    *,
    label: int = 1,
    case: str = "",
) -> LesionCrop:
    """Cut the lesion and its surroundings out of a head CT.

    Args:
        volume: the CT in HU, in any orientation.
        mask: the haematoma, on any grid in the same space.
        recipe: how it is cut; None takes the defaults.
        label: of the haematoma in the mask; several lesions of that label are cropped together.
        case: named in messages.

    Raises:
        MaskError: the mask has no such label.
        GeometryError: the haematoma lies outside the image.
        InputError: a voxel is not finite.
    """
    recipe = recipe or CropRecipe()
    where = f"Case {case}: " if case else ""
    lesion = Mask(mask.region(label), mask.geometry, mask.name)
    volume.require_finite()
    centre, extent_mm = _box(lesion, volume.geometry)
    if not field_of_view(_grid(volume, centre, 1, extent_mm.max()), volume.geometry).any():
        raise GeometryError(
            f"{where}the haematoma's middle lies outside the image {volume.name or volume.source}. "
            "Does the mask belong to this scan?"
        )
    half = int(np.ceil(extent_mm.max() / DILATION_GRID_MM / 2)) + recipe.dilation_voxels
    fine = _grid(volume, centre, 2 * half, DILATION_GRID_MM)
    dilated = dilate(_on_grid(lesion, fine), recipe.dilation_voxels)
    needed_mm = DILATION_GRID_MM * 2 * _reach(dilated)
    scale = min(1.0, recipe.size * recipe.spacing_mm / needed_mm)

    cube = _grid(volume, centre, recipe.size, recipe.spacing_mm / scale)
    haematoma = _on_grid(lesion, cube)
    around = haematoma | (resample_mask(Mask(dilated, fine), cube).labels > 0)
    low, high = recipe.window_hu
    image = np.clip((_sampled(volume, cube, low) - low) / (high - low), 0.0, 1.0).astype(np.float32)
    if recipe.masked:
        image[~around] = 0.0
    notes = []
    if scale < 1:
        notes.append(
            f"{where}the dilated haematoma needs {needed_mm:.0f} mm, the crop has "
            f"{recipe.size * recipe.spacing_mm:g} mm: it is shown at {scale:.2f} of its size, so that its latents are "
            "not to scale with those of smaller ones."
        )
    outside = float(1 - field_of_view(cube, volume.geometry)[around].mean())
    if outside > 0:
        notes.append(f"{where}{outside:.0%} of the dilated haematoma lies outside the image and is taken as empty.")
    return LesionCrop(image, haematoma, around & ~haematoma, cube, scale, tuple(notes))


def dilate(region: np.ndarray, voxels: int = 5) -> np.ndarray:
    """Dilate by a cube of ``voxels`` to an edge (odd): every voxel not farther than (voxels − 1) / 2 along each axis.

    Args:
        region: bool (z, y, x), on a grid of equal spacings: the result is as thick to every side as the grid is fine.
    """
    from scipy.ndimage import maximum_filter

    if voxels < 1 or voxels % 2 == 0:
        raise InputError(f"voxels: expected an odd number ≥ 1, got {voxels}.")
    return maximum_filter(np.asarray(region, bool), size=voxels, mode="constant", cval=0)


def to_ct(array: np.ndarray, crop: LesionCrop, geometry: Geometry, *, inside: bool = True) -> np.ndarray:
    """Bring an array of the crop's cube to the grid of the CT (or any other).

    Args:
        array: (z, y, x) of the crop; grey values and maps are interpolated, bool and integers are taken from the
            nearest voxel.
        crop: whose cube it is.
        geometry: the grid wanted.
        inside: set everything outside the dilated lesion to 0.

    Returns:
        (z, y, x) of ``geometry``; 0 outside the cube.
    """
    array = np.asarray(array)
    if array.dtype.kind in "biu":
        found = resample_mask(Mask(array, crop.geometry), geometry).labels
        found = found.astype(array.dtype)
    else:
        found = resample(Volume(array, crop.geometry), geometry).voxels.copy()
    if inside:
        found[resample_mask(Mask(crop.dilated, crop.geometry), geometry).labels == 0] = 0
    return found


def regions_on_ct(crop: LesionCrop, mask: Mask, geometry: Geometry, label: int = 1) -> np.ndarray:
    """Return uint8 (z, y, x) on the CT's grid: 1 haematoma (as the mask has it), 2 the ring around it.

    The ring is 2 mm thick: in slices of 5 mm it seldom reaches the centre of the next slice, so that it is seen around
    the haematoma and not above and below it.
    """
    found = 2 * to_ct(crop.dilated, crop, geometry, inside=False).astype(np.uint8)
    found[resample_mask(Mask(mask.region(label), mask.geometry), geometry).labels > 0] = 1
    return found


def _box(lesion: Mask, image: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Centre (LPS, mm) and extent (mm) of the lesion's box along the image's axes (x, y, z), voxel edges included."""
    places = np.argwhere(lesion.labels)[:, ::-1]
    low, high = places.min(axis=0) - 0.5, places.max(axis=0) + 0.5
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    inside = image.physical_to_index(lesion.geometry.index_to_physical(low + corners * (high - low)))
    first, last = inside.min(axis=0), inside.max(axis=0)
    return image.index_to_physical((first + last) / 2), (last - first) * np.array(image.spacing_mm)


def _grid(volume: Volume, centre: np.ndarray, size: int, spacing_mm: float) -> Geometry:
    """A cube along the image's axes; those of even size around one centre share their voxel borders."""
    axes = volume.geometry.axes
    origin = centre - axes @ np.full(3, (size - 1) / 2 * spacing_mm)
    return Geometry((size,) * 3, (spacing_mm,) * 3, tuple(origin), volume.geometry.direction)  # type: ignore[arg-type]


def _on_grid(lesion: Mask, grid: Geometry) -> np.ndarray:
    """The lesion on a grid, bool; one that falls between all voxel centres keeps the voxel of its centre of mass."""
    found = resample_mask(lesion, grid).labels > 0
    if not found.any():
        middle = lesion.geometry.index_to_physical(np.argwhere(lesion.labels)[:, ::-1].mean(axis=0))
        x, y, z = np.clip(np.rint(grid.physical_to_index(middle)), 0, np.array(grid.size) - 1).astype(int)
        found[z, y, x] = True
    return found


def _reach(region: np.ndarray) -> float:
    """Largest distance, in voxels along an axis, from the centre of the grid to the outer edge of the region."""
    reach = 0.0
    for axis, count in enumerate(region.shape):
        there = np.flatnonzero(region.any(axis=tuple(other for other in range(3) if other != axis)))
        reach = max(reach, count / 2 - there[0], there[-1] + 1 - count / 2)
    return reach


def _sampled(volume: Volume, cube: Geometry, fill: float) -> np.ndarray:
    """The image on the cube, smoothed along the axes where the cube is coarser than it, so that noise does not alias.

    The width is that of the registration's pyramid: a Gaussian of SD ½·√(r² − 1) voxels for a ratio r of the spacings.
    """
    from scipy.ndimage import gaussian_filter

    own = volume.geometry
    inside = own.physical_to_index(cube.corners_mm())
    ratio = np.array(cube.spacing_mm) / np.array(own.spacing_mm)
    sigma = np.sqrt(np.maximum(ratio**2 - 1, 0)) / 2
    margin = np.ceil(4 * sigma) + 2
    start = np.clip(np.floor(inside.min(axis=0) - margin), 0, np.array(own.size) - 1).astype(int)
    stop = np.clip(np.ceil(inside.max(axis=0) + margin) + 1, start + 1, own.size).astype(int)
    (x0, y0, z0), (x1, y1, z1) = start, stop
    part = np.asarray(volume.voxels[z0:z1, y0:y1, x0:x1], np.float32)
    part = gaussian_filter(part, sigma[::-1], mode="nearest", truncate=4.0)
    near = Volume(part, own.crop(start.tolist(), (stop - start).tolist()))
    return resample(near, cube, fill=fill).voxels
