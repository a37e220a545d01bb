"""One store under all caches: what was computed, under the hash of all that decides it, verified whenever it is read.

::

    CACHE/<kind>/<2 characters>/<key>/
      about.json      what is known of the entry, its kind and key, checksums of the files beside it and of itself
      <name>.npy, …   arrays, read in pieces; or files of other kinds

    STACKS = Kind("stacks", version=2, about=("notes",), files=("image.npy",))     # once, beside what computes them

    store = ContentStore(cache, STACKS)
    key = STACKS.key(recipe=recipe.to_dict(), files=[sha256_image(path)])
    entry = store.get(key) or store.put(key, {"notes": []}, {"image": voxels})

An entry is there as a whole or not at all, whoever is killed. One that was damaged, changed by hand, or moved here from
another key is made anew, with a note. Several processes may share a store: who comes second takes what is there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import atomic_folder, content_hash, plain_json, sha256_file
from deepradiomics.files.reading import reading
from deepradiomics.files.sealed import note_made_anew, open_sealed, write_sealed

ABOUT = "about.json"
_FILES = "files"


class StoreError(InputError):
    """An entry could not be written; no fault of what it was computed from."""


@dataclass(frozen=True)
class Kind:
    """A kind of entries.

    Args:
        name: their folder in a cache.
        version: part of their keys; raised when the same inputs would give another entry.
        about: what is known of each besides its files.
        files: names of the files that each has; it may have more.
    """

    name: str
    version: int
    about: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def key(self, **decides: Any) -> str:
        """Hash of all that decides an entry: settings, hashes of contents (JSON-able), name and version of the kind."""
        return content_hash({"kind": self.name, "version": self.version, **decides})


@dataclass(frozen=True)
class Entry:
    """A verified entry: ``about`` holds what is known of it, ``folder`` its files."""

    folder: Path
    about: Mapping[str, Any]

    def array(self, name: str) -> np.ndarray:
        """Its array ``<name>.npy``, in memory."""
        array: np.ndarray = np.load(self.folder / f"{name}.npy", allow_pickle=False)
        return array


class ContentStore:
    """The entries of one kind in a cache.

    Args:
        folder: the cache; may be shared by all kinds, runs and processes.
        kind: what is kept.
    """

    def __init__(self, folder: str | Path, kind: Kind) -> None:
        self.folder = Path(folder)
        self.kind = kind

    def path(self, key: str) -> Path:
        """Where the entry of a key is, or would be."""
        return self.folder / self.kind.name / key[:2] / key

    def get(self, key: str) -> Entry | None:
        """The entry of a key, every byte of it verified; None where there is none or, with a note, a damaged one."""
        folder = self.path(key)
        if not folder.is_dir():
            return None
        try:
            return self._opened(folder, key)
        except InputError as error:
            note_made_anew(error)
            return None

    def put(
        self,
        key: str,
        about: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray] | None = None,
        write: Callable[[Path], object] | None = None,
    ) -> Entry:
        """Keep an entry; of several processes that put the same one, the last to finish is there in the end.

        Args:
            key: see :meth:`Kind.key`.
            about: what is known of it, JSON-able.
            arrays: written as ``<name>.npy``.
            write: writes further files into the folder that it is given.

        Raises:
            StoreError: the cache cannot be written to, or the disk is full.
        """
        folder = self.path(key)
        try:
            with atomic_folder(folder, durable=False) as part:
                for name, array in (arrays or {}).items():
                    np.save(part / f"{name}.npy", array, allow_pickle=False)
                if write is not None:
                    write(part)
                hashes = {file.name: sha256_file(file) for file in sorted(part.iterdir())}
                write_sealed(part / ABOUT, {**about, "kind": self.kind.name, "key": key, _FILES: hashes})
        except (InputError, FileNotFoundError) as error:
            if (entry := self.get(key)) is None:
                raise StoreError(str(error)) from error
            return entry
        return Entry(folder, plain_json(dict(about)))

    def require_writable(self) -> None:
        """Make the cache's folder.

        Raises:
            StoreError: it cannot be made or written to.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self.folder}: this cache folder cannot be made ({error.strerror}).") from error
        if not os.access(self.folder, os.W_OK):
            raise StoreError(f"{self.folder}: this cache folder cannot be written to; choose another.")

    def _opened(self, folder: Path, key: str) -> Entry:
        about = open_sealed(folder / ABOUT, (*self.kind.about, _FILES))
        hashes = about.pop(_FILES)
        with reading(folder / ABOUT, "this kept result"):
            if (about.pop("kind"), about.pop("key")) != (self.kind.name, key):
                raise ValueError("it belongs to another key")
            for name in self.kind.files:
                if name not in hashes:
                    raise KeyError(name)
        for name, expected in hashes.items():
            with reading(folder / name, "this kept file"):
                if sha256_file(folder / name) != expected:
                    raise ValueError("its content does not fit its checksum")
        return Entry(folder, about)
