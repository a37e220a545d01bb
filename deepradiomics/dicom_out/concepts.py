"""concept_of: what a feature is called in DICOM: IBSI's code where IBSI defines it, else our own; its unit; its image.

wavelet-LLH_glcm_Contrast →  (ACUI, IBSI, "Contrast")
                               Image transformation = (wavelet-LLH, 99DEEPRADIOMICS, "wavelet LLH")
                             unit (1, UCUM, "no units")
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from deepradiomics.dicom_out.equipment import SCHEME
from deepradiomics.dicom_out.text import long_string
from deepradiomics.dicom_out.units import ARBITRARY, NONE, unit_of
from deepradiomics.errors import InputError
from deepradiomics.images import Code
from deepradiomics.radiomics.catalogue import ibsi as ibsi_catalogue
from deepradiomics.radiomics.catalogue.explain import Explained, explain
from deepradiomics.radiomics.settings.settings import Settings

TRANSFORMATION = Code("image-transform", SCHEME, "Image transformation")
"""Concept of the modifier that names a filter; features of the image as it is have none."""

AGGREGATION = Code("5QB6", "IBSI", "Feature aggregation")
"""Concept of the modifier that says how texture matrices are put together (IBSI standard)."""

_SHORT = 16  # characters of a code (SH)
_OF_SHIFTED = ("Energy", "TotalEnergy", "RootMeanSquared")  # PyRadiomics adds voxelArrayShift to the grey values first


@dataclass(frozen=True)
class Concept:
    """A feature in DICOM's terms.

    Args:
        code: what is measured.
        unit: in which unit.
        modifiers: concept and value of what tells features of one code apart.
    """

    code: Code
    unit: Code
    modifiers: tuple[tuple[Code, Code], ...] = ()


def concept_of(key: str, intensity: Code, settings: Settings) -> Concept:
    """Return the terms of a feature.

    Args:
        key: its full key, such as ``wavelet-LLH_glcm_Contrast``.
        intensity: unit of the image's grey values.
        settings: what it was computed by; normalised grey values have no unit, filtered ones arbitrary units.

    Raises:
        InputError: no such feature.

    >>> concept_of("original_shape_MeshVolume", ARBITRARY, Settings.from_params()).code
    Code(value='RNU0', scheme='IBSI', meaning='Volume (mesh)')
    """
    about = explain(key)
    shifted = about.family == "firstorder" and about.name in _OF_SHIFTED
    shifted = shifted and any(type_settings.voxel_array_shift for _, type_settings in settings.per_image_type())
    grey = NONE if settings.normalize else intensity
    if about.image != "original":
        grey = ARBITRARY
    modifiers = []
    if about.image != "original":
        modifiers.append((TRANSFORMATION, Code(filter_code(about.image), SCHEME, long_string(_image_title(about)))))
    if about.aggregation:
        known = {**ibsi_catalogue.AGGREGATIONS, **ibsi_catalogue.PLAIN_AGGREGATIONS}
        meaning = f"Matrices {about.aggregation.replace('_', ' ')}"
        modifiers.append((AGGREGATION, Code(known[about.aggregation], "IBSI", meaning)))
    unit = unit_of(about.family, about.name, about.unit, grey)
    return Concept(_own(about, shifted) if shifted or not about.ibsi else _of_ibsi(about), unit, tuple(modifiers))


def _of_ibsi(about: Explained) -> Code:
    return Code(about.ibsi, "IBSI", long_string(_ibsi_names().get(about.ibsi) or about.name))


def _own(about: Explained, shifted: bool) -> Code:
    code = _own_codes().get(about.family, {}).get(about.name)
    if code is None:
        raise InputError(f"feature {about.key}: neither IBSI nor the table of our own codes has a code for it.")
    name = f"{about.label.partition(',')[0]}{' of shifted grey values' if shifted else ''}"
    return Code(code, SCHEME, long_string(name))


def filter_code(image: str) -> str:
    """The code of a filter: its prefix, made shorter where DICOM's 16 characters ask for it.

    Codes of more characters (LongCodeValue) are valid, but readers fail on them, highdicom among them.

    >>> filter_code("wavelet-LLH"), filter_code("log-sigma-2-5-mm-3D")
    ('wavelet-LLH', 'log-2-5-mm-3D')
    """
    short = image.replace("log-sigma-", "log-")
    if len(short) <= _SHORT:
        return short
    return f"{short[: _SHORT - 7]}-{hashlib.sha256(image.encode()).hexdigest()[:6]}"


def _image_title(about: Explained) -> str:
    return about.label.rpartition(f"{about.name}")[2].partition(", ")[2] or about.image


@cache
def _ibsi_names() -> dict[str, str]:
    """What IBSI calls the feature of each code."""
    return {entry.code: entry.ibsi for features in ibsi_catalogue.entries().values() for entry in features.values()}


@cache
def _own_codes() -> dict[str, dict[str, str]]:
    """Our code of each feature without one of IBSI's: family -> name -> code."""
    return json.loads(files("deepradiomics.dicom_out").joinpath("own_codes.json").read_text(encoding="utf-8"))
