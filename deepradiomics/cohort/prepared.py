"""Prepared cases of a cohort: a folder of arrays each, kept by content, and what is said of those that cannot be used.

::

    CACHE/<2 characters>/<key>/   key: hash of all that decides what is in it
      <name>.npy    arrays, read in pieces
      about.json    what else is known of the case, notes
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.files import read_json

_SHOWN = 5  # unusable cases told in one message


def kept_about(folder: Path, arrays: Sequence[str], keys: Sequence[str]) -> dict[str, Any] | None:
    """What about.json says of a prepared case; None where it is not there, or damaged (then it is prepared again).

    Args:
        folder: of the case.
        arrays: names of its ``.npy`` files, without the ending.
        keys: which about.json must have.
    """
    try:
        about = read_json(folder / "about.json")
        for name in arrays:
            np.load(folder / f"{name}.npy", mmap_mode="r")
    except (InputError, OSError, ValueError):
        return None
    return about if isinstance(about, dict) and set(keys) <= set(about) else None


def refusal(failed: Sequence[tuple[str, str]], total: int) -> str:
    """Why a cohort is refused: the first of its unusable cases (id, reason), and what to do."""
    shown = "\n  ".join(reason for _, reason in failed[:_SHOWN])
    more = f"\n  … and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    return (
        f"{len(failed)} of {total} cases cannot be used:\n  {shown}{more}\n"
        "Mend the manifest, or leave such cases out with missing='drop' (--missing drop)."
    )
