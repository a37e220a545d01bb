"""How haemorrhage results are worded: titles and colours of feature groups, and what stands in red on pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deepradiomics.errors import InputError
from deepradiomics.radiomics.catalogue.explain import label_of
from deepradiomics.words import LEAKING, SYNTHETIC_CT, SYNTHETIC_IN_REAL, SYNTHETIC_MODEL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deepradiomics.ich.patient.result import CaseFolder

GROUPS = {
    "shape": "Shape",
    "radiomics": "Radiomics",
    "encoder": "Encoder latents",
    "autoencoder": "VAE-GAN latents",
    "clinical": "Clinical",
}
# Okabe and Ito's palette; the hatches keep a grey print readable.
GROUP_COLOURS = {
    "shape": "#56B4E9",
    "radiomics": "#0072B2",
    "encoder": "#E69F00",
    "autoencoder": "#009E73",
    "clinical": "#CC79A7",
}
GROUP_HATCHES = {"shape": "\\\\", "radiomics": "", "encoder": "///", "autoencoder": "..", "clinical": "xx"}
COHORT_COLOURS = {"validation": "#0072B2", "external": "#D55E00"}
OTHER_COLOUR = "#444444"
LEVEL = 0.05  # of every test in the report
LEAST = 10  # patients of each class, for a difference to be called beyond noise
RED = "#b00020"
_RED_LETTERS_PER_INCH = 10.0  # of mark_red, so that narrow figures break the line
_KEY = re.compile(r"[A-Za-z0-9.]+(?:-[A-Za-z0-9.-]+)?_[A-Za-z0-9]+_[A-Za-z0-9]+(?:_[A-Za-z0-9_]+)?")


def group_name(group: str) -> str:
    """``"autoencoder"`` → ``"VAE-GAN latents"``; a name that is not known stays as it is."""
    return GROUPS.get(group, group)


def readable(label: str) -> str:
    """A column's label for people: every radiomic key in it by its short name, everything else as it stands.

    >>> readable("radiomics 7: original_glcm_Contrast, wavelet-LLH_glszm_ZoneEntropy")
    'radiomics 7: GLCM Contrast, GLSZM ZoneEntropy, wavelet LLH'
    """
    return _KEY.sub(lambda match: _short(match.group()), label)


def abc2_title(record: Mapping[str, Any]) -> str:
    """``"ABC/2"``; where the volume counts several haematomas, that the ruler's estimate is of the largest alone.

    >>> abc2_title({"volumes": {"lesions": [{}, {}]}, "lesions_policy": "all"})
    'ABC/2 of the largest'
    """
    many = len((record.get("volumes") or {}).get("lesions") or ()) > 1
    return "ABC/2 of the largest" if many and record.get("lesions_policy") != "largest" else "ABC/2"


def red_lines(leaking: bool, *made_up: str) -> list[str]:
    """What stands in red on pictures: what is synthetic, and leakage; empty where data are real and nothing leaks."""
    return [text for text in made_up if text] + [f"{LEAKING}: scores are too good"] * leaking


def red_of(case: CaseFolder) -> list[str]:
    """What stands in red on every picture of a patient."""
    model, image = (bool(case.record.get(f"synthetic_{what}")) for what in ("model", "image"))
    shown = SYNTHETIC_IN_REAL if case.record.get("real_head") else SYNTHETIC_CT
    return red_lines(bool(case.record.get("leaking")), SYNTHETIC_MODEL if model else "", shown if image else "")


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
