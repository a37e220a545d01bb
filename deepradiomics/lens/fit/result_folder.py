"""Writing a lens's result folder: tables, bundle, and lens.json, which comes last and makes the folder whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.cohort.manifest import SPLITS, Manifest
from deepradiomics.cohort.seen.stages import leakage_text
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.files.atomic import write_json
from deepradiomics.files.tables import write_csv
from deepradiomics.lens.bundle import LensBundle
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.encoders.embeddings import Embeddings
from deepradiomics.lens.estimator.groups import GroupRow, group_rows, modality_rows
from deepradiomics.lens.fit import tables
from deepradiomics.lens.fit.inputs import Dropped
from deepradiomics.lens.fit.methods_text import methods_text
from deepradiomics.lens.fit.radiomics import RadiomicsTable, settings_for
from deepradiomics.lens.fit.remarks import CONTROLS, case_remarks, cohort_remarks, level_remarks, null_remarks
from deepradiomics.lens.fit.shift import picked, shift_rows, twins_of
from deepradiomics.lens.result import (
    DROPPED_COLUMNS,
    EVALUATION_COLUMNS,
    FORMAT,
    FORMAT_VERSION,
    MODALITY_R2_COLUMNS,
    SHIFT_COLUMNS,
    TABLE1_COLUMNS,
)
from deepradiomics.radiomics import ENGINE_VERSION
from deepradiomics.training.run_folder import RunFolder, command, now, versions
from deepradiomics.words import without_folders

if TYPE_CHECKING:
    from deepradiomics.lens.estimator.lens import RadiomicLens

PRODUCTS = (
    "lens.json", "shift.parquet", "shift.csv", "table1.csv", "tableA1.csv", "modality_r2.csv", "dropped.csv",
    "sweep.csv", "embeddings_pre.parquet", "embeddings_ft.parquet", "radiomics.parquet", "cases.csv", "lens",
)  # fmt: skip
PACKAGES = ("numpy", "scipy", "SimpleITK", "PyWavelets", "torch", "pyarrow")


@dataclass(frozen=True, eq=False)
class Fitted:
    """Everything that a result folder is written from.

    Args:
        lens: the fitted estimator.
        cohort: the cases used, with their splits.
        radiomics: their targets, in the same order.
        embeddings: by stage (pre, ft), in the same order.
        identities: by stage, who the encoder is.
        config: with modalities.
        dropped: cases left out, with the reason.
        evaluations: rows of table A1, downstream performance; may be empty.
        task: the fine-tuning's name, as it is shown.
        seed: of splits and lens.
        remarks: warnings from before the fit.
    """

    lens: RadiomicLens
    cohort: Manifest
    radiomics: RadiomicsTable
    embeddings: Mapping[str, Embeddings]
    identities: Mapping[str, Mapping[str, Any]]
    config: LensConfig
    dropped: tuple[Dropped, ...]
    evaluations: Sequence[Mapping[str, str]]
    task: str
    seed: int
    remarks: tuple[str, ...] = ()


def write_result(fitted: Fitted, run: RunFolder) -> None:
    """Write all products, lens.json last."""
    out, lens = run.folder, fitted.lens
    shift, table1 = shift_rows(lens), group_rows(lens)
    about = _about(fitted, run, shift, table1)
    for stage, one in fitted.embeddings.items():
        one.write(out / f"embeddings_{stage}.parquet")
    fitted.radiomics.write(out / "radiomics.parquet")
    _write_csv(out / "shift.csv", SHIFT_COLUMNS, shift)
    tables.write_parquet(out / "shift.parquet", shift)
    _write_csv(out / "table1.csv", TABLE1_COLUMNS, [asdict(row) for row in table1])
    _write_csv(out / "modality_r2.csv", MODALITY_R2_COLUMNS, modality_rows(lens))
    _write_csv(out / "dropped.csv", DROPPED_COLUMNS, tables.dropped_rows(lens))
    _write_csv(out / "cases.csv", *tables.case_rows(fitted.cohort, fitted.config))
    if fitted.evaluations:
        columns = dict.fromkeys([*EVALUATION_COLUMNS, *fitted.evaluations[0]])  # intervals too, where they are given
        _write_csv(out / "tableA1.csv", columns, [{**row, "task": fitted.task} for row in fitted.evaluations])
    if fitted.config.sweep:
        _write_csv(out / "sweep.csv", tuple(lens.sweep_[0]), lens.sweep_)
    kept = {key: about[key] for key in ("task", "modalities", "roi", "synthetic", "encoders", "counts", "seed")}
    LensBundle(lens, fitted.config, {**kept, "software": about["software"], "created": about["created"]}).save(
        out / "lens"
    )
    write_json(out / "lens.json", about)


def _about(
    fitted: Fitted,
    run: RunFolder,
    shift: Sequence[Mapping[str, Any]],
    table1: Sequence[GroupRow],
) -> dict[str, Any]:
    config, radiomics, cohort = fitted.config, fitted.radiomics, fitted.cohort
    splits = {row.id: str(row.split) for row in cohort.rows}
    found = Counter(splits.values())
    counts = {split: found[split] for split in SPLITS} | {"dropped": len(fitted.dropped)}
    pre, ft = fitted.identities["pre"], fitted.identities["ft"]
    settings = {name: settings_for(config, name) for name in config.modalities}
    software = versions(PACKAGES) | {"engine": ENGINE_VERSION}
    dimension = int(fitted.embeddings["pre"].dimension)
    warnings = [
        *fitted.remarks,
        *[str(text) for text in fitted.lens.warnings_],
        *cohort_remarks(counts, config, dimension),
        *null_remarks(config),
        *level_remarks(radiomics.levels),
        *case_remarks(radiomics.notes),
    ]
    about: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "task": fitted.task,
        "modalities": list(config.modalities),
        "roi": config.roi,
        "synthetic": is_synthetic(cohort) or _is_synthetic(pre) or _is_synthetic(ft),
        "counts": counts,
        "dropped_cases": [{"id": case, "reason": reason} for case, reason in fitted.dropped],
        "encoders": {"pre": _without_marks(pre), "ft": _without_marks(ft)},
        "config": config.to_dict(),
        "seed": fitted.seed,
        **({"reading": choices} if (choices := cohort.reading.to_dict()) else {}),
        "radiomics": {name: one.to_dict() for name, one in settings.items()},
        "warnings": list(dict.fromkeys(warnings)),
        "notes": _notes(fitted),
        "leakage": leakage_text(pre, ft, radiomics.marks, splits),
        "controls": list(CONTROLS),
        "summary": tables.summary(shift, table1, fitted.lens),
        "picked": picked(shift, twins=twins_of(fitted.lens, radiomics.targets)),
        "software": software,
        "command": command(),
        "created": run.record.get("created") or now(),
    }
    about["methods_text"] = methods_text(about, settings, dimension, len(shift))
    # the place of the parameter file stays: features of a case are computed with it later
    return {**without_folders(about), "config": about["config"]}


def _notes(fitted: Fitted) -> dict[str, list[str]]:
    """By case what was assumed on reading, measuring and encoding it."""
    encoded = [table.about.get("notes") or {} for table in fitted.embeddings.values()]
    notes = {}
    for case in fitted.cohort.ids:
        texts = [*fitted.radiomics.notes.get(case, ()), *(str(text) for one in encoded for text in one.get(case, ()))]
        if texts:
            notes[case] = list(dict.fromkeys(texts))
    return notes


def _without_marks(identity: Mapping[str, Any]) -> dict[str, Any]:
    """An encoder's identity without the hashes of the cases it has seen: what they say is in ``leakage``."""
    about = {
        name: {key: value for key, value in one.items() if key != "marks"} if isinstance(one, Mapping) else one
        for name, one in (identity.get("about") or {}).items()
    }
    return {**identity, "about": about}


def _is_synthetic(identity: Mapping[str, Any]) -> bool:
    about = identity.get("about") or {}
    stages = [about, *(one for one in about.values() if isinstance(one, Mapping))]
    return any(bool(one.get("synthetic")) for one in stages)


def _write_csv(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Numbers in full precision; empty where there is none."""
    names = tuple(columns)
    write_csv(path, names, ([_cell(row.get(name)) for name in names] for row in rows))


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)
