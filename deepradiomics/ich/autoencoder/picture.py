"""reconstruction.png: lesions that the network was not trained on, and their reconstructions from the latents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from deepradiomics.files.atomic import atomic_file

_COLUMNS = ("CT", "reconstruction", "difference", "mean of training")


def draw_reconstructions(
    images: np.ndarray,
    reconstructions: np.ndarray,
    regions: np.ndarray,
    mean_image: np.ndarray,
    names: Sequence[str],
    window_hu: tuple[float, float],
    path: Path,
    *,
    synthetic: str = "",
) -> Path:
    """Draw one line per case: the slice with most haematoma, its reconstruction, their difference, the mean image.

    Args:
        images, reconstructions: (N, n, n, n) in [0, 1] of the window.
        regions: uint8 (N, n, n, n): 1 haematoma, 2 ring; their outlines are drawn.
        mean_image: (n, n, n): the best reconstruction without knowledge of the patient.
        names: N.
        window_hu: for the colour bars.
        path: the PNG file.
        synthetic: title of a picture of synthetic heads; empty for others.
    """
    low, high = window_hu
    figure = Figure(figsize=(9.6, 1.95 * len(names) + 0.6), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(len(names), len(_COLUMNS), squeeze=False)
    grey: Any = None
    shift: Any = None
    for line, name in enumerate(names):
        at = int(np.argmax((regions[line] == 1).sum(axis=(1, 2))))
        shown = [part[at] * (high - low) + low for part in (images[line], reconstructions[line], mean_image)]
        pictures = [shown[0], shown[1], shown[1] - shown[0], shown[2]]
        for column, (panel, picture) in enumerate(zip(panels[line], pictures, strict=True)):
            if column == 2:
                shift = panel.imshow(picture, cmap="RdBu_r", vmin=-40, vmax=40, interpolation="nearest")
            else:
                grey = panel.imshow(picture, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
            if column < 3:
                _outline(panel, regions[line, at])
            panel.set_xticks([])
            panel.set_yticks([])
            if line == 0:
                panel.set_title(_COLUMNS[column], fontsize=10)
        panels[line, 0].set_ylabel(name, fontsize=8)
    figure.colorbar(grey, ax=panels[:, 3], label="HU", shrink=0.8, aspect=30)
    figure.colorbar(shift, ax=panels[:, 2], label="reconstruction − CT, HU", shrink=0.8, aspect=30)
    title = "Lesions kept from training; red: haematoma, yellow: ring of the dilated lesion"
    figure.suptitle((f"{synthetic}. " if synthetic else "") + title, fontsize=10)
    with atomic_file(path) as temporary:
        canvas.print_png(temporary)
    return path


def _outline(panel: Any, regions: np.ndarray) -> None:
    for inside, colour in ((regions == 1, "tab:red"), (regions > 0, "gold")):
        if inside.any() and not inside.all():
            panel.contour(inside.astype(float), levels=[0.5], colors=[colour], linewidths=0.8)
