"""The settings builder: its controls as a PyRadiomics parameter structure, and back."""

import re
from collections.abc import Mapping
from typing import Any

from deepradiomics.errors import InputError

from ..choices import FEATURE_CLASSES, IMAGE_TYPES, BinBy


def params_of_builder(parameters: Any) -> dict[str, Any]:
    """The parameter structure that the builder's controls describe.

    Raises:
        InputError: no image type, no feature class, or scales that are no numbers.
    """
    types, classes = parameters.imageTypes.split(), parameters.featureClasses.split()
    if not types:
        raise InputError("Tick at least one image type.")
    if not classes:
        raise InputError("Tick at least one feature class.")
    setting: dict[str, Any] = {}
    if parameters.binBy is BinBy.COUNT:
        setting["binCount"] = int(parameters.binCount)
    else:
        setting["binWidth"] = float(parameters.binWidth)
    spacing = [float(parameters.spacingX), float(parameters.spacingY), float(parameters.spacingZ)]
    if any(spacing):
        setting["resampledPixelSpacing"] = spacing
    if parameters.normalize:
        setting |= {"normalize": True, "normalizeScale": float(parameters.normalizeScale)}
    return {
        "imageType": {name: {"sigma": scales_of(parameters.sigmas)} if name == "LoG" else {} for name in types},
        "featureClass": {name: [] for name in classes},
        "setting": setting,
    }


def scales_of(text: str) -> list[float]:
    """The scales in mm of the Laplacian of Gaussian, as in "1, 3.5". Raises InputError naming what is no number."""
    parts = [part for part in re.split(r"[,;\s]+", text.strip()) if part]
    try:
        scales = [float(part) for part in parts]
    except ValueError:
        scales = []
    if not scales or not all(0 < scale < 1000 for scale in scales):
        raise InputError(f"Scales of the Laplacian of Gaussian: expected mm such as 1, 3, 5, got {text.strip()!r}.")
    return scales


def fill_builder(parameters: Any, params: Mapping[str, Any]) -> None:
    """Set the builder's controls to a parameter structure, as far as they can say it."""
    setting, types = params.get("setting") or {}, params.get("imageType") or {"Original": {}}
    classes = params.get("featureClass") or FEATURE_CLASSES
    spacing = [float(length) for length in (setting.get("resampledPixelSpacing") or (0, 0, 0))]
    parameters.binBy = BinBy.COUNT if setting.get("binCount") else BinBy.WIDTH
    if setting.get("binCount"):
        parameters.binCount = int(setting["binCount"])
    parameters.binWidth = float(setting.get("binWidth", 25))
    parameters.spacingX, parameters.spacingY, parameters.spacingZ = (*spacing, 0.0, 0.0)[:3]
    parameters.normalize = bool(setting.get("normalize"))
    if parameters.normalize:
        parameters.normalizeScale = float(setting.get("normalizeScale", 1))
    parameters.imageTypes = " ".join(name for name in IMAGE_TYPES if name in types)
    scales = (types.get("LoG") or {}).get("sigma")
    if scales:
        parameters.sigmas = ", ".join(f"{scale:g}" for scale in scales)
    parameters.featureClasses = " ".join(name for name in FEATURE_CLASSES if name in classes)
