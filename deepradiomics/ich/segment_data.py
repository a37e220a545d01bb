"""The heads of a cohort as a segmenter sees them: prepared once, kept by content, and varied for training.

::

    CACHE/<2 characters>/<key>/   key: hash of the files' bytes and the recipe
      image.npy   float16 (z, y, x), 0 … 1
      mask.npy    uint8 (z, y, x)
      about.json  mark of the scan, volume of the haematoma, notes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from deepradiomics.cohort.manifest import IMAGE, Manifest, ManifestRow
from deepradiomics.cohort.prepared import kept_about, refusal
from deepradiomics.cohort.roi import roi_mask
from deepradiomics.errors import InputError, MaskError
from deepradiomics.files import atomic_folder, content_hash, sha256_image, write_json
from deepradiomics.ich.marks import image_mark
from deepradiomics.ich.volume import check_lesion_size, volume_ml
from deepradiomics.images import Mask, Volume, read_volume
from deepradiomics.prepare.head import HeadRecipe, prepare_head
from deepradiomics.prepare.hu import check_hu
from deepradiomics.progress import Progress, silent

Missing = Literal["refuse", "drop"]
HEADS_VERSION = 1
"""Part of the cache's keys: raised when the same files would give another cube."""


@dataclass(frozen=True, eq=False)
class Heads:
    """Prepared heads; row n is the same case everywhere.

    Args:
        ids: N names.
        folders: where each lies in the cache.
        marks: mark of each scan.
        ml: volume of each haematoma, mL.
        notes: of each case, what a reader should know.
        dropped: (id, reason) of the cases that could not be used.
    """

    ids: tuple[str, ...]
    folders: tuple[Path, ...]
    marks: tuple[str, ...]
    ml: tuple[float, ...]
    notes: tuple[tuple[str, ...], ...]
    dropped: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def images(self, rows: Sequence[int]) -> np.ndarray:
        """Images of some rows, float32 (len(rows), 1, z, y, x)."""
        return np.stack([np.load(self.folders[row] / "image.npy")[None].astype(np.float32) for row in rows])

    def masks(self, rows: Sequence[int]) -> np.ndarray:
        """Haematomas of some rows, float32 (len(rows), 1, z, y, x)."""
        return np.stack([np.load(self.folders[row] / "mask.npy")[None].astype(np.float32) for row in rows])

    @cached_property
    def digest(self) -> str:
        """Hash of the cases, in their order, and of everything that is in their cubes."""
        return content_hash(list(self.ids), [folder.name for folder in self.folders])


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
    if missing not in ("refuse", "drop"):
        raise InputError(f"missing: expected 'refuse' or 'drop', got {missing!r}.")
    cache, report = Path(cache), progress or silent
    found: list[tuple[str, Path, dict[str, Any]]] = []
    failed: list[tuple[str, str]] = []
    for done, row in enumerate(manifest.rows, start=1):
        try:
            folder, about = _head_of(row, recipe, cache)
            found.append((row.id, folder, about))
        except InputError as error:
            text = str(error)
            failed.append((row.id, text if row.id in text else f"Case {row.id}: {text}"))
        report(done / len(manifest), f"head of {row.id} ({done} of {len(manifest)})")
    if failed and (missing == "refuse" or not found):
        raise InputError(refusal(failed, len(manifest)))
    return Heads(
        ids=tuple(case for case, _, _ in found),
        folders=tuple(folder for _, folder, _ in found),
        marks=tuple(about["mark"] for _, _, about in found),
        ml=tuple(about["ml"] for _, _, about in found),
        notes=tuple(tuple(about["notes"]) for _, _, about in found),
        dropped=tuple(failed),
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
        volume = read_volume(row.views[IMAGE])
    except InputError as error:
        raise InputError(f"Case {row.id}, column {IMAGE}: {error}") from error
    return volume, roi_mask(row, "mask", volume)


def _head_of(row: ManifestRow, recipe: HeadRecipe, cache: Path) -> tuple[Path, dict[str, Any]]:
    files = [file for file in (row.views.get(IMAGE), row.mask) if file is not None]
    key = content_hash(HEADS_VERSION, recipe.to_dict(), [sha256_image(file) for file in files])
    folder = cache / key[:2] / key
    about = kept_about(folder, ("image", "mask"), ("mark", "ml", "notes"))
    if about is None:
        volume, mask = read_baseline(row)
        notes = [*check_hu(volume, case=row.id), *check_lesion_size(mask)]
        head = prepare_head(volume, recipe, mask, case=row.id)
        about = {"mark": image_mark(volume), "ml": volume_ml(mask), "notes": list(dict.fromkeys([*notes, *head.notes]))}
        with atomic_folder(folder) as part:
            np.save(part / "image.npy", head.image.astype(np.float16))
            np.save(part / "mask.npy", head.mask)  # type: ignore[arg-type]
            write_json(part / "about.json", about)
    return folder, about
