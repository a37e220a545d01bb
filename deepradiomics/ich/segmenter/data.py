"""The heads of a cohort as a segmenter sees them: prepared once, kept by content.

::

    image.npy   float16 (z, y, x), 0 … 1
    mask.npy    uint8 (z, y, x)
    about.json  mark of the scan, volume of the haematoma, notes
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
from deepradiomics.cohort.roi import reading_of, roi_mask
from deepradiomics.cohort.seen.marks import image_mark
from deepradiomics.errors import InputError, MaskError
from deepradiomics.files.store import ContentStore, Entry, Kind
from deepradiomics.ich.haematoma.volume import check_lesion_size, volume_ml
from deepradiomics.images import Mask, Volume
from deepradiomics.prepare.head.head import HeadRecipe, prepare_head
from deepradiomics.prepare.head.hu import check_hu
from deepradiomics.progress import Progress

HEADS = Kind("heads", version=3, about=("mark", "ml", "notes"), files=("image.npy", "mask.npy"))
"""Raise the version when the same files would give another cube or other notes."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Heads(PreparedCases):
    """The heads of a cohort.

    Args:
        marks: mark of each scan.
        ml: volume of each haematoma, mL.
    """

    marks: tuple[str, ...]
    ml: tuple[float, ...]

    def images(self, rows: Sequence[int]) -> np.ndarray:
        """Images of some rows, float32 (len(rows), 1, z, y, x)."""
        return np.stack(self.arrays("image", rows))[:, None].astype(np.float32)

    def masks(self, rows: Sequence[int]) -> np.ndarray:
        """Haematomas of some rows, float32 (len(rows), 1, z, y, x)."""
        return np.stack(self.arrays("mask", rows))[:, None].astype(np.float32)


def cohort_heads(
    manifest: Manifest,
    recipe: HeadRecipe,
    cache: str | Path,
    *,
    missing: Missing = "refuse",
    progress: Progress | None = None,
) -> Heads:
    """Prepare the baseline CTs of a cohort with their masks, or find them in the cache.

    Args:
        manifest: cases with the columns ``image`` and ``mask``.
        recipe: the cube.
        cache: folder that may be shared by runs.
        missing: what to do with a case that cannot be used (no image, no mask or an empty one, no HU, a lesion larger
            than the cube): ``refuse`` the cohort, naming all such cases, or ``drop`` them.
        progress: called after every case; may raise Cancelled.

    Raises:
        InputError: cases cannot be used (``refuse``), or none can.
    """
    work = partial(_head_of, recipe=recipe, store=ContentStore(cache, HEADS))
    heads = each_case(manifest.rows, work, missing=missing, doing="head of", progress=progress)
    about = [entry.about for entry in heads.results]
    return Heads(
        ids=heads.ids,
        folders=tuple(entry.folder for entry in heads.results),
        marks=tuple(head["mark"] for head in about),
        ml=tuple(head["ml"] for head in about),
        notes={case: tuple(head["notes"]) for case, head in zip(heads.ids, about, strict=True) if head["notes"]},
        dropped=heads.unusable,
    )


def read_baseline(row: ManifestRow) -> tuple[Volume, Mask]:
    """Read the baseline CT of a row and its haematoma, as label 1.

    Raises:
        InputError: a file is missing or cannot be read; the message names case and column.
        MaskError: the mask is empty.
    """
    if IMAGE not in row.views:
        raise InputError(f"Case {row.id} has no CT (column {IMAGE}).")
    if row.mask is None:
        raise MaskError(f"Case {row.id} has no mask of the haematoma (column mask), from which a segmenter learns.")
    try:
        volume = reading_of(row).read_volume(row.views[IMAGE])
    except InputError as error:
        raise type(error)(f"Case {row.id}, column {IMAGE}: {error}") from error
    return volume, roi_mask(row, "mask", volume)


def _head_of(row: ManifestRow, *, recipe: HeadRecipe, store: ContentStore) -> Entry:
    files = [file for file in (row.views.get(IMAGE), row.mask) if file is not None]
    key = HEADS.key(
        recipe=recipe.to_dict(), files=[image_hash(file) for file in files], reading=reading_of(row).to_dict()
    )
    if entry := store.get(key):
        return entry
    volume, mask = read_baseline(row)
    notes = [*volume.notes, *mask.notes, *check_hu(volume, case=row.id), *check_lesion_size(mask)]
    head = prepare_head(volume, recipe, mask, case=row.id)
    about = {"mark": image_mark(volume), "ml": volume_ml(mask), "notes": list(dict.fromkeys([*notes, *head.notes]))}
    return store.put(key, about, {"image": head.image.astype(np.float16), "mask": np.asarray(head.mask)})
