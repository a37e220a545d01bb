"""Synthetic examinations with a known truth: computed, never acquired, and labelled so wherever they go."""

from deepradiomics.phantoms.knee import KNEE_TASKS, KneeExam, knee_exam, write_knee_cohort
from deepradiomics.phantoms.prostate import ProstateExam, prostate_exam, write_prostate_cohort

__all__ = [
    "KNEE_TASKS",
    "KneeExam",
    "ProstateExam",
    "knee_exam",
    "prostate_exam",
    "write_knee_cohort",
    "write_prostate_cohort",
]
