"""An entry point: the function of a user's own module that ``module:function`` names, called.

This runs the user's code, because the user names it; nothing in a bundle ever does.
"""

from __future__ import annotations

import difflib
import importlib
import re
import sys
from pathlib import Path
from typing import Any

from deepradiomics.errors import BundleError, DeepRadiomicsError

_ENTRY_POINT = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def is_entry_point(text: str) -> bool:
    """Tell whether a text has the form ``module:function``."""
    return _ENTRY_POINT.fullmatch(text) is not None


def call_entry_point(source: str) -> Any:
    """Return what ``module:function`` returns. Modules of the working folder are found too, after installed ones.

    Raises:
        BundleError: there is no such module or function, or it fails; the message says which.
        ModuleNotFoundError: the user's module needs a package that is not installed.
    """
    module_name, function_name = source.split(":")
    here = str(Path.cwd())
    sys.path.append(here)  # a file of the user's beside the data; last, so that it hides nothing installed
    try:
        importlib.invalidate_caches()
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and not (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise
        raise BundleError(
            f"encoder {source!r}: there is no Python module {module_name!r}. "
            "Run from the folder that holds its file, or install its package."
        ) from error
    finally:
        sys.path.remove(here)
    function = getattr(module, function_name, None)
    if not callable(function):
        callables = [name for name in vars(module) if callable(getattr(module, name))]
        near = difflib.get_close_matches(function_name, callables, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "is its name spelt right?"
        raise BundleError(f"encoder {source!r}: module {module_name!r} has no function {function_name!r}; {hint}")
    try:
        return function()
    except DeepRadiomicsError:
        raise
    except Exception as error:
        raise BundleError(f"encoder {source!r}: the function failed: {type(error).__name__}: {error}.") from error
