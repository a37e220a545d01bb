"""The tables of a lens, as rows: shift, table 1, R² by modality, what was left out, the cases, and the picked features.

Columns are those of :mod:`deepradiomics.lens.result`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.files import atomic_file
from deepradiomics.lens.config import LensConfig

if TYPE_CHECKING:
    from deepradiomics.lens.estimator import RadiomicLens

Key = tuple[str, str]
PICKED = 5
BEYOND_NOISE = 0.05  # q of the permutation null
FAMILY_NAMES = {
    "firstorder": "First order", "glcm": "GLCM", "gldm": "GLDM", "glrlm": "GLRLM", "glszm": "GLSZM", "ngtdm": "NGTDM",
    "shape": "Shape", "shape2D": "Shape 2D",
}  # fmt: skip
_FILTER_NAMES = {"log": "LoG", "lbp": "LBP"}
_TEXT = ("modality", "feature", "family", "image_type")


def parts_of(feature: str) -> tuple[str, str]:
    """Image prefix and family of a key.

    >>> parts_of("wavelet-LLH_glcm_Contrast")
    ('wavelet-LLH', 'glcm')
    """
    image, _, rest = feature.partition("_")
    return image, rest.partition("_")[0]


def filter_of(image: str) -> str:
    """What an image prefix is called in a table: its filter without scale or direction.

    >>> filter_of("original"), filter_of("wavelet-LLH"), filter_of("log-sigma-1-0-mm-3D")
    ('Original', 'Wavelet', 'LoG')
    """
    name = image.partition("-")[0]
    return _FILTER_NAMES.get(name, name[:1].upper() + name[1:])


def shift_rows(lens: RadiomicLens, keys: Sequence[Key]) -> list[dict[str, Any]]:
    """A row for each target in use, largest ΔI first; None where a number was not computed."""
    columns = {
        "i_pre": lens.importance_pre_, "i_ft": lens.importance_ft_, "delta_i": lens.delta_importance_,
        "delta_i_low": lens.delta_low_, "delta_i_high": lens.delta_high_, "p_null": lens.p_null_,
        "q_null": lens.q_null_, "p_family": lens.p_family_,
        "delta_i_standardised": lens.variants_.get("standardised"), "delta_i_fit_ft": lens.variants_.get("fit_ft"),
        "delta_i_fit_both": lens.variants_.get("fit_both"), "r2_pre": lens.r2_pre_, "r2_ft": lens.r2_ft_,
        "mse_pre": lens.mse_pre_, "mse_ft": lens.mse_ft_,
    }  # fmt: skip
    rows = []
    for k in np.flatnonzero(lens.kept_):
        modality, feature = keys[k]
        image, family = parts_of(feature)
        numbers = {name: None if values is None else float(values[k]) for name, values in columns.items()}
        rows.append({"modality": modality, "feature": feature, "family": family, "image_type": image, **numbers})
    rows.sort(key=lambda row: -row["delta_i"])  # stable: equal ΔI keep the targets' order
    return [{**row, "rank": rank} for rank, row in enumerate(rows, start=1)]


def dropped_rows(lens: RadiomicLens, keys: Sequence[Key]) -> list[dict[str, str]]:
    """The targets that were left out, with the reason."""
    out = np.flatnonzero(~lens.kept_)
    return [
        {"modality": keys[k][0], "feature": keys[k][1], "reason": str(reason)}
        for k, (_, reason) in zip(out, lens.dropped_, strict=True)
    ]


def group_rows(
    lens: RadiomicLens, keys: Sequence[Key], patients: Sequence[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Table 1 and R² by family and modality.

    Args:
        lens: fitted.
        keys: (modality, feature) of the K targets.
        patients: whose scan each row of the fit was.

    Returns:
        Rows of table1.csv (Wilcoxon signed-rank on the patients' mean squared error, Holm within a kind) and rows of
        modality_r2.csv.
    """
    kept = lens.kept_
    families = np.array([parts_of(feature)[1] for _, feature in keys])
    filters = np.array([filter_of(parts_of(feature)[0]) for _, feature in keys])
    modalities = np.array([modality for modality, _ in keys])
    tested = [patient for patient, part in zip(patients, lens.split_, strict=True) if part == "test"]
    kinds: dict[str, dict[str, np.ndarray]] = {
        "family": {FAMILY_NAMES.get(name, name): families == name for name in dict.fromkeys(families.tolist())},
        "image_type": {name: filters == name for name in dict.fromkeys(filters.tolist())},
        "modality": {name: modalities == name for name in dict.fromkeys(modalities.tolist())},
        "all": {"All": np.ones(len(keys), bool)},
    }
    table = [
        {"kind": kind, **row}
        for kind, groups in kinds.items()
        for row in _compared(lens, {name: where & kept for name, where in groups.items()}, tested)
    ]
    return table, _modality_rows(lens, families, modalities, table)


def picked(shift: Sequence[Mapping[str, Any]], count: int = PICKED) -> dict[str, list[list[str]]]:
    """Keys of the features with the largest ΔI, with the smallest, and of the most stable ones.

    Stable: the smallest |ΔI| among features whose I is above the median before and after.
    """
    middle = {stage: float(np.median([row[f"i_{stage}"] for row in shift])) for stage in ("pre", "ft")}
    strong = [row for row in shift if row["i_pre"] > middle["pre"] and row["i_ft"] > middle["ft"]]
    chosen = {
        "top": list(shift[:count]),
        "bottom": list(reversed(shift[-count:])),
        "stable": sorted(strong, key=lambda row: abs(row["delta_i"]))[:count],
    }
    return {name: [[row["modality"], row["feature"]] for row in rows] for name, rows in chosen.items()}


def summary(
    shift: Sequence[Mapping[str, Any]], table1: Sequence[Mapping[str, Any]], lens: RadiomicLens
) -> dict[str, Any]:
    """The whole in a few numbers."""
    [everything] = [row for row in table1 if row["kind"] == "all"]
    names = ("mse_pre", "mse_ft", "r2_pre", "r2_ft", "r2_pooled_pre", "r2_pooled_ft", "p", "n_patients")
    beyond = None if lens.q_null_ is None else sum(row["q_null"] < BEYOND_NOISE for row in shift)
    intervals = None
    if lens.delta_low_ is not None:
        intervals = sum(row["delta_i_low"] > 0 or row["delta_i_high"] < 0 for row in shift)
    return {
        **{name: everything[name] for name in names}, "n_features": len(shift), "n_beyond_noise": beyond,
        "n_interval_excludes_zero": intervals, "l1": float(lens.l1_), "l2": float(lens.l2_),
    }  # fmt: skip


def case_rows(cohort: Manifest, config: LensConfig) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """Columns and rows of cases.csv: id, patient, split, and the files of modalities and regions, absolute."""
    rois = (*(["mask"] if any(row.mask for row in cohort.rows) else []), *cohort.rois)
    columns = ("id", "patient", "split", *(f"view_{name}" for name in config.modalities))
    columns += tuple("mask" if roi == "mask" else f"mask_{roi}" for roi in rois)
    rows = []
    for row, patient in zip(cohort.rows, cohort.groups, strict=True):
        files = {f"view_{name}": row.views[name] for name in config.modalities}
        files |= {f"mask_{roi}": path for roi, path in row.masks.items()} | ({"mask": row.mask} if row.mask else {})
        paths = {name: path.resolve().as_posix() for name, path in files.items()}
        rows.append({"id": row.id, "patient": patient, "split": str(row.split), **paths})
    return columns, rows


def write_parquet(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """The shift table as Parquet: words as text, rank as a whole number, the rest as doubles with nulls."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def kind(name: str) -> Any:
        return pa.string() if name in _TEXT else pa.int64() if name == "rank" else pa.float64()

    table = pa.table({name: pa.array([row[name] for row in rows], kind(name)) for name in columns})
    with atomic_file(path) as part:
        pq.write_table(table, part, compression="zstd")


def _compared(lens: RadiomicLens, groups: Mapping[str, np.ndarray], patients: Sequence[str]) -> list[dict[str, Any]]:
    """One row a group with features in use; p adjusted by Holm over these rows."""
    from deepradiomics.stats import holm, wilcoxon_signed_rank

    rows: list[dict[str, Any]] = []
    for name, where in groups.items():
        if not where.any():
            continue
        errors = {s: _by_patient(getattr(lens, f"squared_error_{s}_")[:, where], patients) for s in ("pre", "ft")}
        rows.append(
            {"group": name, "n_features": int(where.sum()), **_scores(lens, where)}
            | {"p": float(wilcoxon_signed_rank(errors["pre"], errors["ft"]).p), "n_patients": len(errors["pre"])}
        )
    for row, adjusted in zip(rows, holm(np.array([row["p"] for row in rows])), strict=True):
        row |= {"p_holm": float(adjusted), "stars": stars(float(adjusted))}
    return rows


def stars(p: float) -> str:
    """The paper's marks: * below 0.05, ** below 0.01, *** below 0.001 (table 1)."""
    return "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < 0.05 else ""


def _by_patient(errors: np.ndarray, patients: Sequence[str]) -> np.ndarray:
    """(patients,): mean over the features and the scans of each patient; the unit of the test."""
    names, place = np.unique(np.asarray(patients), return_inverse=True)
    return np.bincount(place.reshape(-1), errors.mean(axis=1)) / np.bincount(place.reshape(-1), minlength=len(names))


def _scores(lens: RadiomicLens, where: np.ndarray) -> dict[str, float]:
    """MSE and R² of some columns: means over the features, and R² of all their squares together."""
    found: dict[str, float] = {}
    total = float(lens.total_squares_[where].sum())
    for stage in ("pre", "ft"):
        mse, r2 = getattr(lens, f"mse_{stage}_")[where], getattr(lens, f"r2_{stage}_")[where]
        found[f"mse_{stage}"] = float(mse.mean())
        found[f"r2_{stage}"] = float(np.nanmean(r2)) if np.isfinite(r2).any() else float("nan")
        found[f"r2_pooled_{stage}"] = float(1 - mse.sum() / total) if total > 0 else float("nan")
    return found


def _modality_rows(
    lens: RadiomicLens, families: np.ndarray, modalities: np.ndarray, table: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """R² of each family in each modality; ``best`` marks the family with the highest R² after fine-tuning."""
    by_family = [row for row in table if row["kind"] == "family"]
    best = max(by_family, key=lambda row: row["r2_ft"] if row["r2_ft"] == row["r2_ft"] else -np.inf)["group"]
    rows = []
    for family in dict.fromkeys(families.tolist()):
        group = FAMILY_NAMES.get(family, family)
        for modality in dict.fromkeys(modalities.tolist()):
            where = (families == family) & (modalities == modality) & lens.kept_
            if not where.any():
                continue
            scores = _scores(lens, where)
            rows += [
                {
                    "group": group, "modality": modality, "stage": stage, "r2": scores[f"r2_{stage}"],
                    "r2_pooled": scores[f"r2_pooled_{stage}"], "n_features": int(where.sum()),
                    "best": int(group == best),
                }
                for stage in ("pre", "ft")
            ]  # fmt: skip
    return rows
