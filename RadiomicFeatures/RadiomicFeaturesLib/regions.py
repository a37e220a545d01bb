"""From nodes of the scene to the regions whose features are computed, as labels on the volume's grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import slicer

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.prepare.exam.box import Box
from deepradiomics.prepare.exam.recipe import Recipe
from deepradiomics.scene.nodes.placement import to_world
from deepradiomics.scene.nodes.regions import box_from_roi
from deepradiomics.scene.nodes.terminology import terminology_of
from deepradiomics.scene.nodes.volumes import mask_from_segmentation, segment_voxels


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions of one volume.

    Attributes
    ----------
    masks
        Label maps on the volume's grid; labels differ between them. More than one where segments overlap: each
        segment keeps all of its voxels.
    names, terminologies
        Of each label; a label without terminology is missing there.
    """

    masks: tuple[Mask, ...]
    names: dict[int, str]
    terminologies: dict[int, str]


def regions_of(
    volume: Volume,
    *,
    roi: Any = None,
    segmentation: Any = None,
    segment_ids: Sequence[str] | None = None,
    patch_grid: Sequence[int] = (1, 1, 1),
) -> Regions:
    """One label per segment; or, of a box (without either, of the centre of the image), one label per patch.

    Raises:
        InputError: both a box and a segmentation, or a segment that is not there.
        MaskError: the region lies outside the volume, or a segment is empty.
    """
    if segmentation is not None and roi is not None:
        raise InputError("roi and segmentation: give one of them, each defines the region.")
    if segmentation is not None:
        return segment_regions(volume, segmentation, segment_ids)
    box = Box.from_fractions(volume.geometry, Recipe().roi_fractions) if roi is None else box_of(roi)
    mask = patch_mask(volume, box, patch_grid)
    return Regions((mask,), dict(mask.segment_names), {})


def segment_regions(volume: Volume, segmentation: Any, segment_ids: Sequence[str] | None = None) -> Regions:
    """The segments as labels 1, 2, …; those that overlap in label maps of their own. Raises as :func:`regions_of`."""
    segments = segmentation.GetSegmentation()
    known = [segments.GetNthSegmentID(index) for index in range(segments.GetNumberOfSegments())]
    chosen = list(known if segment_ids is None else segment_ids)
    if not chosen:
        mask_from_segmentation(segmentation, volume.geometry, chosen)  # reports that there is none
    names: dict[int, str] = {}
    terminologies: dict[int, str] = {}
    layers: list[np.ndarray] = []
    for label, segment in enumerate(chosen, start=1):
        box, inside = segment_box(segmentation, segment, volume.geometry, image=volume.name)
        names[label] = segments.GetSegment(segment).GetName()
        if text := terminology_of(segments.GetSegment(segment)):
            terminologies[label] = text
        free = next((layer for layer in layers if not layer[box][inside].any()), None)
        if free is None:
            free = np.zeros(volume.geometry.shape, np.int16)
            layers.append(free)
        free[box][inside] = label
    masks = [
        Mask(layer, volume.geometry, name=segmentation.GetName(), segments=_of_layer(names, layer)) for layer in layers
    ]
    return Regions(tuple(masks), names, terminologies)


def segment_box(
    segmentation: Any, segment: str, geometry: Geometry, *, image: str = ""
) -> tuple[tuple[slice, slice, slice], np.ndarray]:
    """Where a segment lies on a world grid: a box (z, y, x) around it, and the truth values in the box.

    Only the box is sampled: a volume may hold a hundred small segments. Raises as :func:`regions_of`.
    """
    start, size = _box_of_segment(segmentation, segment, geometry)
    try:
        inside = mask_from_segmentation(segmentation, geometry.crop(start, size), [segment]).union()
    except MaskError:
        mask_from_segmentation(segmentation, geometry, [segment], image=image)  # names what is wrong with it
        raise
    box = tuple(slice(begin, begin + count) for begin, count in zip(start[::-1], size[::-1], strict=True))
    return box, inside  # type: ignore[return-value]


def _box_of_segment(segmentation: Any, segment: str, geometry: Geometry) -> tuple[list[int], list[int]]:
    """First voxel and size (x, y, z) of a box that holds a segment; all of the grid where that is not known."""
    everywhere = [0, 0, 0], list(geometry.size)
    parent = segmentation.GetParentTransformNode()
    if segmentation.GetSegmentation().GetSegment(segment) is None or (
        parent is not None and not parent.IsTransformToWorldLinear()
    ):
        return everywhere
    binary = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    if not segmentation.GetSegmentation().ContainsRepresentation(binary):
        return everywhere
    voxels, index_to_local = segment_voxels(segmentation, segment)
    drawn = [np.flatnonzero(voxels.any(axis=tuple({0, 1, 2} - {axis}))) for axis in (2, 1, 0)]  # of x, y, z
    if any(len(axis) == 0 for axis in drawn):
        return everywhere
    corners = np.array(list(product(*((axis[0] - 0.5, axis[-1] + 0.5) for axis in drawn))))  # (8, 3)
    world = to_world(segmentation, corners @ index_to_local[:3, :3].T + index_to_local[:3, 3]) * (-1.0, -1.0, 1.0)
    index = geometry.physical_to_index(world)
    low = np.clip(np.floor(index.min(axis=0)) - 1, 0, np.array(geometry.size) - 1).astype(int)
    high = np.clip(np.ceil(index.max(axis=0)) + 2, low + 1, geometry.size).astype(int)
    return low.tolist(), (high - low).tolist()


def one_region(regions: Regions) -> Mask:
    """All regions together, as label 1: what maps are drawn in."""
    together = np.any([mask.union() for mask in regions.masks], axis=0)
    return Mask(together.astype(np.uint8), regions.masks[0].geometry)


def box_of(node: Any) -> Box:
    """The box of a markups ROI node in world space; a `Box` is taken as it is."""
    return node if isinstance(node, Box) else box_from_roi(node)


def patch_mask(volume: Volume, box: Box, patch_grid: Sequence[int]) -> Mask:
    """Label each voxel whose centre lies in the box by its patch, 1 … J; z slowest along the box's axes.

    Raises:
        MaskError: no voxel lies in the box, or a patch has none.
    """
    labels = np.zeros(volume.geometry.shape, np.int16)
    counts = np.array(patch_grid)[::-1]  # along the box's x, y, z
    axes, half = np.array(box.axes), np.array(box.size_mm) / 2
    low, high = _index_bounds(volume, box)
    x, y, z = (np.arange(a, b) for a, b in zip(low, high, strict=True))
    if not (len(x) and len(y) and len(z)):
        raise MaskError("the ROI box lies outside the volume: move it onto the anatomy.")
    points = volume.geometry.index_to_physical(np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1))  # (x, y, z, 3)
    along = (points - np.array(box.centre_mm)) @ axes + half  # from 0 to the box's size
    inside = ((along >= 0) & (along <= 2 * half)).all(axis=-1)
    patch = np.clip((along / (2 * half) * counts).astype(int), 0, counts - 1)
    number = 1 + patch[..., 0] + counts[0] * (patch[..., 1] + counts[1] * patch[..., 2])
    labels[low[2] : high[2], low[1] : high[1], low[0] : high[0]] = np.where(inside, number, 0).transpose(2, 1, 0)
    present = np.unique(labels[labels > 0])
    if len(present) == 0:
        raise MaskError("the ROI box holds no voxel: it is too small, or lies outside the volume.")
    if len(present) < counts.prod():
        raise MaskError(
            f"{int(counts.prod()) - len(present)} of {int(counts.prod())} patches of the ROI box hold no voxel: "
            "choose a larger box or a coarser patch grid."
        )
    names = {int(label): "ROI" if counts.prod() == 1 else f"patch {label}" for label in present}
    return Mask(labels, volume.geometry, name="ROI", segments=names)


def _index_bounds(volume: Volume, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """First and one-past-last voxel index (x, y, z) around the box, inside the image."""
    index = volume.geometry.physical_to_index(box.corners_mm())
    low = np.clip(np.floor(index.min(axis=0)), 0, volume.geometry.size).astype(int)
    high = np.clip(np.ceil(index.max(axis=0)) + 1, 0, volume.geometry.size).astype(int)
    return low, high


def _of_layer(names: dict[int, str], layer: np.ndarray) -> dict[int, str]:
    present = set(np.unique(layer).tolist())
    return {label: name for label, name in names.items() if label in present}
