"""How long a fit will take, roughly; shown above Apply.

Seconds on one ordinary processor core; images are not looked at, so a factor of three either way is normal.
"""

from slicer.i18n import tr as _

from .choices import Device, Preset
from .cohorts import Cohort
from .encoders import chosen_encoders, is_table
from .readiness import chosen_modalities

START_S = 15.0  # Python, torch, the encoders
FEATURES_S = {Preset.PAPER: 1.0, Preset.TINY: 0.2}  # per case and modality: resampled to 0.5 mm, or as it is
ENCODE_S = 3.0  # per case and encoder
FIT_S = 20.0
PERMUTATION_S = 0.05
GPU_SPEEDUP = 10.0


def seconds(parameters, cohort: Cohort) -> float:
    """Of a whole fit."""
    gpu = parameters.device in (Device.CUDA, Device.MPS)
    features = cohort.cases * len(chosen_modalities(parameters, cohort)) * FEATURES_S[parameters.preset]
    encoded = sum(not is_table(source) for source in chosen_encoders(parameters))
    learning = encoded * cohort.cases * ENCODE_S + FIT_S * (24 if parameters.sweep else 1)
    learning += parameters.permutations * PERMUTATION_S
    return START_S + features + (learning / GPU_SPEEDUP if gpu else learning)


def text(run_seconds: float) -> str:
    """Seconds as a short sentence, rounded as roughly as they are known."""
    if run_seconds < 100:
        time = _("{seconds} s").format(seconds=max(10, round(run_seconds / 10) * 10))
    elif run_seconds < 5400:
        time = _("{minutes} min").format(minutes=round(run_seconds / 60))
    else:
        time = _("{hours:.1f} h").format(hours=run_seconds / 3600)
    return _("Takes very roughly {time}; a stopped run resumes where it was.").format(time=time)
