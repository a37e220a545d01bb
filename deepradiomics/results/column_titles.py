"""What stands above a column for people, with its unit; files keep their machine names. For reports and the scene.

A unit that differs from row to row (that of a feature) stands with the value: :func:`value_with_unit`.
"""

from __future__ import annotations

from collections.abc import Mapping

from deepradiomics.errors import InputError

FINGERPRINT: Mapping[str, str] = {
    "task": "Task",
    "feature": "Feature",
    "view": "View",
    "patch": "Patch",
    "family": "Family",
    "value": "Value",
    "z": "z, SD from the training mean",
    "relevance": "Relevance q, 0 to 1",
    "selected": "In the fingerprint",
    "contribution": "Contribution to the logit",
}
"""Columns of fingerprint.csv."""
FEATURES: Mapping[str, str] = {"label": "Label", "feature": "Feature", "family": "Family", "value": "Value"}
"""Columns of features.csv and lesion_features.csv."""
SHAP: Mapping[str, str] = {
    "outcome": "Outcome",
    "group": "Group",
    "component": "Component",
    "label": "Component",
    "value": "Value",
    "shap": "Share in the probability",
}
"""Columns of shap.csv."""
RISK: Mapping[str, str] = {
    "outcome": "Name",
    "title": "Outcome",
    "probability": "Risk, 0 to 1",
    "threshold": "Threshold, 0 to 1",
    "positive": "Positive (1: yes)",
    "observed": "Observed in similar patients, 0 to 1",
    "observed_low": "its 95 % interval, from",
    "observed_high": "to",
    "similar": "Similar patients",
    "base_rate": "Share of all training patients, 0 to 1",
    "n_training": "Training patients",
    "remark": "Remark",
}
"""Columns of a patient's risks in the scene."""
PREDICTION: Mapping[str, str] = {
    "task": "Task",
    "class": "Class",
    "probability": "Probability, 0 to 1",
    "predicted": "Predicted (1: yes)",
    "decision_threshold": "Decision threshold, 0 to 1",
    "paper": "Probability, paper",
    "masked": "Probability, masked",
    "soft": "Probability, soft",
    "relevance_threshold": "Relevance threshold, 0 to 1",
    "selected": "Features in the fingerprint",
    "pool": "Features in all",
    "remark": "Remark",
}
"""Columns of a fingerprint's prediction in the scene."""
MEASURED: Mapping[str, str] = {**FEATURES, "region": "Region", "terminology": "Terminology", "unit": "Unit",
                               "IBSI": "IBSI code", "description": "What it measures"}  # fmt: skip
"""Columns of measured features in the scene, where unit and meaning have columns of their own."""
EXPANSION: Mapping[str, str] = {"measure": "Measure", "value": "Value", "unit": "Unit"}
"""Columns of an expansion in the scene."""


def value_with_unit(feature: str, value: str) -> str:
    """A feature's value as printed, with its unit where the feature has one.

    >>> value_with_unit("original_shape_MeshVolume", "1200")
    '1200 mm³'
    """
    from deepradiomics.radiomics.explain import explain

    try:
        unit = explain(feature).unit
    except InputError:  # a feature that this version does not know
        return value
    return f"{value} {unit}" if unit else value
