"""Features and regions of examinations, kept by content: computed once, found again, never half-written.

An entry's key is the hash of all that decides its numbers (voxels, recipe, settings, engine version). On disk it is
`<k>/<key>.npy` (the region's image) and, written last, `<k>/<key>.parquet` (the features): an entry without its
Parquet file does not exist, so a kill in the middle costs one case.

    <key>.parquet   one row a patch and view: patch, view, then one float64 column a feature; the rest as JSON metadata
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.files import atomic_file, content_hash

_FORMAT = "1"
_METADATA = b"deepradiomics"


@dataclass(frozen=True, eq=False)
class ExamFeatures:
    """The region and the feature pool of one examination.

    Args:
        image: normalised region, (V, z, y, x) float32.
        values: features (J, V, K) float64.
        feature_names: K names.
        views: V names.
        notes: what was assumed or warned of during preparation and extraction.

    Raises:
        InputError: the shapes do not fit each other.
    """

    image: NDArray[np.float32]
    values: NDArray[np.float64]
    feature_names: tuple[str, ...]
    views: tuple[str, ...]
    notes: tuple[str, ...] = ()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expected = (len(self.views), len(self.feature_names))
        if self.values.ndim != 3 or self.values.shape[1:] != expected or self.image.ndim != 4:
            raise InputError(f"features must be (patches, {expected[0]}, {expected[1]}), got {self.values.shape}.")
        if self.image.shape[0] != expected[0]:
            raise InputError(f"image must hold {expected[0]} views, got shape {self.image.shape}.")


class FeatureStore:
    """A folder of entries. Several processes may read and write it at once: entries are moved into place whole.

    Raises:
        InputError: the folder cannot be made or written to.
        MissingDependencyError: pyarrow is not installed.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError as error:
            raise MissingDependencyError(
                "Cohort features are kept in Parquet, which needs pyarrow: pip install 'deepradiomics[train]'."
            ) from error
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self.folder}: this cache folder cannot be made ({error.strerror}).") from error
        if not os.access(self.folder, os.W_OK):
            raise InputError(f"{self.folder}: this cache folder cannot be written to; choose another.")

    def path(self, key: str) -> Path:
        """Where the features of a key are, or would be."""
        return self.folder / key[:2] / f"{key}.parquet"

    def has(self, key: str) -> bool:
        """Whether there is an entry; it may still turn out to be damaged."""
        return self.path(key).is_file()

    def get(self, key: str) -> ExamFeatures | None:
        """The entry of a key; None where there is none, or, with a warning, where it is damaged."""
        if not self.has(key):
            return None
        try:
            return _read(self.path(key))
        except Exception as error:  # a damaged file may fail anywhere in pyarrow or numpy
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            warnings.warn(f"{self.path(key)} is damaged and will be computed again ({reason}).", stacklevel=2)
            return None

    def put(self, key: str, entry: ExamFeatures) -> None:
        """Write an entry, replacing one that is there. Raises InputError where the disk is full."""
        path = self.path(key)
        with atomic_file(path.with_suffix(".npy")) as temporary, temporary.open("wb") as stream:
            np.save(stream, np.ascontiguousarray(entry.image, np.float32), allow_pickle=False)
        with atomic_file(path) as temporary:
            _write(entry, temporary)

    def clean(self) -> int:
        """Remove what interrupted writers left behind (no writer may be at work); return how many files."""
        rests = [file for file in self.folder.glob("??/.*") if ".part" in file.name]
        for file in rests:
            file.unlink(missing_ok=True)
        return len(rests)


def _write(entry: ExamFeatures, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    patches, views, features = entry.values.shape
    columns: dict[str, Any] = {
        "patch": np.repeat(np.arange(1, patches + 1, dtype=np.int32), views),
        "view": pa.array(list(entry.views) * patches, pa.string()),
    }
    table = entry.values.reshape(patches * views, features)
    columns |= {name: np.ascontiguousarray(table[:, k]) for k, name in enumerate(entry.feature_names)}
    info = {
        "format": _FORMAT,
        "image": _hash(entry.image, np.float32),
        "values": _hash(entry.values, np.float64),
        "notes": list(entry.notes),
        "diagnostics": dict(entry.diagnostics),
    }
    metadata = {_METADATA: json.dumps(info, default=str).encode()}
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path, compression="zstd")


def _read(path: Path) -> ExamFeatures:
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path).read(use_threads=False)
    info = json.loads(table.schema.metadata[_METADATA])
    if info["format"] != _FORMAT:
        raise ValueError(f"format {info['format']}, expected {_FORMAT}")
    names = tuple(table.column_names[2:])
    views = tuple(dict.fromkeys(table["view"].to_pylist()))
    flat = np.stack([table[name].to_numpy() for name in names], axis=1)
    values = np.ascontiguousarray(flat.reshape(-1, len(views), len(names)))
    image = np.load(path.with_suffix(".npy"), allow_pickle=False)
    if _hash(values, np.float64) != info["values"] or _hash(image, np.float32) != info["image"]:
        raise ValueError("its content does not fit its checksum")
    return ExamFeatures(image, values, names, views, tuple(info["notes"]), info["diagnostics"])


def _hash(array: NDArray[Any], dtype: type) -> str:
    """Hash of numbers as they are written: same on every platform, whatever the array's memory order."""
    return content_hash(np.ascontiguousarray(array, dtype=np.dtype(dtype).newbyteorder("<")))
