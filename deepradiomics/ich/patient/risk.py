"""Risks of one patient and where they come from among the columns: probability, calibration, shares by Shapley."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from deepradiomics.errors import BundleError, InputError
from deepradiomics.ich.features.patient import CaseFeatures
from deepradiomics.ich.patient.result import ShapRow
from deepradiomics.ich.predictor import OutcomeModel, Predictor
from deepradiomics.modelling.components.columns import Column
from deepradiomics.modelling.components.nmf_components import FACTORED
from deepradiomics.modelling.shapley import component_shap, group_shap

_UNLIKE = 0.1  # share of features beyond the training range above which it is told
_SEX = {"m": 1.0, "male": 1.0, "f": 0.0, "female": 0.0}  # as in the experiment
_FAMILY_TITLES = {
    "radiomics": "radiomic features",
    "encoder": "latents of the segmentation encoder",
    "autoencoder": "latents of the VAE-GAN",
}


def patient_row(
    predictor: Predictor, features: CaseFeatures, clinical: Mapping[str, Any]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the classifiers' columns of a patient (1, p), and what is to be said about them.

    Args:
        predictor: the outcome models.
        features: as measured.
        clinical: covariates by name; missing ones take the training median.

    Raises:
        BundleError: this version measures other features than the bundle was fitted with.
        InputError: an unknown covariate, or one that is no number.
    """
    notes: list[str] = []
    raw: dict[str, np.ndarray] = {}
    covariates = covariate_values(predictor, clinical, notes)
    for group, block in predictor.blocks.items():
        if group == "clinical":
            raw[group] = covariates[None]
            continue
        _check_names(predictor, group, features)
        values = features.values(group)
        raw[group] = values[None]
        if group not in FACTORED:
            continue
        features_kept = values[block.kept]
        known = np.isfinite(features_kept)
        beyond = (
            float(((features_kept < block.low) | (features_kept > block.high))[known].mean()) if known.any() else 0.0
        )
        if beyond > _UNLIKE:
            notes.append(
                f"{beyond:.0%} of the {_FAMILY_TITLES[group]} lie beyond the range of the training cohort and were "
                "clipped to it: this CT is unlike those that the model knows."
            )
        if not known.all():
            notes.append(
                f"Undefined for this haematoma, with the training cohort's median in their place: "
                f"{int((~known).sum())} of {known.size} {_FAMILY_TITLES[group]}."
            )
    return predictor.table(raw), tuple(notes)


def outside_share(predictor: Predictor, features: CaseFeatures) -> float | None:
    """Share of the radiomic features that enter the model and lie far from their training mean.

    None where no radiomic feature enters (an input of latents alone), or where the bundle was made before mean and SD
    were kept.
    """
    group = next((name for name in ("radiomics", "shape") if name in predictor.blocks), None)
    return None if group is None else predictor.blocks[group].beyond(features.values(group))


def covariate_values(predictor: Predictor, clinical: Mapping[str, Any], notes: list[str]) -> np.ndarray:
    """Return the covariates in the bundle's order, NaN where missing; sex is 1 for M and 0 for F.

    Raises:
        InputError: an unknown covariate, or one that is no number.
    """
    names = predictor.covariates
    strange = sorted(set(clinical) - set(names))
    if strange:
        takes = f"takes {', '.join(names)}" if names else "takes none: it was fitted on images alone"
        raise InputError(f"clinical covariate {strange[0]!r}: this bundle {takes}.")
    values = np.full(len(names), np.nan)
    for place, name in enumerate(names):
        given = clinical.get(name)
        if given is None or str(given).strip() == "":
            continue
        try:
            values[place] = _SEX[str(given).casefold()] if str(given).casefold() in _SEX else float(given)
        except (TypeError, ValueError) as error:
            wanted = "M or F" if name == "sex" else "a number"
            raise InputError(f"clinical covariate {name}: expected {wanted}, got {given!r}.") from error
        if not np.isfinite(values[place]):
            raise InputError(f"clinical covariate {name}: expected a finite number, got {given!r}.")
    missing = [name for name, value in zip(names, values, strict=True) if np.isnan(value)]
    if missing:
        notes.append(
            f"Clinical covariates not given: {', '.join(missing)}. The training cohort's median stands in for them."
        )
    return values


def outcome_record(
    outcome: OutcomeModel, row: np.ndarray, columns: tuple[Column, ...], seed: int = 0
) -> tuple[dict[str, Any], tuple[ShapRow, ...]]:
    """Return an outcome's entry of ich.json and its rows of shap.csv.

    Args:
        outcome: the model.
        row: (1, p) the patient's columns.
        columns: their names.
        seed: of the random orders in which sampled explanations walk.
    """
    probability = float(outcome.model.probability(row)[0])
    explanation = component_shap(outcome.model, row, outcome.background, seed=seed)
    shares = explanation.values[0]
    groups = {group: float(values[0]) for group, values in group_shap(explanation.values, columns).items()}
    order = np.argsort(-np.abs(shares), kind="stable")
    rows = tuple(
        ShapRow(outcome.name, columns[j].group, columns[j].name, columns[j].label, float(row[0, j]), float(shares[j]))
        for j in order
    )
    record = {
        "title": outcome.title,
        "probability": probability,
        "threshold": outcome.threshold,
        "positive": probability >= outcome.threshold,
        "base_rate": outcome.base_rate,
        "n_training": outcome.n_training,
        "base_value": explanation.base,
        "shap_method": explanation.method,
        "groups": groups,
        "calibration": {
            "bins": [asdict(point) for point in outcome.calibration],
            "bin": outcome.bin_of(probability),
        },
    }
    return record, rows


def _check_names(predictor: Predictor, group: str, features: CaseFeatures) -> None:
    """The features measured are those of the fit, in their order."""
    expected, got = predictor.blocks[group].names, features.names(group)
    if got is not None and expected is not None and tuple(expected) != tuple(got):
        gone = sorted(set(expected) - set(got))[:3]
        new = sorted(set(got) - set(expected))[:3]
        raise BundleError(
            f"{predictor.path or 'bundle'}: this version measures {len(got)} {group} features, the bundle was fitted "
            f"with {len(expected)} (missing {gone or 'none'}, unexpected {new or 'none'}). Use the version that made "
            "the bundle, or run the experiment again."
        )
    width = features.values(group).size
    if width != predictor.blocks[group].n_features:
        raise BundleError(
            f"{predictor.path or 'bundle'}: the network gives {width} latents of the group {group!r}, the components "
            f"were fitted with {predictor.blocks[group].n_features}. The network is not the one of the fit."
        )
