"""Files that are either whole or absent: atomic writes, JSON, and hashes of content."""

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from deepradiomics.errors import InputError

_Settings = TypeVar("_Settings")


def _temporary_beside(path: Path) -> Path:
    # The suffix stays last: image writers choose the format by it.
    suffix = "".join(path.suffixes[-2:]) if path.name.endswith(".gz") else path.suffix
    return path.with_name(f".{path.name.removesuffix(suffix)}.{uuid.uuid4().hex[:8]}.part{suffix}")


def _explain(path: Path, error: OSError) -> InputError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(f"{path}: no space is left on the disk. Free some and run again; nothing was overwritten.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return InputError(f"{path}: this folder cannot be written to. Choose another output or change its permissions.")
    return InputError(f"{path}: could not be written ({error.strerror or error}).")


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it is moved onto ``path``, on failure it is removed.

    Raises:
        InputError: the folder cannot be made or written to, or the disk is full.
    """
    path = Path(path)
    temporary = _temporary_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and path.parent.is_dir():
            raise
        raise _explain(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a new temporary folder beside ``path``; on success it takes the place of ``path``, else it is removed.

    Raises:
        InputError: the parent folder cannot be made or written to, or the disk is full.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    old = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.old")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            os.replace(path, old)
        try:
            os.replace(temporary, path)
        except OSError:
            if old.exists():
                os.replace(old, path)
            raise
    except OSError as error:
        if isinstance(error, FileNotFoundError) and path.parent.is_dir():
            raise
        raise _explain(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON atomically; numpy numbers, arrays and paths are turned into plain values."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: the file is missing or is not JSON.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: this file does not exist.") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: this is not a readable JSON file ({error}).") from error


def read_settings(path: str | Path, expected: str, build: Callable[[Mapping[str, Any]], _Settings]) -> _Settings:
    """Read a JSON file of settings, written by a program or by hand.

    Args:
        path: the file.
        expected: what its object holds, for the message: ``the keys recipe, training``.
        build: makes the settings of it.

    Raises:
        InputError: the file is missing, is not JSON, or says something unknown; the message names the file.
    """
    stored = read_json(path)
    if not isinstance(stored, dict):
        raise InputError(f"{path}: expected a JSON object with {expected}.")
    try:
        return build(stored)
    except (InputError, TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}") from error


def sha256_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_image(path: str | Path) -> str:
    """Return the SHA-256 of an image's file, or of all files of its folder (a DICOM series).

    A header whose voxels lie in another file (``.mhd``, ``.nhdr``) is hashed with all files of the same name.

    Raises:
        InputError: a file is missing or cannot be read.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return content_hash([sha256_file(file) for file in sorted(path.rglob("*")) if file.is_file()])
        if path.suffix.lower() in (".mhd", ".nhdr"):
            beside = [file for file in sorted(path.parent.iterdir()) if file.name.startswith(f"{path.stem}.")]
            return content_hash([sha256_file(file) for file in beside if file.is_file()])
        return sha256_file(path)
    except OSError as error:
        raise InputError(f"{path}: this file cannot be read ({error.strerror or error}).") from error


def content_hash(*parts: Any) -> str:
    """Return the SHA-256 of arrays (dtype, shape, values), texts, bytes and JSON-able values, in their order."""
    digest = hashlib.sha256()
    for item in parts:
        if isinstance(item, np.ndarray):
            head, body = f"array {item.dtype.str} {item.shape}", np.ascontiguousarray(item).tobytes()
        elif isinstance(item, bytes):
            head, body = "bytes", item
        else:
            head, body = "json", json.dumps(item, sort_keys=True, default=_plain).encode()
        digest.update(f"{head} {len(body)}\n".encode())
        digest.update(body)
    return digest.hexdigest()
