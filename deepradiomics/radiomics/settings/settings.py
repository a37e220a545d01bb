"""Settings: a PyRadiomics parameter file or dictionary, checked and frozen.

The same keys, values and defaults as PyRadiomics 3.0.1, and a few of ours beyond it; an unknown key is an error that
names it and its near matches.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from deepradiomics.errors import InputError
from deepradiomics.radiomics.settings import parameters
from deepradiomics.radiomics.settings.rules import (
    FIELD_OF_KEY,
    FIELD_OF_VOXEL_KEY,
    IBSI_KEYS,
    IBSI_READERS,
    READERS,
    RULES,
)

Weighting = Literal["euclidean", "manhattan", "infinity", "no_weighting"]
ResegmentMode = Literal["absolute", "relative", "sigma"]
Standard = Literal["pyradiomics", "ibsi"]
NUMERIC_DIAGNOSTICS = (
    "diagnostics_Image-original_Mean",
    "diagnostics_Image-original_Minimum",
    "diagnostics_Image-original_Maximum",
    "diagnostics_Mask-original_VoxelNum",
    "diagnostics_Mask-original_VolumeNum",
)
"""PyRadiomics' names of the numbers that the setting ``numericDiagnostics`` puts before the features."""


@dataclass(frozen=True)
class ImageType:
    """An image type (``Original``, ``Wavelet``, ``LoG`` ...) with the settings of its own, under PyRadiomics' keys."""

    name: str
    own: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Settings:
    """Everything that changes a feature's value. Field names are ours, :meth:`to_dict` gives PyRadiomics' keys.

    Args:
        features: (family, names) in the order in which they were enabled; names as PyRadiomics orders them.
        image_types: in the order in which they were enabled, each with its own settings; see :meth:`per_image_type`.
        force_2d_dimension: the axis (z, y, x) that is left out when ``force_2d`` is set.
        standard: ``ibsi`` takes IBSI's definitions where PyRadiomics differs.
        aggregation: with ``ibsi``, how the texture matrices of slices and directions are put together.
        round_intensities: with ``ibsi``, grey values are rounded after interpolation.
        numeric_diagnostics: five numbers about image and mask come before the features.
        mean_support, laws_*, filter_boundary, filter_dimension, log_truncate: of the filters beyond PyRadiomics.
        notes: what was asked for and cannot be given, one sentence each.

    The other fields are PyRadiomics' settings of the same name, see its documentation.

    >>> Settings.from_params({"setting": {"binWidth": 10}}).bin_width
    10
    """

    features: tuple[tuple[str, tuple[str, ...]], ...]
    image_types: tuple[ImageType, ...] = (ImageType("Original"),)
    bin_width: float = 25
    bin_count: int | None = None
    normalize: bool = False
    normalize_scale: float = 1
    remove_outliers: float | None = None
    resampled_spacing_mm: tuple[float, ...] | None = None
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
    force_2d: bool = False
    force_2d_dimension: int = 0
    sigma_mm: tuple[float, ...] = ()
    wavelet: str = "coif1"
    start_level: int = 0
    level: int = 1
    gradient_use_spacing: bool = True
    lbp2d_radius: float = 1
    lbp2d_samples: int = 8
    lbp2d_method: Literal["default", "ror", "uniform", "var"] = "uniform"
    lbp3d_levels: int = 2
    lbp3d_icosphere_radius: float = 1
    lbp3d_icosphere_subdivision: int = 1
    kernel_radius: int = 1
    masked_kernel: bool = True
    init_value: float = 0.0
    voxel_batch: int = -1
    standard: Standard = "pyradiomics"
    aggregation: tuple[str, ...] = ("3D_averaged",)
    round_intensities: bool = False
    numeric_diagnostics: bool = False
    mean_support: int = 5
    laws_kernel: str = "L5E5E5"
    laws_rotation_invariance: bool = True
    laws_pooling: Literal["max", "average", "min"] = "max"
    laws_energy_delta: int | None = None
    filter_boundary: Literal["mirror", "zero", "nearest", "periodic"] = "mirror"
    filter_dimension: int = 3
    log_truncate: float = 4.0
    notes: tuple[str, ...] = ()

    @classmethod
    def from_params(
        cls,
        params: "Settings | Mapping[str, Any] | str | os.PathLike[str] | None" = None,
        standard: str | None = None,
    ) -> "Settings":
        """Make settings from nothing (PyRadiomics' defaults), a preset's name, a YAML or JSON file or a dictionary.

        ``standard`` takes the place of the one that the parameters name.

        Raises:
            InputError: no such file or preset, or an unknown key or value.
        """
        if isinstance(params, Settings):
            if standard in (None, params.standard):
                return params
            params = params.to_dict()  # names may mean nothing by another standard
        sections = parameters.read_params(params)
        values = parameters.setting_values(sections.get("setting") or {})
        if standard is not None:
            values["standard"] = RULES["standard"].checked("standard", standard)
        values |= parameters.voxel_values(sections.get("voxelSetting") or {})
        chosen, notes = parameters.image_types(sections.get("imageType") or {})
        features, more = parameters.features(
            sections.get("featureClass") or {}, values.get("force_2d", False), values.get("standard", "pyradiomics")
        )
        types = tuple(ImageType(name, type_settings) for name, type_settings in chosen)
        settings = cls(features=features, image_types=types, notes=(*notes, *more), **values)
        idle = ibsi_keys_without_ibsi(settings)
        if idle and standard is None:
            raise InputError(" ".join(idle))
        idle += unread_filter_keys(settings)
        return replace(settings, notes=(*settings.notes, *idle, *empty_image_types(settings)))

    def with_label(self, label: int) -> "Settings":
        """Return the same settings for another label."""
        return replace(self, label=RULES["label"].checked("label", label))

    def in_plane(self) -> "Settings":
        """Return the settings of a two-dimensional image, a volume of one slice: features stay within the plane.

        Where all families are enabled by default, shape2D takes the place of shape, as in PyRadiomics; a flat region
        has no shape in space.
        """
        features = self.features
        if features == parameters.features({}, False)[0]:
            features = parameters.features({}, True)[0]
        notes = self.notes
        if "shape" in dict(features):
            notes += ("shape is not computed: the image is two-dimensional. Ask for shape2D under featureClass.",)
        features = tuple((family, names) for family, names in features if family != "shape")
        return replace(self, features=features, notes=notes, force_2d=True, force_2d_dimension=0)

    def per_image_type(self) -> tuple[tuple[str, "Settings"], ...]:
        """Return each image type with the settings that hold for it: these, with its own values on top."""
        return tuple(
            (kind.name, replace(self, **{FIELD_OF_KEY[key]: value for key, value in kind.own}) if kind.own else self)
            for kind in self.image_types
        )

    @property
    def families(self) -> tuple[str, ...]:
        """The enabled families."""
        return tuple(family for family, _ in self.features)

    @property
    def shape_families(self) -> tuple[str, ...]:
        """The enabled families that describe the mask alone: they are computed once, not for each image type."""
        return tuple(f for f in ("shape", "shape2D") if f in self.families)

    def to_dict(self) -> dict[str, Any]:
        """Return PyRadiomics' structure: ``imageType``, ``featureClass``, ``setting`` and ``voxelSetting``."""
        values = asdict(self)
        voxel = {key: values[field] for key, field in FIELD_OF_VOXEL_KEY.items()}
        if self.voxel_batch < 0:  # PyRadiomics' default, which its own parameter files may not name
            del voxel["voxelBatch"]
        return {
            "imageType": {kind.name: {key: _plain(value) for key, value in kind.own} for kind in self.image_types},
            "featureClass": {family: list(names) for family, names in self.features},
            "setting": {key: _plain(values[field]) for key, field in FIELD_OF_KEY.items()},
            "voxelSetting": voxel,
        }


def ibsi_keys_without_ibsi(settings: Settings) -> list[str]:
    """Say which keys would change the preparation if the standard were IBSI's, and do not; one sentence each."""
    if settings.standard == "ibsi":
        return []
    default, fields = Settings(features=()), {key: FIELD_OF_KEY[key] for key in IBSI_KEYS}
    return [
        f"setting {key}: only standard: ibsi reads it. Set that, or remove the key."
        for key, field in fields.items()
        if getattr(settings, field) != getattr(default, field)
    ]


def unread_filter_keys(settings: Settings) -> list[str]:
    """Say which keys of our own filters, set to other than the default, no image type reads; one sentence each."""
    default, ibsi = Settings(features=()), settings.standard == "ibsi"
    sentences = []
    for key, always in READERS.items():
        field, readers = FIELD_OF_KEY[key], (*always, *(IBSI_READERS.get(key, ()) if ibsi else ()))
        values = [(name, getattr(type_settings, field)) for name, type_settings in settings.per_image_type()]
        other = [name for name, value in values if value != getattr(default, field)]
        type_settings = {kind.name for kind in settings.image_types if key in dict(kind.own)}
        if other and not (set(other) & set(readers)):
            place = f"imageType {other[0]}: {key}" if type_settings else f"setting {key}"
            by = ", ".join([*always, *(f"{name} (with standard: ibsi)" for name in IBSI_READERS.get(key, ()))])
            sentences.append(f"{place}: no image type here reads it. It belongs to {by}.")
    return sentences


def empty_image_types(settings: Settings) -> list[str]:
    """Say which image types give no image at all, whatever the image; one sentence each."""
    return [
        "LoG gives no image: it has no sigma. Name them in mm, such as sigma: [1, 3]."
        for name, type_settings in settings.per_image_type()
        if name == "LoG" and not type_settings.sigma_mm
    ]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
