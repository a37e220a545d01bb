"""The shift table: a row for each modality × feature, largest ΔI first, and the rows that figures pick from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.lens.estimator.groups import family_key, image_key
from deepradiomics.lens.readings import EXPLAINED, IMPORTANCE, Reading

if TYPE_CHECKING:
    from deepradiomics.lens.estimator.lens import RadiomicLens

PICKED = 5
_SAME = 0.999999  # correlation from which two features are one

Twins = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]

_COLUMNS = {
    "i_pre": "importance_pre_",
    "i_ft": "importance_ft_",
    "delta_i": "delta_importance_",
    "delta_i_low": "delta_low_",
    "delta_i_high": "delta_high_",
    "p_null": "p_null_",
    "q_null": "q_null_",
    "p_family": "p_family_",
}
_OWN_NAME = (  # the attribute is the column's name and an underscore
    "r2_pre", "r2_ft", "mse_pre", "mse_ft", "noise_pre", "noise_ft", "explained_pre", "explained_ft",
    "delta_explained", "delta_explained_low", "delta_explained_high", "p_explained", "q_explained",
    "p_family_explained",
)  # fmt: skip
_VARIANTS = ("standardised", "fit_ft", "fit_both")


def shift_rows(lens: RadiomicLens) -> list[dict[str, Any]]:
    """Rows of the features in use, ordered and ranked by ΔI (rank 1 = largest); NaN where a number was not computed."""
    nothing = np.full(len(lens.kept_), np.nan)
    columns = {}
    for name, attribute in {**_COLUMNS, **{name: f"{name}_" for name in _OWN_NAME}}.items():
        values = getattr(lens, attribute)
        columns[name] = nothing if values is None else values
    columns |= {f"delta_i_{name}": lens.variants_.get(name, nothing) for name in _VARIANTS}
    order = np.argsort(-lens.delta_importance_, kind="stable")  # NaN, the dropped, come last
    explained_order = np.argsort(-lens.delta_explained_, kind="stable")
    rank_explained = np.empty(len(order), int)
    rank_explained[explained_order] = np.arange(1, len(order) + 1)
    rows = []
    for rank, k in enumerate((int(k) for k in order if lens.kept_[k]), start=1):
        modality, feature = lens.feature_names_[k]
        row: dict[str, Any] = {
            "modality": modality,
            "feature": feature,
            "family": family_key(feature),
            "image_type": image_key(feature),
        }
        row |= {name: float(values[k]) for name, values in columns.items()}
        rows.append({**row, "rank": rank, "rank_explained": int(rank_explained[k])})
    return rows


def picked(rows: Sequence[Mapping[str, Any]], count: int = PICKED, twins: Twins | None = None) -> dict[str, Any]:
    """[modality, feature] of the rows with the largest ΔI, the smallest (lowest first), and the most stable.

    Stable: smallest |ΔI| among features whose importance lies above the median both before and after. Under the key
    ``explained`` the same by ΔE. Of ``twins`` only the first is taken.
    """
    return {**_picked(rows, count, IMPORTANCE, twins), EXPLAINED.name: _picked(rows, count, EXPLAINED, twins)}


def twins_of(lens: RadiomicLens, targets: NDArray[np.float64]) -> Twins:
    """Whether two features are the same number but for its scale, over the training cases, as Energy and TotalEnergy.

    Args:
        lens: fitted on them.
        targets: radiomics (n, K).
    """
    place = {key: k for k, key in enumerate(lens.feature_names_)}
    rows = targets[lens.split_ == "train"]

    def twins(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
        x, y = (rows[:, place[one["modality"], one["feature"]]] for one in (a, b))
        x, y = x - x.mean(), y - y.mean()
        return bool(abs(x @ y) > _SAME * np.linalg.norm(x) * np.linalg.norm(y))

    return twins


def _picked(
    rows: Sequence[Mapping[str, Any]], count: int, by: Reading, twins: Twins | None
) -> dict[str, list[list[str]]]:
    ordered = sorted(rows, key=lambda row: -row[by.delta])
    median_pre, median_ft = (
        float(np.median([row[name] for row in rows])) if rows else 0.0 for name in (by.before, by.after)
    )
    high = [row for row in rows if row[by.before] > median_pre and row[by.after] > median_ft]
    stable = sorted(high, key=lambda row: abs(row[by.delta]))
    chosen = {"top": ordered, "bottom": ordered[::-1], "stable": stable}
    return {
        name: [[row["modality"], row["feature"]] for row in _first(some, count, twins)] for name, some in chosen.items()
    }


def _first(rows: Sequence[Mapping[str, Any]], count: int, twins: Twins | None) -> list[Mapping[str, Any]]:
    """The first rows of which none is the twin of an earlier one."""
    found: list[Mapping[str, Any]] = []
    for row in rows:
        if len(found) == count:
            break
        if twins is None or not any(twins(row, other) for other in found):
            found.append(row)
    return found
