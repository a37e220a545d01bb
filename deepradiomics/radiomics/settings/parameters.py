"""Reading a PyRadiomics parameter structure: every name known, every value checked, nothing dropped in silence."""

import json
import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.radiomics.catalogue.ibsi import entries as ibsi_entries
from deepradiomics.radiomics.catalogue.pyradiomics import FAMILIES, default_names, entries
from deepradiomics.radiomics.settings.parameter_text import read_text
from deepradiomics.radiomics.settings.rules import (
    FIELD_OF_KEY,
    FIELD_OF_VOXEL_KEY,
    IMAGE_TYPE_KEYS,
    IMAGE_TYPES,
    RULES,
    SECTIONS,
)
from deepradiomics.words import short_repr

PRESET_TITLES = {
    "fingerprint-107": "Standard (107 features)",
    "pyradiomics-default": "PyRadiomics' defaults (107)",
    "lens": "With wavelets, no shape (837)",
    "ich-1688": "With all filters, CT (1,688)",
    "paper-110": "Knee paper (110)",
    "paper-1693": "Haemorrhage paper (1,693)",
}
"""What people read for a preset, by its name."""
PRESETS = tuple(sorted(PRESET_TITLES))
ImageTypes = tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]
FeatureChoice = tuple[tuple[str, tuple[str, ...]], ...]


def features_preset(name: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a shipped parameter set as a PyRadiomics dictionary.

    Raises:
        InputError: there is no preset of this name.
    """
    if str(name) not in PRESETS:
        raise InputError(
            f"preset {str(name)!r} does not exist; choose one of {', '.join(PRESETS)}.{_near_preset(str(name))}"
        )
    text = files("deepradiomics.radiomics.settings").joinpath("presets", f"{name}.json").read_text(encoding="utf-8")
    preset: dict[str, Any] = json.loads(text)
    del preset["about"]
    return preset


def read_params(params: Mapping[str, Any] | str | os.PathLike[str] | None) -> Mapping[str, Any]:
    """Return the sections of a parameter set: nothing, a preset's name, a YAML or JSON file, or a dictionary.

    Raises:
        InputError: no such file or preset, a file that is no YAML, or an unknown section.
        MissingDependencyError: a YAML file, and PyYAML is not installed (a JSON file needs no package).
    """
    if params is None:
        return {}
    if isinstance(params, str | os.PathLike):
        params = features_preset(params) if str(params) in PRESETS else _read(Path(params))
    if not isinstance(params, Mapping):
        raise InputError(f"params: expected a YAML file, a preset or a dictionary, got {type(params).__name__}.")
    _check_names("top-level key", params, SECTIONS)
    return params


def setting_values(setting: Any) -> dict[str, Any]:
    """Return a checked ``setting`` section under our field names."""
    if not isinstance(setting, Mapping):
        raise InputError(f"setting: expected keys and values, got {short_repr(setting)}.")
    for key in setting:
        if key in FIELD_OF_VOXEL_KEY:
            raise InputError(f"setting {key}: this key belongs under voxelSetting; move it there.")
    _check_names("setting", setting, tuple(FIELD_OF_KEY))
    return {FIELD_OF_KEY[key]: RULES[key].checked(key, value) for key, value in setting.items()}


def voxel_values(setting: Any) -> dict[str, Any]:
    """Return a checked ``voxelSetting`` section under our field names."""
    if not isinstance(setting, Mapping):
        raise InputError(f"voxelSetting: expected keys and values, got {short_repr(setting)}.")
    _check_names("voxelSetting", setting, tuple(FIELD_OF_VOXEL_KEY))
    return {FIELD_OF_VOXEL_KEY[key]: RULES[key].checked(key, value) for key, value in setting.items()}


def image_types(section: Any) -> tuple[ImageTypes, list[str]]:
    """Return the image types with their own checked values, and notes about keys that have no effect there."""
    if not isinstance(section, Mapping):
        raise InputError(f"imageType: expected names with their settings, got {short_repr(section)}.")
    _check_names("image type", section, IMAGE_TYPES)
    chosen, notes = [], []
    for name, type_values in (section or {"Original": {}}).items():
        type_values = type_values or {}
        setting_values(type_values)
        if "label" in type_values:
            raise InputError(f"imageType {name}: label cannot be set for one image type; put it under 'setting'.")
        idle = [key for key in type_values if key not in IMAGE_TYPE_KEYS]
        if idle:
            notes.append(
                f"imageType {name}: {', '.join(idle)} has no effect on one image type alone, as in PyRadiomics; "
                "put it under 'setting'."
            )
        values = {key: RULES[key].checked(key, value) for key, value in type_values.items() if key not in idle}
        chosen.append((name, tuple(values.items())))
    return tuple(chosen), notes


def features(section: Any, force_2d: bool, standard: str = "pyradiomics") -> tuple[FeatureChoice, list[str]]:
    """Return the enabled features by family, and notes about those that are not given.

    By IBSI's standard its own names may be given as well as PyRadiomics'.
    """
    if not isinstance(section, Mapping):
        raise InputError(f"featureClass: expected class names with lists of features, got {short_repr(section)}.")
    _check_names("feature class", section, FAMILIES)
    notes: list[str] = []
    enabled = []
    ibsi = _ibsi_names() if standard == "ibsi" else {}
    for family in section or (f for f in FAMILIES if f != "shape2D" or force_2d):
        asked = section.get(family) or ()
        if isinstance(asked, str) or not isinstance(asked, Sequence):
            raise InputError(
                f"featureClass {family}: expected a list of feature names or nothing, got {short_repr(asked)}."
            )
        asked = [str(name) for name in asked]  # YAML may read a name as a number
        known, ibsi_names = entries()[family], ibsi.get(family, {})
        _check_names(f"{family} feature", dict.fromkeys(asked), tuple(dict.fromkeys((*known, *ibsi_names))))
        removed = [name for name in asked if name not in ibsi_names and known[name].state == "removed"]
        notes += [f"{family} {name} is not computed: it equals {known[name].equals}." for name in removed]
        enabled_names = [name for name in dict.fromkeys(asked) if name not in removed]
        if ibsi and family not in ibsi:
            notes.append(f"{family} is not computed: it has no place in IBSI's standard.")
        elif ibsi and not set(default_names(family)) <= set(enabled_names):
            foreign = [name for name in enabled_names if name not in ibsi_names and name not in ibsi_names.values()]
            notes += [f"{family} {name} is not computed: it has no place in IBSI's standard." for name in foreign]
        enabled.append((family, tuple(enabled_names) if asked else default_names(family)))
    return tuple(enabled), notes


def _ibsi_names() -> dict[str, dict[str, str]]:
    """IBSI's names by family, each with the PyRadiomics name that asks for it too."""
    return {
        family: {name: entry.pyradiomics for name, entry in names.items()} for family, names in ibsi_entries().items()
    }


def _read(path: Path) -> Any:
    if not path.is_file():
        raise InputError(
            f"params {str(path)!r}: neither a parameter file that exists nor a preset ({', '.join(PRESETS)})."
            f"{_near_preset(str(path))}"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: this is not a readable YAML file ({' '.join(str(error).split())}).") from error
    return read_text(text, str(path))


def _near_preset(name: str) -> str:
    near = get_close_matches(name.lower(), PRESETS, 2, 0.6)
    return f" Did you mean {', '.join(near)}?" if near else ""


def _check_names(what: str, names: Mapping[Any, Any], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            near = get_close_matches(str(name), known, 3, 0.5)
            hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(known)}."
            raise InputError(f"params: unknown {what} {short_repr(name)}; {hint}")
