"""Who writes: manufacturer, software and the numbers of series that all our DICOM objects carry."""

from typing import Any

from pydicom import Dataset

from deepradiomics import __version__

MANUFACTURER = "DeepRadiomics"
MODEL = "deepradiomics"
SCHEME = "99DEEPRADIOMICS"
"""Designator of our own codes (at most 16 characters, 99 for private ones)."""

_DEVICE_UID = "2.25.243862149834751034586021930874510236127"  # of the software, not of a machine or person
_LARGEST = 2**31 - 1  # of an integer string


def device_uid() -> str:
    """The UID of the software as an observer: the same in every report."""
    return _DEVICE_UID


def equipment() -> dict[str, Any]:
    """The General and Enhanced General Equipment modules, as highdicom's constructors take them."""
    return {
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MODEL,
        "software_versions": __version__,
        "device_serial_number": "none",  # the standard asks for a text; software has no number
    }


def series_number(source: Dataset, nth: int) -> int:
    """The number of our nth (1, 2, …) series of a source series: 100 × its number + nth, or 1000 + nth without one."""
    number = int(source.get("SeriesNumber") or 0)
    serial = 100 * number + nth
    return serial if 100 <= serial <= _LARGEST else 1000 + nth
