"""What the synthetic prostates were made to show: which radiomic attribute drives each label, and each case's drivers.

`truth.csv` has a line per case with the strengths that were planted; `truth_drivers.csv` has a line per claim: this
label follows this radiomic attribute in this modality and region, in this direction (0: it must not), through this
column of `truth.csv`. Feature keys are the engine's; settings: z-scored × 100 for t2 and highb, raw for adc, bin
width 25.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from deepradiomics.files.tables import write_csv


@dataclass(frozen=True)
class Driver:
    """One claim of the truth; ``direction`` is the sign of the rank correlation with the label, 0 for nuisance."""

    label: str
    modality: str
    roi: str
    feature: str
    direction: int
    column: str
    how: str


_FIELD = "the peripheral zone's ADC falls by up to 22 % with strength_field, and the focus's by 50 % with strength_adc"
_FOCUS = "the focus is up to 2.7 times as bright as its zone with strength_highb"
_GRAIN = "the gland's grain of about 1 mm rises from 7 % to 20 % of its grey level with strength_grain"
_NOISE = "the scanner's noise, drawn without looking at grade or volume: it must not follow the label"
_SIZE = "the gland's own size, drawn without looking at the grade"
DRIVERS: tuple[Driver, ...] = (
    Driver("label_pirads", "adc", "gland", "original_firstorder_10Percentile", -1, "strength_field", _FIELD),
    Driver("label_pirads", "adc", "gland", "original_firstorder_Mean", -1, "strength_field", _FIELD),
    Driver("label_pirads", "t2", "gland", "original_glcm_Contrast", 1, "strength_grain", _GRAIN),
    Driver("label_pirads", "t2", "gland", "original_glcm_Idm", -1, "strength_grain", _GRAIN),
    Driver("label_pirads", "highb", "gland", "original_firstorder_Maximum", 1, "strength_highb", _FOCUS),
    Driver("label_pirads", "highb", "gland", "original_firstorder_Skewness", 1, "strength_highb", _FOCUS),
    Driver("label_pirads", "t2", "gland", "wavelet-HHH_firstorder_InterquartileRange", 0, "noise_t2", _NOISE),
    Driver("label_pirads", "highb", "gland", "wavelet-HHH_firstorder_InterquartileRange", 0, "noise_highb", _NOISE),
    Driver("value_volume_ml", "t2", "gland", "wavelet-HHH_firstorder_InterquartileRange", 0, "noise_t2", _NOISE),
    Driver("value_volume_ml", "adc", "gland", "original_firstorder_TotalEnergy", 1, "volume_ml", _SIZE),
    Driver("value_volume_ml", "t2", "gland", "original_glrlm_RunLengthNonUniformity", 1, "volume_ml", _SIZE),
    Driver("value_volume_ml", "t2", "gland", "original_gldm_DependenceNonUniformity", 1, "volume_ml", _SIZE),
)
NUISANCE = ("gain_t2", "gain_highb", "noise_t2", "noise_highb", "noise_adc", "coarse")


def write_drivers(path: str | Path) -> None:
    """Write the claims."""
    write_csv(path, [field.name for field in fields(Driver)], [astuple(driver) for driver in DRIVERS])


def write_truth(rows: Sequence[Mapping[str, object]], path: str | Path) -> None:
    """Write the planted numbers, a line per case."""
    write_csv(path, list(rows[0]), rows)
