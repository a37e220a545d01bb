"""explain: what a full feature key says, in plain words: the image it is of, the feature, its unit and IBSI code.

wavelet-LLH_glcm_Contrast                 a filtered image, a family, a name
original_glcm_JointEnergy_3D_averaged     with the IBSI standard: and how its matrices are put together
"""

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from deepradiomics.errors import InputError
from deepradiomics.radiomics.catalogue import ibsi as ibsi_catalogue
from deepradiomics.radiomics.catalogue import pyradiomics as catalogue

_SHORT = {"firstorder": "First order", "shape": "Shape", "shape2D": "Shape 2D", "diagnostics": "Diagnostics"}
_DIAGNOSTICS = {
    "Mean": "Mean grey value of the whole image, before preprocessing.",
    "Minimum": "Smallest grey value of the whole image, before preprocessing.",
    "Maximum": "Largest grey value of the whole image, before preprocessing.",
    "VoxelNum": "Number of voxels of the region, before preprocessing.",
    "VolumeNum": "Number of separate pieces of the region, before preprocessing.",
}


@dataclass(frozen=True)
class Explained:
    """A feature in words.

    Args:
        key: the full key.
        image: prefix of the image it is taken from, such as ``wavelet-LLH``.
        family, name: its class and its name in it.
        sentence: what it says.
        image_sentence: what its image shows.
        aggregation: with the IBSI standard, how texture matrices are put together.
        unit: its unit where it has one.
        ibsi: its code in IBSI's manual; empty where IBSI has no such feature, or defines it otherwise.
        label: a short name for charts and headers.
    """

    key: str
    image: str
    family: str
    name: str
    sentence: str
    image_sentence: str = ""
    aggregation: str = ""
    unit: str = ""
    ibsi: str = ""
    label: str = ""

    @property
    def text(self) -> str:
        """Everything in one or two sentences, for a tooltip."""
        more = [f"Unit: {self.unit}."] if self.unit else []
        more += [f"IBSI {self.ibsi}."] if self.ibsi else []
        more += [f"Matrices: {self.aggregation.replace('_', ' ')}."] if self.aggregation else []
        more += [f"Image: {self.image_sentence}"] if self.image != "original" and self.image_sentence else []
        return " ".join([self.sentence, *more])


def explain(key: str) -> Explained:
    """Explain a full key, or a short one of the original image (``glcm_Contrast``).

    Raises:
        InputError: no such image, family or feature; near matches are named.

    >>> explain("wavelet-LLH_glcm_Contrast").label
    'GLCM Contrast, wavelet LLH'
    """
    image, family, rest = _parts(key)
    if image == "diagnostics":
        return _diagnostic(key, rest)
    if family in ("shape", "shape2D") and image != "original" and rest in catalogue.entries()[family]:
        raise InputError(f"feature {key!r} does not exist: no filter changes a shape. It is original_{family}_{rest}.")
    title, image_sentence = _image_words(image, key)
    entry = catalogue.entries().get(family, {}).get(rest)
    full = f"{image}_{family}_{rest}"
    if entry is not None:
        code = getattr(entry, "ibsi", "") or _codes().get((family, rest), "")
        described = (rest, entry.sentence, "", entry.unit, code)
    else:
        described = _of_ibsi(full, key)
    name, sentence, aggregation, unit, code = described
    label = f"{_SHORT.get(family, family.upper())} {name}"
    label += f" ({aggregation.replace('_', ' ')})" if aggregation else ""
    label += f", {title}" if title else ""
    return Explained(full, image, family, name, sentence, image_sentence, aggregation, unit, code, label)


_explained = cache(explain)


def family_of(key: str) -> str:
    """Return the family of a feature of any image: ``wavelet-LLH_glcm_Contrast`` -> ``glcm``.

    Raises:
        InputError: no such image, family or feature; near matches are named.
    """
    return _explained(key).family


def describe(key: str) -> str:
    """Return a plain sentence about a feature, with its unit, and one about its image where it is a filtered one.

    Raises:
        InputError: as for :func:`family_of`.
    """
    feature = _explained(key)
    text = f"{feature.sentence} ({feature.unit})" if feature.unit else feature.sentence
    return (
        text if feature.image == "original" or not feature.image_sentence else f"{text} Image: {feature.image_sentence}"
    )


def label_of(key: str) -> str:
    """Return a short label for charts and tables: ``wavelet-LLH_glcm_Contrast`` -> ``GLCM Contrast, wavelet LLH``.

    Raises:
        InputError: as for :func:`family_of`.
    """
    return _explained(key).label


def _parts(key: str) -> tuple[str, str, str]:
    """Image prefix, family and the rest of a key; image prefixes hold no underscore."""
    families = {*catalogue.entries(), *ibsi_catalogue.entries()}
    if key in families:
        some = next(iter(catalogue.entries().get(key) or ibsi_catalogue.entries()[key]))
        raise InputError(f"feature {key!r} is a family, not one feature. Name one, such as {key}_{some}.")
    first, _, rest = key.partition("_")
    if first in families:
        return "original", first, rest
    family, _, name = rest.partition("_")
    if first == "diagnostics":
        return first, family, name
    if family not in families or not name:
        raise _unknown(key)
    return first, family, name


def _diagnostic(key: str, name: str) -> Explained:
    if name not in _DIAGNOSTICS:
        raise _unknown(key)
    return Explained(key, "original", "diagnostics", name, _DIAGNOSTICS[name], label=f"Diagnostics {name}")


def _of_ibsi(full: str, key: str) -> tuple[str, str, str, str, str]:
    try:
        entry, aggregation = ibsi_catalogue.parts_of(full)
    except InputError as error:
        raise _unknown(key) from error
    return entry.name, entry.sentence, aggregation, entry.unit, entry.code


@cache
def _codes() -> dict[tuple[str, str], str]:
    """IBSI code of each PyRadiomics feature that is the same quantity."""
    return {
        (family, entry.name): entry.code
        for family, features in ibsi_catalogue.entries().items()
        for entry in features.values()
        if entry.pyradiomics == entry.name
    }


@cache
def _images() -> dict[str, dict[str, str]]:
    text = files("deepradiomics.radiomics.catalogue").joinpath("image_prefixes.json").read_text(encoding="utf-8")
    return json.loads(text)


def _image_words(image: str, key: str) -> tuple[str, str]:
    """Short title and sentence of an image prefix."""
    for about in _images().values():
        match = re.fullmatch(about["pattern"], image)
        if match:
            parts = {name: value or "" for name, value in match.groupdict().items()}
            parts["sigma"] = parts.get("sigma", "").replace("-", ".")
            if parts.get("level"):
                parts["level"] = f", level {parts['level']}"
            return about["title"].format(**parts), about["sentence"].format(**parts)
    raise _unknown(key)


def _unknown(key: str) -> InputError:
    first, _, rest = key.partition("_")
    short = [f"{family}_{name}" for family, features in catalogue.entries().items() for name in features]
    lower = {name.lower(): name for name in short}
    if key.lower() in lower:
        near = [lower[key.lower()]]
    elif rest.lower() in lower and rest not in short:
        near = [f"{first.lower() if first.lower() == 'original' else first}_{lower[rest.lower()]}"]
    elif rest in short:  # the image is misspelt
        near = [f"{image}_{rest}" for image in get_close_matches(first, _image_examples(), 2, 0.6)]
    else:
        by_name = {name: name for name in short} | {f"original_{name}": name for name in short}
        near = list(dict.fromkeys(by_name[match] for match in get_close_matches(key, by_name, 5, 0.6)))[:3]
    if not near:
        endings = {known_name.partition("_")[2].lower(): known_name for known_name in short}
        near = [endings[match] for match in get_close_matches(key.rpartition("_")[2].lower(), endings, 3, 0.6)]
    hint = f" Did you mean {', '.join(near)}?" if near else " 'deepradiomics features list' names them all."
    return InputError(f"feature {key!r} is not in the catalogue.{hint}")


def _image_examples() -> list[str]:
    bands = [f"wavelet-{x}{y}{z}" for x in "LH" for y in "LH" for z in "LH"]
    return [*bands, "log-sigma-1-0-mm-3D", "lbp-3D-m1", "lbp-3D-k", "mean-5", "laws-L5E5E5", *_images()]
