"""A patient's pictures: the haematoma in three planes and slice by slice, Grad-CAM, the change, the surface.

Axial and coronal slices have the patient's right at the viewer's left; letters say so on every picture. Outlines run
along voxel edges of the CT's own grid: nothing is interpolated but grey levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.images import VIEWS, Volume
from deepradiomics.results.canvas import new_figure
from deepradiomics.results.ich_case import HAEMATOMA, CaseFolder
from deepradiomics.results.ich_surface import VIEWS as DIRECTIONS
from deepradiomics.results.ich_surface import draw_surfaces, surface
from deepradiomics.results.ich_words import mark_red
from deepradiomics.results.palettes import GRADCAM, MAP_OPACITY, colormap
from deepradiomics.results.report_pictures import draw_grey
from deepradiomics.results.report_slices import Slice, take_slice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BRAIN_WINDOW_HU = (0.0, 80.0)
BLOOD, RING_COLOUR = "#ffcc33", "#56B4E9"
CHANGES = {1: ("stable", "#ffcc33"), 2: ("grown", "#D55E00"), 3: ("shrunk", "#56B4E9")}
_SURFACE, _RING_SURFACE = "#c22f34", "#d6ebf7"
_MARGIN_MM = 14.0
_SLICES = 8
_FINE = 4  # steps a pixel, so that an outline follows the voxels' edges
_WIDTH_IN = 9.6


def planes_figure(case: CaseFolder) -> Figure | None:
    """Three planes through the slice with most blood, haematoma and ring outlined; None without CT or blood."""
    if case.ct is None or not case.haematoma.any():
        return None
    point = most_blood(case)
    slices = [take_slice(case.ct, plane, point) for plane in VIEWS]
    figure = new_figure(_WIDTH_IN, _height(slices) + 0.7)
    axes = figure.subplots(1, 3, width_ratios=[one.extent_mm[0] for one in slices])
    for ax, slice_ in zip(axes, slices, strict=True):
        _grey(ax, slice_)
        _outlines(ax, case, slice_.plane, point)
        ax.set_title(slice_.plane, fontsize=9)
    _legend(figure)
    return _marked(figure, case)


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
    return _marked(figure, case)


def gradcam_figure(case: CaseFolder) -> Figure | None:
    """Grad-CAM of each outcome in three planes through its hottest place; None without maps or without CT."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    maps = {name: one for name, one in case.gradcam.items() if np.nanmax(one.voxels, initial=0) > 0}
    if case.ct is None or not maps or not case.dilated.any():
        return None
    near = _near(case, case.dilated)
    assert near.ct is not None
    size = [take_slice(near.ct, plane, near.ct.geometry.centre_mm) for plane in VIEWS]
    figure = new_figure(_WIDTH_IN, min(2.6, _height(size)) * len(maps) + 0.7)
    axes = figure.subplots(len(maps), 3, squeeze=False, width_ratios=[one.extent_mm[0] for one in size])
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
            ax.imshow(values, cmap=colours, norm=scale, alpha=strength,
                      extent=(0.0, slice_.extent_mm[0], slice_.extent_mm[1], 0.0), interpolation="nearest")  # fmt: skip
            _outlines(ax, near, plane, point, blood="white")
        line[1].set_title(case.title(name), fontsize=10)
    bar = figure.colorbar(ScalarMappable(scale, colours), ax=axes, fraction=0.02, pad=0.01, aspect=30)
    bar.set_label("Grad-CAM, share of the map's maximum", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    _legend(figure, "white")
    return _marked(figure, case)


def change_figure(case: CaseFolder) -> Figure | None:
    """Baseline and registered follow-up in one plane each, with what is stable, grown and shrunk; None without them."""
    from matplotlib.lines import Line2D

    if case.ct is None or case.followup is None or case.change is None or not (case.change.labels > 0).any():
        return None
    both = case.dilated | (case.change.labels > 0)
    near = _near(case, both)
    assert near.ct is not None and near.followup is not None and near.change is not None
    counts = (near.change.labels > 1).astype(int) if (near.change.labels > 1).any() else near.change.labels
    centre = np.argwhere(counts)[:, ::-1].mean(axis=0)
    inside = np.argwhere(counts)[:, ::-1]
    point = near.ct.geometry.index_to_physical(inside[np.argmin(np.linalg.norm(inside - centre, axis=1))])
    size = [take_slice(near.ct, plane, point) for plane in VIEWS]
    figure = new_figure(_WIDTH_IN, 2 * min(3.0, _height(size)) + 0.8)
    axes = figure.subplots(2, 3, width_ratios=[one.extent_mm[0] for one in size])
    for line, image, title in zip(axes, (near.ct, near.followup), ("baseline", "follow-up, registered"), strict=True):
        for ax, plane in zip(line, VIEWS, strict=True):
            slice_ = take_slice(image, plane, point)
            _grey(ax, slice_)
            labels = take_slice(Volume(near.change.labels, near.change.geometry), plane, point).pixels
            for value, (_, colour) in CHANGES.items():
                _outline(ax, labels == value, slice_.extent_mm, colour)
        line[1].set_title(title, fontsize=10)
    handles = [Line2D([], [], color=colour, label=name) for name, colour in CHANGES.values()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return _marked(figure, case)


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
    return _marked(figure, case)


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

    def cut(volume: Volume | None) -> Volume | None:
        return None if volume is None else Volume(volume.voxels[part], grid)

    segmentation = type(case.segmentation)(case.segmentation.labels[part], grid)
    change = None if case.change is None else type(case.change)(case.change.labels[part], grid)
    maps = {name: Volume(one.voxels[part], grid) for name, one in case.gradcam.items()}
    return CaseFolder(case.folder, case.record, segmentation, maps, ct=cut(case.ct), change=change,
                      followup=cut(case.followup))  # fmt: skip


def _grey(ax: Axes, slice_: Slice) -> None:
    """The slice in the brain window; its bar gets a dark rim, for it may lie on bone."""
    from matplotlib.patheffects import withStroke

    draw_grey(ax, slice_, BRAIN_WINDOW_HU)
    ax.lines[-1].set_path_effects([withStroke(linewidth=4, foreground="black")])


def _legend(figure: Figure, blood: str = BLOOD) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=blood if blood != "white" else "#999999", label="haematoma"),
               Line2D([], [], color=RING_COLOUR, linestyle="--", label="ring of the dilated haematoma")]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=9)


def _outlines(ax: Axes, case: CaseFolder, plane: str, point: np.ndarray, blood: str = BLOOD) -> None:
    """Haematoma in a full line, ring in dashes."""
    labels = take_slice(Volume(case.segmentation.labels, case.segmentation.geometry), plane, point)
    _outline(ax, labels.pixels > 0, labels.extent_mm, RING_COLOUR, "--")
    _outline(ax, labels.pixels == HAEMATOMA, labels.extent_mm, blood)


def _outline(ax: Axes, inside: np.ndarray, extent_mm: tuple[float, float], colour: str, dash: str = "-") -> None:
    if not inside.any():
        return
    fine = np.pad(np.kron(inside, np.ones((_FINE, _FINE), int)), 1)
    rows, columns = (count - 2 for count in fine.shape)
    width, height = extent_mm
    x, y = (np.arange(-1, columns + 1) + 0.5) * width / columns, (np.arange(-1, rows + 1) + 0.5) * height / rows
    ax.contour(x, y, fine.astype(float), levels=[0.5], colors=[colour], linewidths=1.1, linestyles=[dash])
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)


def _hottest(heat: Volume) -> np.ndarray:
    """A point (LPS) among the hottest voxels, the one nearest to their middle."""
    where = np.argwhere(heat.voxels >= 0.99)
    nearest = where[np.argmin(np.linalg.norm(where - where.mean(axis=0), axis=1))]
    return heat.geometry.index_to_physical(nearest[::-1])


def _height(slices: Sequence[Slice]) -> float:
    """Height in inches at which the slices, drawn at one scale side by side, fill the picture's width."""
    across = sum(one.extent_mm[0] for one in slices)
    return float(np.clip(_WIDTH_IN * max(one.extent_mm[1] for one in slices) / across, 1.5, 4.6))


def _marked(figure: Figure, case: CaseFolder) -> Figure:
    return mark_red(figure, case.red)
