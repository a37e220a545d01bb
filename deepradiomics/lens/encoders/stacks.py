"""Stacks: every case of a cohort as the encoder sees it, prepared once and read from disk as needed.

::

    image.npy     float32 (C, z, y, x)
    regions.npy   uint8 (R, z, y, x)
    about.json    hash of each modality's voxels, notes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from deepradiomics.cohort.contents import image_hash
from deepradiomics.cohort.each_case import Missing, each_case
from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.cohort.prepared import PreparedCases
from deepradiomics.cohort.roi import ELLIPSOID, has_roi, reading_of, roi_file, roi_mask
from deepradiomics.cohort.seen.marks import case_marks
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import content_hash
from deepradiomics.files.store import ContentStore, Entry, Kind
from deepradiomics.prepare.stack import StackRecipe, prepare_stack
from deepradiomics.progress import Progress

STACKS = Kind("stacks", version=3, about=("voxels_sha256", "notes"), files=("image.npy", "regions.npy"))
"""Raise the version when the same files would give another stack or other notes; embeddings depend on it too."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Stacks(PreparedCases):
    """The stacks of a cohort.

    Args:
        regions: names of the regions that every case has.
        marks: for each case one hash per modality of (id, voxels, geometry): by these a later run finds out that an
            encoder has seen a case, though nobody can read a name or an image from them.
    """

    regions: tuple[str, ...]
    marks: tuple[tuple[str, ...], ...]

    def images(self, rows: Sequence[int]) -> np.ndarray:
        """Images of some rows, float32 (len(rows), C, z, y, x)."""
        return np.stack(self.arrays("image", rows))

    def masks(self, region: str, rows: Sequence[int]) -> np.ndarray:
        """A region in some rows, uint8 (len(rows), z, y, x)."""
        at = self.regions.index(region)
        return np.stack([regions[at] for regions in self.arrays("regions", rows)])


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
    names = tuple(dict.fromkeys([*([] if roi is None else [roi]), *regions]))
    work = partial(
        _stack_of, recipe=recipe, store=ContentStore(cache, STACKS), roi=roi, names=names, learned=tuple(regions)
    )
    stacks = each_case(manifest.rows, work, missing=missing, doing="stack of", progress=progress)
    about = {case: entry.about for case, entry in zip(stacks.ids, stacks.results, strict=True)}
    return Stacks(
        ids=stacks.ids,
        folders=tuple(entry.folder for entry in stacks.results),
        regions=names,
        marks=tuple(case_marks(case, about[case]["voxels_sha256"]) for case in stacks.ids),
        notes={case: tuple(about[case]["notes"]) for case in stacks.ids if about[case]["notes"]},
        dropped=stacks.unusable,
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
        f"are: {', '.join(there) or 'none'}. Choose one of them (--centre), add the column, or take --centre "
        f"{ELLIPSOID}, "
        "which needs no mask and lies in the middle of the image."
    )


def _stack_of(
    row: ManifestRow,
    *,
    recipe: StackRecipe,
    store: ContentStore,
    roi: str | None,
    names: tuple[str, ...],
    learned: tuple[str, ...],
) -> Entry:
    absent = [name for name in recipe.modalities if name not in row.views]
    if absent:
        raise InputError(
            f"Case {row.id} lacks the modality {', '.join(absent)} (columns: "
            f"{', '.join('view_' + name for name in absent)}); it has {', '.join(row.views) or 'none'}."
        )
    files = {name: row.views[name] for name in recipe.modalities}
    drawn = {name: roi_file(row, name)[1] for name in names if name != ELLIPSOID}
    key = STACKS.key(
        recipe=recipe.to_dict(),
        roi=roi,
        regions=list(names),
        learned=list(learned),
        images={name: image_hash(path) for name, path in files.items()},
        masks={name: image_hash(path) for name, path in drawn.items()},
        reading=reading_of(row).to_dict(),
    )
    entry = store.get(key) or _prepared(row, recipe, files, roi, names, learned, store, key)
    _require_content(row, entry, names)
    return entry


def _prepared(
    row: ManifestRow,
    recipe: StackRecipe,
    files: Mapping[str, Path],
    roi: str | None,
    names: tuple[str, ...],
    learned: tuple[str, ...],
    store: ContentStore,
    key: str,
) -> Entry:
    images = {}
    for name, path in files.items():
        try:
            images[name] = reading_of(row).read_volume(path)
        except InputError as error:
            raise type(error)(f"Case {row.id}, column view_{name}: {error}") from error
    reference, reading = images[recipe.reference_modality], reading_of(row)
    beside = replace(reading, only_label=True)  # the region that a stack is centred on, beside the one that is learned
    masks = {
        name: roi_mask(
            row, name, reference, beside if learned and name not in learned else reading, others=images.values()
        )
        for name in names
    }
    stack = prepare_stack(images, masks, recipe, roi=roi, case=row.id)
    about = {
        "voxels_sha256": {name: content_hash(v.voxels, v.geometry.to_dict()) for name, v in images.items()},
        "notes": list(stack.notes),
    }
    regions = np.array([stack.masks[name] for name in names], dtype=np.uint8)
    return store.put(key, about, {"image": stack.image, "regions": regions})


def _require_content(row: ManifestRow, entry: Entry, names: tuple[str, ...]) -> None:
    """A region that vanished on the stack's grid teaches nothing."""
    stored = np.load(entry.folder / "regions.npy", mmap_mode="r")
    for at, name in enumerate(names):
        if not stored[at].any():
            raise InputError(
                f"Case {row.id}, column mask_{name}: nothing of this region is left on the stack's grid; it is smaller "
                "than a voxel there. Use a finer spacing_mm, or drop the case (missing='drop')."
            )
