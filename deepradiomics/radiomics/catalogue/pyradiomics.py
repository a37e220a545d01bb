"""Every feature by name: its family, its unit, its IBSI code and one plain sentence about it.

The names and sentences are data (``pyradiomics.json``); a full key is PyRadiomics' ``original_glcm_Contrast``.
"""

import json
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Literal

from deepradiomics.errors import InputError

FAMILIES = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm", "shape", "shape2D")
FAMILY_TITLES = {
    "firstorder": "First order",
    "glcm": "Grey level co-occurrence (GLCM)",
    "gldm": "Grey level dependence (GLDM)",
    "glrlm": "Grey level run length (GLRLM)",
    "glszm": "Grey level size zone (GLSZM)",
    "ngtdm": "Neighbouring grey tone difference (NGTDM)",
    "shape": "Shape",
    "shape2D": "Shape in the plane",
}


@dataclass(frozen=True)
class Entry:
    """One feature of the catalogue.

    Args:
        family: its class, such as ``glcm``.
        name: its name within the class, such as ``Contrast``.
        state: given by default, only on request, or removed because another feature equals it.
        sentence: what it says, in plain words.
        unit: its unit where it is a length, an area or a volume.
        ibsi: its code in IBSI's manual, where IBSI defines the same quantity.
        equals: for a removed feature, the one that takes its place.
    """

    family: str
    name: str
    state: Literal["default", "on request", "removed"]
    sentence: str
    unit: str = ""
    ibsi: str = ""
    equals: str = ""


@cache
def entries() -> dict[str, dict[str, Entry]]:
    """Return the catalogue: family -> name -> entry, both in PyRadiomics' (alphabetical) order."""
    text = files("deepradiomics.radiomics.catalogue").joinpath("pyradiomics.json").read_text(encoding="utf-8")
    return {
        family: {name: Entry(family, name, **values) for name, values in features.items()}
        for family, features in json.loads(text).items()
    }


def default_names(family: str) -> tuple[str, ...]:
    """Return the names that a family gives when no feature of it is named."""
    return tuple(name for name, entry in entries()[family].items() if entry.state == "default")


def entry_of(key: str) -> Entry:
    """Return the entry of a full key (``wavelet-LLH_glcm_Contrast``) or of ``glcm_Contrast``.

    Raises:
        InputError: no such feature; near matches are named.
    """
    family, _, name = key.rpartition("_")
    family = family.rpartition("_")[2]
    entry = entries().get(family, {}).get(name)
    if entry is None:
        known = [f"{f}_{n}" for f, features in entries().items() for n in features]
        near = get_close_matches(f"{family}_{name}" if family else name, known, 3, 0.5)
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise InputError(f"feature {key!r} is not in the catalogue.{hint}")
    return entry
