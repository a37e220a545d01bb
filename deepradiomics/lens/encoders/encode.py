"""Encode a cohort: every case once through an encoder, kept by content, resumable after a kill.

::

    row ─► key = hash(files, recipe, region, encoder) ─► in the cache? ─► done
                                                          └─ no ─► prepare the stack ─► embed in batches ─► cache

Cases are prepared on a few threads ahead of the network. Two rows with the same scan are encoded once.
"""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.cohort.roi import ELLIPSOID, has_roi, roi_file, roi_mask
from deepradiomics.devices import resolve_device
from deepradiomics.errors import InputError
from deepradiomics.files import atomic_file, content_hash, sha256_image
from deepradiomics.images import read_volume
from deepradiomics.lens.embeddings import Embeddings
from deepradiomics.prepare.stack import PreparedStack, StackRecipe, prepare_stack
from deepradiomics.progress import Progress, silent
from deepradiomics.words import count

if TYPE_CHECKING:
    from deepradiomics.networks.encoder import Encoder

__all__ = ["Embeddings", "case_stack", "encode", "encode_stacks"]

Missing = Literal["refuse", "drop"]
STACK_VERSION = 1
"""Part of the cache's keys: raised when the same files would give another stack."""
_SHOWN = 5
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
    failed: dict[str, str] = {}
    keys: dict[str, str] = {}  # case → key
    first: dict[str, ManifestRow] = {}  # key → a row that must be encoded
    for row in manifest.rows:
        try:
            keys[row.id] = key = work.key(row)
        except InputError as error:
            failed[row.id] = str(error)
            continue
        if not work.look_up(key):
            first.setdefault(key, row)
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
        for (key, row, stack), vector in zip(group, _embedded(encoder, [one[2].image for one in group]), strict=True):
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
        order = [row.id for row in manifest.rows if row.id in failed]
        raise InputError(_refusal([failed[case] for case in order], len(manifest)))
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
            images[name] = read_volume(row.views[name])
        except InputError as error:
            raise InputError(f"Case {row.id}, column view_{name}: {error}") from error
    masks = {} if roi is None else {roi: roi_mask(row, roi, images[recipe.reference_modality])}
    return prepare_stack(images, masks, recipe, roi=roi, case=row.id)


class _Work:
    """What is found and kept of one cohort and one encoder."""

    def __init__(self, encoder: Encoder, cache: Path | None, roi: str | None) -> None:
        self.recipe = encoder.recipe
        self.roi = roi
        self.cache = cache
        self.dimension = encoder.dimension
        self.found: dict[str, NDArray[np.float32]] = {}
        self.notes: dict[str, list[str]] = {}
        self._encoder_hash = encoder.hash

    def key(self, row: ManifestRow) -> str:
        """Hash of all that decides the embedding; no image is decoded for it."""
        _require_files(row, self.recipe, self.roi)
        files = {name: sha256_image(row.views[name]) for name in self.recipe.modalities}
        drawn = None if self.roi in (None, ELLIPSOID) else sha256_image(roi_file(row, str(self.roi))[1])
        return content_hash("embedding", STACK_VERSION, self._encoder_hash, files, self.roi, drawn)

    def look_up(self, key: str) -> bool:
        """Take an embedding from the cache, if it is there whole."""
        if self.cache is None or not (path := self._path(key)).is_file():
            return False
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as entry:
                vector, notes = entry["values"], [str(note) for note in entry["notes"]]
        except Exception as error:  # a damaged file may fail anywhere in numpy or zipfile
            warnings.warn(f"{path} is damaged and will be computed again ({error}).", stacklevel=2)
            return False
        if vector.shape != (self.dimension,) or not np.isfinite(vector).all():
            return False
        self.found[key], self.notes[key] = vector, notes
        return True

    def keep(self, key: str, vector: NDArray[np.float32], notes: Sequence[str]) -> None:
        self.found[key], self.notes[key] = vector, list(notes)
        if self.cache is not None:
            with atomic_file(self._path(key)) as temporary, temporary.open("wb") as stream:
                np.savez(stream, values=vector, notes=np.array(list(notes), dtype=np.str_))

    def stack(self, key: str, row: ManifestRow) -> tuple[str, ManifestRow, PreparedStack | InputError]:
        try:
            return key, row, case_stack(row, self.recipe, self.roi)
        except InputError as error:
            return key, row, error

    def _path(self, key: str) -> Path:
        assert self.cache is not None
        return self.cache / key[:2] / f"{key}.npz"


def _usable(
    prepared: Iterable[tuple[str, ManifestRow, PreparedStack | InputError]], refused: dict[str, str]
) -> Iterator[tuple[str, ManifestRow, PreparedStack]]:
    """Pass on the stacks that could be prepared; write down why others could not."""
    for key, row, stack in prepared:
        if isinstance(stack, PreparedStack):
            yield key, row, stack
        else:
            refused[key] = str(stack) if row.id in str(stack) else f"Case {row.id}: {stack}"


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
    """``map`` on threads, in order, never more than two results a thread ahead: stacks are large."""
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


def _refusal(reasons: Sequence[str], total: int) -> str:
    shown = "\n  ".join(reasons[:_SHOWN])
    more = f"\n  … and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    noun = "case cannot" if len(reasons) == 1 else "cases cannot"
    return (
        f"{len(reasons)} of {total} {noun} be encoded:\n  {shown}{more}\n"
        "Mend the manifest, or leave such cases out with missing='drop' (--missing drop)."
    )
