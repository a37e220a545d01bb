"""From nodes of the scene to the files that a job reads: images and segments, in world space (LPS)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.images import write_mask, write_volume
from deepradiomics.scene.nodes.placement import placement
from deepradiomics.scene.nodes.volumes import check_image, image_for_run, mask_from_segmentation


def check_given(node: Any, what: str, *, flat: bool = False) -> None:
    """Check, before anything starts, that a volume node is given and that a run can compute on it.

    Raises
    ------
    InputError
        It is None, or what `check_image` raises; `what` is the argument's name.
    """
    if node is None:
        raise InputError(f"{what}: choose a volume that holds an image.")
    check_image(node, flat=flat)


def write_image(node: Any, path: Path, what: str = "volume", *, flat: bool = False) -> Path:
    """Write a volume node, through its parent transforms. Raises InputError if there is no node, or no image in it."""
    check_given(node, what, flat=flat)
    return write_volume(image_for_run(node, flat=flat), path)


def write_segment(segmentation: Any, segment_id: str | None, reference: Any, path: Path) -> Path:
    """Write one segment on the grid of a volume node, label 1.

    Raises
    ------
    InputError
        The segment is not named, and the segmentation has not exactly one.
    MaskError
        It is empty, or does not overlap the volume.
    """
    segments = segmentation.GetSegmentation()
    ids = [segments.GetNthSegmentID(index) for index in range(segments.GetNumberOfSegments())]
    if not segment_id and len(ids) != 1:
        raise InputError(
            f"'{segmentation.GetName()}' has {len(ids)} segments ({', '.join(ids) or 'none'}): give segment_id=…, the "
            "one that is the region."
        )
    grid = placement(reference).geometry
    return write_mask(
        mask_from_segmentation(segmentation, grid, [segment_id or ids[0]], image=reference.GetName()), path
    )
