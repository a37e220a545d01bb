"""One factorisation for each distinct training split: kept by the hash of what it depends on."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import BundleError
from deepradiomics.files import atomic_file, content_hash
from deepradiomics.ich.components import Components, Family
from deepradiomics.progress import Progress

VERSION = 3  # raise when the numbers change, or what is kept


def fitted(
    values: np.ndarray,
    names: Sequence[str] | None = None,
    *,
    family: Family,
    cache: str | Path | None,
    n_components: int = 128,
    seed: int = 0,
    device: str = "cpu",
    key: Any = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Components:
    """Return the components of these training rows: read from ``cache`` where they were fitted before, else fitted.

    Args:
        values, names, family, n_components, seed, device, threads, progress: as for :meth:`Components.fit`.
        cache: folder; None keeps nothing.
        key: what names the rows (JSON-able, such as the table's hash and the row numbers), instead of hashing them.
    """
    options: dict[str, Any] = {"n_components": n_components, "seed": seed, "device": device}
    if cache is None:
        return Components.fit(values, names, family=family, threads=threads, progress=progress, **options)
    content = content_hash(np.asarray(values)) if key is None else content_hash({"key": key})
    named = list(names) if names is not None else None
    file = Path(cache) / f"{family}-{content_hash(VERSION, content, named, family, options)[:20]}.npz"
    found = _read(file)
    if found is None:
        found = Components.fit(values, names, family=family, threads=threads, progress=progress, **options)
        _write(file, found)
    return found


def _write(file: Path, components: Components) -> None:
    arrays, info = components.to_arrays()
    text = np.frombuffer(json.dumps(info).encode(), np.uint8)
    with atomic_file(file) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, info=text, **arrays)  # type: ignore[arg-type]


def _read(file: Path) -> Components | None:
    """None where it is absent or was cut short: then it is fitted again."""
    try:
        with open(file, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return Components.from_arrays(arrays, json.loads(arrays.pop("info").tobytes()))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, BundleError):
        return None
