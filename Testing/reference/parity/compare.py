"""Hold our features of one image and mask against PyRadiomics', and sort every difference."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import SimpleITK as sitk

from deepradiomics.errors import InputError
from deepradiomics.radiomics import extract
from Testing.reference.excuses import Excuse, excuses
from Testing.reference.parity import oracle
from Testing.reference.parity.known_exceptions import THEIRS_ALONE, UNDEFINED_IMAGE, known_exceptions

FAMILIES = ("firstorder", "shape", "shape2D", "glcm", "glrlm", "glszm", "gldm", "ngtdm")


# What the keys of an image type begin with.
_STEM = {
    "Original": "original", "Wavelet": "wavelet", "LoG": "log-sigma", "Square": "square", "SquareRoot": "squareroot",
    "Logarithm": "logarithm", "Exponential": "exponential", "Gradient": "gradient", "LBP2D": "lbp-2D",
    "LBP3D": "lbp-3D",
}  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """The outcome of one case.

    Args:
        features: how many values were compared.
        worst: family -> worst relative difference among those neither excused nor a known exception.
        mismatches: key -> (ours, theirs) of true mismatches.
        excused: key -> the excuse: voxels on a bin's edge.
        known: reason -> how many features fall under this listed exception.
        refusal: how either side refused; empty where both answered.
        failed: a refusal of ours alone or theirs alone that is not a listed exception, or keys that differ.
    """

    features: int = 0
    worst: dict[str, float] = field(default_factory=dict)
    mismatches: dict[str, tuple[float, float]] = field(default_factory=dict)
    excused: dict[str, Excuse] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    refusal: str = ""
    failed: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing differs that should not."""
        return not self.mismatches and not self.failed


def compare(image: sitk.Image, mask: sitk.Image, params: Mapping[str, Any]) -> Comparison:
    """Run both and compare every feature."""
    ours, our_refusal = _ours(image, mask, params)
    theirs, their_refusal = _theirs(image, mask, params)
    if ours is None or theirs is None:
        both = f"ours: {our_refusal or 'gave features'}; PyRadiomics: {their_refusal or 'gave features'}"
        if theirs is None and ours is not None and any(text in their_refusal for text in UNDEFINED_IMAGE):
            return _without_undefined_types(image, mask, params, ours, both)
        agreed = ours is theirs or any(text in their_refusal for text in THEIRS_ALONE)
        return Comparison(refusal=both, failed="" if agreed else both)
    return sorted_out(image, mask, params, ours, theirs)


def sorted_out(
    image: sitk.Image, mask: sitk.Image, params: Mapping[str, Any], ours: Mapping[str, float],
    theirs: Mapping[str, float],
) -> Comparison:  # fmt: skip
    """Compare two sets of values; PyRadiomics runs again for what differs."""
    failed = _different_keys(ours, theirs)
    shared = [key for key in theirs if key in ours]
    by = {key: oracle.relative_difference(key, ours[key], theirs[key], _scale(key, theirs)) for key in shared}
    differing = [key for key in shared if by[key] > oracle.TOLERANCE]
    known: dict[str, str] = {}
    excused: dict[str, Excuse] = {}
    if differing:
        known = known_exceptions(image, mask, params, {key: (ours[key], theirs[key]) for key in differing}, theirs)
        rest = [key for key in differing if key not in known]
        excused = excuses(image, mask, params, rest) if rest else {}
    worst: dict[str, float] = {}
    for key in shared:
        if key not in known and key not in excused:
            family = key.split("_")[1]
            worst[family] = max(worst.get(family, 0.0), by[key])
    mismatches = {k: (ours[k], theirs[k]) for k in differing if k not in known and k not in excused}
    return Comparison(len(shared), worst, mismatches, excused, dict(Counter(known.values())), "", failed)


def _without_undefined_types(
    image: sitk.Image, mask: sitk.Image, params: Mapping[str, Any], ours: Mapping[str, float], both: str
) -> Comparison:
    """Compare again without the image types that are NaN here and at which PyRadiomics stops altogether."""
    by_prefix: dict[str, list[bool]] = {}
    for key, value in ours.items():
        by_prefix.setdefault(key.split("_")[0], []).append(value != value)
    undefined = tuple(prefix for prefix, nan in by_prefix.items() if all(nan))
    kept = {
        name: own
        for name, own in params["imageType"].items()
        if not any(prefix.startswith(_STEM[name]) for prefix in undefined)
    }
    if not kept or len(kept) == len(params["imageType"]):
        return Comparison(refusal=both, failed=both if kept else "")
    again = compare(image, mask, {**params, "imageType": kept})
    return replace(again, known={**again.known, f"undefined image type ({UNDEFINED_IMAGE[0]} ...)": 1})


def _scale(key: str, theirs: Mapping[str, float]) -> float:
    """Size of the grey values of a feature's image: a deviation of equal values is zero but for their rounding."""
    if "_firstorder_" not in key:
        return 0.0
    stem = key.split("_")[0] + "_firstorder_"
    ends = [abs(theirs.get(stem + name, 0.0)) for name in ("Minimum", "Maximum")]
    return max((value for value in ends if value == value), default=0.0)


def _different_keys(ours: Mapping[str, float], theirs: Mapping[str, float]) -> str:
    """Say which keys only one side has; a feature that PyRadiomics skips is NaN here.

    Shape in the plane that PyRadiomics skips by its mixed-up axes (a listed exception) may be given here.
    """
    missing = [key for key in theirs if key not in ours]
    extra = [key for key in ours if key not in theirs and ours[key] == ours[key] and "_shape2D_" not in key]
    order = [key for key in ours if key in theirs] != [key for key in theirs if key in ours]
    parts = [
        f"missing here: {', '.join(missing[:3])} ({len(missing)})" if missing else "",
        f"only here: {', '.join(extra[:3])} ({len(extra)})" if extra else "",
        "another order of the keys" if order else "",
    ]
    return "; ".join(part for part in parts if part)


def _ours(image: sitk.Image, mask: sitk.Image, params: Mapping[str, Any]) -> tuple[Mapping[str, float] | None, str]:
    try:
        return extract(image, mask, dict(params), device="cpu"), ""
    except InputError as error:
        return None, f"{type(error).__name__} {str(error)[:160]}"


def _theirs(image: sitk.Image, mask: sitk.Image, params: Mapping[str, Any]) -> tuple[dict[str, float] | None, str]:
    try:
        return oracle.live_values(image, mask, params), ""
    except Exception as error:
        return None, f"{type(error).__name__} {str(error)[:160]}"
