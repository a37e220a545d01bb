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
