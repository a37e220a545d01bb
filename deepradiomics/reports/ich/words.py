"""How haemorrhage results are worded: titles of outcomes, inputs, classifiers and groups, their colours, numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deepradiomics.errors import InputError
from deepradiomics.radiomics.catalogue import label_of
from deepradiomics.results.lens_words import DASH, number
from deepradiomics.words import title_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COHORTS = {"validation": "Validation (out of fold)", "external": "External cohort"}
GROUPS = {
    "shape": "Shape",
    "radiomics": "Radiomics",
    "encoder": "Encoder latents",
    "vaegan": "VAE-GAN latents",
    "clinical": "Clinical",
}
# Okabe and Ito's palette; the hatches keep a grey print readable.
GROUP_COLOURS = {"shape": "#56B4E9", "radiomics": "#0072B2", "encoder": "#E69F00", "vaegan": "#009E73",
                 "clinical": "#CC79A7"}  # fmt: skip
GROUP_HATCHES = {"shape": "\\\\", "radiomics": "", "encoder": "///", "vaegan": "..", "clinical": "xx"}
COHORT_COLOURS = {"validation": "#0072B2", "external": "#D55E00"}
OTHER_COLOUR = "#444444"
LEVEL = 0.05  # of every test in the report
LEAST = 10  # patients of each class, for a difference to be called beyond noise
RED = "#b00020"
RESEARCH = "Research use only; not a medical device. Not for diagnosis or treatment."
SYNTHETIC = "SYNTHETIC DATA"
SYNTHETIC_MODEL, SYNTHETIC_CT = "SYNTHETIC MODEL", "SYNTHETIC CT"
SYNTHETIC_IN_REAL = "SYNTHETIC HAEMATOMA, REAL HEAD"
_RED_LETTERS_PER_INCH = 10.0  # of mark_red, so that narrow figures break the line
LEAKING = "LEAKING RUN"
_KEY = re.compile(r"[A-Za-z0-9.]+(?:-[A-Za-z0-9.-]+)?_[A-Za-z0-9]+_[A-Za-z0-9]+(?:_[A-Za-z0-9_]+)?")


def titles_of(told: Any, found: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Titles by name: those told (``[{"name", "title"}]``) in their order, then the others that were found.

    >>> titles_of([{"name": "b", "title": "Bee"}], ["a", "b"], {"a": "Ay"})
    {'b': 'Bee', 'a': 'Ay'}
    >>> titles_of([], ["late_stroke"], {})
    {'late_stroke': 'Late stroke'}
    """
    titles = {
        str(one["name"]): title_of(one["name"], one.get("title") or known.get(one["name"], "")) for one in told or ()
    }
    return titles | {name: title_of(name, known.get(name, "")) for name in found if name not in titles}


def group_name(group: str) -> str:
    """``"vaegan"`` → ``"VAE-GAN latents"``; a name that is not known stays as it is."""
    return GROUPS.get(group, group)


def readable(label: str) -> str:
    """A column's label for people: every radiomic key in it by its short name, everything else as it stands.

    >>> readable("radiomics 7: original_glcm_Contrast, wavelet-LLH_glszm_ZoneEntropy")
    'radiomics 7: GLCM Contrast, GLSZM ZoneEntropy, wavelet LLH'
    """
    return _KEY.sub(lambda found: _short(found.group()), label)


def with_interval(row: Mapping[str, Any], name: str = "auc", low: str = "", high: str = "", digits: int = 3) -> str:
    """``0.712 [0.651, 0.773]``; the number alone without an interval, a dash without a number."""
    value = number(row.get(name), digits)
    ends = number(row.get(low or f"{name}_low"), digits), number(row.get(high or f"{name}_high"), digits)
    return value if DASH in ends or value == DASH else f"{value} [{ends[0]}, {ends[1]}]"


def abc2_title(record: Mapping[str, Any]) -> str:
    """``"ABC/2"``; where the volume counts several haematomas, that the ruler's estimate is of the largest alone.

    >>> abc2_title({"volumes": {"lesions": [{}, {}]}, "lesions_policy": "all"})
    'ABC/2 of the largest'
    """
    several = len((record.get("volumes") or {}).get("lesions") or ()) > 1
    return "ABC/2 of the largest" if several and record.get("lesions_policy") != "largest" else "ABC/2"


def percent(value: Any, digits: int = 0) -> str:
    """A share as it is printed; a dash for none."""
    shown = number(100 * value, digits) if isinstance(value, int | float) else DASH
    return DASH if shown == DASH else f"{shown} %"


def listed(parts: Sequence[str]) -> str:
    """``"a, b and c"``."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else list(parts))


def red_lines(leaking: bool, *made_up: str) -> list[str]:
    """What stands in red on pictures: what is synthetic, and leakage; empty where data are real and nothing leaks."""
    return [one for one in made_up if one] + [f"{LEAKING}: scores are too good"] * leaking


def mark_red(figure: Figure, lines: Sequence[str]) -> Figure:
    """Write lines in red on top of a figure: a picture may leave its page."""
    if lines:
        line = "  ·  ".join(lines)
        fits = len(line) <= _RED_LETTERS_PER_INCH * figure.get_figwidth()
        figure.suptitle(line if fits else "\n".join(lines), fontsize=10, color=RED, fontweight="bold")
    return figure


def _short(key: str) -> str:
    try:
        return label_of(key)
    except InputError:
        return key
