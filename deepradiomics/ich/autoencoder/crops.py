"""Lesion crops of a cohort, cut out once and read from disk as needed.

::

    image.npy      float32 (n, n, n)
    regions.npy    uint8 (n, n, n): 1 haematoma, 2 ring
    about.json     mark of the image, scale, notes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from deepradiomics.cohort.contents import image_hash
from deepradiomics.cohort.each_case import Missing, each_case
from deepradiomics.cohort.manifest import IMAGE, Manifest, ManifestRow
from deepradiomics.cohort.prepared import PreparedCases
from deepradiomics.cohort.roi import reading_of
from deepradiomics.cohort.seen.marks import image_mark
from deepradiomics.errors import InputError
from deepradiomics.files.store import ContentStore, Entry, Kind
from deepradiomics.ich.haematoma.lesion import CropRecipe, lesion_crop
from deepradiomics.ich.segmenter.data import read_baseline
from deepradiomics.prepare.head.hu import check_hu
from deepradiomics.progress import Progress

CROPS = Kind("crops", version=3, about=("mark", "scale", "notes"), files=("image.npy", "regions.npy"))
"""Raise the version when the same files would give another crop or other notes."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Crops(PreparedCases):
    """The crops of a cohort.

    Args:
        patients: whose scan each is.
        marks: mark of each image (:mod:`deepradiomics.cohort.seen.marks`).
        shrunk: ids of the cases whose lesion did not fit at full size.
    """

    patients: tuple[str, ...]
    marks: tuple[str, ...]
    shrunk: tuple[str, ...]

    def images(self, rows: Sequence[int]) -> np.ndarray:
        """Images of some rows, float32 (len(rows), 1, n, n, n)."""
        return np.stack(self.arrays("image", rows))[:, None]

    def regions(self, rows: Sequence[int]) -> np.ndarray:
        """Haematoma (1) and ring (2) in some rows, uint8 (len(rows), n, n, n)."""
        return np.stack(self.arrays("regions", rows))


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
        manifest: the columns ``image`` (CT in HU) and ``mask`` (haematoma) are read, as the rows' reading says.
        recipe: how.
        cache: folder that may be shared by runs.
        missing: what to do with a case that lacks its image or mask or cannot be used: ``refuse`` the cohort, naming
            all such cases, or ``drop`` them.
        progress: called after every case; may raise Cancelled.

    Raises:
        InputError: cases cannot be used (``refuse``), or none can.
    """
    work = partial(_crop_of, recipe=recipe, store=ContentStore(cache, CROPS))
    crops = each_case(manifest.rows, work, missing=missing, doing="lesion of", progress=progress)
    about = {case: entry.about for case, entry in zip(crops.ids, crops.results, strict=True)}
    return Crops(
        ids=crops.ids,
        patients=tuple(manifest.groups[position] for position in crops.positions),
        folders=tuple(entry.folder for entry in crops.results),
        marks=tuple(about[case]["mark"] for case in crops.ids),
        shrunk=tuple(case for case in crops.ids if about[case]["scale"] < 1),
        notes={case: tuple(about[case]["notes"]) for case in crops.ids if about[case]["notes"]},
        dropped=crops.unusable,
    )


def _crop_of(row: ManifestRow, *, recipe: CropRecipe, store: ContentStore) -> Entry:
    if IMAGE not in row.views:
        raise InputError("there is no CT in the column image.")
    if row.mask is None:
        raise InputError("there is no haematoma in the column mask; segment the CT first ('deepradiomics segment').")
    files = [image_hash(path) for path in (row.views[IMAGE], row.mask)]
    key = CROPS.key(recipe=recipe.to_dict(), files=files, reading=reading_of(row).to_dict())
    if entry := store.get(key):
        return entry
    volume, mask = read_baseline(row)
    notes = [*volume.notes, *mask.notes, *check_hu(volume, case=row.id)]
    crop = lesion_crop(volume, mask, recipe, case=row.id)
    about = {"mark": image_mark(volume), "scale": crop.scale, "notes": [*notes, *crop.notes]}
    regions = crop.mask.astype(np.uint8) + 2 * crop.ring.astype(np.uint8)
    return store.put(key, about, {"image": crop.image, "regions": regions})
