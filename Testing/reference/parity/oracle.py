"""PyRadiomics as the oracle: live where it is installed, else the values frozen by ``freeze_oracle.py``.

PyRadiomics 3.0.1 was written for numpy 1 and scipy 1.14. Two shims let it run as it was meant to on today's:

* its LBP3D filter calls ``scipy.special.sph_harm``, which scipy 1.17 removed; ``sph_harm_y`` is the same function with
  degree before order and the polar before the azimuthal angle;
* numpy 1 widened ``numpy.uint8(250) + 50`` to 300, numpy 2 lets it wrap to 44: bin edges of 8- and 16-bit images are
  therefore placed from the same values in 64 bits.
"""

import json
import math
import sys
import types
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from Testing.reference.parity.parity_cases import ParityCase

FROZEN = Path(__file__).parents[1] / "frozen" / "pyradiomics_3_0_1.json"
TOLERANCE = 1e-6
# Up to this a value is rounding noise of something that is zero: an axis of a flat or straight ROI (mm), or the
# correlation of independent levels.
NOISE = {"shape": 1e-6, "glcm": 1e-7}


def is_live() -> bool:
    """Tell whether PyRadiomics itself can be run here."""
    return find_spec("radiomics") is not None


def has_lbp() -> bool:
    """Tell whether the oracle's own needs for local binary patterns are installed."""
    return find_spec("skimage") is not None and find_spec("trimesh") is not None


def extractor(params: Mapping[str, Any]) -> Any:
    """Return PyRadiomics' extractor with these parameters, quiet and without its general information."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _install_shims()
        import radiomics
        from radiomics import featureextractor

        radiomics.setVerbosity(60)
        setting = {**(params.get("setting") or {}), "additionalInfo": False}
        return featureextractor.RadiomicsFeatureExtractor({**params, "setting": setting})


def live_values(image: sitk.Image, mask: sitk.Image, params: Mapping[str, Any]) -> dict[str, float]:
    """Run PyRadiomics.

    Raises:
        Exception: whatever PyRadiomics raises when it refuses.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = extractor(params).execute(image, mask)
        return {name: float(np.squeeze(value)) for name, value in found.items()}


def live_images(
    image: sitk.Image, mask: sitk.Image, params: Mapping[str, Any]
) -> Iterator[tuple[str, sitk.Image, sitk.Image, dict[str, Any]]]:
    """Give PyRadiomics' image types one by one as its feature classes get them.

    Yields:
        Key prefix, image and mask cropped to the ROI, and the settings of this image type; feed them to
        :func:`class_values`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = extractor(params)
        from radiomics import imageoperations

        settings = theirs.settings.copy()
        image, mask = theirs.loadImage(image, mask, None, **settings)
        box, corrected = imageoperations.checkMask(image, mask, **settings)
        mask = mask if corrected is None else corrected
        if settings.get("resegmentRange") is not None:
            mask = imageoperations.resegmentMask(image, mask, **settings)
            box, _ = imageoperations.checkMask(image, mask, **settings)
        for name, own in theirs.enabledImagetypes.items():
            made = getattr(imageoperations, f"get{name}Image")(image, mask, **{**settings, **own})
            for filtered, prefix, used in made:
                yield prefix, *imageoperations.cropToTumorMask(filtered, mask, box), dict(used)


def class_values(
    params: Mapping[str, Any], prefix: str, image: sitk.Image, mask: sitk.Image, settings: Mapping[str, Any]
) -> dict[str, float]:
    """Run PyRadiomics' feature classes (but shape) on an image as :func:`live_images` gives it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = extractor(params).computeFeatures(image, mask, prefix, **settings)
        return {name: float(np.squeeze(value)) for name, value in found.items()}


@cache
def _install_shims() -> None:
    import scipy.ndimage
    import scipy.special

    if not hasattr(scipy.special, "sph_harm"):
        scipy.special.sph_harm = lambda m, n, azimuth, polar: scipy.special.sph_harm_y(n, m, polar, azimuth)
    if find_spec("scipy.ndimage.interpolation") is None:
        old = types.ModuleType("scipy.ndimage.interpolation")
        old.map_coordinates = scipy.ndimage.map_coordinates  # type: ignore[attr-defined]
        sys.modules[old.__name__] = old
    from radiomics import imageoperations

    theirs = imageoperations.getBinEdges

    def bin_edges(values: np.ndarray, **settings: Any) -> np.ndarray:
        return theirs(values.astype(np.int64) if values.dtype.kind in "iu" else values, **settings)

    imageoperations.getBinEdges = bin_edges


@cache
def _frozen() -> dict[str, dict[str, float]]:
    document = json.loads(FROZEN.read_text(encoding="utf-8"))
    found: dict[str, dict[str, float]] = {}
    for case, (blocks, values) in document["cases"].items():
        keys = [prefix + name for prefix, number in blocks for name in document["names"][number]]
        numbers = (math.nan if value is None else value for value in values)
        found[case] = dict(zip(keys, numbers, strict=True))
    return found


def frozen_values(case: ParityCase) -> dict[str, float]:
    """Return the frozen values of a case."""
    return _frozen()[case.name]


def relative_difference(name: str, ours: float, theirs: float, scale: float = 0.0) -> float:
    """Return |ours - theirs| / |theirs|, 0 where both are NaN or differ by rounding noise about zero.

    ``scale`` is the size of what was added and subtracted: its last bits are noise too.
    """
    if math.isnan(ours) or math.isnan(theirs):
        return 0.0 if math.isnan(ours) and math.isnan(theirs) else math.inf
    difference, noise = abs(ours - theirs), max(NOISE.get(name.split("_")[1], 1e-12), 1e-14 * scale)
    if difference == 0 or max(abs(ours), abs(theirs)) <= noise:
        return 0.0
    return difference / abs(theirs) if theirs else math.inf
