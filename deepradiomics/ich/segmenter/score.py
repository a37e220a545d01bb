"""How well a segmenter does on cases that it has not seen: Dice on each CT's own grid, and a picture of three."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.cohort.manifest import ManifestRow
from deepradiomics.files.atomic import atomic_file
from deepradiomics.ich.haematoma.volume import volume_ml
from deepradiomics.ich.segmenter.data import read_baseline
from deepradiomics.images import Mask, Volume
from deepradiomics.networks.segmented import Segmenter
from deepradiomics.prepare.orientation import reformat
from deepradiomics.prepare.resample import resample_mask
from deepradiomics.progress import Progress, silent
from deepradiomics.stats.overlap import dice

_WINDOW_HU = (-10.0, 100.0)


@dataclass(frozen=True, eq=False)
class _Slice:
    """The axial slice of a case with most haematoma: HU, reference and segmentation (y, x), and the pixels' shape."""

    case: str
    score: float
    image: np.ndarray
    drawn: np.ndarray
    segmented: np.ndarray
    aspect: float


def score_cases(
    segmenter: Segmenter,
    rows: Sequence[ManifestRow],
    picture: Path | None = None,
    *,
    synthetic: str = "",
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Segment cases and compare with their masks.

    Args:
        segmenter: any.
        rows: cases with an image and a mask.
        picture: PNG file of the cases with the lowest, the middle and the highest Dice.
        synthetic: title of a picture of synthetic heads; empty for others.
        progress: called after every case.

    Returns:
        For each case ``id``, ``dice`` (on the CT's grid), ``ml`` (drawn) and ``found_ml``.
    """
    report = progress or silent
    scores: list[dict[str, Any]] = []
    slices: list[_Slice] = []
    for done, row in enumerate(rows, start=1):
        volume, mask = read_baseline(row)
        drawn = resample_mask(mask, volume.geometry)
        result = segmenter.segment(volume, case=row.id)
        score = dice(drawn.labels == 1, result.mask.labels == 1)
        scores.append({"id": row.id, "dice": score, "ml": volume_ml(mask), "found_ml": volume_ml(result.mask)})
        slices.append(_slice(row.id, score, volume, drawn, result.mask))
        report(done / len(rows), f"Dice of {row.id}: {score:.3f}")
    if picture is not None:
        order = sorted(slices, key=lambda case: case.score)
        shown = sorted({0, len(order) // 2, len(order) - 1})
        _draw([order[n] for n in shown], picture, synthetic)
    return scores


def _slice(case: str, score: float, volume: Volume, drawn: Mask, segmented: Mask) -> _Slice:
    image, *masks = (
        reformat(Volume(voxels, volume.geometry), "axial") for voxels in (volume.voxels, drawn.labels, segmented.labels)
    )
    at = int((masks[0].voxels == 1).sum(axis=(1, 2)).argmax())
    x, y, _ = image.geometry.spacing_mm
    truth, guess = (np.asarray(mask.voxels[at] == 1) for mask in masks)
    return _Slice(case, score, np.asarray(image.voxels[at], np.float32), truth, guess, y / x)


def _draw(cases: Sequence[_Slice], path: Path, synthetic: str) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(4 * len(cases), 4.8), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for panel, case in zip(figure.subplots(1, len(cases), squeeze=False)[0], cases, strict=True):
        low, high = _WINDOW_HU
        panel.imshow(case.image, cmap="gray", vmin=low, vmax=high, aspect=case.aspect, interpolation="nearest")
        for region, colour in ((case.drawn, "#00a6ff"), (case.segmented, "#ff7f0e")):
            if region.any() and not region.all():
                panel.contour(region, levels=[0.5], colors=[colour], linewidths=1.2)
        panel.set_title(f"{case.case}: Dice {case.score:.2f}", fontsize=10)
        panel.set_xticks([])
        panel.set_yticks([])
    lines = [Line2D([], [], color=colour, label=name) for name, colour in (("drawn", "#00a6ff"), ("found", "#ff7f0e"))]
    figure.legend(handles=lines, loc="outside lower center", ncols=2, frameon=False)
    kind = f"{synthetic}, " if synthetic else ""
    figure.suptitle(f"{kind}held-out cases with the lowest, the middle and the highest Dice", fontsize=10)
    with atomic_file(path) as temporary:
        canvas.print_png(temporary)
