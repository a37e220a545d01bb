"""The paragraph for a paper: how a set of radiomic features was computed; no identifiers."""

from collections.abc import Mapping, Sequence
from typing import Any

from deepradiomics.radiomics.settings import Settings

REFERENCE = "van Griethuysen et al., Cancer Research 2017;77(21):e104-e107"
IBSI = "Zwanenburg et al., Radiology 2020;295(2):328-338"


def methods_text(settings: Settings, versions: Mapping[str, str], counts: Sequence[int]) -> str:
    """Return the methods paragraph of an extraction.

    Args:
        settings: as used.
        versions: of the software used, by package.
        counts: number of features of each region.
    """
    described = settings.to_dict()
    chosen: dict[str, Any] = described["setting"]
    classes = ", ".join(described["featureClass"])
    regions = "one region" if len(counts) == 1 else f"{len(counts)} regions"
    sentences = [
        f"{max(counts, default=0)} radiomic features ({classes}) of {regions} were computed with DeepRadiomics "
        f"{versions.get('deepradiomics', '')} (engine {versions.get('engine', '')}), "
        + (
            f"with the definitions of the Image Biomarker Standardisation Initiative ({IBSI}; texture matrices "
            f"{', '.join(chosen['aggregation']).replace('_', ' ')})."
            if chosen["standard"] == "ibsi"
            else f"with the definitions of PyRadiomics 3.0.1 ({REFERENCE})."
        )
    ]
    filtered = [_FILTERS[kind.name] for kind in settings.image_types if kind.name != "Original"]
    if filtered:
        first = "Beside the original image, features" if len(filtered) < len(settings.image_types) else "Features"
        named = ", ".join(words.format(**_filter_values(settings)) for words in filtered)
        sentences.append(f"{first} were taken from {named}.")
    if chosen["force2D"]:
        sentences.append("Texture was computed within slices.")
    if chosen["normalize"]:
        sentences.append(f"Grey levels were z-scored over the image and multiplied by {chosen['normalizeScale']:g}.")
    if chosen["resampledPixelSpacing"]:
        spacing = " x ".join(f"{s:g}" for s in chosen["resampledPixelSpacing"])
        sentences.append(f"Images were resampled to {spacing} mm ({chosen['interpolator']}).")
    if chosen["resegmentRange"]:
        limits = ", ".join(f"{v:g}" for v in chosen["resegmentRange"])
        sentences.append(f"Regions were re-segmented to the grey-level range {limits} ({chosen['resegmentMode']}).")
    if chosen["binCount"]:
        sentences.append(f"Grey levels were discretised into {chosen['binCount']} bins.")
    else:
        sentences.append(f"Grey levels were discretised with a bin width of {chosen['binWidth']:g}.")
    listed = ", ".join(f"{name} {version}" for name, version in versions.items() if name not in _OURS)
    return " ".join([*sentences, f"Software: {listed}."])


def _filter_values(settings: Settings) -> dict[str, Any]:
    """The settings that the filters' sentences name, each from its own image type."""
    own = dict(settings.per_image_type())
    used = {kind: own.get(kind, settings) for kind in _FILTERS}
    levels = used["Wavelet"].level
    return {
        "wavelet": used["Wavelet"].wavelet,
        "levels": f"{levels} level{'s' * (levels > 1)}",
        "sigma": ", ".join(f"{s:g}" for s in used["LoG"].sigma_mm),
        "support": used["Mean"].mean_support,
        "kernel": used["Laws"].laws_kernel,
    }


_FILTERS = {
    "Wavelet": "the bands of its undecimated wavelet transform ({wavelet}, {levels})",
    "LoG": "its Laplacian of Gaussian (sigma {sigma} mm)",
    "Square": "its square",
    "SquareRoot": "its square root",
    "Logarithm": "its logarithm",
    "Exponential": "its exponential",
    "Gradient": "its gradient magnitude",
    "LBP2D": "its local binary patterns by slice",
    "LBP3D": "its local binary patterns in 3-D",
    "Mean": "its mean over {support} voxels",
    "Laws": "its response to Laws' kernel {kernel}",
}
_OURS = ("deepradiomics", "engine")
