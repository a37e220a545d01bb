"""The engine's features of synthetic prostates: what test_prostate_drivers measures, with the settings of the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deepradiomics.phantoms.prostate.cohort import draw_patients, prostate_exam
from deepradiomics.prepare import resample_mask
from deepradiomics.radiomics import Settings, extract


def measured(cases: int, seed: int) -> tuple[dict[tuple[str, str], np.ndarray], dict[str, np.ndarray]]:
    """((modality, feature key) → values, column of truth.csv → values) over a cohort of `cases` gland regions."""
    raw = Settings.from_params("lens")
    scored = replace(raw, normalize=True, normalize_scale=100)
    features, truth = [], []
    for patient, scan, grade in draw_patients(cases, seed):
        exam = prostate_exam((seed, patient), grade, scan=scan)
        row = {}
        for modality, volume in exam.views.items():
            gland = resample_mask(exam.masks["gland"], volume.geometry)
            found = extract(volume, gland, raw if modality == "adc" else scored)
            row |= {(modality, key): float(value) for key, value in found.items() if "diagnostics" not in key}
        features.append(row)
        truth.append({**exam.truth, "label_pirads": exam.grade, "value_volume_ml": exam.volume_ml})
    return _columns(features), _columns(truth)


def _columns(rows: list[dict]) -> dict:
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}
