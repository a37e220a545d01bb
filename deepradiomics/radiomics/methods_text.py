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


_OURS = ("deepradiomics", "engine")
