"""Encode a cohort: every case once through an encoder, kept by content, resumable after a kill.

::

    row ─► key = hash(files, recipe, region, encoder) ─► in the store? ─► done
                                                          └─ no ─► prepare the stack ─► embed in batches ─► cache

Cases are prepared on a few threads ahead of the network. Two rows with the same scan are encoded once.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from deepradiomics.cohort.contents import image_hash
from deepradiomics.cohort.each_case import Missing, each_case, fault_of, refusal
from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.cohort.roi import ELLIPSOID, has_roi, reading_of, roi_file, roi_mask
from deepradiomics.devices import resolve_device
from deepradiomics.errors import InputError
from deepradiomics.files.store import ContentStore, Kind
from deepradiomics.lens.encoders.embeddings import Embeddings
from deepradiomics.lens.encoders.stacks import STACKS
from deepradiomics.prepare.stack import PreparedStack, StackRecipe, prepare_stack
from deepradiomics.progress import Progress, silent
from deepradiomics.words import count

if TYPE_CHECKING:
    from deepradiomics.networks.encoders.encoder import Encoder

__all__ = ["Embeddings", "case_stack", "encode", "encode_stacks"]

EMBEDDINGS = Kind("embeddings", version=1, about=("notes",), files=("values.npy",))
"""Their keys hold the version of the stacks too."""
_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def encode(
    manifest: Manifest,
    encoder: Encoder,
    cache: str | Path | None = None,
    *,
    roi: str | None = "gland",
    device: str = "auto",
    batch_size: int = 4,
    missing: Missing = "refuse",
    progress: Progress | None = None,
) -> Embeddings:
    """Return the embedding of every case, in the manifest's order.

    Args:
        manifest: its views are the modalities.
        encoder: which modalities it sees is checked first.
        cache: folder of embeddings by content, may be shared; None: nothing is kept.
        roi: region in whose middle the stack lies ("ellipsoid" needs no mask); without meaning, and not read, where
            the encoder's recipe centres on the image.
        device: as in :mod:`deepradiomics.devices`.
        batch_size: cases a pass.
        missing: a case that lacks a modality or the region, or gives no finite embedding: "refuse" the cohort (after
            all other cases are encoded and cached), naming such cases, or "drop" them; ``about["dropped"]`` lists them.
        progress: called after each case; may raise Cancelled.

    Raises:
        BundleError: the encoder does not fit the modalities.
        InputError: cases cannot be used.
    """
    if missing not in ("refuse", "drop"):
        raise InputError(f"missing: expected 'refuse' or 'drop', got {missing!r}.")
    if batch_size < 1:
        raise InputError(f"batch_size: expected at least 1, got {batch_size}.")
    encoder.require_channels(manifest.views)
    encoder.to(resolve_device(device))
    region = roi if encoder.recipe.centre == "roi" else None
    report = progress or silent
    work = _Work(encoder, None if cache is None else Path(cache), region)
    hashed = each_case(manifest.rows, work.key, missing=None)
    failed = dict(hashed.unusable)
    keys = dict(zip(hashed.ids, hashed.results, strict=True))
    first: dict[str, ManifestRow] = {}  # key → a row that must be encoded
    for position, key in zip(hashed.positions, hashed.results, strict=True):
        if key not in work.found and not work.look_up(key):
            first.setdefault(key, manifest.rows[position])
    usable = len(keys)
    done = usable - len(first)
    if usable:  # where no case can be used, nothing is called done
        unusable = f"; {count(len(failed), 'case')} cannot be encoded" if failed else ""
        known = (
            f"{done} of {count(usable, 'case')} found in the cache" if done else f"{count(usable, 'case')} to encode"
        )
        report(done / usable, known + unusable)
    prepared = _ahead(lambda item: work.stack(*item), first.items(), threads=_threads())
    refused: dict[str, str] = {}  # key → reason
    for group in _batches(_usable(prepared, refused), batch_size):
        vectors = _embedded(encoder, [stack.image for _, _, stack in group])
        for (key, row, stack), vector in zip(group, vectors, strict=True):
            if np.isfinite(vector).all():
                work.keep(key, vector, stack.notes)
            else:
                refused[key] = f"Case {row.id}: the encoder {encoder.name!r} gives NaN or infinite values for it."
        done = usable - len(first) + sum(key in work.found or key in refused for key in first)
        report(done / usable, f"encoded {group[-1][1].id} ({done} of {usable})")
    for case, key in keys.items():
        if key in refused:
            failed[case] = refused[key]
    used = [row.id for row in manifest.rows if row.id not in failed]
    if failed and (missing == "refuse" or not used):
        reasons = [(row.id, failed[row.id]) for row in manifest.rows if row.id in failed]
        raise InputError(refusal(reasons, len(manifest), "be encoded"))
    about = {
        "encoder": encoder.identity,
        "roi": region,
        "notes": {case: work.notes[keys[case]] for case in used if work.notes[keys[case]]},
        "dropped": [[case, failed[case]] for case in failed],
    }
    return Embeddings(tuple(used), np.stack([work.found[keys[case]] for case in used]), about)


def encode_stacks(
    encoder: Encoder, stacks: Iterable[NDArray[np.float32]], batch_size: int = 4, device: str = "auto"
) -> NDArray[np.float32]:
    """Return the embeddings (n, d) of prepared images (C, z, y, x), read one batch at a time.

    Raises:
        InputError: there are none, or an image's shape does not fit the encoder.
    """
    encoder.to(resolve_device(device))
    parts = [_embedded(encoder, list(group)) for group in _batches(stacks, batch_size)]
    if not parts:
        raise InputError("stacks: expected at least one image, got none.")
    return np.concatenate(parts)


def case_stack(row: ManifestRow, recipe: StackRecipe, roi: str | None) -> PreparedStack:
    """Read the modalities and the region of a case and put them on the recipe's grid.

    Raises:
        InputError: a modality or the region is missing, unreadable or misplaced; the message names case and column.
    """
    _require_files(row, recipe, roi)
    images = {}
    for name in recipe.modalities:
        try:
            images[name] = reading_of(row).read_volume(row.views[name])
        except InputError as error:
            raise type(error)(f"Case {row.id}, column view_{name}: {error}") from error
    masks = {} if roi is None else {roi: roi_mask(row, roi, images[recipe.reference_modality], others=images.values())}
    return prepare_stack(images, masks, recipe, roi=roi, case=row.id)


class _Work:
    """What is found and kept of one cohort and one encoder."""

    def __init__(self, encoder: Encoder, cache: Path | None, roi: str | None) -> None:
        self.recipe = encoder.recipe
        self.roi = roi
        self.store = None if cache is None else ContentStore(cache, EMBEDDINGS)
        self.found: dict[str, NDArray[np.float32]] = {}
        self.notes: dict[str, list[str]] = {}
        self._encoder_hash = encoder.hash

    def key(self, row: ManifestRow) -> str:
        """Hash of all that decides the embedding; no image is decoded for it."""
        _require_files(row, self.recipe, self.roi)
        return EMBEDDINGS.key(
            stacks=STACKS.version,
            encoder=self._encoder_hash,
            images={name: image_hash(row.views[name]) for name in self.recipe.modalities},
            roi=self.roi,
            mask=None if self.roi in (None, ELLIPSOID) else image_hash(roi_file(row, str(self.roi))[1]),
            reading=reading_of(row).to_dict(),
        )

    def look_up(self, key: str) -> bool:
        """Take an embedding from the cache, if it is there whole."""
        entry = self.store.get(key) if self.store is not None else None
        if entry is None:
            return False
        self.found[key], self.notes[key] = entry.array("values"), list(entry.about["notes"])
        return True

    def keep(self, key: str, vector: NDArray[np.float32], notes: Sequence[str]) -> None:
        self.found[key], self.notes[key] = vector, list(notes)
        if self.store is not None:
            self.store.put(key, {"notes": list(notes)}, {"values": vector})

    def stack(self, key: str, row: ManifestRow) -> tuple[str, ManifestRow, PreparedStack | InputError]:
        try:
            return key, row, case_stack(row, self.recipe, self.roi)
        except InputError as error:
            return key, row, error


def _usable(
    prepared: Iterable[tuple[str, ManifestRow, PreparedStack | InputError]], refused: dict[str, str]
) -> Iterator[tuple[str, ManifestRow, PreparedStack]]:
    """Pass on the stacks that could be prepared; write down why others could not."""
    for key, row, stack in prepared:
        if isinstance(stack, PreparedStack):
            yield key, row, stack
        else:
            refused[key] = fault_of(row.id, stack) or str(stack)


def _embedded(encoder: Encoder, images: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """One batch through the network, (B, d)."""
    import torch

    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        raise InputError(f"stacks: all images of a batch must have one shape, got {sorted(shapes)}.")
    return encoder.embed(torch.from_numpy(np.stack(images))).cpu().numpy()


def _batches(items: Iterable[_Item], size: int) -> Iterator[tuple[_Item, ...]]:
    rest = iter(items)
    while batch := tuple(islice(rest, size)):
        yield batch


def _ahead(function: Callable[[_Item], _Made], items: Iterable[_Item], threads: int) -> Iterator[_Made]:
    """``map`` on threads, in order, never more than two results per thread ahead: stacks are large."""
    waiting: deque[Future[_Made]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _threads() -> int:
    return min(4, os.cpu_count() or 1)


def _require_files(row: ManifestRow, recipe: StackRecipe, roi: str | None) -> None:
    absent = [name for name in recipe.modalities if name not in row.views]
    if absent:
        raise InputError(
            f"Case {row.id} lacks the modality {', '.join(absent)}; it has {', '.join(row.views) or 'none'}."
        )
    if roi is not None and not has_roi(row, roi):
        roi_file(row, roi)  # raises, listing what the case has
