"""What a result folder tells beside the shift table (shift.py) and table 1 (groups.py): rows and how they are written.

Columns are those of :mod:`deepradiomics.lens.result`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.files.atomic import atomic_file
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.estimator.doubt import doubt_of_rows
from deepradiomics.lens.readings import READINGS
from deepradiomics.lens.result import SHIFT_COLUMNS

if TYPE_CHECKING:
    from deepradiomics.lens.estimator.groups import GroupRow
    from deepradiomics.lens.estimator.lens import RadiomicLens

BEYOND_NOISE = 0.05  # q of the permutation null


def dropped_rows(lens: RadiomicLens) -> list[dict[str, str]]:
    """The targets that were left out, with the reason."""
    places = [k for k, kept in enumerate(lens.kept_) if not kept]
    reasons = [str(reason) for _, reason in lens.dropped_]
    names = [lens.feature_names_[k] for k in places]
    return [
        {"modality": modality, "feature": feature, "reason": reason}
        for (modality, feature), reason in zip(names, reasons, strict=True)
    ]


def summary(shift: Sequence[Mapping[str, Any]], table1: Sequence[GroupRow], lens: RadiomicLens) -> dict[str, Any]:
    """The whole in a few numbers; None where one is not defined."""
    [everything] = [row for row in table1 if row.kind == "all"]
    names = ("mse_pre", "mse_ft", "r2_pre", "r2_ft", "r2_pooled_pre", "r2_pooled_ft", "p", "n_patients")
    beyond, beyond_explained = (
        None if lens.q_null_ is None else sum(row[reading.q] < BEYOND_NOISE for row in shift) for reading in READINGS
    )
    intervals = None
    if lens.delta_low_ is not None:
        intervals = sum(row["delta_i_low"] > 0 or row["delta_i_high"] < 0 for row in shift)
    numbers = {name: getattr(everything, name) for name in names}
    return {
        **{name: value if isfinite(value) else None for name, value in numbers.items()},
        "n_features": len(shift),
        "n_beyond_noise": beyond,
        "n_beyond_noise_explained": beyond_explained,
        "doubt": doubt_of_rows(shift),
        "n_interval_excludes_zero": intervals,
        "l1": float(lens.l1_),
        "l2": float(lens.l2_),
    }


def case_rows(cohort: Manifest, config: LensConfig) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """Columns and rows of cases.csv: id, patient, split, and the files of modalities and regions, absolute."""
    rois = (*(["mask"] if any(row.mask for row in cohort.rows) else []), *cohort.rois)
    columns = ("id", "patient", "split", *(f"view_{name}" for name in config.modalities))
    columns += tuple("mask" if roi == "mask" else f"mask_{roi}" for roi in rois)
    parts = [{"label": str(row.region or ""), "segment": row.segment or ""} for row in cohort.rows]
    columns += tuple(name for name in ("label", "segment") if any(part[name] for part in parts))
    rows = []
    for row, patient, part in zip(cohort.rows, cohort.groups, parts, strict=True):
        files = {f"view_{name}": row.views[name] for name in config.modalities}
        files |= {f"mask_{roi}": path for roi, path in row.masks.items()} | ({"mask": row.mask} if row.mask else {})
        paths = {name: path.resolve().as_posix() for name, path in files.items()}
        rows.append(
            {
                "id": row.id,
                "patient": patient,
                "split": str(row.split),
                **paths,
                **{name: part[name] for name in part if part[name]},
            }
        )
    return columns, rows


def write_parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """The shift table as Parquet: texts, whole numbers for the ranks, the rest as doubles with nulls."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    table = pa.table(
        {name: pa.array([row[name] for row in rows], kinds[of], from_pandas=True) for name, of in SHIFT_COLUMNS.items()}
    )
    with atomic_file(path) as part:
        pq.write_table(table, part, compression="zstd")
