"""From nodes of the scene to the files a job reads: images, a mask or a box, all in world space (LPS)."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.errors import InputError

if TYPE_CHECKING:
    from deepradiomics.prepare.box import Box


def write_views(volumes: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Write each view's volume node, through its parent transforms, as ``<view>.nrrd``.

    Raises:
        InputError: no volume, or a node without an image.
    """
    from deepradiomics.images import write_volume
    from deepradiomics.scene.volumes import image_for_run

    if not volumes:
        raise InputError("volumes: expected at least one view, for example volumes={'sagittal': node}.")
    paths = {}
    for view, node in volumes.items():
        paths[view] = folder / f"{view}.nrrd"
        write_volume(image_for_run(node), paths[view])
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
    grid = placement(reference).geometry
    write_mask(mask_from_segmentation(segmentation, grid, [segment_id], image=reference.GetName()), path)
    return path


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
