"""fit_lens: from a cohort and two encoders to the result folder, step by step, each kept so that a kill costs little.

manifest ─► radiomics of the region, every modality ──────────────┐ (cached by case)
        ├─► embeddings before fine-tuning ─┐                      │
        ├─► embeddings after ──────────────┴─ lens ─► I, ΔI, R², MSE ─► tables, bundle, lens.json
        └─► splits: the fine-tuning's, the manifest's, or 7 : 1 : 2 by patient
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.cohort.manifest import SPLITS, Manifest
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.errors import InputError
from deepradiomics.files import atomic_file, content_hash, read_json, write_json
from deepradiomics.lens import tables
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.embeddings import Embeddings
from deepradiomics.lens.groups import GroupRow, group_rows, modality_rows
from deepradiomics.lens.inputs import Dropped, check_pair, complete_cases, split_cases, with_modalities
from deepradiomics.lens.leakage import leakage_text
from deepradiomics.lens.radiomics import RadiomicsTable, radiomics_table, settings_for
from deepradiomics.lens.remarks import CONTROLS, case_remarks, cohort_remarks, level_remarks, null_remarks
from deepradiomics.lens.result import (
    DROPPED_COLUMNS,
    EVALUATION_COLUMNS,
    FORMAT,
    FORMAT_VERSION,
    MODALITY_R2_COLUMNS,
    SHIFT_COLUMNS,
    TABLE1_COLUMNS,
    LensResult,
)
from deepradiomics.lens.shift import picked, shift_rows
from deepradiomics.progress import Progress, part
from deepradiomics.training.run_folder import RUN_FILE, RunFolder, command, now, versions

if TYPE_CHECKING:
    from deepradiomics.lens.estimator import RadiomicLens
    from deepradiomics.networks.encoder import Encoder

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
        config: with modalities.
        dropped: cases left out, with the reason.
        task: the fine-tuning's name, as it is shown.
        seed: of splits and lens.
    """

    lens: RadiomicLens
    cohort: Manifest
    radiomics: RadiomicsTable
    embeddings: Mapping[str, Embeddings]
    config: LensConfig
    dropped: tuple[Dropped, ...]
    task: str
    seed: int


def fit_lens(
    manifest: Manifest,
    pre: Encoder | Embeddings,
    ft: Encoder | Embeddings,
    config: LensConfig,
    out: str | Path,
    *,
    task: str = "",
    splits: Mapping[str, str] | None = None,
    finetune: str | Path | None = None,
    cache: str | Path | None = None,
    seed: int = 0,
    workers: int = 1,
    cluster: str | None = None,
    device: str = "auto",
    resume: bool = True,
    progress: Progress | None = None,
) -> LensResult:
    """Fit a lens on a cohort and write its result folder (see :data:`PRODUCTS`).

    A run that was stopped goes on: radiomics and embeddings that are done are found again. A finished run is read back.

    Args:
        manifest: the cases; columns view_<modality> and mask_<roi>.
        pre, ft: the encoder before and after fine-tuning, or tables of their embeddings. They may see fewer modalities
            than the lens measures.
        config: every choice.
        out: result folder.
        task: name of the fine-tuning, as tables show it; by default told by ``finetune``.
        splits: split by case id; None takes those of ``finetune``, else the manifest's, else 7 : 1 : 2 by patient.
        finetune: run folder of the fine-tuning: its splits.csv, and tableA1.csv, the downstream performance.
        cache: folder of kept radiomics and embeddings, which several lenses may share; ``out/cache`` by default.
        seed: of splits and everything random in the lens.
        workers, cluster: processes, or a Dask scheduler, that extract features.
        device: of encoders and lens.
        resume: with False a result in ``out`` is removed first (the cache stays).
        progress: may raise Cancelled; the run can be resumed.

    Raises:
        InputError: the inputs do not fit each other or cannot be used; the message names case, modality or argument.
        BundleError: an encoder does not fit the modalities.
    """
    out = Path(out)
    check_pair(pre, ft)
    config = with_modalities(config, manifest)
    for modality in config.modalities:
        settings_for(config, modality)  # a mistake in the parameters is told before anything is read
    run_of = _Finetuning.read(finetune)
    splits = splits if splits is not None else run_of.splits
    channels = [name for one in (pre, ft) for name in getattr(one, "channels", ())]
    for one in (pre, ft):
        if not isinstance(one, Embeddings):
            one.require_channels(manifest.views)
    complete, lacking = complete_cases(manifest, config, channels)
    dealt, unsplit = split_cases(complete, splits, config, seed)
    _check_size(dealt, config)  # before hours of extraction
    task = task or run_of.task or "fine-tuning"
    identity = _identity(manifest, pre, ft, config, splits, run_of, task, seed)
    begun = (out / RUN_FILE).is_file()
    run = RunFolder(out, identity, resume=resume, products=PRODUCTS)
    if run.status == "finished" and (out / "lens.json").is_file():
        return LensResult.read(out)
    gone = {case for case, _ in unsplit}
    usable = _subset(complete, [case for case in complete.ids if case not in gone])
    store = Path(cache) if cache is not None else out / "cache"
    try:
        radiomics = radiomics_table(
            usable, config, store / "radiomics", workers=workers, cluster=cluster, progress=part(progress, 0.0, 0.5)
        )
        cohort = _subset(usable, radiomics.ids)
        embeddings = {
            stage: _embedded(one, cohort, config, store / "embeddings", device, part(progress, start, start + 0.15))
            for stage, one, start in (("pre", pre, 0.5), ("ft", ft, 0.65))
        }
        cohort, _ = split_cases(cohort, splits, config, seed)
        lens = _fit(cohort, radiomics, embeddings, config, seed, device, part(progress, 0.8, 0.97))
    except InputError:
        if not begun:
            _take_back(out)
        raise
    dropped = (*lacking, *unsplit, *radiomics.dropped)
    _write(Fitted(lens, cohort, radiomics, embeddings, config, dropped, task, seed), run, run_of, pre, ft)
    run.update(status="finished", finished=now())
    if progress:
        progress(1.0, "lens fitted")
    return LensResult.read(out)


def _take_back(out: Path) -> None:
    """Leave nothing of a run whose input cannot be used, but for the cache."""
    (out / RUN_FILE).unlink(missing_ok=True)
    if not any(out.iterdir()):
        out.rmdir()


@dataclass(frozen=True)
class _Finetuning:
    """What the run folder of a fine-tuning tells the lens."""

    splits: Mapping[str, str] | None = None
    evaluations: tuple[Mapping[str, str], ...] = ()
    task: str = ""

    @classmethod
    def read(cls, folder: str | Path | None) -> _Finetuning:
        """Raises InputError where the folder is none of a finished fine-tuning."""
        if folder is None:
            return cls()
        from deepradiomics.lens.splits import read_splits

        folder = Path(folder)
        table = folder / "tableA1.csv"
        if not table.is_file():
            raise InputError(
                f"finetune {folder}: this is no folder of a finished 'deepradiomics finetune', it holds no tableA1.csv."
            )
        with table.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            rows = tuple(reader)
            if not set(EVALUATION_COLUMNS) <= set(reader.fieldnames or ()):
                raise InputError(f"{table}: expected the columns {', '.join(EVALUATION_COLUMNS)}.")
        return cls(read_splits(folder / "splits.csv"), rows, _task_name(folder))


def _task_name(folder: Path) -> str:
    """The paper's way to name a fine-tuning: PIRADS CLS, Volume REG, Lesion SEG."""
    file = folder / "metrics.json"
    stored = read_json(file) if file.is_file() else {}
    short = {"class": "CLS", "regress": "REG", "segment": "SEG"}.get(stored.get("task", ""), "")
    target = str(stored.get("target", "")).replace("_", " ")
    target = target.upper() if target in ("pirads",) else target[:1].upper() + target[1:]
    return f"{target} {short}".strip()


def _check_size(dealt: Manifest, config: LensConfig) -> None:
    """Refuse options and a cohort too small for the lens, as the estimator would at the end."""
    from deepradiomics.lens import checks
    from deepradiomics.lens.estimator import RadiomicLens
    from deepradiomics.lens.fitting import checked_options

    checked_options(RadiomicLens(**config.estimator()).get_params())
    split = [str(row.split) for row in dealt.rows]
    checks.checked_split(split, checks.checked_groups(dealt.groups, len(dealt)), dealt.ids, 0, config.sweep)
    checks.check_enough(split.count("train"), config.hidden, config.ridge)


def _subset(manifest: Manifest, ids: Sequence[str]) -> Manifest:
    from deepradiomics.lens.splits import subset

    return subset(manifest, ids)


def _identity(
    manifest: Manifest,
    pre: Encoder | Embeddings,
    ft: Encoder | Embeddings,
    config: LensConfig,
    splits: Mapping[str, str] | None,
    run_of: _Finetuning,
    task: str,
    seed: int,
) -> dict[str, Any]:
    """What makes this run this run; where files lie does not matter."""
    from deepradiomics.lens.provenance import cohort_hash

    return {
        "kind": "lens",
        "config": config.to_dict(),
        "radiomics": content_hash({name: settings_for(config, name).to_dict() for name in config.modalities}),
        "manifest_sha256": cohort_hash(manifest),
        "pre": _hash(pre),
        "ft": _hash(ft),
        "splits": None if splits is None else content_hash(dict(sorted(splits.items()))),
        "evaluations": content_hash([dict(row) for row in run_of.evaluations]),
        "task": task,
        "seed": seed,
    }


def _hash(source: Encoder | Embeddings) -> str:
    if isinstance(source, Embeddings):
        return content_hash(list(source.ids), np.ascontiguousarray(source.values))
    return source.hash


def _embedded(
    source: Encoder | Embeddings, cohort: Manifest, config: LensConfig, cache: Path, device: str, progress: Progress
) -> Embeddings:
    """The embeddings of these cases, in this order."""
    if isinstance(source, Embeddings):
        return source.select(cohort.ids)
    from deepradiomics.lens.encode import encode

    return encode(cohort, source, cache, roi=config.roi, device=device, progress=progress)


def _fit(
    cohort: Manifest,
    radiomics: RadiomicsTable,
    embeddings: Mapping[str, Embeddings],
    config: LensConfig,
    seed: int,
    device: str,
    progress: Progress,
) -> RadiomicLens:
    from deepradiomics.lens.estimator import RadiomicLens

    lens = RadiomicLens(**config.estimator(), seed=seed, device=device)
    return lens.fit(
        embeddings["pre"].values,
        embeddings["ft"].values,
        radiomics.targets,
        split=[str(row.split) for row in cohort.rows],
        groups=cohort.groups,
        ids=cohort.ids,
        feature_names=radiomics.keys,
        progress=progress,
    )


def _write(
    fitted: Fitted, run: RunFolder, run_of: _Finetuning, pre: Encoder | Embeddings, ft: Encoder | Embeddings
) -> None:
    """Write all products, lens.json last: a folder with it is whole."""
    from deepradiomics.lens.stored import LensBundle

    out, lens = run.folder, fitted.lens
    shift, table1 = shift_rows(lens), group_rows(lens)
    about = _about(fitted, run, shift, table1, pre, ft)
    for stage, one in fitted.embeddings.items():
        one.write(out / f"embeddings_{stage}.parquet")
    fitted.radiomics.write(out / "radiomics.parquet")
    _write_csv(out / "shift.csv", SHIFT_COLUMNS, shift)
    tables.write_parquet(out / "shift.parquet", SHIFT_COLUMNS, shift)
    _write_csv(out / "table1.csv", TABLE1_COLUMNS, [asdict(row) for row in table1])
    _write_csv(out / "modality_r2.csv", MODALITY_R2_COLUMNS, modality_rows(lens))
    _write_csv(out / "dropped.csv", DROPPED_COLUMNS, tables.dropped_rows(lens))
    _write_csv(out / "cases.csv", *tables.case_rows(fitted.cohort, fitted.config))
    if run_of.evaluations:
        _write_csv(
            out / "tableA1.csv", EVALUATION_COLUMNS, [{**row, "task": fitted.task} for row in run_of.evaluations]
        )
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
    pre: Encoder | Embeddings,
    ft: Encoder | Embeddings,
) -> dict[str, Any]:
    from deepradiomics.lens.methods_text import methods_text
    from deepradiomics.radiomics import ENGINE_VERSION

    config, radiomics, cohort = fitted.config, fitted.radiomics, fitted.cohort
    splits = {row.id: str(row.split) for row in cohort.rows}
    found = Counter(splits.values())
    counts = {split: found[split] for split in SPLITS} | {"dropped": len(fitted.dropped)}
    identities = {"pre": _identity_of(pre), "ft": _identity_of(ft)}
    settings = {name: settings_for(config, name) for name in config.modalities}
    software = versions(PACKAGES) | {"engine": ENGINE_VERSION}
    dimension = int(fitted.embeddings["pre"].dimension)
    warnings = [
        *cohort_remarks(counts, config, dimension), *level_remarks(radiomics.levels), *case_remarks(radiomics.notes),
        *null_remarks(config), *[str(text) for text in fitted.lens.warnings_],
    ]  # fmt: skip
    about: dict[str, Any] = {
        "format": FORMAT, "format_version": FORMAT_VERSION, "task": fitted.task,
        "modalities": list(config.modalities), "roi": config.roi,
        "synthetic": is_synthetic(cohort) or any(_is_synthetic(one) for one in identities.values()),
        "counts": counts, "dropped_cases": [{"id": case, "reason": reason} for case, reason in fitted.dropped],
        "encoders": identities, "config": config.to_dict(), "seed": fitted.seed,
        "radiomics": {name: one.to_dict() for name, one in settings.items()},
        "warnings": list(dict.fromkeys(warnings)),
        "leakage": leakage_text(identities["pre"], identities["ft"], radiomics.marks, splits),
        "controls": list(CONTROLS), "summary": tables.summary(shift, table1, fitted.lens),
        "picked": picked(shift), "software": software, "command": command(),
        "created": run.record.get("created") or now(),
    }  # fmt: skip
    about["methods_text"] = methods_text(about, settings, dimension, len(shift))
    return about


def _identity_of(source: Encoder | Embeddings) -> dict[str, Any]:
    """Who an encoder is; of a table what it tells about the encoder that made it."""
    if not isinstance(source, Embeddings):
        return dict(source.identity)
    told = source.about.get("encoder")
    if isinstance(told, Mapping):
        return {**told, "source": "table of embeddings"}
    return {"name": "table of embeddings", "source": "table of embeddings", "dimension": source.dimension, "about": {}}


def _is_synthetic(identity: Mapping[str, Any]) -> bool:
    about = identity.get("about") or {}
    stages = [about, *(one for one in about.values() if isinstance(one, Mapping))]
    return any(bool(one.get("synthetic")) for one in stages)


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Numbers in full precision; empty where there is none."""
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, columns, restval="", extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow({name: _cell(row.get(name)) for name in columns})


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)
