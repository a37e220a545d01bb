"""Which settings are chosen: a preset, the user's own, saved ones or a parameter file; and what they compute."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.files.atomic import read_json
from deepradiomics.radiomics.settings.feature_names import feature_names
from deepradiomics.radiomics.settings.settings import Settings
from deepradiomics.scene.panel.choices import preset_titles

from ..parameters import FILE, OWN, SAVED
from . import saved
from .builder import params_of_builder


def entries() -> list[tuple[str, str]]:
    """What the selector offers: the value that is stored, and the title that is shown."""
    *presets, file = preset_titles().items()
    by_name = [(SAVED + name, _("Saved: {name}").format(name=name)) for name in saved.names()]
    return [*presets, (OWN, _("Own settings")), *by_name, file]


def params_of(parameters: Any) -> str | dict[str, Any]:
    """The chosen settings as the logic takes them: a preset's name, a file's path, or a parameter structure.

    Raises:
        InputError: the builder's controls say nothing that can be computed.
    """
    chosen = parameters.featureSettings
    if chosen == OWN:
        return params_of_builder(parameters)
    if chosen == FILE:
        return str(parameters.parameterFile)
    return str(saved.path_of(chosen.removeprefix(SAVED))) if chosen.startswith(SAVED) else chosen


def settings_of(parameters: Any) -> Settings | str:
    """The engine's settings, or the sentence that says why there are none."""
    chosen = parameters.featureSettings
    if chosen == FILE and not Path(parameters.parameterFile or "-").is_file():
        return _("Choose the parameter file (JSON or YAML).")
    try:
        if chosen.startswith(SAVED) and not saved.path_of(chosen.removeprefix(SAVED)).is_file():
            return _("The settings '{name}' are not saved on this computer: choose others.").format(
                name=chosen.removeprefix(SAVED)
            )
        params = params_of(parameters)
    except DeepRadiomicsError as error:
        return str(error)
    changed = Path(params).stat().st_mtime_ns if isinstance(params, str) and Path(params).is_file() else 0
    return _settings(json.dumps(params), changed)


@lru_cache(maxsize=32)
def _settings(params: str, changed: int) -> Settings | str:
    try:
        return engine_settings(json.loads(params))
    except DeepRadiomicsError as error:
        return str(error)
    except ModuleNotFoundError as error:
        return missing_package(error)


def engine_settings(params: str | Mapping[str, Any]) -> Settings:
    """The engine's settings of a preset, a parameter file or a structure. A JSON file is read without further packages.

    Raises:
        InputError: no such file or preset, or an unknown key or value.
    """
    if isinstance(params, str) and Path(params).suffix.lower() == ".json" and Path(params).is_file():
        params = read_json(Path(params))
    return Settings.from_params(params)


def missing_package(error: ImportError) -> str:
    """What to say where a package is missing that Slicer does not bundle."""
    return _("The Python package {name} is missing: press Install packages…").format(name=error.name or error)


def mapped(parameters: Any) -> tuple[str, ...] | str:
    """The keys of the features that can be drawn as maps (no shape), or why there are none."""
    settings = settings_of(parameters)
    return settings if isinstance(settings, str) else _mapped(settings)


@lru_cache(maxsize=16)
def _mapped(settings: Settings) -> tuple[str, ...] | str:
    try:
        keys = feature_names(settings)
    except DeepRadiomicsError as error:
        return str(error)
    except ModuleNotFoundError as error:
        return missing_package(error)
    return tuple(key for key in keys if not key.startswith(("original_shape", "diagnostics_")))


def title_of(chosen: str) -> str:
    """The title of a stored choice, also of one that is not offered here (a name saved on another computer)."""
    return dict(entries()).get(chosen) or _("{name} (not here)").format(name=chosen.removeprefix(SAVED))
