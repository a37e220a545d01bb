"""What the keys of a parameter file may hold: which field each fills, which values it takes, and where it may stand.

PyRadiomics' own keys come first; those after ``standard`` are ours.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Integral, Real
from sys import float_info
from typing import Any

from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.words import short_repr

_LARGEST, _LARGEST_WHOLE = float_info.max, 2**53  # beyond them arithmetic overflows or is no longer exact
SECTIONS = ("imageType", "featureClass", "setting", "voxelSetting")
PYRADIOMICS_IMAGE_TYPES = (
    "Original", "Wavelet", "LoG", "Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "LBP2D", "LBP3D",
)  # fmt: skip
IMAGE_TYPES = (*PYRADIOMICS_IMAGE_TYPES, "Mean", "Laws")

INTERPOLATORS = (
    "sitkNearestNeighbor",
    "sitkLinear",
    "sitkBSpline",
    "sitkGaussian",
    "sitkLabelGaussian",
    "sitkHammingWindowedSinc",
    "sitkCosineWindowedSinc",
    "sitkWelchWindowedSinc",
    "sitkLanczosWindowedSinc",
    "sitkBlackmanWindowedSinc",
)
OLD_BSPLINE = 3
AGGREGATIONS = (
    "2D_averaged",
    "2D_slice_merged",
    "2.5D_direction_merged",
    "2.5D_merged",
    "3D_averaged",
    "3D_merged",
)


def wavelets() -> tuple[str, ...]:
    """Return the discrete wavelets of PyWavelets; its continuous ones have no stationary transform.

    Raises:
        MissingDependencyError: PyWavelets is not installed (3D Slicer does not bundle it).
    """
    try:
        import pywt
    except ImportError as error:
        raise MissingDependencyError(
            "setting wavelet: its name is checked by the Python package PyWavelets, which is not installed; install it "
            '(pip install "PyWavelets>=1.7"; in Slicer: Install packages) or leave the setting out (coif1).'
        ) from error
    return tuple(pywt.wavelist(kind="discrete"))


def _is_finite(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and bool(abs(value) <= _LARGEST)  # type: ignore[operator]


@dataclass(frozen=True)
class Rule:
    """What a key accepts.

    Args:
        kind: ``bool``, ``int``, ``float`` or ``str``.
        above: values must be greater than this.
        least, most: values must lie between these, both included.
        choices: the texts allowed, or a function that lists them.
        pattern: a regular expression that a text must match in full, with an example to show.
        lengths: the value is a list of one of these lengths (empty: a single value).
        optional: None is allowed.
        or_nan: NaN is allowed.
        distinct: of equal values in a list the first is kept.
    """

    kind: type
    above: float | None = None
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] | Callable[[], tuple[str, ...]] = ()
    pattern: tuple[str, str] | None = None
    lengths: tuple[int, ...] = ()
    optional: bool = False
    or_nan: bool = False
    distinct: bool = False

    def checked(self, key: str, value: Any) -> Any:
        """Return the value as a plain Python number or text (lists as tuples), or raise InputError.

        A number written as text counts where a decimal is meant: YAML 1.1 reads 1e-6 and nan as texts, PyRadiomics'
        schema as numbers. So does 32.0 where a whole number is meant.
        """
        if not self.lengths:
            value = self._number(value)
        if (value is None and self.optional) or (self.or_nan and isinstance(value, Real) and value != value):
            return value
        if not self.lengths:
            return self._one(key, value)
        if isinstance(value, str) or not hasattr(value, "__len__") or len(value) not in self.lengths:
            raise InputError(
                f"setting {key}: expected {self._expected()}, got {short_repr(value)}.{self._as_list(value)}"
            )
        values = tuple(self._one(key, self._number(v)) for v in value)
        return tuple({str(v): v for v in values}.values()) if self.distinct else values

    def _number(self, value: Any) -> Any:
        """What a text says where a decimal is meant, and a whole number written as one; else the value."""
        if self.kind is float and isinstance(value, str):
            try:
                return float(value)
            except ValueError:
                return value
        if self.kind is int and isinstance(value, float) and value.is_integer():
            return int(value)
        return value

    def _as_list(self, value: Any) -> str:
        """An example for who gave one value in place of a list."""
        if not isinstance(value, Real) or isinstance(value, bool) or self.kind is str:
            return ""
        return f" Write {short_repr([value] * (self.lengths[-1] if self.lengths[-1] <= 3 else 1))}."

    def _one(self, key: str, value: Any) -> Any:
        accepted = {
            bool: lambda v: isinstance(v, bool),
            int: lambda v: isinstance(v, Integral) and not isinstance(v, bool) and abs(int(v)) <= _LARGEST_WHOLE,
            float: _is_finite,
            str: self._is_known,
        }[self.kind](value)
        if self.kind is str and isinstance(value, int) and key == "interpolator":
            accepted = 1 <= value <= 10
            if value == OLD_BSPLINE:
                raise InputError(
                    "setting interpolator: 3 names no interpolator in the SimpleITK of today (once it was "
                    "sitkBSpline). Give the name, such as sitkBSpline."
                )
        if accepted and self.kind in (int, float):
            accepted = (
                (self.above is None or value > self.above)
                and (self.least is None or value >= self.least)
                and (self.most is None or value <= self.most)
            )
        if not accepted:
            raise InputError(f"setting {key}: expected {self._expected()}, got {short_repr(value)}.{self._near(value)}")
        # a whole number stays one: PyRadiomics writes sigma 1 as "1" and sigma 1.0 as "1-0" into the names
        return value.item() if hasattr(value, "item") else value

    def _is_known(self, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        return re.fullmatch(self.pattern[0], value) is not None if self.pattern else value in self._choices()

    def _choices(self) -> tuple[str, ...]:
        return self.choices() if callable(self.choices) else self.choices

    def _near(self, value: Any) -> str:
        known = {choice.lower(): choice for choice in self._choices()}
        near = [known[match] for match in get_close_matches(short_repr(value).strip("'").lower(), known, 3, 0.5)]
        return f" Did you mean {', '.join(near)}?" if near else ""

    def _expected(self) -> str:
        expected = {bool: "true or false", int: "a whole number", float: "a number", str: ""}[self.kind]
        if self.pattern:
            expected = f"a text like {self.pattern[1]}"
        elif callable(self.choices):
            expected = f"one of PyWavelets' discrete wavelets (such as {', '.join(self.choices()[::12])})"
        elif self.choices:
            expected = "one of " + ", ".join(self.choices)
        if self.above is not None:
            expected += f" above {self.above:g}"
        if self.least is not None:
            expected += f" of at least {self.least:g}"
        if self.most is not None:
            expected += f" and at most {self.most:g}"
        if self.lengths:
            first, last = self.lengths[0], self.lengths[-1]
            span = str(last) if first == last else f"up to {last}" if first == 0 else f"{first} to {last}"
            expected = f"a list of {span} values, each {expected}"
        return expected + (" (or nothing)" if self.optional else "")


_KEYS: dict[str, tuple[str, Rule]] = {
    "binWidth": ("bin_width", Rule(float, above=0)),
    "binCount": ("bin_count", Rule(int, above=0, optional=True)),
    "normalize": ("normalize", Rule(bool)),
    "normalizeScale": ("normalize_scale", Rule(float, above=0)),
    "removeOutliers": ("remove_outliers", Rule(float, above=0, optional=True)),
    "resampledPixelSpacing": ("resampled_spacing_mm", Rule(float, least=0, lengths=(2, 3), optional=True)),
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
    "force2D": ("force_2d", Rule(bool)),
    "force2Ddimension": ("force_2d_dimension", Rule(int, least=0, most=2)),
    "sigma": ("sigma_mm", Rule(float, above=0, lengths=tuple(range(65)), distinct=True)),
    "wavelet": ("wavelet", Rule(str, choices=wavelets)),
    "start_level": ("start_level", Rule(int, least=0)),
    "level": ("level", Rule(int, above=0)),
    "gradientUseSpacing": ("gradient_use_spacing", Rule(bool)),
    "lbp2DRadius": ("lbp2d_radius", Rule(float, above=0)),
    "lbp2DSamples": ("lbp2d_samples", Rule(int, least=1)),
    "lbp2DMethod": ("lbp2d_method", Rule(str, choices=("default", "ror", "uniform", "var"))),
    "lbp3DLevels": ("lbp3d_levels", Rule(int, least=1)),
    "lbp3DIcosphereRadius": ("lbp3d_icosphere_radius", Rule(float, above=0)),
    "lbp3DIcosphereSubdivision": ("lbp3d_icosphere_subdivision", Rule(int, least=0)),
    # ours
    "standard": ("standard", Rule(str, choices=("pyradiomics", "ibsi"))),
    "aggregation": ("aggregation", Rule(str, choices=AGGREGATIONS, lengths=tuple(range(1, 7)))),
    "roundIntensities": ("round_intensities", Rule(bool)),
    "numericDiagnostics": ("numeric_diagnostics", Rule(bool)),
    "meanSupport": ("mean_support", Rule(int, least=1)),
    "lawsKernel": ("laws_kernel", Rule(str, pattern=(r"(?:[LESWR]5|[LES]3){2,3}", "L5E5E5"))),
    "lawsRotationInvariance": ("laws_rotation_invariance", Rule(bool)),
    "lawsPooling": ("laws_pooling", Rule(str, choices=("max", "average", "min"))),
    "lawsEnergyDelta": ("laws_energy_delta", Rule(int, above=0, optional=True)),
    "filterBoundary": ("filter_boundary", Rule(str, choices=("mirror", "zero", "nearest", "periodic"))),
    "filterDimension": ("filter_dimension", Rule(int, least=2, most=3)),
    "logTruncate": ("log_truncate", Rule(float, above=0)),
}
_VOXEL_KEYS: dict[str, tuple[str, Rule]] = {
    "kernelRadius": ("kernel_radius", Rule(int, above=0)),
    "maskedKernel": ("masked_kernel", Rule(bool)),
    "initValue": ("init_value", Rule(float, or_nan=True)),  # NaN: viewers draw the outside as transparent
    "voxelBatch": ("voxel_batch", Rule(int, above=0)),
}
FIELD_OF_KEY = {key: field for key, (field, _) in _KEYS.items()}
FIELD_OF_VOXEL_KEY = {key: field for key, (field, _) in _VOXEL_KEYS.items()}
RULES = {key: rule for key, (_, rule) in {**_KEYS, **_VOXEL_KEYS}.items()}

FILTER_KEYS = (
    "sigma", "start_level", "level", "wavelet", "gradientUseSpacing", "lbp2DRadius", "lbp2DSamples", "lbp2DMethod",
    "lbp3DLevels", "lbp3DIcosphereRadius", "lbp3DIcosphereSubdivision", "meanSupport", "lawsKernel",
    "lawsRotationInvariance", "lawsPooling", "lawsEnergyDelta", "filterBoundary", "filterDimension", "logTruncate",
)  # fmt: skip
"""Keys that only a filter reads."""

IBSI_KEYS = ("aggregation", "roundIntensities")
"""Keys that only ``standard: ibsi`` reads."""

READERS = {
    "meanSupport": ("Mean",),
    "lawsKernel": ("Laws",),
    "lawsRotationInvariance": ("Laws",),
    "lawsPooling": ("Laws",),
    "lawsEnergyDelta": ("Laws",),
    "filterBoundary": ("Mean", "Laws"),
    "filterDimension": ("Mean", "Laws"),
    "logTruncate": (),
}
"""Our filters' keys, and the image types that read them by either standard."""

IBSI_READERS = {"filterBoundary": ("LoG", "Wavelet"), "filterDimension": ("LoG", "Wavelet"), "logTruncate": ("LoG",)}
"""The image types that read them as well by ``standard: ibsi``."""

IMAGE_TYPE_KEYS = (
    "binWidth", "binCount", "voxelArrayShift", "distances", "weightingNorm", "symmetricalGLCM", "gldm_a", "force2D",
    "force2Ddimension", *FILTER_KEYS,
)  # fmt: skip
"""Keys that may be set for one image type alone: they act after the image is prepared."""
