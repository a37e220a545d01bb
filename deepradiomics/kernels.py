"""numba where it is installed: compiled kernels, cached in a folder of the user, released from the interpreter's lock.

:func:`njit` is ``numba.njit(cache=True, nogil=True)``. The cache folder must be known before numba is first imported;
where it cannot be written to, kernels are compiled anew in each process. A module that holds kernels compiles them when
it is imported, so it is imported inside the function that runs them, and only where :func:`available` is true.
"""

import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@cache
def available() -> bool:
    """Tell whether numba is installed and works on this machine."""
    if find_spec("numba") is None:
        return False
    try:
        _numba()
    except Exception:  # a numba that does not fit this numpy or processor fails in many ways, some not ImportError
        return False
    return True


def cache_folder() -> Path:
    """Return the folder of compiled kernels: ``NUMBA_CACHE_DIR`` or one of the user's own."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "deepradiomics" / "numba"


def cache_place() -> str:
    """The folder's name for a message, also where there is none."""
    try:
        return str(cache_folder())
    except RuntimeError:  # no home folder
        return "the user's cache folder"


@cache
def can_cache() -> bool:
    """Tell whether the folder can be written to; makes it, and names it to numba."""
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return False
    if not os.environ.get("NUMBA_CACHE_DIR"):
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
    return True


@cache
def _numba() -> Any:
    can_cache()  # sets the folder before the import reads it
    import numba

    return numba


def njit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel on first use, without the interpreter's lock, cached on disk where possible."""
    kernel: Callable[..., Any] = _numba().njit(function, nogil=True, cache=can_cache())
    store: Any = getattr(kernel, "_cache", None)
    if can_cache() and hasattr(store, "save_overload") and hasattr(store, "load_overload"):
        store.save_overload = _harmless(store.save_overload)
        store.load_overload = _harmless(store.load_overload)
    return kernel


def _harmless(step: Callable[..., Any]) -> Callable[..., Any]:
    """A step of the cache whose failure costs a compilation and nothing else: a full disk, another user's files."""

    def tried(*arguments: Any) -> Any:
        try:
            return step(*arguments)
        except Exception as error:  # a damaged entry may fail anywhere in numba
            _tell_once(f"{type(error).__name__}: {error}")
            return None

    return tried


@cache
def _told() -> list[str]:
    return []


def _tell_once(problem: str) -> None:
    if not _told():
        _told().append(problem)
        warnings.warn(
            f"{cache_place()}: the kept compiled kernels cannot be used ({problem}); they are compiled anew. Empty the "
            "folder, or name another in the variable NUMBA_CACHE_DIR.",
            stacklevel=3,
        )
