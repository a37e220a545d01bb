"""LabelCanvas: regions painted one over the other, none of which loses a voxel."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.segment import Segment
from deepradiomics.images.volume import Mask

MOST_VOXELS = 1 << 31  # a grid above this is an error in the file's positions, or does not fit into memory


class LabelCanvas:
    """An empty grid onto which regions are painted; where they overlap the last one is seen, the others are kept.

    Args:
        geometry: the grid.
        largest_label: the largest label that will be painted.
        where: how messages call the file.

    Raises:
        InputError: the grid is too large to be a mask.

    >>> canvas = LabelCanvas(Geometry((3, 1, 1)), 2)
    >>> canvas.paint(1, np.array([[[True, True, False]]]))
    >>> canvas.paint(2, np.array([[[False, True, True]]]))
    >>> mask = canvas.mask()
    >>> mask.labels.tolist(), mask.region(1).tolist()
    ([[[1, 2, 2]]], [[[True, True, False]]])
    """

    def __init__(self, geometry: Geometry, largest_label: int, where: str = "mask") -> None:
        voxels = int(np.prod([int(count) for count in geometry.size], dtype=object))
        if voxels > MOST_VOXELS:
            raise InputError(
                f"{where}: its grid would have {' x '.join(map(str, geometry.size))} voxels, more than a mask can "
                "have. Are its positions and spacings right?"
            )
        self.geometry = geometry
        self.labels = np.zeros(geometry.shape, np.min_scalar_type(max(1, largest_label)))
        self.covered: dict[int, np.ndarray] = {}

    def paint(self, label: int, region: np.ndarray, place: Any = ...) -> None:
        """Paint a region (bool) at ``place``, an index of the grid (z, y, x) that gives an array of its shape."""
        visible = self.labels[place]
        for other in _values(visible[region]):
            if other not in (0, label) and other not in self.covered:
                self.covered[other] = self.labels == other
        visible[region] = label
        if label in self.covered:
            self.covered[label][place] |= region

    def mask(
        self,
        name: str = "",
        source: str = "",
        segments: Mapping[int, Segment] | None = None,
        notes: tuple[str, ...] = (),
        frame_of_reference: str = "",
    ) -> Mask:
        """What was painted, as a Mask."""
        return Mask(self.labels, self.geometry, name, source, segments, self.covered, notes, frame_of_reference)


def _values(labels: np.ndarray) -> list[int]:
    """The different values of some labels; most often there is none but the background."""
    if not labels.any():
        return []
    if labels.itemsize <= 2:
        return np.flatnonzero(np.bincount(labels)).tolist()
    return np.unique(labels).tolist()
