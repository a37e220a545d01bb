"""One factorisation for each distinct training split: kept by the hash of what it depends on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.files.atomic import content_hash
from deepradiomics.files.store import ContentStore, Kind
from deepradiomics.modelling.components.nmf_components import Components, Family
from deepradiomics.progress import Progress

COMPONENTS = Kind("components", version=4, about=("components", "arrays", "seconds"))
"""Raise the version when the numbers change, or what is kept."""


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
) -> tuple[Components, float]:
    """Return the components of these training rows, and the seconds that fitting them took when it was done.

    They are read from ``cache`` where they were fitted before.

    Args:
        values, names, family, n_components, seed, device, threads, progress: as for :meth:`Components.fit`.
        cache: folder; None keeps nothing.
        key: what names the rows (JSON-able, such as the table's hash and the row numbers), instead of hashing them.
    """
    options: dict[str, Any] = {"n_components": n_components, "seed": seed, "device": device}
    store = None if cache is None else ContentStore(cache, COMPONENTS)
    entry_key = COMPONENTS.key(
        rows=content_hash(np.asarray(values)) if key is None else {"key": key},
        names=None if names is None else list(names),
        family=family,
        **options,
    )
    if store is not None and (entry := store.get(entry_key)):
        about = entry.about
        arrays = {name: entry.array(name) for name in about["arrays"]}
        return Components.from_arrays(arrays, about["components"]), float(about["seconds"])
    start = time.perf_counter()
    components = Components.fit(values, names, family=family, threads=threads, progress=progress, **options)
    seconds = round(time.perf_counter() - start, 3)
    if store is not None:
        arrays, info = components.to_arrays()
        store.put(entry_key, {"components": info, "arrays": list(arrays), "seconds": seconds}, arrays)
    return components, seconds
