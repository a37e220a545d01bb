"""Every IBSI feature by name: IBSI's own name, its tag and code, and how texture matrices are put together.

The names and sentences are data (``ibsi.json``). A name is PyRadiomics' where the quantity is the same; a key is
``{prefix}_{family}_{Name}``, and for texture ``{prefix}_{family}_{Name}_{aggregation}``.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from deepradiomics.errors import InputError

FAMILIES = ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
"""The families in the order of an extraction; ``gldm`` is IBSI's NGLDM."""

DIRECTIONAL = ("glcm", "glrlm")
"""Families whose matrices have a direction; the others have one matrix per slice, or one of the volume."""

AGGREGATIONS = {
    "2D_averaged": "BTW3",
    "2D_slice_merged": "SUJT",
    "2.5D_direction_merged": "JJUI",
    "2.5D_merged": "ZW7Z",
    "3D_averaged": "ITBB",
    "3D_merged": "IAZD",
}
"""How the matrices of directions and slices are put together, with IBSI's code."""

PLAIN_AGGREGATIONS = {"2D": "8QNN", "2.5D": "62GR", "3D": "KOBO"}
"""The same for families without directions: features averaged over slices, slices merged, the volume."""

_ENDINGS = {
    "2D_averaged": "_2D_avg",
    "2D_slice_merged": "_2D_comb",
    "2.5D_direction_merged": "_2_5D_avg",
    "2.5D_merged": "_2_5D_comb",
    "3D_averaged": "_3D_avg",
    "3D_merged": "_3D_comb",
    "2D": "_2D",
    "2.5D": "_2_5D",
    "3D": "_3D",
}


@dataclass(frozen=True)
class Entry:
    """One IBSI feature.

    Args:
        family: its class, such as ``glcm``.
        name: its name in our keys, such as ``JointEnergy``.
        ibsi: its name in the reference manual.
        tag: its tag in IBSI's tables, without the ending of the aggregation.
        code: its code in the manual.
        sentence: what it says, in plain words.
        pyradiomics: the PyRadiomics feature that asks for it, empty where there is none.
        unit: its unit where it has one.
    """

    family: str
    name: str
    ibsi: str
    tag: str
    code: str
    sentence: str
    pyradiomics: str = ""
    unit: str = ""


@cache
def entries() -> dict[str, dict[str, Entry]]:
    """Return the catalogue: family -> name -> entry, in the order of an extraction."""
    text = files("deepradiomics.radiomics.catalogue").joinpath("ibsi.json").read_text(encoding="utf-8")
    known = json.loads(text)
    return {f: {name: Entry(f, name, **values) for name, values in known[f].items()} for f in FAMILIES}


def plain_aggregation(aggregation: str) -> str:
    """Return the aggregation of a family without directions: ``2.5D_merged`` -> ``2.5D``."""
    return aggregation.partition("_")[0]


def aggregations_of(family: str, asked: Sequence[str]) -> tuple[str, ...]:
    """Return the aggregations, in the order asked for, that a family gives; one empty text where it has none."""
    if family in ("shape", "firstorder"):
        return ("",)
    return tuple(asked) if family in DIRECTIONAL else tuple(dict.fromkeys(plain_aggregation(a) for a in asked))


def key_of(prefix: str, family: str, name: str, aggregation: str = "") -> str:
    """Return the full key of a feature."""
    return f"{prefix}_{family}_{name}" + (f"_{aggregation}" if aggregation else "")


def parts_of(key: str) -> tuple[Entry, str]:
    """Return the entry and the aggregation (empty where there is none) of a full key.

    Raises:
        InputError: no such feature; near matches are named.

    >>> parts_of("original_glcm_JointEnergy_3D_averaged")[0].code
    '8ZQL'
    """
    for family in FAMILIES:
        before, family_part, rest = key.partition(f"{family}_")
        if not family_part or (before and not before.endswith("_")):
            continue
        name, _, aggregation = rest.partition("_")
        allowed = ("",) if family in ("shape", "firstorder") else _aggregations(family)
        if name in entries()[family] and aggregation in allowed:
            return entries()[family][name], aggregation
    known = [key_of("original", f, n, a) for f, names in entries().items() for n in names for a in _aggregations(f)]
    near = get_close_matches(key, known, 3, 0.5)
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    raise InputError(f"feature {key!r} is not in the IBSI catalogue.{hint}")


def _aggregations(family: str) -> tuple[str, ...]:
    return aggregations_of(family, tuple(AGGREGATIONS))


def entry_of(key: str) -> Entry:
    """Return the entry of a full key; see :func:`parts_of`."""
    return parts_of(key)[0]


def tag_of(key: str) -> str:
    """Return the tag in IBSI's tables: ``original_glcm_JointEnergy_3D_averaged`` -> ``cm_energy_3D_avg``."""
    entry, aggregation = parts_of(key)
    return entry.tag + _ENDINGS.get(aggregation, "")


def is_ibsi_key(key: str) -> bool:
    """Tell whether a key is one of an IBSI extraction (some are PyRadiomics' keys as well)."""
    try:
        parts_of(key)
    except InputError:
        return False
    return True


def describe(key: str) -> str:
    """Return one plain sentence about a feature, with unit, code and aggregation."""
    entry, aggregation = parts_of(key)
    code = {**AGGREGATIONS, **PLAIN_AGGREGATIONS}.get(aggregation)
    unit = f" ({entry.unit})" if entry.unit else ""
    how = f", {aggregation.replace('_', ' ')} {code}" if code else ""
    return f"{entry.sentence}{unit} IBSI {entry.code}{how}."
