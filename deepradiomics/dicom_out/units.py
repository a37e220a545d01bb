"""The UCUM unit of each feature: of a length, an area, a volume, of grey values and their squares, or none.

Grey values have the unit of the image: Hounsfield units (CT), activity (PET), standardised uptake, else arbitrary
units. Texture is counted on grey levels and shape ratios are ratios: no unit.
"""

import json
from functools import cache
from importlib.resources import files

from deepradiomics.dicom_out.source import SourceSeries
from deepradiomics.errors import InputError
from deepradiomics.images import Code

NONE = Code("1", "UCUM", "no units")
_LENGTHS = {
    "mm": Code("mm", "UCUM", "millimeter"),
    "mm²": Code("mm2", "UCUM", "square millimeter"),
    "mm³": Code("mm3", "UCUM", "cubic millimeter"),
    "1/mm": Code("/mm", "UCUM", "per millimeter"),
}
HOUNSFIELD = Code("[hnsf'U]", "UCUM", "Hounsfield unit")
ARBITRARY = Code("[arb'U]", "UCUM", "arbitrary unit")
UPTAKE = Code("g/ml{SUVbw}", "UCUM", "Standardized Uptake Value body weight")
ACTIVITY = Code("Bq/ml", "UCUM", "Becquerels/milliliter")
_OF_PET = {"BQML": ACTIVITY, "GML": UPTAKE}


def intensity_unit(source: SourceSeries, *, suv: bool = False) -> Code:
    """Return the unit of an image's grey values.

    Args:
        source: the series.
        suv: whether the image was turned into the standardised uptake value by body weight.
    """
    header = source.images[0]
    if suv:
        return UPTAKE
    if source.modality == "CT" and str(header.get("RescaleType") or "HU") == "HU":
        return HOUNSFIELD
    if source.modality == "PT":
        return _OF_PET.get(str(header.get("Units", "")), ARBITRARY)
    return ARBITRARY


def unit_of(family: str, name: str, written: str, intensity: Code) -> Code:
    """Return the unit of a feature.

    Args:
        family, name: its class and its name in it.
        written: its unit in the catalogue (``mm²``), empty where it has none there.
        intensity: of its image's grey values.

    Raises:
        InputError: a feature of grey values that the table of units does not know.
    """
    if written in _LENGTHS:
        return _LENGTHS[written]
    if family not in ("firstorder", "diagnostics") and name not in _kinds():
        return NONE
    kind = _kinds().get(name)
    if kind is None:
        raise InputError(f"feature {family}_{name}: no unit is known of it.")
    return NONE if kind == "1" else _of_intensity(kind, intensity)


def _of_intensity(kind: str, intensity: Code) -> Code:
    """``intensity2.mm3`` in Hounsfield units: ``[hnsf'U]2.mm3``; a compound unit is put in brackets first."""
    power, _, volume = kind.removeprefix("intensity").partition(".")
    if intensity == NONE:
        return _LENGTHS["mm³"] if volume else NONE
    value = f"({intensity.value}){power}" if power and "/" in intensity.value else f"{intensity.value}{power}"
    meaning = f"{intensity.meaning} squared" if power else intensity.meaning
    if not volume:
        return Code(value, "UCUM", meaning)
    return Code(f"{value}.{volume}", "UCUM", f"{meaning} times cubic millimeter")


@cache
def _kinds() -> dict[str, str]:
    table = json.loads(files("deepradiomics.dicom_out").joinpath("units.json").read_text(encoding="utf-8"))
    return {name: kind for kind, names in table.items() for name in names}
