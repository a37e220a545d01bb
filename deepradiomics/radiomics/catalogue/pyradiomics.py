"""Every feature by name: its family, its unit, its IBSI code and one plain sentence about it.

The names and sentences are data (``catalogue.json``); a full key is PyRadiomics' ``original_glcm_Contrast``.
"""

import json
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from deepradiomics.errors import InputError

if TYPE_CHECKING:
    from deepradiomics.radiomics.explain import Explained

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
    text = files("deepradiomics.radiomics").joinpath("catalogue.json").read_text(encoding="utf-8")
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
    found = entries().get(family, {}).get(name)
    if found is None:
        known = [f"{f}_{n}" for f, features in entries().items() for n in features]
        near = get_close_matches(f"{family}_{name}" if family else name, known, 3, 0.5)
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise InputError(f"feature {key!r} is not in the catalogue.{hint}")
    return found


def family_of(key: str) -> str:
    """Return the family of a feature of any image: ``wavelet-LLH_glcm_Contrast`` -> ``glcm``.

    Raises:
        InputError: no such image, family or feature; near matches are named.
    """
    return _explained(key).family


def describe(key: str) -> str:
    """Return a plain sentence about a feature, with its unit, and one about its image where it is a filtered one.

    Raises:
        InputError: as for :func:`family_of`.
    """
    found = _explained(key)
    text = f"{found.sentence} ({found.unit})" if found.unit else found.sentence
    return text if found.image == "original" or not found.image_sentence else f"{text} Image: {found.image_sentence}"


def label_of(key: str) -> str:
    """Return a short label for charts and tables: ``wavelet-LLH_glcm_Contrast`` -> ``GLCM Contrast, wavelet LLH``.

    Raises:
        InputError: as for :func:`family_of`.
    """
    return _explained(key).label


@cache
def _explained(key: str) -> "Explained":
    from deepradiomics.radiomics.explain import explain  # it reads this catalogue

    return explain(key)
