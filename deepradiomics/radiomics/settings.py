"""Settings: a PyRadiomics parameter file or dictionary, checked and frozen.

The same keys, values and defaults as PyRadiomics 3.0.1; an unknown key is an error that names it and its near matches,
a key of something that this version lacks (filters, 2-D mode, voxel-wise maps) says so.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml

from deepradiomics.errors import InputError
from deepradiomics.radiomics.catalogue import FAMILIES, default_names, entries
from deepradiomics.radiomics.setting_rules import FIELD_OF_KEY, FILTER_KEYS, RULES, SECTIONS, TEXTURE_KEYS

Weighting = Literal["euclidean", "manhattan", "infinity", "no_weighting"]
ResegmentMode = Literal["absolute", "relative", "sigma"]
PRESETS = ("fingerprint-107", "paper-110", "pyradiomics-default")


@dataclass(frozen=True)
class Settings:
    """Everything that changes a feature's value. Field names are ours, :meth:`to_dict` gives PyRadiomics' keys.

    Args:
        features: (family, names) in the order in which they were enabled; names as PyRadiomics orders them.
        notes: what was asked for and cannot be given, one sentence each.

    The other fields are PyRadiomics' settings of the same name, see its documentation.

    >>> Settings.from_params({"setting": {"binWidth": 10}}).bin_width
    10
    """

    features: tuple[tuple[str, tuple[str, ...]], ...]
    bin_width: float = 25
    bin_count: int | None = None
    normalize: bool = False
    normalize_scale: float = 1
    remove_outliers: float | None = None
    resampled_spacing_mm: tuple[float, float, float] | None = None
    interpolator: str | int | None = "sitkBSpline"
    pad_distance: int = 5
    pre_crop: bool = False
    resegment_range: tuple[float, ...] | None = None
    resegment_mode: ResegmentMode = "absolute"
    resegment_shape: bool = False
    voxel_array_shift: int = 0
    label: int = 1
    label_channel: int = 0
    minimum_roi_dimensions: int = 2
    minimum_roi_size: int | None = None
    geometry_tolerance: float | None = None
    correct_mask: bool = False
    additional_info: bool = True
    distances: tuple[int, ...] = (1,)
    weighting_norm: Weighting | None = None
    symmetrical_glcm: bool = True
    gldm_a: int = 0
    notes: tuple[str, ...] = ()

    @classmethod
    def from_params(cls, params: "Settings | Mapping[str, Any] | str | os.PathLike[str] | None" = None) -> "Settings":
        """Make settings from nothing (PyRadiomics' defaults), a preset's name, a YAML file or a dictionary.

        Raises:
            InputError: no such file or preset, an unknown key or value, or something this version lacks.
        """
        if isinstance(params, Settings):
            return params
        if params is None:
            params = {}
        elif isinstance(params, str | os.PathLike):
            params = features_preset(params) if str(params) in PRESETS else _read(Path(params))
        if not isinstance(params, Mapping):
            raise InputError(f"params: expected a YAML file, a preset or a dictionary, got {type(params).__name__}.")
        _check_names("top-level key", params, SECTIONS)
        if params.get("voxelSetting"):
            raise InputError("voxelSetting: voxel-wise maps are not in this version; remove this section.")
        values = _values(params.get("setting") or {})
        values |= _original_only(params.get("imageType") or {})
        features, notes = _features(params.get("featureClass") or {})
        return cls(features=features, notes=tuple(notes), **values)

    def with_label(self, label: int) -> "Settings":
        """Return the same settings for another label."""
        return replace(self, label=RULES["label"].checked("label", label))

    @property
    def families(self) -> tuple[str, ...]:
        """The enabled families."""
        return tuple(family for family, _ in self.features)

    def to_dict(self) -> dict[str, Any]:
        """Return PyRadiomics' structure: ``imageType``, ``featureClass`` and ``setting`` with all its keys."""
        values = asdict(self)
        setting = {key: values[field] for key, field in FIELD_OF_KEY.items()}
        setting = {key: list(value) if isinstance(value, tuple) else value for key, value in setting.items()}
        return {
            "imageType": {"Original": {}},
            "featureClass": {family: list(names) for family, names in self.features},
            "setting": setting,
        }


def features_preset(name: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a shipped parameter set as a PyRadiomics dictionary.

    Raises:
        InputError: there is no preset of this name.
    """
    if str(name) not in PRESETS:
        raise InputError(f"preset {str(name)!r} does not exist; choose one of {', '.join(PRESETS)}.")
    text = files("deepradiomics.radiomics").joinpath("presets", f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def feature_names(settings: Settings) -> tuple[str, ...]:
    """Return the keys that an extraction gives, in PyRadiomics' order (shape first)."""
    shape_first = sorted(settings.features, key=lambda item: item[0] != "shape")
    return tuple(f"original_{family}_{name}" for family, names in shape_first for name in names)


def _read(path: Path) -> Any:
    if not path.is_file():
        raise InputError(
            f"params {str(path)!r}: neither a parameter file that exists nor a preset ({', '.join(PRESETS)})."
        )
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: this is not a readable YAML file ({' '.join(str(error).split())}).") from error


def _check_names(what: str, given: Mapping[Any, Any], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            near = get_close_matches(str(name), known, 3, 0.5)
            hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(known)}."
            raise InputError(f"params: unknown {what} {name!r}; {hint}")


def _values(setting: Any) -> dict[str, Any]:
    """Check one ``setting`` section and return it under our field names."""
    if not isinstance(setting, Mapping):
        raise InputError(f"setting: expected keys and values, got {setting!r}.")
    _check_names("setting", setting, (*FIELD_OF_KEY, *FILTER_KEYS, "force2D", "force2Ddimension"))
    if setting.get("force2D"):
        raise InputError("force2D: the 2-D mode is not in this version; remove the key or set it to false.")
    return {FIELD_OF_KEY[key]: RULES[key].checked(key, value) for key, value in setting.items() if key in FIELD_OF_KEY}


def _original_only(image_types: Any) -> dict[str, Any]:
    known = ("Original", "Wavelet", "LoG", "Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "LBP2D",
             "LBP3D")  # fmt: skip
    if not isinstance(image_types, Mapping):
        raise InputError(f"imageType: expected names with their settings, got {image_types!r}.")
    _check_names("image type", image_types, known)
    others = [name for name in image_types if name != "Original"]
    if others:
        raise InputError(f"imageType {', '.join(others)}: filters are not in this version; keep Original only.")
    own = image_types.get("Original") or {}
    values = _values(own)
    for key in own:
        if key not in TEXTURE_KEYS:
            raise InputError(f"imageType Original: {key} cannot be set for one image type; put it under 'setting'.")
    return values


def _features(classes: Any) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], list[str]]:
    """Return the enabled features and notes about those that PyRadiomics has removed."""
    if not isinstance(classes, Mapping):
        raise InputError(f"featureClass: expected class names with lists of features, got {classes!r}.")
    if "shape2D" in classes:
        raise InputError("featureClass shape2D: the 2-D mode is not in this version; remove it.")
    _check_names("feature class", classes, FAMILIES)
    notes: list[str] = []
    enabled = []
    for family in classes or FAMILIES:
        asked = classes.get(family) or ()
        if isinstance(asked, str) or not isinstance(asked, Sequence):
            raise InputError(f"featureClass {family}: expected a list of feature names or nothing, got {asked!r}.")
        asked = [str(name) for name in asked]  # YAML may read a name as a number
        _check_names(f"{family} feature", dict.fromkeys(asked), tuple(entries()[family]))
        for name in asked:
            if entries()[family][name].state == "removed":
                notes.append(f"{family} {name} is not computed: it equals {entries()[family][name].equals}.")
        kept = [name for name in dict.fromkeys(asked) if entries()[family][name].state != "removed"]
        enabled.append((family, tuple(kept) if asked else default_names(family)))
    return tuple(enabled), notes
