"""Stacks: every case of a cohort as the encoder sees it, prepared once and read from disk as needed.

::

    CACHE/<2 characters>/<key>/   key: hash of the files, the recipe and the regions
      image.npy     float32 (C, z, y, x)
      regions.npy   uint8 (R, z, y, x)
      about.json    hash of each modality's voxels, notes

Files are memory-mapped, so that a cohort need not fit into memory and several processes share one copy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.cohort.prepared import kept_about, refusal
from deepradiomics.cohort.roi import ELLIPSOID, has_roi, roi_file, roi_mask
from deepradiomics.errors import BundleError, InputError
from deepradiomics.files import atomic_folder, content_hash, sha256_image, write_json
from deepradiomics.images import read_volume
from deepradiomics.prepare.stack import StackRecipe, prepare_stack
from deepradiomics.progress import Progress, silent

Missing = Literal["refuse", "drop"]
STACK_VERSION = 1
"""Part of the cache's keys: raised when the same files would give another stack."""


@dataclass(frozen=True, eq=False)
class Stacks:
    """Prepared cases; row n is the same case everywhere.

    Args:
        ids: N names.
        folders: where each case lies in the cache.
        regions: names of the regions that every case has.
        marks: for each case one hash a modality of (id, voxels, geometry): by these a later run finds out that an
            encoder has seen a case, though nobody can read a name or an image from them.
        notes: by case, what was assumed or cut off.
        dropped: (id, reason) of the cases that could not be used.
    """

    ids: tuple[str, ...]
    folders: tuple[Path, ...]
    regions: tuple[str, ...]
    marks: tuple[tuple[str, ...], ...]
    notes: Mapping[str, tuple[str, ...]]
    dropped: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def images(self, rows: Sequence[int]) -> np.ndarray:
        """Images of some rows, float32 (len(rows), C, z, y, x)."""
        return np.stack([np.load(self.folders[row] / "image.npy", mmap_mode="r") for row in rows])

    def masks(self, region: str, rows: Sequence[int]) -> np.ndarray:
        """A region in some rows, uint8 (len(rows), z, y, x)."""
        at = self.regions.index(region)
        return np.stack([np.load(self.folders[row] / "regions.npy", mmap_mode="r")[at] for row in rows])

    @cached_property
    def digest(self) -> str:
        """Hash of the cases, in their order, and of everything that is in their stacks."""
        return content_hash(list(self.ids), [folder.name for folder in self.folders])


def cohort_stacks(
    manifest: Manifest,
    recipe: StackRecipe,
    cache: str | Path,
    *,
    roi: str | None,
    regions: Sequence[str] = (),
    missing: Missing = "refuse",
    progress: Progress | None = None,
) -> Stacks:
    """Prepare the stacks of a cohort, or find them in the cache.

    Args:
        manifest: cases; the views named by ``recipe.modalities`` and the masks of the regions are read.
        recipe: grid and grey levels.
        cache: folder that may be shared by runs.
        roi: region in whose middle a stack lies (None: that of the image, with ``recipe.centre="image"``).
        regions: further regions to put on the grid, such as the one to segment.
        missing: what to do with a case that lacks a modality or a region, or cannot be prepared: ``refuse`` the
            cohort, naming all such cases, or ``drop`` them.
        progress: called after every case; may raise Cancelled.

    Raises:
        InputError: cases cannot be used (``refuse``), or none can.
    """
    if missing not in ("refuse", "drop"):
        raise InputError(f"missing: expected 'refuse' or 'drop', got {missing!r}.")
    names = tuple(dict.fromkeys([*([] if roi is None else [roi]), *regions]))
    cache, report = Path(cache), progress or silent
    found: list[tuple[str, Path, dict[str, Any]]] = []
    failed: list[tuple[str, str]] = []
    for done, row in enumerate(manifest.rows, start=1):
        try:
            folder, about = _stack_of(row, recipe, cache, roi, names)
            _require_content(row, folder, names)
            found.append((row.id, folder, about))
        except BundleError:
            raise
        except InputError as error:
            text = str(error)
            failed.append((row.id, text if row.id in text else f"Case {row.id}: {text}"))
        report(done / len(manifest), f"stack of {row.id} ({done} of {len(manifest)})")
    if failed and (missing == "refuse" or not found):
        raise InputError(refusal(failed, len(manifest)))
    return Stacks(
        ids=tuple(case for case, _, _ in found),
        folders=tuple(folder for _, folder, _ in found),
        regions=names,
        marks=tuple(marks_of(case, about["voxels_sha256"]) for case, _, about in found),
        notes={case: tuple(about["notes"]) for case, _, about in found if about["notes"]},
        dropped=tuple(failed),
    )


def check_region(manifest: Manifest, recipe: StackRecipe, roi: str) -> str | None:
    """Return the region in whose middle stacks lie, None where they lie in the middle of the image.

    Raises:
        InputError: no case of the manifest has that region.
    """
    if recipe.centre != "roi":
        return None
    if any(has_roi(row, roi) for row in manifest.rows):
        return roi
    column = "mask" if roi == "mask" else f"mask_{roi}"
    there = [name for name in manifest.rois if any(name in row.masks for row in manifest.rows)]
    raise InputError(
        f"roi: {manifest.where} names no mask in a column {column}, in whose middle the images would lie; its regions "
        f"are: {', '.join(there) or 'none'}. Choose one of them (--roi), add the column, or take --roi {ELLIPSOID}, "
        "which needs no mask and lies in the middle of the image."
    )


def marks_of(case: str, voxels_sha256: Mapping[str, str]) -> tuple[str, ...]:
    """One hash a modality of a case, from its id and the hash of the modality's voxels."""
    return tuple(content_hash(case, voxels_sha256[name]) for name in sorted(voxels_sha256))


def _stack_of(
    row: ManifestRow, recipe: StackRecipe, cache: Path, roi: str | None, names: tuple[str, ...]
) -> tuple[Path, dict[str, Any]]:
    absent = [name for name in recipe.modalities if name not in row.views]
    if absent:
        raise InputError(
            f"Case {row.id} lacks the modality {', '.join(absent)} (columns: "
            f"{', '.join('view_' + name for name in absent)}); it has {', '.join(row.views) or 'none'}."
        )
    files = {name: row.views[name] for name in recipe.modalities}
    drawn = {name: roi_file(row, name)[1] for name in names if name != ELLIPSOID}
    key = content_hash(
        STACK_VERSION, recipe.to_dict(), roi, list(names), {name: sha256_image(path) for name, path in files.items()},
        {name: sha256_image(path) for name, path in drawn.items()},
    )  # fmt: skip
    folder = cache / key[:2] / key
    about = kept_about(folder, ("image", "regions"), ("voxels_sha256", "notes"))
    if about is None:
        about = _prepare(row, recipe, files, roi, names, folder)
    return folder, about


def _prepare(
    row: ManifestRow,
    recipe: StackRecipe,
    files: Mapping[str, Path],
    roi: str | None,
    names: tuple[str, ...],
    folder: Path,
) -> dict[str, Any]:
    images = {}
    for name, path in files.items():
        try:
            images[name] = read_volume(path)
        except InputError as error:
            raise InputError(f"Case {row.id}, column view_{name}: {error}") from error
    masks = {name: roi_mask(row, name, images[recipe.reference_modality]) for name in names}
    stack = prepare_stack(images, masks, recipe, roi=roi, case=row.id)
    about = {
        "voxels_sha256": {name: content_hash(v.voxels, v.geometry.to_dict()) for name, v in images.items()},
        "notes": list(stack.notes),
    }
    with atomic_folder(folder) as part:
        np.save(part / "image.npy", stack.image)
        np.save(part / "regions.npy", np.array([stack.masks[name] for name in names], dtype=np.uint8))
        write_json(part / "about.json", about)
    return about


def _require_content(row: ManifestRow, folder: Path, names: tuple[str, ...]) -> None:
    """A region that vanished on the stack's grid teaches nothing."""
    stored = np.load(folder / "regions.npy", mmap_mode="r")
    for at, name in enumerate(names):
        if not stored[at].any():
            raise InputError(
                f"Case {row.id}, column mask_{name}: nothing of this region is left on the stack's grid; it is smaller "
                "than a voxel there. Use a finer spacing_mm, or drop the case (missing='drop')."
            )
