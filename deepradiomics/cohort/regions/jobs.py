"""What an extraction computes: each region of each case in each of its images, under a file name of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.errors import ManifestError
from deepradiomics.files.names import path_part, same_file_key
from deepradiomics.images import Mask, Volume
from deepradiomics.images.reading import Reading
from deepradiomics.prepare.resample import resample_mask
from deepradiomics.radiomics.region.inputs import OpenedImage, OpenedMask


def region_jobs(manifest: Manifest) -> list[tuple[ManifestRow, str, str]]:
    """(row, view, file stem) of each image of each row; the stem is ``<id>``, with ``.<view>`` and ``.<roi>`` where the
    manifest has several.

    Raises:
        ManifestError: two of them would share a file (case ``a`` with view ``t2.x``, case ``a.t2`` with view ``x``), or
            a stem is too long for a file's name.
    """
    several_rois = len({row.roi for row in manifest.rows}) > 1
    jobs: list[tuple[ManifestRow, str, str]] = []
    holders: dict[str, str] = {}
    for row in manifest.rows:
        for view in row.views or _views_without_file(manifest, row.roi):
            parts = [
                row.id,
                *([view] if len(manifest.views) > 1 else []),
                *([row.roi or "mask"] if several_rois else []),
            ]
            stem = ".".join(parts)
            what = f"case {row.id}, view {view}" + (f", region {row.roi or 'mask'}" if several_rois else "")
            path_part(stem, f"{manifest.where}, {what}: the result's name", error=ManifestError)
            if (other := holders.setdefault(same_file_key(stem), what)) != what:
                raise ManifestError(
                    f"{manifest.where}: {other} and {what} would share the file {stem}.json; rename a case or a view."
                )
            jobs.append((row, view, stem))
    return jobs


def on_image_grid(
    row: ManifestRow, view: str, image: OpenedImage, mask: OpenedMask, reading: Reading | None = None
) -> OpenedMask:
    """The region on this view's grid, where it was drawn on another image of the same case.

    A mask whose grid is that of no image of the case stays as it is: whether it fits is asked where features are
    computed.

    Returns:
        ``mask``, or a new one with a note that says what was done.
    """
    if len(row.views) < 2 or not isinstance(image, Volume) or not isinstance(mask, Mask):
        return mask
    if _same_grid(mask, image):
        return mask
    for other, path in row.views.items():
        if other != view and _same_grid(mask, (reading or Reading()).read_volume(path)):
            note = (
                f"mask: it was drawn on the view {other}; its labels were brought to the grid of {view} by nearest "
                "neighbour, in scanner coordinates."
            )
            return replace(resample_mask(mask, image.geometry), notes=(*mask.notes, note))
    return mask


def _views_without_file(manifest: Manifest, roi: str) -> Iterator[str]:
    """The view whose cell is empty, for the report of a case without an image."""
    yield (
        roi
        if roi in manifest.views
        else next((view for view in manifest.views if view not in manifest.rois), manifest.views[0])
    )


def _same_grid(mask: Mask, image: Volume) -> bool:
    return mask.geometry.is_close(image.geometry)
