"""The IBSI configurations as parameter dictionaries, the published reference values, and the rule that compares them.

Reference values and tolerances: Zwanenburg et al., Radiology 295 (2020) 328 with the manual arXiv 1612.07003 (IBSI-1);
Whybra et al., Radiology 310 (2024) e231319 (IBSI-2, phase 2). They are read from the folder of test data.
"""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from deepradiomics.radiomics import Features, extract
from deepradiomics.radiomics.catalogue.ibsi import FAMILIES, tag_of
from deepradiomics.radiomics.ibsi import AGGREGATIONS

SLICES = [name for name in AGGREGATIONS if not name.startswith("3D")]
SPACE = [name for name in AGGREGATIONS if name.startswith("3D")]
ALL_FAMILIES: dict[str, Any] = dict.fromkeys(FAMILIES)

LATER = ("dzm_", "ih_", "ivh_", "loc_", "morph_moran", "morph_geary", "morph_vol_dens_aabb", "morph_area_dens_aabb",
         "morph_vol_dens_ombb", "morph_area_dens_ombb", "morph_vol_dens_aee", "morph_area_dens_aee",
         "morph_vol_dens_mvee", "morph_area_dens_mvee")  # fmt: skip
"""Beginnings of the tags of what this version does not compute; ``ih_entropy`` and ``ih_uniformity`` it does."""


@dataclass(frozen=True)
class Configuration:
    """One IBSI configuration.

    Args:
        folder: of its image and mask, within the test data.
        setting: of the parameter dictionary.
        image_type: of the parameter dictionary.
        ibsi2: its values stand in the tables of IBSI-2.
    """

    folder: str
    setting: dict[str, Any]
    image_type: dict[str, Any]
    ibsi2: bool = False

    @property
    def params(self) -> dict[str, Any]:
        """The parameter dictionary."""
        features = {"firstorder": None} if self.ibsi2 else ALL_FAMILIES
        return {
            "imageType": self.image_type,
            "featureClass": features,
            "setting": {"standard": "ibsi", **self.setting},
        }


_CT = "ibsi_ct_phantom_NC"
_LINEAR = {"resampledPixelSpacing": [2, 2, 2], "interpolator": "sitkLinear", "roundIntensities": True}
_A2 = {"roundIntensities": True, "resegmentRange": [-1000, 400], "filterBoundary": "mirror", "filterDimension": 2}
_B2 = {**_A2, "resampledPixelSpacing": [1, 1, 1], "interpolator": "sitkBSpline", "filterDimension": 3}
CONFIGURATIONS = {
    "digital_phantom": Configuration(
        "ibsi1_digital_phantom", {"binWidth": 1, "aggregation": list(AGGREGATIONS)}, {"Original": {}}
    ),
    "A": Configuration(
        _CT,
        {"roundIntensities": True, "resegmentRange": [-500, 400], "binWidth": 25, "aggregation": SLICES},
        {"Original": {}},
    ),
    "B": Configuration(
        _CT,
        {
            **_LINEAR,
            "resampledPixelSpacing": [2, 2, 0],
            "resegmentRange": [-500, 400],
            "binCount": 32,
            "aggregation": SLICES,
        },
        {"Original": {}},
    ),
    "C": Configuration(
        _CT,
        {**_LINEAR, "resegmentRange": [-1000, 400], "binWidth": 25, "aggregation": SPACE},
        {"Original": {}},
    ),
    "D": Configuration(_CT, {**_LINEAR, "removeOutliers": 3, "binCount": 32, "aggregation": SPACE}, {"Original": {}}),
    "E": Configuration(
        _CT,
        {
            **_LINEAR,
            "interpolator": "sitkBSpline",
            "resegmentRange": [-1000, 400],
            "removeOutliers": 3,
            "binCount": 32,
            "aggregation": SPACE,
        },
        {"Original": {}},
    ),
    "1.A": Configuration(_CT, _A2, {"Original": {}}, True),
    "1.B": Configuration(_CT, _B2, {"Original": {}}, True),
    "2.A": Configuration(_CT, _A2, {"Mean": {"meanSupport": 5}}, True),
    "2.B": Configuration(_CT, _B2, {"Mean": {"meanSupport": 5}}, True),
    "3.A": Configuration(_CT, _A2, {"LoG": {"sigma": [1.5], "logTruncate": 4}}, True),
    "3.B": Configuration(_CT, _B2, {"LoG": {"sigma": [1.5], "logTruncate": 4}}, True),
}


@dataclass(frozen=True)
class Reference:
    """One published value.

    Args:
        configuration, aggregation, family, code, tag, name, consensus: as the tables have them.
        value, tolerance: None where IBSI gives none.
    """

    configuration: str
    aggregation: str
    family: str
    code: str
    tag: str
    name: str
    value: float | None
    tolerance: float | None
    consensus: str

    @property
    def is_later(self) -> bool:
        """Whether this version leaves the feature out, by name."""
        return self.tag.startswith(LATER) and self.tag not in ("ih_entropy", "ih_uniformity")

    def is_met(self, value: float) -> bool:
        """Round to three digits (not where the reference itself has more); the distance may be the tolerance."""
        assert self.value is not None
        assert self.tolerance is not None
        rounded = three_digits(value) if self.value == three_digits(self.value) else value
        return abs(rounded - self.value) <= self.tolerance + 1e-9 * abs(self.value)


def three_digits(value: float) -> float:
    """Round to three significant digits.

    >>> three_digits(0.0123456), three_digits(-98765.0)
    (0.0123, -98800.0)
    """
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, 2 - math.floor(math.log10(abs(value))))


@cache
def references(data_dir: Path) -> tuple[Reference, ...]:
    """Return the published values of every configuration here, in the order of the tables."""
    found = []
    for file in ("ibsi1_reference_values.csv", "ibsi2_reference_values.csv"):
        for row in _rows(data_dir / "ibsi_reference_values" / file):
            if row["configuration"] in CONFIGURATIONS:
                number = (float(row["reference_value"]) if row["reference_value"] else None,
                          float(row["tolerance"]) if row["tolerance"] else None)  # fmt: skip
                words = (row[key] for key in ("configuration", "aggregation", "family", "ibsi_id_if_known", "ibsi_tag"))
                found.append(Reference(*words, row["feature_name"], *number, row["consensus"]))
    return tuple(found)


def matrix_rows(data_dir: Path) -> list[dict[str, str]]:
    """Return the digital phantom's texture matrices, one entry per row."""
    return list(_rows(data_dir / "ibsi_reference_values" / "ibsi1_digital_phantom_texture_matrices.csv"))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


@cache
def computed(name: str, data_dir: Path) -> dict[str, float]:
    """Return our values of a configuration by IBSI's tag, diagnostic features among them."""
    configuration = CONFIGURATIONS[name]
    folder = data_dir / configuration.folder
    features = extract(folder / "phantom.nii.gz", folder / "mask.nii.gz", configuration.params)
    values = {tag_of(key): value for key, value in features.items()}
    assert len(values) == len(features), "one image type a configuration: a tag names one value"
    return values | ({} if configuration.ibsi2 else diagnostics(features))


def diagnostics(features: Features) -> dict[str, float]:
    """Return IBSI's diagnostic features by tag, from the stages of the processing."""
    stages, found = features.diagnostics["ibsi"], {}
    for ending, image in (("init", stages["initial"]), ("interp", stages["interpolated"])):
        for axis, size, spacing in zip("xyz", image["size"], image["spacing_mm"], strict=True):
            found |= {f"img_dim_{axis}_{ending}_img": size, f"vox_dim_{axis}_{ending}_img": spacing}
        for short, word in (("mean", "mean"), ("min", "minimum"), ("max", "maximum")):
            found[f"{short}_int_{ending}_img"] = image[f"image_{word}"]
    for ending, drawn, used in (
        ("init", "initial", "initial"),
        ("interp", "interpolated", "interpolated"),
        ("reseg", "interpolated", "resegmented"),
    ):
        for k, axis in enumerate("xyz"):
            found[f"int_mask_dim_{axis}_{ending}_roi"] = stages[used]["size"][k]
            found[f"int_mask_bb_dim_{axis}_{ending}_roi"] = stages[used]["roi_box"][k]
            found[f"morph_mask_bb_dim_{axis}_{ending}_roi"] = stages[drawn]["roi_box"][k]
        found[f"int_mask_vox_count_{ending}_roi"] = stages[used]["roi_voxels"]
        found[f"morph_mask_vox_count_{ending}_roi"] = stages[drawn]["roi_voxels"]
        for short, word in (("mean", "mean"), ("min", "minimum"), ("max", "maximum")):
            found[f"int_mask_{short}_int_{ending}_roi"] = stages[used][f"roi_{word}"]
    return found
