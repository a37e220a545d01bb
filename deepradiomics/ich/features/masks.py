"""Patients without a mask: the segmentation network that their row names draws it, once, and it is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from deepradiomics.cohort.contents import image_hash
from deepradiomics.cohort.each_case import each_case, fault_or_bundle_of
from deepradiomics.cohort.manifest import ManifestRow
from deepradiomics.cohort.roi import reading_of
from deepradiomics.errors import MaskError
from deepradiomics.files.store import ContentStore, Kind
from deepradiomics.ich.cohort.manifest import IchCohort, image_of
from deepradiomics.ich.features.case import read_ct
from deepradiomics.images import write_mask
from deepradiomics.progress import Progress

_ONE_LABEL: dict[str, Any] = {"label": 1, "segment": None, "all_labels": False}  # of a mask that a network has drawn
MASKS = Kind("masks", version=3, files=("mask.nii.gz",))
"""Raise the version when the same CT and network would give another mask."""


def with_masks(
    cohort: IchCohort,
    default: Path | None,
    cache: Path,
    *,
    device: str = "auto",
    progress: Progress | None = None,
) -> tuple[list[ManifestRow], dict[str, str]]:
    """The rows, each with a mask where there is a way to one, and by case why a patient has none.

    Args:
        cohort: the patients.
        default: the network for rows that name none.
        cache: folder of kept masks.
        device: of the networks.
        progress: called after each segmentation; may raise Cancelled.
    """
    named = cohort.network("encoder", default)
    missing = [i for i, row in enumerate(cohort.manifest.rows) if row.mask is None and named[i] is not None]
    rows = list(cohort.manifest.rows)
    loaded: dict[Path, Any] = {}
    folder_of = {rows[i].id: named[i] for i in missing}
    store = ContentStore(cache, MASKS)
    drawn = each_case(
        [rows[i] for i in missing],
        lambda row: _segmented(row, folder_of[row.id], loaded, store, device),
        missing=None,
        doing="haematoma of",
        explain=fault_or_bundle_of,
        progress=progress,
    )
    for position, mask in zip(drawn.positions, drawn.results, strict=True):
        row = rows[missing[position]]
        reading = replace(row.reading, **_ONE_LABEL)
        rows[missing[position]] = replace(row, mask=mask, region=None, segment=None, reading=reading)
    return rows, dict(drawn.unusable)


def _segmented(
    row: ManifestRow, folder: Path | None, loaded: dict[Path, Any], store: ContentStore, device: str
) -> Path:
    from deepradiomics.networks.segmenter import load_segmenter

    assert folder is not None
    if folder not in loaded:
        loaded.clear()  # networks are large, and rows of one network usually stand together
        loaded[folder] = load_segmenter(folder, device=device)
    segmenter = loaded[folder]
    reading = reading_of(row).to_dict().get("image")
    key = MASKS.key(network=segmenter.sha256, image=image_hash(image_of(row)), reading=reading)
    entry = store.get(key)
    if entry is None:
        ct, _ = read_ct(row, check=False)  # the segmenter checks it
        mask = segmenter.segment(ct, case=row.id).mask
        if not mask.labels_present():
            raise MaskError(
                f"Case {row.id}: it has no mask, and {segmenter.name} found no haematoma. Draw it and name it in the "
                "column mask."
            )
        entry = store.put(key, {}, write=lambda part: write_mask(mask, part / "mask.nii.gz"))
    return entry.folder / "mask.nii.gz"
