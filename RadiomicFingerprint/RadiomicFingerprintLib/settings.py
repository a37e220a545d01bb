"""The panel's settings as a JSON file: what was chosen, without the scene's nodes, so that it fits any scene."""

from enum import Enum
from pathlib import Path

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json, write_json

FORMAT = "deepradiomics-fingerprint-settings"
SETTINGS = (
    "referenceView", "registration", "bundleSource", "bundleFolder", "inference", "roiSource", "patchGrid", "device",
    "caseId", "outputFolder", "heatMap", "overlayOpacity", "overlayThreshold", "batchSource", "batchFolder",
    "batchOutput", "trainManifest", "trainTasks", "trainPreset", "trainOutput",
)  # fmt: skip


def save_settings(parameters, path: Path) -> None:
    """Write the settings of a parameter node; enumerations by the name of their member."""
    values = {name: getattr(parameters, name) for name in SETTINGS}
    plain = {name: value.name if isinstance(value, Enum) else value for name, value in values.items()}
    write_json(path, {"format": FORMAT, "format_version": 1, "settings": plain})


def load_settings(parameters, path: Path) -> None:
    """Set a parameter node from a file; either all of it is taken over or nothing.

    Raises:
        InputError: the file is not a settings file, or has an unknown setting or value.
    """
    document = read_json(path)
    if not isinstance(document, dict) or document.get("format") != FORMAT or document.get("format_version") != 1:
        raise InputError(
            f"{path}: expected settings of this module (format {FORMAT!r}, version 1); this is something else."
        )
    stored = document.get("settings")
    if not isinstance(stored, dict):
        raise InputError(f"{path}: expected the key 'settings' with names and values.")
    unknown = sorted(set(stored) - set(SETTINGS))
    if unknown:
        raise InputError(f"{path}: unknown settings {', '.join(unknown)}; known: {', '.join(SETTINGS)}.")
    values = {name: _value(parameters, name, value, path) for name, value in stored.items()}
    for name, value in values.items():
        setattr(parameters, name, value)


def _value(parameters, name: str, value, path: Path):
    now = getattr(parameters, name)
    if isinstance(now, Enum):
        known = [member.name for member in type(now)]
        if value not in known:
            raise InputError(f"{path}: setting {name}: expected one of {', '.join(known)}, got {value!r}.")
        return type(now)[value]
    if isinstance(now, float) and isinstance(value, (int, float)) and 0 <= value <= 1:
        return float(value)
    if isinstance(now, str) and isinstance(value, str):
        return value
    expected = "a number from 0 to 1" if isinstance(now, float) else "text"
    raise InputError(f"{path}: setting {name}: expected {expected}, got {value!r}.")
