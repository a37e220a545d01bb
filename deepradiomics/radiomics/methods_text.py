"""The paragraph for a paper: how a set of radiomic features was computed, in the order in which it was done.

It says what was done and nothing that was not; no identifiers.
"""

from collections.abc import Callable, Mapping, Sequence

from deepradiomics.radiomics.methods_filters import filter_sentence, kind_words
from deepradiomics.radiomics.settings.rules import INTERPOLATORS
from deepradiomics.radiomics.settings.settings import Settings

REFERENCE = "van Griethuysen et al., Cancer Research 2017;77(21):e104-e107"
IBSI = "Zwanenburg et al., Radiology 2020;295(2):328-338"
_OURS = ("deepradiomics", "engine")
_SHAPES = ("shape", "shape2D")
_INTERPOLATIONS = (
    "nearest-neighbour", "linear", "cubic B-spline", "Gaussian", "label-Gaussian", "Hamming-windowed sinc",
    "cosine-windowed sinc", "Welch-windowed sinc", "Lanczos-windowed sinc", "Blackman-windowed sinc",
)  # fmt: skip


def methods_text(settings: Settings, versions: Mapping[str, str], counts: Sequence[int]) -> str:
    """Return the methods paragraph of an extraction.

    Args:
        settings: as used.
        versions: of the software used, by package.
        counts: number of features of each region.
    """
    listed = ", ".join(f"{name} {version}" for name, version in versions.items() if name not in _OURS)
    sentences = [
        _what(settings, versions, counts),
        _normalisation(settings),
        _resampling(settings),
        _rounding(settings),
        _resegmentation(settings),
        filter_sentence(settings),
        _by_type(settings, _bins),
        _by_type(settings, _texture),
        _by_type(settings, _shift),
        f"Software: {listed}.",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _what(settings: Settings, versions: Mapping[str, str], counts: Sequence[int]) -> str:
    most = max(counts, default=0)
    number = f"Up to {most}" if len(set(counts)) > 1 else f"{most}"
    regions = "one region" if len(counts) == 1 else f"each of {len(counts)} regions"
    families = [f for f in settings.families if settings.standard != "ibsi" or f != "shape2D"]
    ways = ", ".join(settings.aggregation).replace("_", " ")
    definitions = (
        f"the Image Biomarker Standardisation Initiative ({IBSI}"
        + (f"; texture matrices {ways})" if _textures(settings) else ")")
        if settings.standard == "ibsi"
        else f"PyRadiomics 3.0.1 ({REFERENCE})"
    )
    return (
        f"{number} radiomic feature{'s' * (most != 1)} ({', '.join(families)}) of {regions} "
        f"{'were' if most != 1 else 'was'} computed with DeepRadiomics {versions.get('deepradiomics', '')} "
        f"(engine {versions.get('engine', '')}), with the definitions of {definitions}."
    )


def _normalisation(settings: Settings) -> str:
    if not settings.normalize:
        return ""
    cut = ""
    if settings.remove_outliers is not None and settings.standard != "ibsi":
        cut = f", cut off at {settings.remove_outliers:g} standard deviations"
    scaled = f" and multiplied by {settings.normalize_scale:g}" if settings.normalize_scale != 1 else ""
    return f"Grey levels were z-scored over the image{cut}{scaled}."


def _resampling(settings: Settings) -> str:
    if settings.resampled_spacing_mm is None or settings.interpolator is None:
        return ""
    changed = [(axis, s) for axis, s in zip("xyz", settings.resampled_spacing_mm, strict=False) if s]
    spacing = " x ".join(f"{s:g}" for _, s in changed) + " mm"
    if len(changed) < len(settings.resampled_spacing_mm):
        spacing += f" in {_and([axis for axis, _ in changed])}"
    chosen = settings.interpolator
    if not changed:
        return ""
    number = INTERPOLATORS.index(chosen) if isinstance(chosen, str) else chosen - 1
    masks = "nearest-neighbour interpolation"
    if settings.standard == "ibsi" and number:
        masks = "linear interpolation (at least half of a voxel inside)"
    return f"Images were resampled to {spacing} with {_INTERPOLATIONS[number]} interpolation, masks with {masks}."


def _rounding(settings: Settings) -> str:
    rounded = settings.standard == "ibsi" and settings.round_intensities
    return "Grey levels were then rounded to whole numbers." if rounded else ""


def _resegmentation(settings: Settings) -> str:
    """What the range, and by IBSI the outliers, took out of the region, and of which region the shape is."""
    steps = []
    if settings.resegment_range is not None:
        steps.append(f"re-segmented to grey levels {_range(sorted(settings.resegment_range), settings.resegment_mode)}")
    if settings.standard == "ibsi" and settings.remove_outliers is not None:
        steps.append(f"freed of voxels beyond {settings.remove_outliers:g} standard deviations of their mean")
    if not steps:
        return ""
    text = f"Regions were {' and '.join(steps)}"
    if set(_SHAPES) & set(settings.families):
        text += "; shape is that of the " + ("re-segmented region" if settings.resegment_shape else "region as drawn")
    return f"{text}."


def _range(limits: Sequence[float], mode: str) -> str:
    unit = {
        "absolute": "",
        "relative": " times the region's maximum",
        "sigma": " standard deviations about the region's mean",
    }[mode]
    texts = [f"{limit:+g}" if mode == "sigma" else f"{limit:g}" for limit in limits]
    return (f"of at least {texts[0]}" if len(texts) == 1 else f"from {texts[0]} to {texts[1]}") + unit


def _by_type(settings: Settings, statement: Callable[[Settings], str]) -> str:
    """Return what a statement says of all image types, or of each group of those for which it says the same."""
    groups: dict[str, list[str]] = {}
    for kind, type_settings in settings.per_image_type():
        groups.setdefault(statement(type_settings), []).append(kind)
    if len(groups) == 1:
        [text] = groups
        return text
    return " ".join(
        f"In {_and([kind_words(kind) for kind in kinds])}: {text[0].lower()}{text[1:]}"
        for text, kinds in groups.items()
        if text
    )


def _bins(settings: Settings) -> str:
    """How grey levels came about; silent where no feature needs them."""
    wanted = {name for family, names in settings.features if family == "firstorder" for name in names}
    if not _textures(settings) and not {"Entropy", "Uniformity"} & wanted:
        return ""
    if settings.bin_count:
        return f"Grey levels were discretised into {settings.bin_count} bins between the region's minimum and maximum."
    text = f"Grey levels were discretised with a bin width of {settings.bin_width:g}"
    if settings.standard != "ibsi":
        return f"{text}."
    start = "the region's minimum"
    if settings.resegment_range is not None and settings.resegment_mode == "absolute":
        start = f"{min(settings.resegment_range):g}"
        start += " (filtered images: the region's minimum)" * any(k.name != "Original" for k in settings.image_types)
    return f"{text}, from {start} on."


def _texture(settings: Settings) -> str:
    """How neighbours and directions were taken, where it is not the usual way."""
    families, phrases = set(settings.families), []
    if not _textures(settings):
        return ""
    if settings.force_2d:
        phrases.append(
            f"Texture was computed within slices, without neighbours across {'zyx'[settings.force_2d_dimension]}."
        )
    if settings.distances != (1,) and families & {"glcm", "gldm", "ngtdm"}:
        phrases.append(f"Neighbours were those at distances of {_and(settings.distances)} voxels.")
    if settings.weighting_norm is not None and families & {"glcm", "glrlm"}:
        how = "merged without weights"
        if settings.weighting_norm != "no_weighting":
            how = f"merged with weights by their {settings.weighting_norm} length"
        phrases.append(f"Matrices of the directions were {how}.")
    if not settings.symmetrical_glcm and "glcm" in families:
        phrases.append("Co-occurrence matrices were not made symmetrical.")
    if settings.gldm_a and "gldm" in families:
        phrases.append(f"Neighbours whose levels differed by at most {settings.gldm_a} counted as dependent.")
    return " ".join(phrases)


def _shift(settings: Settings) -> str:
    wanted = {name for family, names in settings.features if family == "firstorder" for name in names}
    if not settings.voxel_array_shift or not {"Energy", "TotalEnergy", "RootMeanSquared"} & wanted:
        return ""
    return f"For energy and root mean square, {settings.voxel_array_shift} was added to the grey levels."


def _textures(settings: Settings) -> bool:
    return bool(set(settings.families) - {"firstorder", *_SHAPES})


def _and(values: Sequence[object]) -> str:
    first = ", ".join(str(value) for value in values[:-1])
    return f"{first} and {values[-1]}" if first else str(values[-1])
