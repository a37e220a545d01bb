"""Where PyRadiomics 3.0.1 itself goes astray: the exceptions, each proved on its own matrices."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import SimpleITK as sitk

from Testing.reference.parity import oracle

CORRELATION = (
    "symmetricalGLCM false, Correlation: in a direction in which one side of all pairs has a single grey level, the "
    "standard deviation is zero and the correlation 1 by definition; PyRadiomics gives 1 or about 0 there, depending "
    "on how its sum rounds."
)
MCC = (
    "MCC of a direction whose second eigenvalue is zero: PyRadiomics leaves the direction out when it rounds below "
    "zero; here it counts as zero."
)
INDEPENDENT = (
    "Imc1 and Imc2 of a direction in which the two levels are all but independent: the information is below 1e-9 bit, "
    "a difference of entropies of which rounding leaves less than six digits in either program; where it is zero, "
    "PyRadiomics counts Imc2 as about 0 or leaves the direction out (the root of a negative number)."
)
HOLES = (
    "A filtered image that is not defined in some voxels of the ROI (kurtosis of 3-D binary patterns where all samples "
    "are equal): PyRadiomics takes them for the highest grey level; here that image's features are NaN with the reason."
)
NOTHING_COUNTED = (
    "An ROI without any pair or run: PyRadiomics gives NaN for the co-occurrence and run features, but 0 for "
    "InverseVariance, RunEntropy and RunVariance, because numpy's nansum of nothing is 0, and 1 for MCC where there is "
    "a single level; here all are NaN."
)
CONSTANT = (
    "Skewness and kurtosis of an ROI whose values differ by rounding alone (a flat image after B-spline resampling): "
    "ratios of rounding noise, in PyRadiomics too."
)
NOTED = (
    "B-spline resampling of an image with fewer than four voxels along an axis: ITK's own result differs from run to "
    "run, so no two programs agree on it; it is refused.",
    "uint8 and int16 images under numpy 2: PyRadiomics' bin edges overflow where the maximum plus two bin widths "
    "exceeds the number type; the oracle places them in 64 bits, as numpy 1 did.",
    "shape2D: PyRadiomics looks up the size across the plane by a numpy axis (z, y, x) in a box of (x, y, z), so it "
    "gives nothing for a slice across y; here the features are given.",
    "force2D with no featureClass: PyRadiomics then also asks for shape2D and refuses every ROI thicker than a slice; "
    "here shape2D is computed when it is named.",
    "force2D across an axis along which alone the ROI extends: no neighbour is left, PyRadiomics raises an error; here "
    "the features that need neighbours are NaN.",
    "A filter that is not defined for an image (logarithm, square root or exponential of an image of zeros; 3-D binary "
    "patterns of a flat one): PyRadiomics stops with an error of numpy's; here that image's features are NaN with the "
    "reason, and the other images' features are given.",
    "Thousands of grey levels, few of which occur: PyRadiomics allocates a matrix over the whole span and runs out of "
    "memory; here a matrix has the levels that occur.",
    "An axis length of a straight or flat ROI is zero here; PyRadiomics' is rounding noise of about 1e-8 mm.",
)
IMC = ("_glcm_Imc1", "_glcm_Imc2")
INFORMATION_LOST = 1e-9  # bit: entropies of about one carry an error of 1e-16 to 1e-15
THEIRS_ALONE = ("Error getting angle count", "MemoryError")  # what PyRadiomics raises in the cases noted
UNDEFINED_IMAGE = ("autodetected range of [nan, nan] is not finite", "arange: cannot compute length")
# A feature that PyRadiomics gives as 0 or 1 where nothing is counted, and one of its class that is then NaN.
SIBLING = {
    "_glcm_InverseVariance": "_glcm_Contrast",
    "_glcm_MCC": "_glcm_Contrast",
    "_glrlm_RunEntropy": "_glrlm_RunPercentage",
    "_glrlm_RunVariance": "_glrlm_RunPercentage",
}
LISTED = (CORRELATION, MCC, INDEPENDENT, HOLES, NOTHING_COUNTED, CONSTANT, *NOTED)


def known_exceptions(
    image: sitk.Image, mask: sitk.Image, params: Mapping[str, Any], differing: Mapping[str, tuple[float, float]],
    theirs: Mapping[str, float],
) -> dict[str, str]:  # fmt: skip
    """Return key -> the listed exception that PyRadiomics' own values and matrices show it to be."""
    candidates = {key for key in differing if key.endswith(("_glcm_Correlation", "_glcm_MCC", *IMC))}
    undefined = {key for key, (ours, _) in differing.items() if ours != ours}
    found: dict[str, str] = {}
    for key in differing:
        if key.endswith(("_firstorder_Skewness", "_firstorder_Kurtosis")):
            stem = key.rsplit("_", 1)[0]
            size = max(abs(theirs[f"{stem}_{name}"]) for name in ("Minimum", "Maximum"))
            if theirs[f"{stem}_Variance"] <= (1e-14 * size) ** 2:
                found[key] = CONSTANT
    if not candidates | undefined:
        return found
    for prefix, filtered, roi, settings in oracle.live_images(image, mask, params):
        if not any(key.startswith(f"{prefix}_") for key in candidates | undefined):
            continue
        voxels = sitk.GetArrayFromImage(filtered)[sitk.GetArrayFromImage(roi) == settings.get("label", 1)]
        if not np.isfinite(voxels).all():
            found |= {key: HOLES for key in undefined if key.startswith(f"{prefix}_")}
            continue
        for name, sibling in SIBLING.items():
            if prefix + name in undefined and np.isnan(theirs[prefix + sibling]):
                found[prefix + name] = NOTHING_COUNTED
        if not any(key.startswith(f"{prefix}_") for key in candidates):
            continue
        pairs = _their_pairs(filtered, roi, settings)
        if f"{prefix}_glcm_Correlation" in candidates and _one_level_on_a_side(pairs):
            found[f"{prefix}_glcm_Correlation"] = CORRELATION
        if f"{prefix}_glcm_MCC" in candidates and _second_eigenvalue_below_zero(pairs):
            found[f"{prefix}_glcm_MCC"] = MCC
        informative = {f"{prefix}{name}" for name in IMC} & candidates
        if informative and _independent_levels(pairs):
            found |= dict.fromkeys(informative, INDEPENDENT)
    return found


def _their_pairs(image: sitk.Image, mask: sitk.Image, settings: Mapping[str, Any]) -> np.ndarray:
    """PyRadiomics' normalised matrices of the directions that have pairs, (L, L, directions)."""
    from radiomics.glcm import RadiomicsGLCM

    theirs = RadiomicsGLCM(image, mask, **settings)
    theirs._initCalculation()
    pairs = theirs.P_glcm[0]
    return pairs[:, :, np.isfinite(pairs).all(axis=(0, 1))]


def _one_level_on_a_side(pairs: np.ndarray) -> bool:
    rows, columns = (np.count_nonzero(pairs.sum(axis=axis) > 0, axis=0) for axis in (1, 0))
    both_vary = (rows > 1) | (columns > 1)
    return bool((((rows == 1) | (columns == 1)) & both_vary).any())


def _second_eigenvalue_below_zero(pairs: np.ndarray) -> bool:
    if len(pairs) < 2:
        return False
    P = np.moveaxis(pairs, 2, 0)
    px, py = P.sum(axis=2), P.sum(axis=1)
    Q = np.einsum("aik,ajk,aik->aij", P, P, 1 / (px[:, :, None] * py[:, None, :] + np.spacing(1)))
    second = np.sort(np.linalg.eigvals(Q), axis=1)[:, -2]
    return bool((np.abs(second) < 1e-12).any())


def _independent_levels(pairs: np.ndarray) -> bool:
    product = pairs.sum(axis=1, keepdims=True) * pairs.sum(axis=0, keepdims=True)
    eps = np.spacing(1)
    HXY, HXY2 = (-(p * np.log2(p + eps)).sum(axis=(0, 1)) for p in (pairs, product))
    return bool((np.abs(HXY2 - HXY) < INFORMATION_LOST).any())
