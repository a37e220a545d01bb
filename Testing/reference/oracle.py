"""PyRadiomics as the oracle: live where it is installed, else the values frozen by ``freeze_oracle.py``."""

import json
import math
import warnings
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import SimpleITK as sitk

from Testing.reference.parity_cases import ParityCase

FROZEN = Path(__file__).with_name("frozen") / "pyradiomics_3_0_1.json"
TOLERANCE = 1e-6
# Up to this a value is rounding noise of something that is zero: an axis of a flat or straight ROI (mm), or the
# correlation of independent levels.
NOISE = {"shape": 1e-6, "glcm": 1e-7}


def is_live() -> bool:
    """Tell whether PyRadiomics itself can be run here."""
    return find_spec("radiomics") is not None


def live_values(image: sitk.Image, mask: sitk.Image, params: Mapping[str, object]) -> dict[str, float]:
    """Run PyRadiomics."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import radiomics
        from radiomics import featureextractor

        radiomics.setVerbosity(60)
        setting = {**params.get("setting", {}), "additionalInfo": False}  # type: ignore[dict-item]
        extractor = featureextractor.RadiomicsFeatureExtractor({**params, "setting": setting})
        return {name: float(value) for name, value in extractor.execute(image, mask).items()}


@cache
def _frozen() -> dict[str, dict[str, float]]:
    document = json.loads(FROZEN.read_text(encoding="utf-8"))
    return {
        case: {document["names"][k]: math.nan if value is None else value for k, value in enumerate(values)}
        for case, values in document["cases"].items()
    }


def frozen_values(case: ParityCase) -> dict[str, float]:
    """Return the frozen values of a case."""
    return _frozen()[case.name]


def relative_difference(name: str, ours: float, theirs: float) -> float:
    """Return |ours - theirs| / |theirs|, 0 where both are NaN or differ by rounding noise about zero."""
    if math.isnan(ours) or math.isnan(theirs):
        return 0.0 if math.isnan(ours) and math.isnan(theirs) else math.inf
    difference, noise = abs(ours - theirs), NOISE.get(name.split("_")[1], 1e-12)
    if difference == 0 or max(abs(ours), abs(theirs)) <= noise:
        return 0.0
    return difference / abs(theirs) if theirs else math.inf
