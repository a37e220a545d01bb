"""How a lens result is worded: names of modalities, families and features, and numbers as they are printed."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, isfinite, log10
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.lens.readings import EXPLAINED, IMPORTANCE, Reading
from deepradiomics.radiomics.explain import Explained, explain
from deepradiomics.results.canvas import COLOURS

DASH = "–"
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
_PLACES = 5  # decimals of a shift at most
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
    words = words_of(feature)
    return words.label if words else feature


def two_lines(modality: str, feature: str, width: int = 38) -> str:
    """The label of a chart's row: modality, family and image above, the feature's own name below."""
    words = words_of(feature)
    if words is None:
        head, name = "", feature
    else:
        head = f" · {family_name(words.family)}{'' if words.image == 'original' else ', ' + words.image}"
        name = words.name
    return f"{modality_name(modality)}{head}\n{shortened(name, width)}"


def shortened(name: str, width: int) -> str:
    """Cut the middle out of a name that is too long for its place; both ends tell features apart."""
    if len(name) <= width:
        return name
    tail = (width - 1) // 2
    return f"{name[: width - 1 - tail]}…{name[-tail:]}"


def number(value: Any, digits: int = 3) -> str:
    """A number as it is printed, with a true minus sign; a dash for none. From 10 up each place takes a decimal's."""
    return DASH if not _is_number(value) else f"{value:.{_decimals(value, digits)}f}".replace("-", "−")


def signed(value: Any, digits: int = 3) -> str:
    """A difference as it is printed: its sign, three significant digits, five decimals at most; a dash for none.

    >>> signed(0.0123), signed(-4.5), signed(459.3), signed(0), signed(2e-9)
    ('+0.0123', '−4.50', '+459', '0', '0')
    """
    if not _is_number(value):
        return DASH
    if abs(value) < 0.5 * 10**-_PLACES:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")  # 9.999 is 10.0, with a decimal less
    return f"{value:+.{min(_PLACES, max(0, digits - 1 - floor(log10(abs(rounded)))))}f}".replace("-", "−")


def _decimals(value: float, digits: int) -> int:
    return max(0, digits - max(0, int(log10(abs(value))))) if value else digits


def p_value(value: Any) -> str:
    """A probability as it is printed: ``"< 0.001"`` below that, three digits above; a dash for none."""
    if not _is_number(value):
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def interval(row: Mapping[str, Any], name: str = "delta_i") -> str:
    """``[low, high]`` of a column with its bootstrap interval; a dash for none."""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return f"[{signed(low)}, {signed(high)}]" if _is_number(low) and _is_number(high) else DASH


def differs(row: Mapping[str, Any], by: Reading = IMPORTANCE) -> bool | None:
    """Whether a feature's shift differs between the two encoders (permutation, q < 0.05); None without a null.

    The null says that both encoders may be exchanged as a whole: a small q is no proof against noise in one feature.
    """
    return row[by.q] < NULL_LEVEL if _is_number(row.get(by.q)) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
