"""Patients without a mask: the segmentation network that their row names draws it, once, and it is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from deepradiomics.cohort.manifest import ManifestRow
from deepradiomics.errors import InputError, MaskError
from deepradiomics.files import atomic_file, content_hash, sha256_image
from deepradiomics.ich.cohort import IchCohort, image_of
from deepradiomics.ich.features_case import read_ct
from deepradiomics.images import write_mask
from deepradiomics.progress import Progress, silent

MASKS_VERSION = "2"  # raise when the same CT and network would give another mask


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
    rows, failed = list(cohort.manifest.rows), {}
    loaded: dict[Path, Any] = {}
    report = progress or silent
    for done, i in enumerate(missing, start=1):
        row, folder = rows[i], named[i]
        assert folder is not None
        try:
            rows[i] = replace(row, mask=_segmented(row, folder, loaded, cache, device))
        except InputError as error:
            text = str(error)
            failed[row.id] = text if row.id in text else f"Case {row.id}: {text}"
        report(done / len(missing), f"haematoma of {row.id} ({done} of {len(missing)})")
    return rows, failed


def _segmented(row: ManifestRow, folder: Path, loaded: dict[Path, Any], cache: Path, device: str) -> Path:
    from deepradiomics.networks.segmenter import load_segmenter

    if folder not in loaded:
        loaded.clear()  # networks are large, and rows of one network usually stand together
        loaded[folder] = load_segmenter(folder, device=device)
    segmenter = loaded[folder]
    key = content_hash(MASKS_VERSION, segmenter.sha256, sha256_image(image_of(row)))
    file = cache / "masks" / key[:2] / f"{key}.nii.gz"
    if not file.is_file():
        ct, _ = read_ct(row, check=False)  # the segmenter checks it
        mask = segmenter.segment(ct, case=row.id).mask
        if not mask.labels_present():
            raise MaskError(
                f"Case {row.id}: it has no mask, and {segmenter.name} found no haematoma. Draw it and name it in the "
                "column mask."
            )
        with atomic_file(file) as temporary:
            write_mask(mask, temporary)
    return file
