"""Features by group: error and R² before and after fine-tuning, and whether the errors differ over patients.

The test's unit is a patient: the mean squared error of a group's features in each test patient, before against after,
Wilcoxon signed-rank, two-sided; Holm-adjusted within a kind of group, stars from the adjusted p. (The paper tests
per-sample squared errors of each family without saying more; features of one patient are not independent samples.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.stats import holm, wilcoxon_signed_rank

if TYPE_CHECKING:
    from deepradiomics.lens.estimator.lens import RadiomicLens

Array = NDArray[np.float64]

FAMILY_WORDS = {
    "firstorder": "First order",
    "shape": "Shape",
    "glcm": "GLCM",
    "gldm": "GLDM",
    "glrlm": "GLRLM",
    "glszm": "GLSZM",
    "ngtdm": "NGTDM",
}
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))


@dataclass(frozen=True)
class GroupRow:
    """One group of features before and after fine-tuning, on the test patients.

    Args:
        kind: ``family``, ``image_type``, ``modality`` or ``all``.
        group: as the table names it: ``GLCM``, ``Wavelet``, ``t2``, ``All``.
        n_features: features of the group.
        mse_pre, mse_ft: mean squared error of the scaled targets.
        r2_pre, r2_ft: mean R² over the features.
        r2_pooled_pre, r2_pooled_ft: R² of all of them together.
        p, p_holm: Wilcoxon signed-rank over patients, raw and Holm-adjusted within the kind.
        stars: of the adjusted p: * below 0.05, ** below 0.01, *** below 0.001.
        n_patients: test patients.
    """

    kind: str
    group: str
    n_features: int
    mse_pre: float
    mse_ft: float
    r2_pre: float
    r2_ft: float
    r2_pooled_pre: float
    r2_pooled_ft: float
    p: float
    p_holm: float
    stars: str
    n_patients: int


def summarise(
    squared_error_pre: Array,
    squared_error_ft: Array,
    total_squares: Array,
    labels: Mapping[str, Sequence[str]],
    patients: Sequence[Any] | None = None,
) -> list[GroupRow]:
    """Rows of each kind of group, in the order in which groups appear among the features.

    Args:
        squared_error_pre, squared_error_ft: of the scaled targets, (n_test, K); NaN columns (dropped) are left out.
        total_squares: mean squared deviation of each target from its test mean, (K,).
        labels: kind → the group of each feature, K names.
        patients: patient of each test row; scans of one patient are averaged. None: every row is a patient.
    """
    pre, ft = np.asarray(squared_error_pre, np.float64), np.asarray(squared_error_ft, np.float64)
    total = np.asarray(total_squares, np.float64)
    if pre.ndim != 2 or pre.shape != ft.shape or total.shape != pre.shape[1:]:
        raise InputError(
            f"summarise needs squared errors (patients, features) of one shape and total squares of each feature, got "
            f"{pre.shape}, {ft.shape} and {total.shape}."
        )
    owner = np.arange(len(pre)) if patients is None else np.unique([str(p) for p in patients], return_inverse=True)[1]
    kept = np.isfinite(pre).all(0) & np.isfinite(ft).all(0)
    rows = []
    for kind, names in labels.items():
        if len(names) != pre.shape[1]:
            raise InputError(f"labels: kind {kind} has {len(names)} names for {pre.shape[1]} features.")
        of = np.array([str(name) for name in names], dtype=object)
        groups = list(dict.fromkeys(of[kept].tolist()))
        found = [_row(kind, name, pre, ft, total, kept & (of == name), owner) for name in groups]
        adjusted = holm([row["p"] for row in found])
        rows += [GroupRow(**row, p_holm=float(p), stars=stars(p)) for row, p in zip(found, adjusted, strict=True)]
    return rows


def labels_of(feature_names: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Groups of each (modality, feature): by family, by image (Original, Wavelet, …), by modality, and all."""
    return {
        "family": [family_word(feature) for _, feature in feature_names],
        "image_type": [image_word(feature) for _, feature in feature_names],
        "modality": [modality or "All" for modality, _ in feature_names],
        "all": ["All"] * len(feature_names),
    }


def group_rows(lens: RadiomicLens) -> list[GroupRow]:
    """Table 1 of a fitted lens."""
    return summarise(
        lens.squared_error_pre_,
        lens.squared_error_ft_,
        lens.total_squares_,
        labels_of(lens.feature_names_),
        lens.groups_[lens.split_ == "test"],
    )


def modality_rows(lens: RadiomicLens) -> list[dict[str, Any]]:
    """R² of each family × modality × stage; ``best`` marks the family with the highest mean R² after fine-tuning."""
    names = lens.feature_names_
    pairs = [f"{family_word(feature)}\n{modality or 'All'}" for modality, feature in names]
    families = [row for row in group_rows(lens) if row.kind == "family"]
    best = max(families, key=lambda row: row.r2_ft if np.isfinite(row.r2_ft) else -np.inf).group
    rows: list[dict[str, Any]] = []
    found = summarise(lens.squared_error_pre_, lens.squared_error_ft_, lens.total_squares_, {"": pairs})
    for row in found:
        family, modality = row.group.split("\n")
        for stage, r2, pooled in (("pre", row.r2_pre, row.r2_pooled_pre), ("ft", row.r2_ft, row.r2_pooled_ft)):
            rows.append(
                {
                    "group": family,
                    "modality": modality,
                    "stage": stage,
                    "r2": r2,
                    "r2_pooled": pooled,
                    "n_features": row.n_features,
                    "best": int(family == best),
                }
            )
    return rows


def stars(p: float) -> str:
    """* below 0.05, ** below 0.01, *** below 0.001."""
    return next((mark for limit, mark in STARS if p < limit), "")


def family_key(feature: str) -> str:
    """``wavelet-LLH_glcm_Contrast`` → ``glcm``; ``other`` for a name of another form."""
    parts = feature.split("_")
    return parts[-2] if len(parts) >= 3 else "other"


def image_key(feature: str) -> str:
    """``wavelet-LLH_glcm_Contrast`` → ``wavelet-LLH``; ``other`` for a name of another form."""
    parts = feature.split("_")
    return "_".join(parts[:-2]) if len(parts) >= 3 else "other"


def family_word(feature: str) -> str:
    """The family as tables name it."""
    key = family_key(feature)
    return FAMILY_WORDS.get(key, key.capitalize())


def image_word(feature: str) -> str:
    """The image as tables name it: ``Original``, ``Wavelet``, or another filter's name."""
    key = image_key(feature)
    return "Wavelet" if key.startswith("wavelet") else key.capitalize()


def _row(
    kind: str, group: str, pre: Array, ft: Array, total: Array, columns: NDArray[np.bool_], owner: NDArray[np.intp]
) -> dict[str, Any]:
    errors = [squared[:, columns] for squared in (pre, ft)]
    count = np.bincount(owner)
    per_patient = [np.bincount(owner, weights=error.mean(1)) / count for error in errors]
    varying = total[columns] > 0
    found: dict[str, Any] = {"kind": kind, "group": group, "n_features": int(columns.sum())}
    for stage, error in zip(("pre", "ft"), errors, strict=True):
        mse = error.mean(0)
        r2 = 1.0 - mse[varying] / total[columns][varying]
        found[f"mse_{stage}"] = float(mse.mean())
        found[f"r2_{stage}"] = float(r2.mean()) if r2.size else float("nan")
        found[f"r2_pooled_{stage}"] = float(1.0 - mse.sum() / total[columns].sum()) if r2.size else float("nan")
    return {**found, "p": wilcoxon_signed_rank(*per_patient).p, "n_patients": len(count)}
