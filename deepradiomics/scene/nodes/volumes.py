"""Volume and Mask ↔ MRML nodes: LPS ↔ RAS exactly, parent transforms honoured.

From the scene everything comes out in WORLD space, so that what is computed lies where the anatomy is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from scipy.ndimage import map_coordinates
from vtk.util.numpy_support import vtk_to_numpy

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.scene.nodes.atomic import nodes_of_class
from deepradiomics.scene.nodes.placement import array_of, from_world, ijk_to_ras, matrix_of, placement
from deepradiomics.scene.tree.names import node_name

# Slicer neither keeps truth values nor half floats, and does not draw 64-bit integers.
_SHOWABLE = {"bool": "uint8", "float16": "float32", "int64": "int32", "uint64": "uint32"}


def node_from_volume(volume: Volume, scene: Any, name: str | None = None) -> Any:
    """Add a scalar volume node with the voxels and the place of `volume`; no display node yet."""
    return _add(scene, "vtkMRMLScalarVolumeNode", volume.voxels, volume.geometry.ijk_to_ras, name or volume.name)


def node_from_mask(mask: Mask, scene: Any, name: str | None = None) -> Any:
    """Add a labelmap volume node with the labels and the place of `mask`; no display node yet."""
    return _add(scene, "vtkMRMLLabelMapVolumeNode", mask.labels, mask.geometry.ijk_to_ras, name or mask.name)


def volumes_of_scene(scene: Any) -> list[Any]:
    """The scalar volumes that a user sees as images: neither hidden ones nor what results have added."""
    nodes = nodes_of_class(scene, "vtkMRMLScalarVolumeNode")
    return [
        node
        for node in nodes
        if node.GetClassName() == "vtkMRMLScalarVolumeNode"
        and not node.GetHideFromEditors()
        and not _is_of_a_result(node)
    ]


def result_volumes(scene: Any) -> list[Any]:
    """The scalar volumes that results have added, such as maps; an image laid onto another is an image like any."""
    return [node for node in nodes_of_class(scene, "vtkMRMLScalarVolumeNode") if _is_of_a_result(node)]


def _is_of_a_result(node: Any) -> bool:
    return node.GetAttribute("DeepRadiomics.kind") not in (None, "registration")


def check_image(node: Any, *, flat: bool = False) -> None:
    """Check that a run can compute on a volume node, before anything is written.

    Parameters
    ----------
    flat
        One slice is enough; otherwise there must be two voxels at least along each axis.

    Raises
    ------
    InputError
        The node holds no image, several numbers per voxel, a frame of a sequence, or too few voxels; the message names
        it and says what to do.
    """
    placement(node)
    name = node.GetName()
    for browser in nodes_of_class(node.GetScene(), "vtkMRMLSequenceBrowserNode") if node.GetScene() else ():
        if browser.IsProxyNodeID(node.GetID()):
            raise InputError(
                f"volume '{name}' is the frame on show of the sequence '{browser.GetName()}' and changes with it; "
                "clone the frame (right click in the Data module) and choose the clone"
            )
    size = node.GetImageData().GetDimensions()
    extended = sum(count > 1 for count in size)
    if extended < (2 if flat else 3):
        shape = "one slice" if extended == 2 else "a line" if extended == 1 else "one voxel"
        needed = "an image of several rows and columns" if flat else "an image of several slices"
        raise InputError(
            f"volume '{name}' is {shape} ({' × '.join(map(str, size))} voxels); {needed} is needed: choose another one"
        )


def image_for_run(node: Any, *, flat: bool = False) -> Volume:
    """The voxels that a run computes on: `volume_from_node` of a volume that passes `check_image`."""
    check_image(node, flat=flat)
    return volume_from_node(node)


def volume_from_node(node: Any) -> Volume:
    """The voxels of a scalar volume node in world space, as a copy.

    Under rigid transforms, reflections and scalings along the voxel axes the voxels are unchanged and the geometry says
    where they lie. Under a shear or a non-linear transform they are resampled (linear) onto a world grid, and a note in
    `Volume.notes` says so.

    Raises
    ------
    InputError
        The node holds no image, or a colour image.
    """
    place = placement(node)
    voxels = slicer.util.arrayFromVolume(node)  # (z, y, x)
    if place.exact:
        return Volume(np.array(voxels), place.geometry, name=node.GetName())
    note = (
        f"'{node.GetName()}' lies under a shearing or non-linear transform: it was resampled (linear) onto a world "
        f"grid of {' x '.join(map(str, place.geometry.size))} voxels"
    )
    fill = float(voxels.min())
    moved = _sampled(voxels.astype(np.float32), ijk_to_ras(node), node, place.geometry, order=1, fill=fill)
    return Volume(moved, place.geometry, name=node.GetName(), notes=(note,))


def mask_from_labelmap(node: Any, reference: Geometry) -> Mask:
    """The labels of a labelmap volume node on a world grid (nearest voxel), through its parent transforms.

    Raises MaskError if no label lies on that grid.
    """
    placement(node)  # checks that it holds an image
    labels = slicer.util.arrayFromVolume(node)
    return _checked(_sampled(labels, ijk_to_ras(node), node, reference, order=0, fill=0), reference, node.GetName(), {})


def mask_from_segmentation(
    node: Any, reference: Geometry, segment_ids: Sequence[str] | None = None, *, image: str = ""
) -> Mask:
    """Segments of a segmentation node on a world grid (nearest voxel), through its parent transforms.

    Segments are labelled 1, 2, … in the order given (all segments in theirs if None), also those that are hidden; where
    segments overlap, the later one wins. `image` is the name of the volume that the grid is of, for the message.

    Raises
    ------
    InputError
        The segmentation has no such segment.
    MaskError
        A segment is empty, or none of it lies on that grid; the message names it.
    """
    segmentation = node.GetSegmentation()
    known = [segmentation.GetNthSegmentID(i) for i in range(segmentation.GetNumberOfSegments())]
    wanted = list(known if segment_ids is None else segment_ids)
    unknown = [segment for segment in wanted if segment not in known]
    if unknown or not wanted:
        raise InputError(
            f"segmentation '{node.GetName()}' has no segment {', '.join(unknown) or 'at all'}; it has: "
            f"{', '.join(known) or 'none'}"
        )
    binary = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    if not segmentation.ContainsRepresentation(binary) and not segmentation.CreateRepresentation(binary):
        raise MaskError(f"segmentation '{node.GetName()}' could not be turned into voxels; open it in Segment Editor")
    labels = np.zeros(reference.shape, np.int16)
    names = {}
    for label, segment in enumerate(wanted, start=1):
        names[label] = segmentation.GetSegment(segment).GetName()
        voxels, index_to_local = segment_voxels(node, segment)
        inside = _sampled(voxels, index_to_local, node, reference, order=0, fill=0) > 0
        if not inside.any():
            raise MaskError(_no_voxel(f"segment '{names[label]}' of '{node.GetName()}'", image, empty=not voxels.any()))
        labels[inside] = label
    return _checked(labels, reference, node.GetName(), names)


def segment_voxels(node: Any, segment: str) -> tuple[np.ndarray, np.ndarray]:
    """The segment's labelmap (z, y, x) and its matrix index → the node's local RAS."""
    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(segment, image)
    first, size = np.array(image.GetExtent()[::2]), image.GetDimensions()
    if 0 in size or image.GetPointData().GetScalars() is None:
        return np.zeros((1, 1, 1), np.uint8), np.eye(4)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    affine = array_of(matrix)
    affine[:3, 3] = affine[:3, :3] @ first + affine[:3, 3]  # the extent need not begin at 0
    return np.array(vtk_to_numpy(image.GetPointData().GetScalars())).reshape(size[::-1]), affine


def _sampled(
    voxels: np.ndarray, index_to_local: np.ndarray, node: Any, grid: Geometry, *, order: int, fill: float
) -> np.ndarray:
    """`voxels` (z, y, x), placed by `index_to_local` below the node's transforms, at the centres of a world `grid`."""
    result = np.empty(grid.shape, voxels.dtype)
    local_to_index = np.linalg.inv(index_to_local)
    y, x = np.meshgrid(np.arange(grid.size[1]), np.arange(grid.size[0]), indexing="ij")
    for z in range(grid.size[2]):  # slice by slice: a whole grid of points would need 24 bytes a voxel
        index = np.stack([x.ravel(), y.ravel(), np.full(x.size, z)], axis=-1)
        local = from_world(node, grid.index_to_physical(index) * (-1.0, -1.0, 1.0))
        at = (local @ local_to_index[:3, :3].T + local_to_index[:3, 3])[:, ::-1].T  # (3, n) as z, y, x
        if order == 0:
            at = np.floor(at + 0.5)
        values = map_coordinates(voxels, at, order=order, mode="constant", cval=fill, prefilter=False)
        result[z] = values.reshape(y.shape)
    return result


def _no_voxel(segment: str, image: str, *, empty: bool) -> str:
    """Why a segment gives no region."""
    volume = f"the volume '{image}'" if image else "the volume"
    if empty:
        return f"{segment} is empty; draw it on {volume}, or choose another one"
    return (
        f"{segment} does not overlap {volume}: it is of another image or patient, or lies under another transform. "
        "Choose the segmentation of this volume, or draw one on it"
    )


def _checked(labels: np.ndarray, geometry: Geometry, name: str, names: dict[int, str]) -> Mask:
    if not labels.any():
        raise MaskError(f"no voxel of '{name}' lies on the volume; do both belong together, with these transforms?")
    return Mask(labels, geometry, name=name, segments=names)


def _add(scene: Any, class_name: str, voxels: np.ndarray, to_ras: np.ndarray, name: str) -> Any:
    node = scene.AddNewNodeByClass(class_name, node_name(name or "volume"))
    voxels = np.asarray(voxels)
    voxels = voxels.astype(_SHOWABLE.get(voxels.dtype.name, voxels.dtype), copy=False)
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(voxels))
    node.SetIJKToRASMatrix(matrix_of(to_ras))
    return node
