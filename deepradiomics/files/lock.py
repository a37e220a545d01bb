"""A folder held by one run at a time: a second one is told who works there, instead of mixing its files with these.

::

    with held(Path("out")):        # out/.lock: process and machine of the holder
        …

    @holds_out                     # a function that works in the folder of its argument `out`
    def train(manifest, config, out): …

The lock is the system's, on the open file: it goes with its process, however that ends, so that none is ever left
behind. On a file system without locks the folder is not held; results are whole all the same, for files are written
atomically and read back with their checksums.
"""

from __future__ import annotations

import inspect
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar

from deepradiomics.errors import InputError

LOCK = ".lock"
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


@contextmanager
def held(folder: str | Path, advice: str = "Wait for it, or choose another --output.") -> Iterator[None]:
    """Hold a folder, which is made where it is absent, and removed again where nothing was written there.

    Raises:
        InputError: another run holds it, or it cannot be made or written to.
    """
    folder = Path(folder)
    stream = _locked(folder, advice)
    try:
        yield
    finally:
        if os.name == "nt":  # which removes no file that is open
            stream.close()
        with suppress(OSError):  # elsewhere while it is held: whoever has opened it meanwhile sees that it is gone
            (folder / LOCK).unlink()
        stream.close()
        with suppress(OSError):  # only where it is empty: nothing could be computed
            folder.rmdir()


def holds_out(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Decorate a function so that it holds the folder of its argument ``out`` while it runs.

    A second one there raises InputError. What is no folder, or cannot be written to, is left to the function.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def holding(*arguments: _Given.args, **named: _Given.kwargs) -> _Result:
        out = Path(signature.bind(*arguments, **named).arguments["out"])
        if out.exists() and not (out.is_dir() and os.access(out, os.W_OK)):
            return function(*arguments, **named)
        with held(out, "Wait for it, or choose another folder (-o)."):
            return function(*arguments, **named)

    return holding


def _locked(folder: Path, advice: str) -> BinaryIO:
    path = folder / LOCK
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stream = open(path, "a+b")  # noqa: SIM115 - held until the run ends; the system lets go of it with the process
        except FileNotFoundError:
            if not folder.parent.is_dir():
                raise InputError(f"{folder}: this folder cannot be made. Choose another output.") from None
            continue  # the run before has just removed it
        except OSError as error:
            why = error.strerror or error
            raise InputError(f"{folder}: cannot be written to ({why}). Choose another output.") from error
        try:
            _lock(stream)
        except BlockingIOError:
            holder = _holder(stream)
            stream.close()
            raise InputError(
                f"{folder}: another run is writing there now{holder}, and files of two runs would mix. {advice}"
            ) from None
        except OSError:
            return stream  # a file system without locks
        if _same(stream, path):
            stream.truncate(0)
            stream.write(f" process {os.getpid()} on {platform.node()}".encode())
            stream.flush()
            return stream
        stream.close()  # the run before has just removed it


def _holder(stream: BinaryIO) -> str:
    """Who holds the lock, as the holder has written it; the first byte is the lock's own on Windows."""
    try:
        stream.seek(1)
        holder = stream.read(200).decode("utf-8", "replace").strip()
    except OSError:
        return ""
    return f" ({holder})" if holder else ""


def _same(stream: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except OSError:
        return False


def _lock(stream: BinaryIO) -> None:
    """Take the lock of the first byte; BlockingIOError where another process has it."""
    if os.name == "nt":
        import msvcrt

        try:
            stream.seek(0)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError as error:
            raise BlockingIOError from error
        return
    import fcntl

    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
