"""The report's pictures: slices with the relevance of patches, with Grad-CAM, and the region in every view."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.images import VIEWS, Volume
from deepradiomics.prepare import Box
from deepradiomics.reports.palettes import GRADCAM, MAP_OPACITY, RELEVANCE, colormap
from deepradiomics.reports.slices import Slice, own_plane, take_slice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 110
_WIDTH_IN = 9.6
_LEAST_SPAN = 0.02  # of the colours of relevance: a flat map shall not look like a contrast
_ROUNDING = 0.0005  # relevance is told to three decimals
_SCALE_BAR_MM = 20.0
_FINE = 4


@dataclass(frozen=True)
class TaskPicture:
    """A task's maps, and what a reader must know of their colours.

    Args:
        png: base64 text.
        patch: number of the patch, from 1, that the planes of the upper row run through: the most relevant one.
        is_flat: all patches are equally relevant to rounding; the planes run through the one in the middle.
        low, high: this case's range of relevance, as printed.
        least_span: what the colours span where that range is narrower; empty otherwise.
        has_gradcam: whether there is a lower row.
    """

    png: str
    patch: int
    is_flat: bool
    low: str
    high: str
    least_span: str
    has_gradcam: bool


def png_of(figure: "Figure") -> str:
    """The figure as a PNG, as base64 text."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=_DPI, facecolor="white", metadata={"Software": None})
    return base64.b64encode(stream.getvalue()).decode("ascii")


def task_picture(
    reference: Volume,
    relevance: Volume,
    gradcam: Volume | None,
    patches: Volume,
    boxes: Sequence[Box],
    relevance_of_patch: Sequence[float],
) -> TaskPicture:
    """Draw three planes of the reference view: relevance of patches above, Grad-CAM below.

    Args:
        reference: the reference view.
        relevance: patch relevance on the same grid, 0 outside the region.
        gradcam: Grad-CAM on the same grid, or None.
        patches: patch numbers on the same grid, 0 outside the region.
        boxes: patches in the reference view's space.
        relevance_of_patch: one number per patch.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    if gradcam is not None and not np.nanmax(gradcam.voxels) > 0:
        gradcam = None  # the network says nothing about this logit; an empty row would only puzzle
    flat = bool(np.ptp(relevance_of_patch) <= _ROUNDING)
    best = _most_central(boxes) if flat else int(np.argmax(relevance_of_patch))
    centre = boxes[best].centre_mm
    grey = [take_slice(reference, plane, centre) for plane in VIEWS]
    rows = 2 if gradcam is not None else 1
    figure = Figure(figsize=(_WIDTH_IN, height_in(grey, _WIDTH_IN - 0.9, 4.5) * rows + 0.1), layout="constrained")
    axes = figure.subplots(rows, 3, squeeze=False, width_ratios=[slice_.extent_mm[0] for slice_ in grey])
    window, scale = _window(reference), Normalize(*_colours_of(relevance_of_patch))
    relevance_map, gradcam_map = colormap(RELEVANCE), colormap(GRADCAM)
    for ax, slice_ in zip(axes[0], grey, strict=True):
        values = take_slice(relevance, slice_.plane, centre).pixels
        shown = np.ma.masked_where(values == 0, values)
        draw_grey(ax, slice_, window)
        ax.imshow(shown, cmap=relevance_map, norm=scale, alpha=0.5, extent=extent_of(slice_), interpolation="nearest")
        draw_patches(ax, take_slice(patches, slice_.plane, centre))
    mappable = ScalarMappable(scale, relevance_map)
    figure.colorbar(mappable, ax=axes[0, :], fraction=0.02, pad=0.01, label="relevance of patch (mean q)")
    if gradcam is not None:
        hottest = _hottest(gradcam)
        heat_scale = Normalize(0, float(np.nanmax(gradcam.voxels)) or 1.0)
        for ax, plane in zip(axes[1], VIEWS, strict=True):
            slice_, heat = take_slice(reference, plane, hottest), take_slice(gradcam, plane, hottest).pixels
            draw_grey(ax, slice_, window)
            strength = np.clip(heat_scale(np.asarray(heat, float)), 0, 1) * MAP_OPACITY
            ax.imshow(
                heat,
                cmap=gradcam_map,
                norm=heat_scale,
                alpha=strength,
                extent=extent_of(slice_),
                interpolation="nearest",
            )
            draw_patches(ax, take_slice(patches, plane, hottest), numbers=False)
        figure.colorbar(
            ScalarMappable(heat_scale, gradcam_map), ax=axes[1, :], fraction=0.02, pad=0.01, label="Grad-CAM"
        )
    low, high = float(min(relevance_of_patch)), float(max(relevance_of_patch))
    span = f"{_LEAST_SPAN:g}" if high - low < _LEAST_SPAN else ""
    return TaskPicture(png_of(figure), best + 1, flat, f"{low:.3f}", f"{high:.3f}", span, gradcam is not None)


def views_picture(
    views: Mapping[str, Volume],
    patches: Mapping[str, Volume],
    boxes: Mapping[str, Sequence[Box]],
    notes: Mapping[str, str],
) -> str:
    """Draw each view in its own plane near the region's middle, with the patches outlined and numbered; a PNG (base64).

    Args:
        views: images by name.
        patches: patch numbers on each view's grid.
        boxes: each view's patches in its own space.
        notes: a view's remark under its name, such as "reformatted from sagittal".
    """
    from matplotlib.figure import Figure

    slices = {}
    for name, volume in views.items():
        # Not the very middle: that is the border between patches when their number is even.
        through = boxes[name][_most_central(boxes[name])].centre_mm
        plane = name if name in VIEWS else own_plane(volume.geometry)
        slices[name] = take_slice(volume, plane, through), take_slice(patches[name], plane, through)
    grey = [slice_ for slice_, _ in slices.values()]
    figure = Figure(figsize=(_WIDTH_IN, height_in(grey, _WIDTH_IN - 0.9, 4.5) + 0.4), layout="constrained")
    axes = figure.subplots(1, len(slices), squeeze=False, width_ratios=[slice_.extent_mm[0] for slice_ in grey])[0]
    for ax, (name, (slice_, numbers)) in zip(axes, slices.items(), strict=True):
        draw_grey(ax, slice_, _window(views[name]))
        draw_patches(ax, numbers)
        ax.set_title(f"{name}\n{notes[name]}" if notes.get(name) else name, fontsize=9)
    return png_of(figure)


def draw_grey(ax: "Axes", slice_: Slice, window: tuple[float, float]) -> None:
    """Draw a slice in millimetres, with the letters of its four edges and a bar of 20 mm."""
    ax.imshow(
        slice_.pixels, cmap="gray", vmin=window[0], vmax=window[1], extent=extent_of(slice_), interpolation="bilinear"
    )
    ax.set_aspect("equal")
    ax.set_axis_off()
    style: dict[str, Any] = {
        "color": "white",
        "fontsize": 9,
        "fontweight": "bold",
        "transform": ax.transAxes,
        "bbox": {"facecolor": "black", "alpha": 0.45, "pad": 1.0, "linewidth": 0},
    }
    ax.text(0.015, 0.5, slice_.left, ha="left", va="center", **style)
    ax.text(0.985, 0.5, slice_.right, ha="right", va="center", **style)
    ax.text(0.5, 0.985, slice_.top, ha="center", va="top", **style)
    ax.text(0.5, 0.015, slice_.bottom, ha="center", va="bottom", **style)
    width, height = slice_.extent_mm
    start = 0.04 * width
    ax.plot([start, start + _SCALE_BAR_MM], [0.96 * height] * 2, color="white", linewidth=2, solid_capstyle="butt")


def extent_of(slice_: Slice) -> tuple[float, float, float, float]:
    """Where a slice's pixels lie on axes in millimetres, as ``imshow`` takes it."""
    return 0.0, slice_.extent_mm[0], slice_.extent_mm[1], 0.0


def outline(
    ax: "Axes", inside: np.ndarray, extent_mm: Sequence[float], colour: str, *, width: float = 1.1, dash: str = "-"
) -> None:
    """Outline a region along its pixels' edges.

    Args:
        ax: axes in millimetres.
        inside: bool (rows, columns); nothing is drawn of an empty one.
        extent_mm: width and height of the whole slice.
        colour, width, dash: of the line.
    """
    across, along = extent_mm
    if inside.any():
        fine = np.pad(np.kron(inside, np.ones((_FINE, _FINE), int)), 1)  # small steps, so that corners stay corners
        rows, columns = (count - 2 for count in fine.shape)
        x, y = (np.arange(-1, columns + 1) + 0.5) * across / columns, (np.arange(-1, rows + 1) + 0.5) * along / rows
        ax.contour(x, y, fine.astype(float), levels=[0.5], colors=[colour], linewidths=width, linestyles=[dash])
    ax.set_xlim(0, across)
    ax.set_ylim(along, 0)


def height_in(slices: Sequence[Slice], width_in: float, highest_in: float) -> float:
    """Height in inches at which slices, drawn at one scale side by side, fill a width."""
    across = sum(slice_.extent_mm[0] for slice_ in slices)
    tallest = max(slice_.extent_mm[1] for slice_ in slices)
    return float(np.clip(width_in * tallest / across, 1.5, highest_in))


def draw_patches(ax: "Axes", labels: Slice, numbers: bool = True) -> None:
    """Outline each patch along its pixels' edges, and write its number."""
    from matplotlib.patheffects import withStroke

    width, height = labels.extent_mm
    ax.set(xlim=(0, width), ylim=(height, 0))
    numbers_of = np.rint(labels.pixels).astype(int)
    for number in np.unique(numbers_of[numbers_of > 0]):
        outline(ax, numbers_of == number, labels.extent_mm, "white", width=0.9)
        if numbers:
            row, column = np.argwhere(numbers_of == number).mean(axis=0) + 0.5
            rows, columns = numbers_of.shape
            ax.text(
                column * width / columns,
                row * height / rows,
                str(number),
                color="white",
                fontsize=8,
                ha="center",
                va="center",
                path_effects=[withStroke(linewidth=2, foreground="black")],
            )


def _most_central(boxes: Sequence[Box]) -> int:
    centres = np.array([box.centre_mm for box in boxes])
    return int(np.argmin(np.linalg.norm(centres - centres.mean(axis=0), axis=1)))


def _hottest(gradcam: Volume) -> np.ndarray:
    """Return the centre (LPS) of the hottest voxels: of all those within 1 % of the maximum."""
    where = np.argwhere(gradcam.voxels >= 0.99 * np.nanmax(gradcam.voxels))
    return gradcam.geometry.index_to_physical(where.mean(axis=0)[::-1])


def _window(volume: Volume) -> tuple[float, float]:
    step = max(1, volume.voxels.size // 500_000)
    low, high = np.percentile(volume.voxels.ravel()[::step], (1, 99.5))
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1.0)


def _colours_of(relevance: Sequence[float]) -> tuple[float, float]:
    """Ends of the colours of relevance: the patches' range, widened to 0.02 where it is narrower."""
    low, high = float(min(relevance)), float(max(relevance))
    margin = max(0.0, _LEAST_SPAN - (high - low)) / 2
    return low - margin, high + margin
