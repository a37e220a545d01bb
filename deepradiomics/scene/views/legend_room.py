"""Room for a map's legend beside the anatomy: slice views that show all of a volume left of the legend.

::

    +---------------------------+
    |   anatomy       | legend  |    the legend takes the right LEGEND_SHARE of a view
    +---------------------------+
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import slicer

from deepradiomics.scene.nodes.atomic import nodes_of_class
from deepradiomics.scene.nodes.placement import ijk_to_ras, to_world

LEGEND_SHARE = 0.25  # of a view's width: a legend with its title and numbers, and its distance from the edge
MARGIN = 0.03  # of the anatomy's extent, free around it


def has_legend(volume: Any | None) -> bool:
    """Whether a volume's colours are explained by a legend."""
    if volume is None or volume.GetDisplayNode() is None:
        return False
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volume)
    return legend is not None and bool(legend.GetVisibility())


def leave_room(scene: Any, volume: Any) -> None:
    """Show all of a volume in each slice view, at the left of where its map's legend is; the slices stay."""
    for view in nodes_of_class(scene, "vtkMRMLSliceNode"):
        fit_beside_legend(view, volume)


def fit_beside_legend(view: Any, volume: Any) -> None:
    """Show all of a volume in one slice view, as large as there is room beside the legend; the slice stays."""
    width, height = view.GetDimensions()[:2]
    if width <= 1 or height <= 1 or volume.GetImageData() is None:
        return
    low, high = _extent(view, volume)
    size = (high - low) * (1 + 2 * MARGIN)
    mm_per_pixel = max(size[0] / (width * (1 - LEGEND_SHARE)), size[1] / height)
    field = np.array([width, height]) * mm_per_pixel
    middle = (low + high) / 2 + np.array([LEGEND_SHARE * field[0] / 2, 0.0])  # what the view's middle shows
    modifying = view.StartModify()
    view.SetFieldOfView(field[0], field[1], view.GetFieldOfView()[2])
    view.SetXYZOrigin(middle[0], middle[1], view.GetXYZOrigin()[2])
    view.UpdateMatrices()
    view.EndModify(modifying)


def _extent(view: Any, volume: Any) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest place (mm, to the right and up, from the slice's origin) of a volume's corners in a view."""
    size = volume.GetImageData().GetDimensions()
    index = np.array(list(product(*((-0.5, count - 0.5) for count in size))))  # (8, 3)
    local = ijk_to_ras(volume)
    world = to_world(volume, index @ local[:3, :3].T + local[:3, 3])
    matrix = view.GetSliceToRAS()
    to_ras = np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
    across = (world - to_ras[:3, 3]) @ to_ras[:3, :2]
    return across.min(axis=0), across.max(axis=0)


__all__ = ["LEGEND_SHARE", "fit_beside_legend", "has_legend", "leave_room"]
