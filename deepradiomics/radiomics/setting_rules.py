"""The keys of a PyRadiomics ``setting`` section: which field each fills and which values it may take."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from deepradiomics.errors import InputError

SECTIONS = ("imageType", "featureClass", "setting", "voxelSetting")
FILTER_KEYS = (
    "sigma", "start_level", "level", "wavelet", "gradientUseSpacing", "lbp2DRadius", "lbp2DSamples", "lbp2DMethod",
    "lbp3DLevels", "lbp3DIcosphereRadius", "lbp3DIcosphereSubdivision",
)  # fmt: skip
"""Known keys that only a filter reads; they change nothing for the original image."""

INTERPOLATORS = (
    "sitkNearestNeighbor", "sitkLinear", "sitkBSpline", "sitkGaussian", "sitkLabelGaussian",
    "sitkHammingWindowedSinc", "sitkCosineWindowedSinc", "sitkWelchWindowedSinc", "sitkLanczosWindowedSinc",
    "sitkBlackmanWindowedSinc",
)  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """What a key accepts.

    Args:
        kind: ``bool``, ``int``, ``float`` or ``str``.
        above: values must be greater than this.
        least, most: values must lie between these, both included.
        choices: the texts allowed.
        lengths: the value is a list of one of these lengths (empty: a single value).
        optional: None is allowed.
    """

    kind: type
    above: float | None = None
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    lengths: tuple[int, ...] = ()
    optional: bool = False

    def checked(self, key: str, value: Any) -> Any:
        """Return the value in its own type (lists as tuples), or raise InputError saying what is expected."""
        if value is None and self.optional:
            return None
        if not self.lengths:
            return self._one(key, value)
        if isinstance(value, str) or not hasattr(value, "__len__") or len(value) not in self.lengths:
            raise InputError(f"setting {key}: expected {self._expected()}, got {value!r}.")
        return tuple(self._one(key, v) for v in value)

    def _one(self, key: str, value: Any) -> Any:
        accepted = {
            bool: lambda v: isinstance(v, bool),
            int: lambda v: isinstance(v, Integral) and not isinstance(v, bool),
            float: lambda v: isinstance(v, Real) and not isinstance(v, bool) and v == v and abs(v) != float("inf"),
            str: lambda v: v in self.choices,
        }[self.kind](value)
        if self.kind is str and isinstance(value, int) and key == "interpolator":
            accepted = 1 <= value <= 10
        if accepted and self.kind in (int, float):
            accepted = (
                (self.above is None or value > self.above)
                and (self.least is None or value >= self.least)
                and (self.most is None or value <= self.most)
            )
        if not accepted:
            raise InputError(f"setting {key}: expected {self._expected()}, got {value!r}.")
        return value

    def _expected(self) -> str:
        words = {bool: "true or false", int: "a whole number", float: "a number", str: ""}[self.kind]
        if self.choices:
            words = "one of " + ", ".join(self.choices)
        if self.above is not None:
            words += f" above {self.above:g}"
        if self.least is not None:
            words += f" of at least {self.least:g}"
        if self.most is not None:
            words += f" and at most {self.most:g}"
        if self.lengths:
            span = str(self.lengths[0]) if len(self.lengths) == 1 else f"{self.lengths[0]} to {self.lengths[-1]}"
            words = f"a list of {span} values, each {words}"
        return words + (" (or nothing)" if self.optional else "")


_KEYS: dict[str, tuple[str, Rule]] = {
    "binWidth": ("bin_width", Rule(float, above=0)),
    "binCount": ("bin_count", Rule(int, above=0, optional=True)),
    "normalize": ("normalize", Rule(bool)),
    "normalizeScale": ("normalize_scale", Rule(float, above=0)),
    "removeOutliers": ("remove_outliers", Rule(float, above=0, optional=True)),
    "resampledPixelSpacing": ("resampled_spacing_mm", Rule(float, least=0, lengths=(3,), optional=True)),
    "interpolator": ("interpolator", Rule(str, choices=INTERPOLATORS, optional=True)),
    "padDistance": ("pad_distance", Rule(int, least=0)),
    "preCrop": ("pre_crop", Rule(bool)),
    "resegmentRange": ("resegment_range", Rule(float, lengths=(1, 2), optional=True)),
    "resegmentMode": ("resegment_mode", Rule(str, choices=("absolute", "relative", "sigma"))),
    "resegmentShape": ("resegment_shape", Rule(bool)),
    "voxelArrayShift": ("voxel_array_shift", Rule(int)),
    "label": ("label", Rule(int, above=0)),
    "label_channel": ("label_channel", Rule(int, least=0)),
    "minimumROIDimensions": ("minimum_roi_dimensions", Rule(int, least=1, most=3)),
    "minimumROISize": ("minimum_roi_size", Rule(int, above=0, optional=True)),
    "geometryTolerance": ("geometry_tolerance", Rule(float, above=0, optional=True)),
    "correctMask": ("correct_mask", Rule(bool)),
    "additionalInfo": ("additional_info", Rule(bool)),
    "distances": ("distances", Rule(int, above=0, lengths=tuple(range(1, 33)))),
    "weightingNorm": (
        "weighting_norm",
        Rule(str, choices=("euclidean", "manhattan", "infinity", "no_weighting"), optional=True),
    ),
    "symmetricalGLCM": ("symmetrical_glcm", Rule(bool)),
    "gldm_a": ("gldm_a", Rule(int, least=0)),
}
FIELD_OF_KEY = {key: field for key, (field, _) in _KEYS.items()}
RULES = {key: rule for key, (_, rule) in _KEYS.items()}
TEXTURE_KEYS = (
    "binWidth", "binCount", "voxelArrayShift", "distances", "weightingNorm", "symmetricalGLCM", "gldm_a", *FILTER_KEYS
)  # fmt: skip
"""Keys that may be set for one image type alone: they act after the image is prepared."""
