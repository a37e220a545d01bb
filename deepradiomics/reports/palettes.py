"""One palette for each kind of map, in reports and in the scene: what is orange in one is orange in the other.

The colours are interpolated from a few points (matplotlib's Plasma and Inferno, CC0; Moreland's blue to red), the same
that Slicer's own tables of these names hold. Nothing here needs matplotlib but :func:`colormap`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.colors import LinearSegmentedColormap

Palette = Literal["Plasma", "Inferno", "DivergingBlueRed"]
RELEVANCE: Palette = "Plasma"
"""Mean relevance of patches."""
GRADCAM: Palette = "Inferno"
"""Class activation maps, from 0 to their maximum."""
FEATURE: Palette = "Plasma"
"""A feature's values of one sign."""
SIGNED_FEATURE: Palette = "DivergingBlueRed"
"""A feature's values of both signs, from as far below 0 as above it."""
MAP_OPACITY = 0.6
"""Of a map over anatomy: the anatomy stays to be seen."""

_POINTS: dict[Palette, str] = {  # red, green, blue at equal steps from low to high
    "Plasma": "0d0887 350498 5302a3 6f00a8 8b0aa5 a31e9a b83289 cc4778 "
    "db5c68 e97158 f48849 fba238 febd2a fada24 f0f921",
    "Inferno": "000004 0d0829 280b53 470b6a 65156e 82206c 9f2a63 bc3754 "
    "d44842 e8602d f57d15 fc9f07 fac228 f3e55d fcffa4",
    "DivergingBlueRed": "3b4cc0 5977e3 7b9ff9 9ebeff c0d4f5 dddddd f2cab7 f7ac8e ee8468 d65244 b40426",
}


def table(palette: Palette, count: int) -> np.ndarray:
    """Colours from low to high, (count, 3) red, green and blue in 0..1, interpolated linearly.

    >>> [round(float(part), 2) for part in table("Plasma", 3)[2]]
    [0.94, 0.98, 0.13]
    """
    points = np.array([[int(word[i : i + 2], 16) for i in (0, 2, 4)] for word in _POINTS[palette].split()]) / 255.0
    at = np.linspace(0, len(points) - 1, count)
    return np.stack([np.interp(at, np.arange(len(points)), points[:, channel]) for channel in range(3)], axis=-1)


def colormap(palette: Palette) -> LinearSegmentedColormap:
    """The palette for matplotlib, under its own name."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(palette, table(palette, 256).tolist())
