"""Labels of a mask as the segments of a segmentation node, where the volume lies that they were drawn on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from deepradiomics.images import Geometry, Mask
from deepradiomics.scene.nodes.map_place import ReferencePlace, index_to_local
from deepradiomics.scene.nodes.placement import matrix_of
from deepradiomics.scene.tree.names import node_name


@dataclass(frozen=True)
class SegmentLook:
    """A label of the mask as a segment.

    Attributes
    ----------
    name
        ID and name of the segment.
    colour
        Red, green, blue from 0 to 1.
    fill, surface
        Opacity of the area in slices, and of the surface in 3D; 0 draws none.
    """

    label: int
    name: str
    colour: tuple[float, float, float]
    fill: float = 0.4
    surface: float = 1.0


def add_segments(
    scene: Any,
    name: str,
    mask: Mask,
    looks: Sequence[SegmentLook],
    volume: Any | None = None,
    place: ReferencePlace | None = None,
) -> Any:
    """Add a segmentation node with a segment for each label that is present, outlined in slices, as surfaces in 3D.

    It lies below the transform of `volume`, voxel by voxel on it, where `place` says where that volume lay when the
    mask was made (`map_place.reference_place`); else at its own place in the world.
    """
    follows = place if volume is not None else None
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", node_name(name))
    for look in looks:
        if look.label in mask.labels_present():
            inside = mask.region(look.label)
            image = labelmap_at(inside, mask.geometry, follows)
            node.AddSegmentFromBinaryLabelmapRepresentation(image, look.name, look.colour, look.name)
    if volume is not None and follows is not None:
        node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    if volume is not None:
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)  # Segment Editor begins with it
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(True)
    display.SetVisibility2DOutline(True)
    segments = node.GetSegmentation()
    for look in looks:
        segment = segments.GetSegmentIdBySegmentName(look.name)
        if segment:
            display.SetSegmentOpacity2DFill(segment, look.fill)
            display.SetSegmentOpacity3D(segment, look.surface)
            display.SetSegmentVisibility3D(segment, look.surface > 0)
    if segments.GetNumberOfSegments() and any(look.surface > 0 for look in looks):
        node.CreateClosedSurfaceRepresentation()
        display.SetVisibility3D(True)
    else:
        display.SetVisibility3D(False)
    return node


def labelmap_at(inside: np.ndarray, geometry: Geometry, place: ReferencePlace | None) -> Any:
    """(z, y, x) truth values as Slicer's oriented image, cut to the box around them; they must not all be false.

    Its coordinates are the local RAS of the volume at `place`, or the world's without one.
    """
    box = [np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]  # of z, y, x
    first = np.array([axis[0] for axis in box])
    cut = inside[tuple(slice(axis[0], axis[-1] + 1) for axis in box)]
    to_local = np.array(geometry.ijk_to_ras if place is None else index_to_local(geometry, place))
    to_local[:3, 3] += to_local[:3, :3] @ first[::-1]
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*cut.shape[::-1])
    voxels = numpy_to_vtk(cut.ravel().astype(np.uint8), deep=True, array_type=vtk.VTK_UNSIGNED_CHAR)
    image.GetPointData().SetScalars(voxels)
    image.SetImageToWorldMatrix(matrix_of(to_local))
    return image
