"""The case picture: a case's modalities side by side through the region's middle, and a feature's map over its own.

image, ROI, map, each on its own (oblique) grid
   └─► one square window in the slice of each modality, its axes as a radiologist reads them
       └─► grey level, outline of the ROI along its voxels' edges, map in colour with a bar and its unit
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.cohort.roi import ELLIPSOID
from deepradiomics.errors import InputError
from deepradiomics.files.reading import reads
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.images.reading import Reading
from deepradiomics.lens.case.colours import colour_range, signed_range
from deepradiomics.lens.case.result import CaseFolder
from deepradiomics.lens.case.run import CaseSource
from deepradiomics.lens.readings import EXPLAINED, IMPORTANCE
from deepradiomics.prepare import canonical_grid
from deepradiomics.prepare.head.ellipsoid import ELLIPSOID_NOTE
from deepradiomics.reports.canvas import new_figure, save
from deepradiomics.reports.lens.words import feature_name, interval, modality_name
from deepradiomics.reports.palettes import FEATURE, MAP_OPACITY, SIGNED_FEATURE, colormap
from deepradiomics.reports.pictures import draw_grey, outline
from deepradiomics.reports.slices import Slice, letters, own_plane
from deepradiomics.words import signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure, SubFigure

    from deepradiomics.lens.result import LensResult

_OUTLINE = "#ffcc33"
_MARGIN_MM, _SMALLEST_MM = 12.0, 40.0


@dataclass(frozen=True, eq=False)
class LensCase:
    """A case to be drawn.

    Args:
        id: its name.
        images: by modality, in the order to be drawn.
        rois: the region by modality; a modality may lack it.
        map: a feature's values, NaN outside the region; None to draw the images alone.
        modality, feature: what the map shows.
        range: the map's values at the ends of the colours; of a map of both signs the farther end counts for both.
    By default those of the region's interior.
        unit: of the values; empty for none.
        roi_note: what must be said of the region, such as that no reader drew it.
        shift: the feature's row of the shift table, if known.
        synthetic: whether the images are made up.
    """

    id: str
    images: Mapping[str, Volume]
    rois: Mapping[str, Mask]
    map: Volume | None = None
    modality: str = ""
    feature: str = ""
    range: tuple[float, float] | None = None
    unit: str = ""
    roi_note: str = ""
    shift: Mapping[str, Any] = field(default_factory=dict)
    synthetic: bool = False

    @property
    def title(self) -> str:
        """What the case is called above a picture."""
        return f"Case {self.id}"

    def __post_init__(self) -> None:
        if not self.images:
            raise InputError(f"case {self.id}: there is no image to draw.")
        if self.map is not None and self.modality not in self.images:
            raise InputError(
                f"case {self.id}: the map is of modality {self.modality!r}, but there are images of "
                f"{', '.join(self.images)} only."
            )


@dataclass(frozen=True)
class Window:
    """Where all panels of a case look: a square of ``side_mm`` about a point (LPS) in the slices nearest to a plane."""

    plane: str
    centre_mm: tuple[float, float, float]
    side_mm: float


def case_picture(case: Path | str | LensCase, path: Path | str) -> Path:
    """Draw a folder of ``lens case`` (or a case in memory) and save the picture; the suffix chooses PNG or SVG.

    Raises:
        InputError: the folder is none of ``lens case``, or an image is missing.
    """
    return save(case_figure(case if isinstance(case, LensCase) else read_case(case)), Path(path))


def case_figure(case: LensCase) -> Figure:
    """All modalities with the ROI's outline, then the modality of the map with the map in colour."""
    panels = len(case.images) + (case.map is not None)
    figure = new_figure(3.0 * panels + 0.9, 4.1)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    window = window_of(case)
    for ax, modality in zip(axes, case.images, strict=False):
        draw_modality(ax, case, modality, window)
    if case.map is not None:
        colours = draw_map(axes[-1], case, window)
        add_colour_bar(figure, axes[-1], colours, case)
    figure.suptitle(_title(case), fontsize=12)
    figure.supxlabel(fill(_caption(case, window), 46 * panels), fontsize=9.5, color="#444444")
    return figure


def draw_modality(ax: Axes, case: LensCase, modality: str, window: Window) -> None:
    """One modality in grey with the region's outline."""
    grid = window_grid(case.images[modality].geometry, window)
    _draw_image(ax, case.images[modality], grid, window.plane)
    _outline(ax, case.rois.get(modality), grid, _OUTLINE)
    ax.set_title(modality_name(modality), fontsize=11)


def draw_map(ax: Axes, case: LensCase, window: Window) -> ScalarMappable:
    """The map in colour over its modality; returns what a colour bar needs."""
    from matplotlib.colors import Normalize

    assert case.map is not None
    grid = window_grid(case.images[case.modality].geometry, window)
    _draw_image(ax, case.images[case.modality], grid, window.plane)
    fine = grid if _in_step(case.map.geometry, grid) else _refined(grid, min(case.map.geometry.spacing_mm))
    values = sample(case.map.voxels, case.map.geometry, fine)[0]
    low, high = case.range or colour_range(case.map.voxels)
    both = signed_range(low, high)
    shown = ax.imshow(
        np.ma.masked_invalid(values),
        cmap=colormap(SIGNED_FEATURE if both else FEATURE),
        norm=Normalize(*(both or (low, high))),
        extent=(0.0, grid.extent_mm[0], grid.extent_mm[1], 0.0),
        interpolation="nearest",
        alpha=MAP_OPACITY,
    )
    _outline(ax, case.rois.get(case.modality), grid, "white")
    ax.set_title(f"{modality_name(case.modality)}: {feature_name(case.feature).replace(', ', chr(10))}", fontsize=11)
    return shown


def add_colour_bar(figure: Figure | SubFigure, ax: Axes, colours: ScalarMappable, case: LensCase) -> None:
    """The legend of a map: its values and unit; pointed ends where values lie beyond the colours."""
    values = case.map.voxels[np.isfinite(case.map.voxels)] if case.map is not None else np.zeros(0)
    low, high = (float(limit or 0) for limit in colours.get_clim())
    beyond = bool((values < low).any()), bool((values > high).any())
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[beyond]
    bar = figure.colorbar(colours, ax=ax, fraction=0.05, pad=0.02, extend=extend)
    bar.set_label(f"local value, {case.unit}" if case.unit else "local value", fontsize=10)
    bar.ax.tick_params(labelsize=9)


def window_of(case: LensCase) -> Window:
    """Through the ROI's middle in the plane that the mapped (or first) modality was acquired in, with some margin."""
    name = case.modality or next(iter(case.images))
    geometry = case.images[name].geometry
    plane = own_plane(geometry)
    roi = case.rois.get(name) or next(iter(case.rois.values()), None)
    if roi is None:
        side = max(canonical_grid(geometry, plane).extent_mm[:2])
        return Window(plane, geometry.centre_mm, side)
    voxels = np.argwhere(roi.union())[:, ::-1]  # (n, 3) in x, y, z
    if not len(voxels):
        raise InputError(f"case {case.id}: the region on modality {name!r} is empty.")
    # The voxel nearest to the centroid, which of a crescent lies outside: the slice must cut the region.
    centroid = voxels.mean(axis=0)
    spacing = np.array(roi.geometry.spacing_mm)
    through = voxels[np.argmin(np.linalg.norm((voxels - centroid) * spacing, axis=1))]
    points = roi.geometry.index_to_physical(voxels)
    across = canonical_grid(geometry, plane).axes[:, :2]
    reach = np.ptp(points @ across, axis=0).max()
    middle = across @ ((points @ across).min(axis=0) + (points @ across).max(axis=0)) / 2
    normal = canonical_grid(geometry, plane).axes[:, 2]
    centre = middle + normal * float(roi.geometry.index_to_physical(through) @ normal)
    return Window(plane, tuple(centre.tolist()), max(_SMALLEST_MM, float(reach) + 2 * _MARGIN_MM))


def window_grid(geometry: Geometry, window: Window) -> Geometry:
    """One slice (size z = 1) of an image's own voxels under the window; it may reach beyond the image."""
    grid = canonical_grid(geometry, window.plane)
    index = grid.physical_to_index(window.centre_mm)
    count = [max(2, round(window.side_mm / grid.spacing_mm[axis])) for axis in (0, 1)]
    first = [round(index[axis] - (count[axis] - 1) / 2) for axis in (0, 1)]
    level = int(np.clip(np.rint(index[2]), 0, grid.size[2] - 1))
    return grid.crop((*first, level), (*count, 1))


def sample(voxels: np.ndarray, geometry: Geometry, grid: Geometry) -> np.ndarray:
    """Values (z, y, x) float64 of the nearest voxels at the grid's voxel centres; NaN outside the image."""
    z, y, x = np.indices(grid.shape)
    points = grid.index_to_physical(np.stack([x, y, z], axis=-1))
    index = np.floor(geometry.physical_to_index(points) + 0.5 - 1e-6).astype(int)  # (z, y, x, 3)
    inside = ((index >= 0) & (index < np.array(geometry.size))).all(axis=-1)
    values = np.full(grid.shape, np.nan)
    values[inside] = voxels[index[inside][:, 2], index[inside][:, 1], index[inside][:, 0]]
    return values


@reads("case.json")
def read_case(folder: Path | str) -> LensCase:
    """Read a folder of ``lens case`` with its images, to be drawn.

    Raises:
        InputError: it is none, or a file is missing.
    """
    stored = CaseFolder.read(folder)
    about = stored.about
    reading = Reading.from_dict(about.get("reading") or {})
    return LensCase(
        id=stored.case_id,
        images={m: reading.read_volume(Path(folder) / place["image"]) for m, place in about["modalities"].items()},
        rois=stored.rois,
        map=stored.map,
        modality=stored.modality,
        feature=stored.feature,
        range=stored.range,
        unit=str(about.get("unit") or ""),
        roi_note=str(about.get("roi_note") or ""),
        shift=about.get("delta_i") or {},
        synthetic=bool(about.get("synthetic")),
    )


def case_of(result: LensResult, case_id: str | None = None) -> LensCase | None:
    """A case of the lens with its images and ROI: the one named, else the first test case whose files are there."""
    rows = [row for row in result.cases if case_id is None or row["id"] == case_id]
    for row in sorted(rows, key=lambda row: row.get("split") != "test"):
        try:
            source = CaseSource.of_result(result, row["id"])
        except InputError:  # images were moved, or this case lacks one
            continue
        note = ELLIPSOID_NOTE if source.roi == ELLIPSOID else ""
        rois = dict.fromkeys(source.images, source.mask)
        return LensCase(source.id, source.images, rois, roi_note=note, synthetic=source.synthetic)
    return None


def _draw_image(ax: Axes, image: Volume, grid: Geometry, plane: str) -> None:
    pixels = sample(image.voxels, image.geometry, grid)[0]
    finite = pixels[np.isfinite(pixels)]
    low, high = (float(v) for v in np.percentile(finite, (1, 99.5))) if finite.size else (0.0, 1.0)
    left, right, top, bottom = (letters(sign * grid.axes[:, axis]) for axis in (0, 1) for sign in (-1, 1))
    slice_ = Slice(np.nan_to_num(pixels, nan=low), grid.extent_mm[:2], left, right, top, bottom, plane)
    draw_grey(ax, slice_, (low, high if high > low else low + 1))


def _outline(ax: Axes, roi: Mask | None, grid: Geometry, colour: str) -> None:
    """Outline the ROI along its own voxels' edges where grids agree, else of its nearest voxels."""
    if roi is None:
        return
    fine = grid if _in_step(roi.geometry, grid) else _refined(grid, min(roi.geometry.spacing_mm))
    inside = np.nan_to_num(sample(roi.union().astype(np.uint8), roi.geometry, fine)[0]) != 0
    outline(ax, inside, grid.extent_mm[:2], colour, width=1.2)


def _in_step(geometry: Geometry, grid: Geometry) -> bool:
    """Whether the grid's voxel centres are voxel centres of the geometry (or would be, beyond its edge)."""
    corners = geometry.physical_to_index(grid.index_to_physical([[0, 0, 0], [1, 0, 0], [0, 1, 0]]))
    return bool(np.abs(corners - np.rint(corners)).max() < 1e-3) and np.allclose(
        np.abs(np.diff(corners, axis=0)).max(axis=1), 1, atol=1e-3
    )


def _refined(grid: Geometry, spacing_mm: float) -> Geometry:
    """The same slice in voxels no coarser than ``spacing_mm``."""
    size = [max(n, int(np.ceil(e / spacing_mm))) for n, e in zip(grid.size[:2], grid.extent_mm[:2], strict=True)]
    return grid.resized((*size, 1))


def _title(case: LensCase) -> str:
    title = f"SYNTHETIC   {case.title}" if case.synthetic else case.title
    if case.shift.get(IMPORTANCE.delta) is None:
        return title
    title += f"\n{modality_name(case.modality)}, {feature_name(case.feature)}: "
    if case.shift.get(EXPLAINED.delta) is not None:
        rank = f", rank {int(case.shift[EXPLAINED.rank])}" if case.shift.get(EXPLAINED.rank) else ""
        title += f"ΔE {signed(case.shift[EXPLAINED.delta])}  {interval(case.shift, EXPLAINED.delta)}{rank}; "
    return f"{title}ΔI {signed(case.shift[IMPORTANCE.delta])}"


def _caption(case: LensCase, window: Window) -> str:
    caption = f"{window.plane.capitalize()} slices through the middle of the region; each modality on its own grid."
    if case.roi_note:
        caption += f" Region: {case.roi_note}."
    return caption + " The bar is 20 mm."
