"""Synthetic examinations with a known truth: computed, never acquired, and labelled so wherever they go."""

from deepradiomics.phantoms.ich.cohort import IchExam, ich_exam, write_ich_cohort
from deepradiomics.phantoms.knee.cohort import KNEE_TASKS, KneeExam, knee_exam, write_knee_cohort
from deepradiomics.phantoms.prostate.cohort import ProstateExam, prostate_exam, write_prostate_cohort

__all__ = [
    "KNEE_TASKS",
    "IchExam",
    "KneeExam",
    "ProstateExam",
    "ich_exam",
    "knee_exam",
    "prostate_exam",
    "write_ich_cohort",
    "write_knee_cohort",
    "write_prostate_cohort",
]
