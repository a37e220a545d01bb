"""The picture of a haematoma's change: baseline, registered follow-up, and where it grew, slice by slice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.ich.haematoma.expansion import Expansion
from deepradiomics.ich.haematoma.result import CHANGES, GROWN, SHRUNK, STABLE
from deepradiomics.images import Volume
from deepradiomics.reports.canvas import new_figure, save
from deepradiomics.reports.pictures import extent_of
from deepradiomics.reports.slices import Slice, take_slice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WINDOW_HU = (0.0, 80.0)
SLICES = 4
COLOURS = {STABLE: "#F0E442", GROWN: "#D55E00", SHRUNK: "#56B4E9"}
_ROOM_MM = 12.0  # slices next to each other show nearly the same


def write_picture(baseline: Volume, change: Expansion, path: Path | str, *, synthetic: str = "") -> Path:
    """Draw up to four axial slices through the change: baseline, follow-up laid onto it, and the change as colours.

    Args:
        baseline: the CT at admission.
        change: what :func:`deepradiomics.ich.haematoma.expansion.expansion` found.
        path: of the PNG.
        synthetic: what to say in red of images that are made up; empty where they are not.
    """
    return save(draw(baseline, change, synthetic=synthetic), path)


def draw(baseline: Volume, change: Expansion, *, synthetic: str = "") -> Figure:
    """The figure of :func:`write_picture`."""
    points = _through(change)
    figure = new_figure(2.6 * len(points) + 0.4, 8.9)
    rows = figure.subplots(3, len(points), squeeze=False)
    labels = Volume(change.change.labels.astype(np.float32), change.change.geometry)
    for column, point in enumerate(points):
        marks = take_slice(labels, "axial", point)
        for row, image in enumerate((baseline, change.followup, baseline)):
            axes, shown = rows[row][column], take_slice(image, "axial", point)
            _grey(axes, shown)
            if row < 2:
                _outline(axes, marks, (STABLE, SHRUNK) if row == 0 else (STABLE, GROWN))
            else:
                _fill(axes, marks)
        rows[0][column].set_title(f"{_height(baseline, point):.0f} mm", fontsize=9)
    for row, name in enumerate(("Baseline", "Follow-up, registered", "Change")):
        rows[row][0].set_ylabel(name, fontsize=10)
    figure.suptitle(_title(change), fontsize=11)
    _legend(figure, change)
    if synthetic:
        figure.text(0.995, 0.995, synthetic, color="#B00020", ha="right", va="top", fontsize=11, weight="bold")
    return figure


def _through(change: Expansion) -> list[np.ndarray]:
    """Points (LPS) on the axial slices to show: those with most change, or most haematoma, apart from each other."""
    labels, geometry = change.change.labels, change.change.geometry
    where = np.argwhere(labels > 0)
    if not len(where):
        return [np.array(geometry.centre_mm)]
    world = geometry.index_to_physical(where[:, ::-1])
    axis = int(np.argmax(np.abs(geometry.axes[2])))  # the index axis that runs from foot to head
    number, step = where[:, 2 - axis], geometry.spacing_mm[axis]
    weight = np.where(labels[tuple(where.T)] == STABLE, 0.2, 1.0)
    amount = np.bincount(number, weight)
    chosen: list[int] = []
    for candidate in np.argsort(-amount, kind="stable"):
        if amount[candidate] > 0 and all(abs(candidate - other) * step >= _ROOM_MM for other in chosen):
            chosen.append(int(candidate))
    chosen = chosen[:SLICES]
    points = [world[number == level].mean(axis=0) for level in chosen]
    return sorted(points, key=lambda point: float(point[2]))


def _grey(axes: Axes, shown: Slice) -> None:
    axes.imshow(
        shown.pixels,
        cmap="gray",
        vmin=WINDOW_HU[0],
        vmax=WINDOW_HU[1],
        interpolation="nearest",
        extent=extent_of(shown),
    )
    axes.set_xticks([])
    axes.set_yticks([])
    for x, y, letter in ((0.02, 0.5, shown.left), (0.98, 0.5, shown.right)):
        axes.text(x, y, letter, color="white", fontsize=7, ha="left" if x < 0.5 else "right", transform=axes.transAxes)


def _outline(axes: Axes, marks: Slice, which: tuple[int, ...]) -> None:
    inside = np.isin(marks.pixels, which)
    if inside.any():
        axes.contour(inside, levels=[0.5], colors="#F0E442", linewidths=1.0, **_centred(marks))


def _fill(axes: Axes, marks: Slice) -> None:
    for value in CHANGES:
        inside = np.ma.masked_equal((marks.pixels == value).astype(float), 0)
        if inside.count():
            from matplotlib.colors import ListedColormap

            axes.imshow(
                inside,
                cmap=ListedColormap([COLOURS[value]]),
                alpha=0.6,
                interpolation="nearest",
                extent=extent_of(marks),
            )


def _centred(marks: Slice) -> dict[str, Any]:
    """contour's own axes: pixel centres in millimetres from the upper left edge."""
    (rows, columns), (width, height) = marks.pixels.shape, marks.extent_mm
    return {"extent": (width / columns / 2, width - width / columns / 2, height / rows / 2, height - height / rows / 2)}


def _height(baseline: Volume, point: np.ndarray) -> float:
    """Millimetres above the lowest voxel centre of the baseline."""
    corners = baseline.geometry.corners_mm()
    return float(point[2] - corners[:, 2].min())


def _title(change: Expansion) -> str:
    passed = [name.removeprefix("expansion_") for name, exceeded in change.labels.items() if exceeded]
    limits = [limit.replace("pct", " %").replace("ml", " mL") for limit in passed]
    verdict = f"more than {', '.join(limits)}" if limits else "no limit passed"
    name = f"{change.case}: " if change.case else ""
    return (
        f"{name}{change.baseline_ml:.1f} mL → {change.followup_ml:.1f} mL: {change.difference_ml:+.1f} mL "
        f"({change.relative:+.0%})\n{verdict}"
    )


def _legend(figure: Figure, change: Expansion) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(color=COLOURS[value], label=f"{name}, {change.changed_ml(value):.1f} mL")
        for value, name in CHANGES.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
