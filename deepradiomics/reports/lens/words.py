"""How a lens result is worded: names of modalities, families and features, and what the permutation null says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.lens.readings import EXPLAINED, IMPORTANCE, Reading
from deepradiomics.radiomics.catalogue.explain import Explained, explain
from deepradiomics.reports.canvas import COLOURS, shortened
from deepradiomics.words import DASH, is_number, signed

SHOWN_ORDER = (EXPLAINED, IMPORTANCE)  # docs/decisions/0007-two-readings.md
STAGES = {"pre": "Pre-train", "ft": "Fine-tune"}
STAGE_COLOURS = {"pre": COLOURS[0], "ft": COLOURS[1]}
VARIANTS = {
    "delta_explained": "ΔE: the spread that is explained, instead of the length of the weights",
    "delta_i_standardised": "ΔI standardised: the projected features of both encoders brought to equal scale",
    "delta_i_fit_ft": "ΔI, projection trained on the fine-tuned encoder instead",
    "delta_i_fit_both": "ΔI, projection trained on both encoders",
}
NULL_LEVEL = 0.05  # q of the permutation null below which the two encoders are said to differ
DIFFERS = f"differs between the two encoders (permutation, q < {NULL_LEVEL:g})"
_MODALITIES = {"t1": "T1", "t2": "T2", "dwi": "DWI", "adc": "ADC", "highb": "High-b", "flair": "FLAIR", "ct": "CT"}
_FAMILIES = {"firstorder": "First order", "shape": "Shape"}


def modality_name(modality: str) -> str:
    """``"highb"`` → ``"High-b"``; a name that is not known stays as it is."""
    return _MODALITIES.get(modality.lower(), modality)


def family_name(family: str) -> str:
    """``"firstorder"`` → ``"First order"``, ``"glcm"`` → ``"GLCM"``."""
    return _FAMILIES.get(family, family.upper())


def group_name(kind: str, group: str) -> str:
    """A row of table 1 as it is shown: modalities in their usual spelling, everything else as it stands."""
    return modality_name(group) if kind == "modality" else group


def words_of(feature: str) -> Explained | None:
    """The feature in words, or None for one that our catalogue does not know (a user's own column)."""
    try:
        return explain(feature)
    except InputError:
        return None


def feature_name(feature: str) -> str:
    """``wavelet-LLH_glcm_Contrast`` → ``GLCM Contrast, wavelet LLH``."""
    explained = words_of(feature)
    return explained.label if explained else feature


def two_lines(modality: str, feature: str, width: int = 38) -> str:
    """The label of a chart's row: modality, family and image above, the feature's own name below."""
    explained = words_of(feature)
    if explained is None:
        head, name = "", feature
    else:
        head = f" · {family_name(explained.family)}{'' if explained.image == 'original' else ', ' + explained.image}"
        name = explained.name
    return f"{modality_name(modality)}{head}\n{shortened(name, width)}"


def interval(row: Mapping[str, Any], name: str = "delta_i") -> str:
    """``[low, high]`` of a column with its bootstrap interval; a dash for none."""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return f"[{signed(low)}, {signed(high)}]" if is_number(low) and is_number(high) else DASH


def differs(row: Mapping[str, Any], by: Reading = IMPORTANCE) -> bool | None:
    """Whether a feature's shift differs between the two encoders (permutation, q < 0.05); None without a null.

    The null says that both encoders may be exchanged as a whole: a small q is no proof against noise in one feature.
    """
    return row[by.q] < NULL_LEVEL if is_number(row.get(by.q)) else None
