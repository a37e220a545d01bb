"""reconstruction.png: a validation case, its visible patches, and the reconstruction of the hidden ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from deepradiomics.files.atomic import atomic_file
from deepradiomics.networks.mae import MaskedAutoencoder

_TITLES = ("image", "what the encoder sees", "reconstruction of what it does not see")


def draw_reconstruction(
    model: MaskedAutoencoder, image: np.ndarray, names: Sequence[str], path: Path, *, synthetic: bool = False
) -> Path:
    """Draw the middle slice of each modality: the image, its visible patches, and the reconstruction.

    Args:
        model: in eval mode, on the CPU.
        image: float32 (1, C, z, y, x).
        names: C modalities.
        path: the PNG file.
        synthetic: whether the image is; the title then says so.
    """
    with torch.no_grad():
        reconstruction = model(torch.from_numpy(image), torch.Generator().manual_seed(0))
    hidden = reconstruction.mask[0].numpy()
    for axis in range(3):
        hidden = hidden.repeat(model.patch, axis=axis)  # (z, y, x)
    middle = image.shape[2] // 2
    figure = Figure(figsize=(9, 3 * len(names) + 0.5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(len(names), 3, squeeze=False)
    for channel, name in enumerate(names):
        shown = image[0, channel, middle]
        away = hidden[middle]
        low, high = np.quantile(shown, [0.005, 0.995])
        filled = np.where(away, reconstruction.image[0, channel, middle].numpy(), shown)
        for panel, picture, title in zip(
            panels[channel], (shown, np.where(away, np.nan, shown), filled), _TITLES, strict=True
        ):
            panel.set_facecolor("0.5")
            panel.imshow(picture, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), interpolation="nearest")
            panel.set_xticks([])
            panel.set_yticks([])
            if channel == 0:
                panel.set_title(title, fontsize=10)
        panels[channel, 0].set_ylabel(name)
    part = f"{model.ratio:.0%} of the {model.patch}³ patches hidden, a validation case, middle slice"
    # The network predicts patches of mean 0 and variance 1: to show them, the true mean and contrast are borrowed.
    borrowed = "each hidden patch is drawn with its own mean and contrast, which the network does not predict"
    figure.suptitle(("SYNTHETIC images: " if synthetic else "") + f"{part}\n{borrowed}", fontsize=10)
    with atomic_file(path) as temporary:
        canvas.print_png(temporary)
    return path
