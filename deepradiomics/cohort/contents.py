"""What a cohort and its files hold, as hashes: by these a result or a run is known to belong to them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import content_hash, sha256_file, sha256_image
from deepradiomics.headers.data_files import is_one_file
from deepradiomics.headers.dicom_start import may_be_dicom
from deepradiomics.images import dicom

_AT_ONCE = 1 << 16  # bytes of a file in memory while it is hashed


def image_hash(path: str | Path) -> str:
    """Return the SHA-256 of every byte that is read for an image or a mask.

    A folder stands for all its files, a header for the data files that it names, and one file of a DICOM series for all
    images of the series.

    Raises:
        InputError: a file is missing, no plain file or cannot be read, or a header names one outside its folder.
    """
    path = Path(path)
    if not path.is_file():
        return sha256_image(path)
    if (known := _hash_in_one_pass(path)) is not None:
        return known
    if not dicom.is_dicom(path):
        return sha256_image(path)
    try:
        headers, _ = dicom.one_series(path)
    except InputError:  # a SEG, an RTSTRUCT, or a series of which the reader says what is wrong
        return sha256_file(path)
    return content_hash([sha256_file(header.path) for header in headers])


def _hash_in_one_pass(path: Path) -> str | None:
    """The SHA-256 of an image that is one plain file and no DICOM, opened once; None for all others."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(_AT_ONCE)
            if may_be_dicom(head) or not is_one_file(head, path):
                return None
            digest = hashlib.sha256(head)
            while len(head) == _AT_ONCE:
                head = stream.read(_AT_ONCE)
                digest.update(head)
    except OSError as error:
        raise InputError(f"{path}: this file cannot be read ({error.strerror or error}).") from error
    return digest.hexdigest()


def manifest_hash(manifest: Manifest, *, outcomes: bool = True, splits: bool = True) -> str:
    """Hash of ids, patients and what else a manifest says of its cases; where the files lie does not matter.

    Args:
        manifest: the cohort.
        outcomes: with labels and numbers, modalities, regions, and how files are read where the manifest says so.
        splits: with the splits.
    """
    rows: list[list[Any]] = []
    for row, patient in zip(manifest.rows, manifest.groups, strict=True):
        rows.append([row.id, patient, row.split if splits else None])
        if outcomes:
            reading = row.reading.for_row(row.region, row.segment)
            rows[-1] += [sorted(row.views), sorted(row.masks), row.labels, row.values, reading.to_dict()]
    return content_hash(rows, list(manifest.tasks) if outcomes else [])
