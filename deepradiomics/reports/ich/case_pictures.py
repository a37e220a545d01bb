"""A patient's pictures: the haematoma in three planes and slice by slice, Grad-CAM, the change, the surface.

Axial and coronal slices have the patient's right at the viewer's left; letters say so on every picture. Outlines run
along voxel edges of the CT's own grid: nothing is interpolated but grey levels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.ich.haematoma.result import CHANGES, GROWN, SHRUNK, STABLE
from deepradiomics.ich.patient.result import HAEMATOMA, CaseFolder
from deepradiomics.images import VIEWS, Mask, Volume
from deepradiomics.reports.canvas import new_figure
from deepradiomics.reports.ich.surface import VIEWS as DIRECTIONS
from deepradiomics.reports.ich.surface import draw_surfaces, surface
from deepradiomics.reports.ich.words import mark_red, red_of
from deepradiomics.reports.palettes import GRADCAM, MAP_OPACITY, colormap
from deepradiomics.reports.pictures import draw_grey, extent_of, height_in, outline
from deepradiomics.reports.slices import Slice, take_slice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BRAIN_WINDOW_HU = (0.0, 80.0)
BLOOD, RING_COLOUR = "#ffcc33", "#56B4E9"
CHANGE_COLOURS = {STABLE: "#ffcc33", GROWN: "#D55E00", SHRUNK: "#56B4E9"}
_SURFACE, _RING_SURFACE = "#c22f34", "#d6ebf7"
_MARGIN_MM = 14.0
_SLICES = 8
_WIDTH_IN = 9.6


def planes_figure(case: CaseFolder) -> Figure | None:
    """Three planes through the slice with most blood, haematoma and ring outlined; None without CT or blood."""
    if case.ct is None or not case.haematoma.any():
        return None
    point = most_blood(case)
    slices = [take_slice(case.ct, plane, point) for plane in VIEWS]
    figure = new_figure(_WIDTH_IN, height_in(slices, _WIDTH_IN, 4.6) + 0.7)
    axes = figure.subplots(1, 3, width_ratios=[shown.extent_mm[0] for shown in slices])
    for ax, slice_ in zip(axes, slices, strict=True):
        _grey(ax, slice_)
        _outlines(ax, case, slice_.plane, point)
        ax.set_title(slice_.plane, fontsize=9)
    _legend(figure)
    return mark_red(figure, red_of(case))


def slices_figure(case: CaseFolder) -> Figure | None:
    """Axial slices from the lowest with blood to the highest, at most eight, near the haematoma."""
    if case.ct is None or not case.haematoma.any():
        return None
    near = _near(case, case.dilated)
    counts = _areas(near)
    levels = np.flatnonzero(counts)
    chosen = levels[np.unique(np.linspace(0, len(levels) - 1, min(_SLICES, len(levels))).round().astype(int))]
    points = _level_points(near)[chosen]
    assert near.ct is not None
    slices = [take_slice(near.ct, "axial", point) for point in points]
    columns = min(4, len(slices))
    lines = -(-len(slices) // columns)
    side = _WIDTH_IN / 4
    tall = side * slices[0].extent_mm[1] / slices[0].extent_mm[0]
    figure = new_figure(side * columns, min(tall, 1.3 * side) * lines + 0.7)
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for ax in axes[len(slices) :]:
        ax.set_axis_off()
    for ax, slice_, point in zip(axes, slices, points, strict=False):
        _grey(ax, slice_)
        _outlines(ax, near, "axial", point)
    _legend(figure)
    return mark_red(figure, red_of(case))


def gradcam_figure(case: CaseFolder) -> Figure | None:
    """Grad-CAM of each outcome in three planes through its hottest place; None without maps or without CT."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    maps = {name: volume for name, volume in case.gradcam.items() if np.nanmax(volume.voxels, initial=0) > 0}
    if case.ct is None or not maps or not case.dilated.any():
        return None
    near = _near(case, case.dilated)
    assert near.ct is not None
    size = [take_slice(near.ct, plane, near.ct.geometry.centre_mm) for plane in VIEWS]
    figure = new_figure(_WIDTH_IN, min(2.6, height_in(size, _WIDTH_IN, 4.6)) * len(maps) + 0.7)
    axes = figure.subplots(len(maps), 3, squeeze=False, width_ratios=[volume.extent_mm[0] for volume in size])
    scale, colours = Normalize(0, 1), colormap(GRADCAM)
    for line, name in zip(axes, maps, strict=True):
        heat = near.gradcam[name]
        relative = Volume(np.nan_to_num(heat.voxels) / float(np.nanmax(heat.voxels)), heat.geometry)
        point = _hottest(relative)
        for ax, plane in zip(line, VIEWS, strict=True):
            slice_ = take_slice(near.ct, plane, point)
            values = take_slice(relative, plane, point).pixels
            _grey(ax, slice_)
            strength = np.clip(0.15 + 0.5 * values, 0, MAP_OPACITY) * (values > 0)
            ax.imshow(
                values, cmap=colours, norm=scale, alpha=strength, extent=extent_of(slice_), interpolation="nearest"
            )
            _outlines(ax, near, plane, point, blood="white")
        line[1].set_title(case.title(name), fontsize=10)
    bar = figure.colorbar(ScalarMappable(scale, colours), ax=axes, fraction=0.02, pad=0.01, aspect=30)
    bar.set_label("Grad-CAM, share of the map's maximum", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    _legend(figure, "white")
    return mark_red(figure, red_of(case))


def change_figure(case: CaseFolder) -> Figure | None:
    """Baseline and registered follow-up in one plane each, with what is stable, grown and shrunk; None without them."""
    from matplotlib.lines import Line2D

    if case.ct is None or case.expansion is None or not (case.expansion.change.labels > 0).any():
        return None
    both = case.dilated | (case.expansion.change.labels > 0)
    near = _near(case, both)
    assert near.ct is not None and near.expansion is not None
    change, followup = near.expansion.change, near.expansion.followup
    counts = (change.labels > 1).astype(int) if (change.labels > 1).any() else change.labels
    centre = np.argwhere(counts)[:, ::-1].mean(axis=0)
    inside = np.argwhere(counts)[:, ::-1]
    point = near.ct.geometry.index_to_physical(inside[np.argmin(np.linalg.norm(inside - centre, axis=1))])
    size = [take_slice(near.ct, plane, point) for plane in VIEWS]
    figure = new_figure(_WIDTH_IN, 2 * min(3.0, height_in(size, _WIDTH_IN, 4.6)) + 0.8)
    axes = figure.subplots(2, 3, width_ratios=[shown.extent_mm[0] for shown in size])
    for line, image, title in zip(axes, (near.ct, followup), ("baseline", "follow-up, registered"), strict=True):
        for ax, plane in zip(line, VIEWS, strict=True):
            slice_ = take_slice(image, plane, point)
            _grey(ax, slice_)
            labels = take_slice(Volume(change.labels, change.geometry), plane, point).pixels
            for value, colour in CHANGE_COLOURS.items():
                outline(ax, labels == value, slice_.extent_mm, colour)
        line[1].set_title(title, fontsize=10)
    handles = [Line2D([], [], color=colour, label=CHANGES[value]) for value, colour in CHANGE_COLOURS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return mark_red(figure, red_of(case))


def surface_figure(case: CaseFolder) -> Figure | None:
    """The haematoma's surface before the ring's, from three sides; None without blood."""
    if not case.haematoma.any():
        return None
    geometry = case.segmentation.geometry
    blood, ring = surface(case.haematoma, geometry), surface(case.dilated, geometry)
    both = np.concatenate([blood, ring]).reshape(-1, 3)
    reach = both.min(axis=0) - 3, both.max(axis=0) + 3
    spans = reach[1] - reach[0]
    wide = [abs(np.array(right)) @ spans for right, _ in DIRECTIONS.values()]
    tall = max(abs(np.array(up)) @ spans for _, up in DIRECTIONS.values())
    figure = new_figure(_WIDTH_IN, float(np.clip(_WIDTH_IN * tall / sum(wide), 1.8, 4.2)) + 0.5)
    for ax, view in zip(figure.subplots(1, 3, width_ratios=wide), DIRECTIONS, strict=True):
        draw_surfaces(ax, [(ring, _RING_SURFACE), (blood, _SURFACE)], view, reach)
    return mark_red(figure, red_of(case))


def most_blood(case: CaseFolder) -> np.ndarray:
    """A point (LPS) in the haematoma, in the middle of it on the axial slice that shows most of it."""
    return _level_points(case)[int(np.argmax(_areas(case)))]


def _areas(case: CaseFolder) -> np.ndarray:
    """Voxels of blood on each slice across the axis nearest to the patient's long axis."""
    return np.moveaxis(case.haematoma, _long_axis(case), 0).sum(axis=(1, 2))


def _level_points(case: CaseFolder) -> np.ndarray:
    """For each of these slices the blood voxel (LPS) nearest to its blood's middle; the grid's middle without blood."""
    geometry = case.segmentation.geometry
    axis = _long_axis(case)
    points = np.tile(np.array(geometry.centre_mm), (case.haematoma.shape[axis], 1))
    for level, plane in enumerate(np.moveaxis(case.haematoma, axis, 0)):
        where = np.argwhere(plane)
        if len(where):
            nearest = where[np.argmin(np.linalg.norm(where - where.mean(axis=0), axis=1))]
            points[level] = geometry.index_to_physical(np.insert(nearest, axis, level)[::-1])
    return points


def _long_axis(case: CaseFolder) -> int:
    """The array's axis (z, y, x) that runs nearest to the patient's long axis."""
    return 2 - int(np.argmax(np.abs(case.segmentation.geometry.axes[2])))


def _near(case: CaseFolder, region: np.ndarray) -> CaseFolder:
    """The same case cut to a region's box with some margin."""
    where = np.argwhere(region)
    geometry = case.segmentation.geometry
    margin = np.ceil(_MARGIN_MM / np.array(geometry.spacing_mm[::-1])).astype(int)
    low = np.maximum(0, where.min(axis=0) - margin)
    high = np.minimum(region.shape, where.max(axis=0) + 1 + margin)
    part = tuple(map(slice, low, high))
    grid = geometry.crop(low[::-1].tolist(), (high - low)[::-1].tolist())

    def cut(volume: Volume) -> Volume:
        return Volume(volume.voxels[part], grid)

    segmentation = Mask(case.segmentation.labels[part], grid)
    maps = {name: cut(volume) for name, volume in case.gradcam.items()}
    expansion = case.expansion
    if expansion is not None:
        change = Mask(expansion.change.labels[part], grid)
        expansion = replace(expansion, change=change, followup=cut(expansion.followup))
    ct = None if case.ct is None else cut(case.ct)
    return replace(case, segmentation=segmentation, gradcam=maps, ct=ct, expansion=expansion)


def _grey(ax: Axes, slice_: Slice) -> None:
    """The slice in the brain window; its bar gets a dark rim, for it may lie on bone."""
    from matplotlib.patheffects import withStroke

    draw_grey(ax, slice_, BRAIN_WINDOW_HU)
    ax.lines[-1].set_path_effects([withStroke(linewidth=4, foreground="black")])


def _legend(figure: Figure, blood: str = BLOOD) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=blood if blood != "white" else "#999999", label="haematoma"),
        Line2D([], [], color=RING_COLOUR, linestyle="--", label="ring of the dilated haematoma"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=9)


def _outlines(ax: Axes, case: CaseFolder, plane: str, point: np.ndarray, blood: str = BLOOD) -> None:
    """Haematoma in a full line, ring in dashes."""
    labels = take_slice(Volume(case.segmentation.labels, case.segmentation.geometry), plane, point)
    outline(ax, labels.pixels > 0, labels.extent_mm, RING_COLOUR, dash="--")
    outline(ax, labels.pixels == HAEMATOMA, labels.extent_mm, blood)


def _hottest(heat: Volume) -> np.ndarray:
    """A point (LPS) among the hottest voxels, the one nearest to their middle."""
    where = np.argwhere(heat.voxels >= 0.99)
    nearest = where[np.argmin(np.linalg.norm(where - where.mean(axis=0), axis=1))]
    return heat.geometry.index_to_physical(nearest[::-1])
