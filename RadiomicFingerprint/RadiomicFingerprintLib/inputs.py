"""From nodes of the scene to the files a job reads: images, masks and boxes, all in world space (LPS)."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.errors import InputError, MaskError

if TYPE_CHECKING:
    from deepradiomics.images import Mask, Volume
    from deepradiomics.prepare.box import Box


def write_views(volumes: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Write each view's volume node, through its parent transforms, as ``<view>.nrrd``.

    Raises:
        InputError: no volume, or a node without an image.
    """
    from deepradiomics.images import write_volume
    from deepradiomics.scene.volumes import volume_from_node

    if not volumes:
        raise InputError("volumes: expected at least one view, for example volumes={'sagittal': node}.")
    paths = {}
    for view, node in volumes.items():
        paths[view] = folder / f"{view}.nrrd"
        write_volume(volume_from_node(node), paths[view])
    return paths


def write_box(roi: Any, folder: Path) -> Path:
    """Write a markups ROI node (or a `Box`, or its dictionary) as ``roi.json``."""
    from deepradiomics.files import write_json
    from deepradiomics.prepare.box import Box

    path = folder / "roi.json"
    box = roi if isinstance(roi, Box) else Box.from_dict(roi) if isinstance(roi, Mapping) else box_of(roi)
    write_json(path, box.to_dict())
    return path


def box_of(node: Any) -> "Box":
    """The box of a markups ROI node in world space."""
    from deepradiomics.scene.regions import box_from_roi

    return box_from_roi(node)


def write_segment(segmentation: Any, segment_id: str, reference: Any, folder: Path) -> Path:
    """Write one segment on the grid of a volume node as ``mask.nrrd``, label 1."""
    from deepradiomics.images import write_mask
    from deepradiomics.scene.placement import placement
    from deepradiomics.scene.volumes import mask_from_segmentation

    path = folder / "mask.nrrd"
    write_mask(mask_from_segmentation(segmentation, placement(reference).geometry, [segment_id]), path)
    return path


def region_mask(
    volume: "Volume",
    *,
    roi: Any = None,
    segmentation: Any = None,
    segment_ids: Sequence[str] | None = None,
    patch_grid: Sequence[int] = (1, 1, 1),
) -> "Mask":
    """The regions of *features only* as labels on the volume's grid.

    A segmentation gives a label a segment; a box (or, without either, the centre of the image) gives a label a patch.

    Raises:
        MaskError: the region lies outside the volume, or a segment is empty.
    """
    if segmentation is not None:
        from deepradiomics.scene.volumes import mask_from_segmentation

        return mask_from_segmentation(segmentation, volume.geometry, segment_ids)
    from deepradiomics.prepare.box import Box
    from deepradiomics.prepare.recipe import Recipe

    box = Box.from_fractions(volume.geometry, Recipe().roi_fractions) if roi is None else box_of(roi)
    return patch_mask(volume, box, patch_grid)


def patch_mask(volume: "Volume", box: "Box", patch_grid: Sequence[int]) -> "Mask":
    """Label each voxel whose centre lies in the box by its patch, 1 … J; z slowest along the box's axes.

    Raises:
        MaskError: no voxel lies in the box, or a patch has none.
    """
    from deepradiomics.images import Mask

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
    return Mask(labels, volume.geometry, name="ROI", segment_names=names)


def _index_bounds(volume: "Volume", box: "Box") -> tuple[np.ndarray, np.ndarray]:
    """First and one-past-last voxel index (x, y, z) around the box, inside the image."""
    index = volume.geometry.physical_to_index(box.corners_mm())
    low = np.clip(np.floor(index.min(axis=0)), 0, volume.geometry.size).astype(int)
    high = np.clip(np.ceil(index.max(axis=0)) + 1, 0, volume.geometry.size).astype(int)
    return low, high


def write_batch_manifest(cases: Mapping[str, Mapping[str, Any]], folder: Path) -> Path:
    """Write cases (id → view → volume node) as files and a manifest without labels."""
    views = sorted({view for volumes in cases.values() for view in volumes})
    path = folder / "manifest.csv"
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", *views])
        for count, (name, volumes) in enumerate(cases.items()):
            inside = folder / f"case{count}"
            inside.mkdir()
            paths = write_views(volumes, inside)
            writer.writerow([name, *(paths.get(view, "") for view in views)])
    return path
