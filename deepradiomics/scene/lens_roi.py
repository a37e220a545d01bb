"""A region as an outline: a segmentation node of one segment, drawn as a line in slices and not at all in 3D."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from deepradiomics.images import Mask
from deepradiomics.scene.map_place import ReferencePlace, index_to_local
from deepradiomics.scene.placement import matrix_of

OUTLINE_COLOUR = (0.15, 1.0, 0.55)  # a green that is neither grey nor in the colour table of the maps
OUTLINE_PIXELS = 2


def add_outline(scene: Any, name: str, mask: Mask, volume: Any | None, place: ReferencePlace | None) -> Any:
    """Add a region (all labels but 0) at its place: below the transform of `volume`, else in the world.

    `place` is that volume's. The region lies exactly where a map of the same grid lies (`map_place.put_in_place`). The
    mask must not be empty.
    """
    inside = mask.labels != 0
    box = [np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]  # of z, y, x
    first = np.array([each[0] for each in box])
    kept = inside[tuple(slice(each[0], each[-1] + 1) for each in box)]
    follows = place if volume is not None else None
    to_local = np.array(mask.geometry.ijk_to_ras if follows is None else index_to_local(mask.geometry, follows))
    to_local[:3, 3] += to_local[:3, :3] @ first[::-1]
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.AddSegmentFromBinaryLabelmapRepresentation(_labelmap(kept, to_local), name, OUTLINE_COLOUR)
    if volume is not None and follows is not None:
        node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetOpacity2DOutline(1.0)
    display.SetSliceIntersectionThickness(OUTLINE_PIXELS)
    display.SetVisibility3D(False)
    return node


def show_only_in(node: Any, views: list[Any]) -> None:
    """Draw an outline in these view nodes alone; an empty list draws it everywhere."""
    display = node.GetDisplayNode()
    modifying = display.StartModify()
    display.RemoveAllViewNodeIDs()
    for view in views:
        display.AddViewNodeID(view.GetID())
    display.EndModify(modifying)


def _labelmap(inside: np.ndarray, index_to_ras: np.ndarray) -> Any:
    """(z, y, x) truth values as Slicer's oriented image, 1 inside."""
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*inside.shape[::-1])
    voxels = numpy_to_vtk(inside.ravel().astype(np.uint8), deep=True, array_type=vtk.VTK_UNSIGNED_CHAR)
    image.GetPointData().SetScalars(voxels)
    image.SetImageToWorldMatrix(matrix_of(index_to_ras))
    return image
