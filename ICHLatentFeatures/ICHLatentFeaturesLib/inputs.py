"""From nodes of the scene to the files a job reads: a CT and its haematoma, in world space (LPS)."""

from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError


def write_ct(node: Any, path: Path, what: str) -> Path:
    """Write a CT, through its parent transforms. Raises InputError if the node holds no image."""
    from deepradiomics.images import write_volume
    from deepradiomics.scene.volumes import image_for_run

    if node is None:
        raise InputError(f"{what}: choose a volume that holds an image.")
    return write_volume(image_for_run(node), path)


def write_haematoma(segmentation: Any, segment_id: str | None, ct: Any, path: Path) -> Path | None:
    """Write one segment on the grid of its CT, label 1; None without a segmentation.

    Raises:
        InputError: the segment is not named, and the segmentation has not exactly one.
        MaskError: it is empty, or does not overlap the CT.
    """
    if segmentation is None:
        return None
    from deepradiomics.images import write_mask
    from deepradiomics.scene.placement import placement
    from deepradiomics.scene.volumes import mask_from_segmentation

    segments = segmentation.GetSegmentation()
    ids = [segments.GetNthSegmentID(index) for index in range(segments.GetNumberOfSegments())]
    if not segment_id and len(ids) != 1:
        raise InputError(
            f"'{segmentation.GetName()}' has {len(ids)} segments ({', '.join(ids) or 'none'}): give segment_id=…, the "
            "one that is the haematoma."
        )
    grid = placement(ct).geometry
    mask = mask_from_segmentation(segmentation, grid, [segment_id or ids[0]], image=ct.GetName())
    return write_mask(mask, path)
