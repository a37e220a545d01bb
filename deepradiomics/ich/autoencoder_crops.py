"""Lesion crops of a cohort, cut out once and read from disk as needed.

::

    CACHE/<2 characters>/<key>/   key: hash of image file, mask file and recipe
      image.npy      float32 (n, n, n)
      regions.npy    uint8 (n, n, n): 1 haematoma, 2 ring
      about.json     mark of the image, scale, notes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from deepradiomics.cohort.manifest import IMAGE, Manifest, ManifestRow
from deepradiomics.cohort.prepared import kept_about, refusal
from deepradiomics.errors import InputError
from deepradiomics.files import atomic_folder, content_hash, sha256_image, write_json
from deepradiomics.ich.lesion import CropRecipe, lesion_crop
from deepradiomics.ich.marks import image_mark
from deepradiomics.images import read_mask, read_volume
from deepradiomics.prepare.hu import check_hu
from deepradiomics.progress import Progress, silent

Missing = Literal["refuse", "drop"]
CROP_VERSION = 1
"""Part of the cache's keys: raised when the same files would give another crop."""


@dataclass(frozen=True, eq=False)
class Crops:
    """The crops of a cohort; row n is the same case everywhere.

    Args:
        ids: N names.
        patients: whose scan each is.
        folders: where each lies in the cache.
        marks: mark of each image (``deepradiomics.ich.marks``).
        shrunk: ids of the cases whose lesion did not fit at full size.
        notes: by case, what was assumed or done.
        dropped: (id, reason) of the cases that could not be used.
    """

    ids: tuple[str, ...]
    patients: tuple[str, ...]
    folders: tuple[Path, ...]
    marks: tuple[str, ...]
    shrunk: tuple[str, ...]
    notes: Mapping[str, tuple[str, ...]]
    dropped: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def images(self, rows: Sequence[int]) -> np.ndarray:
        """Images of some rows, float32 (len(rows), 1, n, n, n)."""
        return np.stack([np.load(self.folders[row] / "image.npy", mmap_mode="r")[None] for row in rows])

    def regions(self, rows: Sequence[int]) -> np.ndarray:
        """Haematoma (1) and ring (2) in some rows, uint8 (len(rows), n, n, n)."""
        return np.stack([np.load(self.folders[row] / "regions.npy", mmap_mode="r") for row in rows])

    @cached_property
    def digest(self) -> str:
        """Hash of the cases, in their order, and of everything that is in their crops."""
        return content_hash(list(self.ids), [folder.name for folder in self.folders])


def cohort_crops(
    manifest: Manifest,
    recipe: CropRecipe,
    cache: str | Path,
    *,
    missing: Missing = "refuse",
    progress: Progress | None = None,
) -> Crops:
    """Cut the lesions of a cohort out, or find them in the cache.

    Args:
        manifest: the columns ``image`` (CT in HU) and ``mask`` (label 1: haematoma) are read.
        recipe: how.
        cache: folder that may be shared by runs.
        missing: what to do with a case that lacks its image or mask or cannot be used: ``refuse`` the cohort, naming
            all such cases, or ``drop`` them.
        progress: called after every case; may raise Cancelled.

    Raises:
        InputError: cases cannot be used (``refuse``), or none can.
    """
    if missing not in ("refuse", "drop"):
        raise InputError(f"missing: expected 'refuse' or 'drop', got {missing!r}.")
    cache, report = Path(cache), progress or silent
    found: list[tuple[str, str, Path, dict[str, Any]]] = []
    failed: list[tuple[str, str]] = []
    for done, (row, patient) in enumerate(zip(manifest.rows, manifest.groups, strict=True), start=1):
        try:
            folder, about = _crop_of(row, recipe, cache)
            found.append((row.id, patient, folder, about))
        except InputError as error:
            text = str(error)
            failed.append((row.id, text if text.startswith(f"Case {row.id}") else f"Case {row.id}: {text}"))
        report(done / len(manifest), f"lesion of {row.id} ({done} of {len(manifest)})")
    if failed and (missing == "refuse" or not found):
        raise InputError(refusal(failed, len(manifest)))
    return Crops(
        ids=tuple(case for case, *_ in found),
        patients=tuple(patient for _, patient, *_ in found),
        folders=tuple(folder for *_, folder, _ in found),
        marks=tuple(about["mark"] for *_, about in found),
        shrunk=tuple(case for case, *_, about in found if about["scale"] < 1),
        notes={case: tuple(about["notes"]) for case, *_, about in found if about["notes"]},
        dropped=tuple(failed),
    )


def _crop_of(row: ManifestRow, recipe: CropRecipe, cache: Path) -> tuple[Path, dict[str, Any]]:
    if IMAGE not in row.views:
        raise InputError("there is no CT in the column image.")
    if row.mask is None:
        raise InputError("there is no haematoma in the column mask; segment the CT first ('deepradiomics segment').")
    files = [sha256_image(path) for path in (row.views[IMAGE], row.mask)]
    key = content_hash(CROP_VERSION, recipe.to_dict(), files)
    folder = cache / key[:2] / key
    about = kept_about(folder, ("image", "regions"), ("mark", "scale", "notes"))
    return folder, _prepare(row, recipe, folder) if about is None else about


def _prepare(row: ManifestRow, recipe: CropRecipe, folder: Path) -> dict[str, Any]:
    assert row.mask is not None  # the caller looked
    volume, mask = read_volume(row.views[IMAGE]), read_mask(row.mask)
    notes = check_hu(volume, case=row.id)
    crop = lesion_crop(volume, mask, **recipe.to_dict(), case=row.id)
    about = {"mark": image_mark(volume), "scale": crop.scale, "notes": [*notes, *crop.notes]}
    with atomic_folder(folder) as part:
        np.save(part / "image.npy", crop.image)
        np.save(part / "regions.npy", crop.mask.astype(np.uint8) + 2 * crop.ring.astype(np.uint8))
        write_json(part / "about.json", about)
    return about
