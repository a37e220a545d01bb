"""Files that are either whole or absent: atomic writes, JSON, and hashes of content."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from deepradiomics.errors import InputError
from deepradiomics.files.parts import clean_once, token
from deepradiomics.files.reading import parse_json, reading, reason
from deepradiomics.headers.data_files import image_files

_Settings = TypeVar("_Settings")
_WRITERS = 20  # of one folder at a time, each of which may come between moving aside and moving in


def _temporary_beside(path: Path) -> Path:
    # The suffix stays last: image writers choose the format by it.
    suffix = "".join(path.suffixes[-2:]) if path.name.endswith(".gz") else path.suffix
    return path.with_name(f".{path.name.removesuffix(suffix)}.{token()}.part{suffix}")


def _explain(path: Path, error: OSError) -> InputError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(f"{path}: no space is left on the disk. Free some and run again; nothing was overwritten.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return InputError(f"{path}: this folder cannot be written to. Choose another output or change its permissions.")
    return InputError(f"{path}: could not be written ({error.strerror or error}).")


@contextmanager
def atomic_file(path: str | Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it is moved onto ``path``, on failure it is removed.

    Args:
        path: the file.
        durable: whether it survives a power failure: it is on the disk before it is moved, and so is its new name. For
            entries of a cache, which are made anew, the hundredth of a second a file is not worth it.

    Raises:
        InputError: the folder cannot be made or written to, or the disk is full.
    """
    path = Path(path)
    temporary = _temporary_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        clean_once(path.parent)
        yield temporary
        if durable:
            _to_disk(temporary)
        os.replace(temporary, path)
        if durable:
            _to_disk(path.parent)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and path.parent.is_dir():
            raise
        raise _explain(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a new temporary folder beside ``path``; on success it takes the place of ``path``, else it is removed.

    Args:
        path: the folder.
        durable: as for :func:`atomic_file`.

    Raises:
        InputError: the parent folder cannot be made or written to, or the disk is full.
    """
    path = Path(path)
    temporary, old = (path.with_name(f".{path.name}.{token()}.{kind}") for kind in ("part", "old"))
    try:
        clean_once(path.parent)
        temporary.mkdir(parents=True)
        yield temporary
        if durable:
            for file in (*temporary.rglob("*"), temporary):
                _to_disk(file)
        _take_place(temporary, path, old)
        if durable:
            _to_disk(path.parent)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and path.parent.is_dir():
            raise
        raise _explain(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _take_place(temporary: Path, path: Path, old: Path) -> None:
    """Move a finished folder to its place; what was there goes to ``old``, and comes back where that fails.

    Another writer may do the same meanwhile: the one that comes last is there in the end.
    """
    for last in (*(False,) * _WRITERS, True):
        if path.exists():
            with suppress(FileNotFoundError):  # the other has just moved it aside
                os.replace(path, old)
        try:
            os.replace(temporary, path)
            return
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST) and not last:
                shutil.rmtree(old, ignore_errors=True)  # its successor is there
                continue
            if old.exists() and not path.exists():
                os.replace(old, path)
            raise


@contextmanager
def stage_inside(folder: Path) -> Iterator[Path]:
    """Yield an empty folder within ``folder`` in which its files are made; it goes in every case."""
    clean_once(folder)
    stage = folder / f".stage.{token()}.part"
    stage.mkdir()
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def move_in(file: Path, target: Path) -> None:
    """Move a finished file to its place, on the disk before and after."""
    _to_disk(file)
    os.replace(file, target)
    _to_disk(target.parent)


def _to_disk(path: Path) -> None:
    """Have the system write a file's content, or a folder's names, to the disk now."""
    if path.is_dir() and os.name == "nt":  # whose folders cannot be opened
        return
    try:
        number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    except (PermissionError, FileNotFoundError):  # made read-only by its writer, or moved on by it
        return
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
    finally:
        os.close(number)


def write_text(path: str | Path, text: str, *, durable: bool = True) -> None:
    """Write UTF-8 text atomically; what stands for bytes of a file name that are no UTF-8 is written as ``\\udcfc``.

    ``durable`` as for :func:`atomic_file`.
    """
    with atomic_file(path, durable=durable) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def _plain(value: Any) -> Any:
    import numpy as np

    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def write_json(path: str | Path, value: Any, *, durable: bool = True) -> None:
    """Write ``value`` as indented JSON atomically; numpy numbers, arrays and paths are turned into plain values."""
    write_text(path, json_text(value), durable=durable)


def json_text(value: Any) -> str:
    """The text that :func:`write_json` writes."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n"


def plain_json(value: Any) -> Any:
    """``value`` as it will be after it was written by :func:`write_json` and read again."""
    return json.loads(json.dumps(value, default=_plain))


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: the file is missing or is not JSON, is nested too deeply, or holds a whole number too long for use.
    """
    path = Path(path)
    try:
        with reading(path):
            return parse_json(path.read_text(encoding="utf-8"))
    except InputError as error:
        problem = error.__cause__
        if isinstance(problem, ValueError):
            raise InputError(f"{path}: this is not a readable JSON file ({reason(problem)}).") from problem
        raise


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
        with reading(path, "this file of settings"):
            return build(stored)
    except InputError as error:
        raise error if str(error).startswith(f"{path}: ") else InputError(f"{path}: {error}") from error


def sha256_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_image(path: str | Path) -> str:
    """Return the SHA-256 of an image's file, or of all files of its folder (a DICOM series).

    A header whose voxels lie in other files (``.mhd``, ``.nhdr``, ``.hdr``, but also ``.nrrd`` and ``.mha`` that name
    one) is hashed with the files that it names.

    Raises:
        InputError: a file is missing, no plain file or cannot be read, or a header names one outside its folder.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return content_hash([sha256_file(file) for file in sorted(path.rglob("*")) if file.is_file()])
        files = image_files(path)
        return sha256_file(path) if len(files) == 1 else content_hash([sha256_file(file) for file in files])
    except OSError as error:
        raise InputError(f"{path}: this file cannot be read ({error.strerror or error}).") from error


def content_hash(*parts: Any) -> str:
    """Return the SHA-256 of arrays (dtype, shape, values), texts, bytes and JSON-able values, in their order."""
    import numpy as np

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
