"""From the modalities of a case, each on its own grid, to the one stack of channels that an encoder sees.

::

    grid: around the ROI's middle, along the reference modality's axes, `spacing_mm` and `size_zyx` of the recipe
    each modality ─ linear ─► grid ─ ÷ fixed scale, or z-score and clip ─► channel      (0 outside its field of view)
    each region   ─ nearest ─► grid

The grid's axes are those of the reference modality in the axial order x→L, y→P, z→S, whichever is nearest: the same
image stored with its slices reversed gives the same stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.volume import Mask, Volume
from deepradiomics.options import Option, Options
from deepradiomics.prepare.intensity import grey_scale
from deepradiomics.prepare.orientation import canonical_grid
from deepradiomics.prepare.resample import TIE, index_map, resample, resample_mask
from deepradiomics.public import one_line
from deepradiomics.words import short_repr

Centre = Literal["roi", "image"]
CLIP = 5.0
"""Standard deviations at which z-scored grey levels are clipped."""


@dataclass(frozen=True)
class StackRecipe(Options):
    """How the modalities of a case become the channels of one image.

    Raises:
        InputError: a choice is unknown or out of range; the message names it.
    """

    TITLE: ClassVar = "stack recipe"

    modalities: Annotated[tuple[str, ...], Option("their names, in the order of the encoder's channels")] = (
        "t2",
        "highb",
        "adc",
    )
    size_zyx: Annotated[
        tuple[int, int, int], Option("of the stack (z, y, x)", 1, 4096, axes="(z, y, x)", unit="voxels")
    ] = (64, 192, 192)  # 64 x 96 x 96 mm: a large prostate fits whole
    spacing_mm: Annotated[
        tuple[float, float, float],
        Option("distance of the voxels (x, y, z)", above=0, high=1e3, axes="(x, y, z)", unit="mm"),
    ] = (0.5, 0.5, 1.0)
    reference: Annotated[str | None, Option("the modality whose axes the stack follows; the first when None")] = None
    centre: Annotated[
        Centre, Option("roi (the middle of the region's bounding box) or image (of the reference modality)")
    ] = "roi"
    fixed_scale: Annotated[
        tuple[tuple[str, float], ...],
        Option(
            "(modality, number) pairs: that modality has a physical unit and is divided by the number; every other one "
            "is z-scored over the voxels inside its field of view and clipped to ±5"
        ),
    ] = (("adc", 1000.0),)

    def __post_init__(self) -> None:
        pairs = self.fixed_scale.items() if isinstance(self.fixed_scale, Mapping) else self.fixed_scale
        try:
            scales = tuple((str(name), float(scale)) for name, scale in pairs)
        except (TypeError, ValueError) as error:
            raise InputError(f"fixed_scale: expected (modality, number) pairs, got {short_repr(pairs)}.") from error
        object.__setattr__(self, "fixed_scale", scales)
        super().__post_init__()

    def _check_together(self) -> None:
        if not self.modalities:
            raise InputError("modalities: expected at least one name, got none.")
        if self.reference is not None and self.reference not in self.modalities:
            raise InputError(f"reference: expected one of {list(self.modalities)}, got {self.reference!r}.")
        for name, scale in self.fixed_scale:
            if not 0 < scale < float("inf"):
                raise InputError(f"fixed_scale: expected a positive number for {name!r}, got {scale}.")

    @property
    def reference_modality(self) -> str:
        """The modality whose axes the stack follows."""
        return self.reference or self.modalities[0]

    def for_modalities(self, names: tuple[str, ...]) -> StackRecipe:
        """The same recipe for other modalities; the reference is kept if it is among them."""
        reference = self.reference_modality if self.reference_modality in names else None
        return replace(self, modalities=tuple(names), reference=reference)


@one_line
@dataclass(frozen=True, eq=False)
class PreparedStack:
    """A case as the encoder sees it.

    Attributes:
        image: float32 (C, z, y, x), one channel per modality of the recipe.
        geometry: where its voxels lie.
        masks: region name → uint8 (z, y, x), 1 inside.
        modalities: names of the channels.
        notes: what was assumed or cut off, one sentence each.
    """

    image: np.ndarray
    geometry: Geometry
    masks: Mapping[str, np.ndarray]
    modalities: tuple[str, ...]
    notes: tuple[str, ...] = ()


def prepare_stack(
    images: Mapping[str, Volume],
    masks: Mapping[str, Mask],
    recipe: StackRecipe,
    *,
    roi: str | None = None,
    case: str = "",
) -> PreparedStack:
    """Put every modality and every region of a case on the recipe's grid.

    Args:
        images: by modality, each on its own grid; those that the recipe does not name are not used.
        masks: by region; every label but 0 belongs to the region.
        recipe: the grid and the grey levels.
        roi: the region in whose middle the stack lies, needed for ``centre="roi"``.
        case: how messages call this case.

    Raises:
        InputError: a modality is missing, constant or not finite, or ``roi`` is missing.
        MaskError: the region is empty or vanishes on the stack's grid.
        GeometryError: a region lies outside the stack or outside a modality.
    """
    who = f"Case {case}: " if case else ""
    missing = [name for name in recipe.modalities if name not in images]
    if missing:
        raise InputError(f"{who}no image of {', '.join(missing)}; there are: {', '.join(images) or 'none'}.")
    if roi is not None and roi not in masks:
        raise InputError(f"{who}no region {roi!r}; there are: {', '.join(masks) or 'none'}.")
    if roi is not None and not masks[roi].union().any():
        raise MaskError(f"{who}the region {roi!r} is empty.")
    if roi is None and recipe.centre == "roi":
        raise InputError(f"{who}the stack is centred on a region: name it (roi), or choose centre='image'.")
    grid = stack_grid(images[recipe.reference_modality].geometry, recipe, None if roi is None else masks[roi], who)
    points = {name: _region_points(mask) for name, mask in masks.items()}
    notes = [
        *(f"{name}: {note}" for name in recipe.modalities for note in images[name].notes),
        *(note for mask in masks.values() for note in mask.notes),
        *_placed(points, images, recipe, grid, who),
    ]
    channels = [
        _channel(name, images[name], grid, dict(recipe.fixed_scale).get(name), who) for name in recipe.modalities
    ]
    regions = {}
    spacing = " x ".join(f"{step:g}" for step in recipe.spacing_mm)
    for name, mask in masks.items():
        on_grid = resample_mask(Mask(mask.union(), mask.geometry), grid).labels
        if not on_grid.any() and len(points[name]):
            text = f"{who}region {name!r} is so small that no voxel centre of the stack ({spacing} mm) lies in it"
            if name == roi:
                raise MaskError(f"{text}. Choose a smaller spacing_mm.")
            notes.append(f"{text}.")
        regions[name] = np.ascontiguousarray(on_grid)
    return PreparedStack(np.stack(channels), grid, regions, recipe.modalities, tuple(notes))


def stack_grid(reference: Geometry, recipe: StackRecipe, region: Mask | None = None, who: str = "") -> Geometry:
    """Where the stack lies. ``region`` is needed for ``centre="roi"``; ``who`` begins an error's message.

    Raises:
        MaskError: the region is empty.
    """
    axes = canonical_grid(reference, "axial").axes
    centre = np.array(reference.centre_mm)
    if recipe.centre == "roi" and region is not None:
        points = _region_points(region)
        if not len(points):
            raise MaskError(f"{who}the region {region.name or 'that the stack is centred on'} is empty.")
        along = points @ axes  # coordinates along the stack's axes
        centre = axes @ ((along.min(axis=0) + along.max(axis=0)) / 2)
    size = np.array(recipe.size_zyx[::-1])
    origin = centre - axes @ ((size - 1) / 2 * np.array(recipe.spacing_mm))
    return Geometry(tuple(size.tolist()), recipe.spacing_mm, tuple(origin.tolist()), tuple(axes.ravel().tolist()))


def _region_points(mask: Mask) -> np.ndarray:
    """(n, 3): centres of a region's voxels, LPS millimetres."""
    return mask.geometry.index_to_physical(np.argwhere(mask.union())[:, ::-1])


def _channel(name: str, volume: Volume, grid: Geometry, fixed: float | None, who: str) -> np.ndarray:
    """One modality on the grid, normalised; 0 where it was not imaged."""
    try:
        volume.require_finite()
        on_grid = resample(volume, grid).voxels
        covered = _seen(grid, volume.geometry)
        if not covered.any():
            raise GeometryError(f"no part of the stack lies inside this image ({_where(volume.geometry)}).")
        if fixed is not None:
            channel = on_grid / fixed
        else:
            scale = grey_scale(on_grid, "zscore", inside=covered, name="grey levels within the stack")
            channel = np.clip(scale.apply(on_grid), -CLIP, CLIP)
    except InputError as error:
        raise type(error)(f"{who}modality {name}: {error}") from error
    return np.where(covered, channel, 0).astype(np.float32)


def _seen(grid: Geometry, source: Geometry) -> np.ndarray:
    """Voxels (z, y, x) of the grid whose centres lie within the source's outer voxel edges, alike at both ends.

    Half-open cells would let a point on the edge in at one end only, and a stack would depend on the order in which an
    image's slices are stored.
    """
    z, y, x = np.ogrid[: grid.shape[0], : grid.shape[1], : grid.shape[2]]
    covered = np.ones(grid.shape, bool)
    for row, count in zip(index_map(grid, source)[:3], source.size, strict=True):
        index = row[0] * x + row[1] * y + (row[2] * z + row[3])
        covered &= (index > -0.5 + TIE) & (index < count - 0.5 - TIE)
    return covered


def _placed(
    points: Mapping[str, np.ndarray],
    images: Mapping[str, Volume],
    recipe: StackRecipe,
    grid: Geometry,
    who: str,
) -> list[str]:
    """Refuse a region that lies outside the stack or a modality; return notes on those that lie partly outside."""
    notes = []
    for region, where in points.items():
        if not len(where):
            continue
        places = {"the stack": grid, **{f"modality {name}": images[name].geometry for name in recipe.modalities}}
        for what, geometry in places.items():
            outside = 1 - _fraction_inside(where, geometry)
            if outside == 1:
                advice = (
                    "Enlarge size_zyx, or centre the stack on this region."
                    if geometry is grid
                    else "Do image and mask belong to the same examination?"
                )
                raise GeometryError(
                    f"{who}region {region!r} ({_box(where)}) lies outside {what} ({_where(geometry)}). {advice}"
                )
            if outside > 0:
                notes.append(f"{who}{_percent(outside)} of region {region!r} lie outside {what}.")
    return notes


def _fraction_inside(points: np.ndarray, geometry: Geometry) -> float:
    """Part of the points (n, 3) that lie within the grid's outer voxel edges."""
    index = geometry.physical_to_index(points)
    inside = (index >= -0.5 - 1e-6) & (index < np.array(geometry.size) - 0.5 + 1e-6)
    return float(inside.all(axis=1).mean())


def _percent(part: float) -> str:
    return "less than 1 %" if part < 0.01 else f"{min(part, 0.99):.0%}".replace("%", " %")


def _box(points: np.ndarray) -> str:
    return _range(points.min(axis=0), points.max(axis=0))


def _where(geometry: Geometry) -> str:
    corners = geometry.corners_mm()
    return _range(corners.min(axis=0), corners.max(axis=0))


def _range(low: np.ndarray, high: np.ndarray) -> str:
    parts = (f"{axis} {a:.0f} to {b:.0f}" for axis, a, b in zip("LPS", low, high, strict=True))
    return f"{', '.join(parts)} mm"
