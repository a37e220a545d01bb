"""numba where it is installed: compiled kernels, cached in a folder of the user, released from the interpreter's lock.

:func:`njit` is ``numba.njit(cache=True, nogil=True)``. The cache folder must be known before numba is first imported;
where it cannot be written to, kernels are compiled anew in each process. Import this module only where
:func:`available` is true.
"""

import os
import sys
import tempfile
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
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "deepradiomics" / "numba"


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
    return _numba().njit(function, nogil=True, cache=can_cache())
