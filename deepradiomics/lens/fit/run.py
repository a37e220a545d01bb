"""fit_lens: from a cohort and two encoders to the result folder, step by step, each kept so that a kill costs little.

manifest ─► splits: the fine-tuning's, the manifest's, or 7 : 1 : 2 by patient
        ├─► radiomics of the region, every modality ──────────────┐ (cached by case)
        ├─► embeddings before fine-tuning ─┐                      │ (cached by case)
        └─► embeddings after ──────────────┴─ lens ─► I, ΔI, R², MSE ─► tables, bundle, lens.json
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.errors import BundleError, InputError
from deepradiomics.files import content_hash
from deepradiomics.lens.checks import check_varies
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.embeddings import Embeddings
from deepradiomics.lens.finetune_given import FinetuneGiven
from deepradiomics.lens.inputs import (
    Dropped,
    check_pair,
    complete_cases,
    split_cases,
    with_centre,
    with_modalities,
    without,
)
from deepradiomics.lens.pairing import pair_remarks, same_numbers
from deepradiomics.lens.provenance import cohort_hash
from deepradiomics.lens.radiomics import RadiomicsTable, radiomics_table, settings_for
from deepradiomics.lens.result import LensResult, is_current
from deepradiomics.lens.result_folder import PRODUCTS, Fitted, write_result
from deepradiomics.lens.same_scans import check_files, check_marks
from deepradiomics.lens.splits import subset
from deepradiomics.progress import Progress, part
from deepradiomics.training.run_folder import RUN_FILE, RunFolder, now

if TYPE_CHECKING:
    from deepradiomics.lens.estimator import RadiomicLens
    from deepradiomics.networks.encoder import Encoder


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
    """Fit a lens on a cohort and write its result folder (see :mod:`deepradiomics.lens.result_folder`).

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
    for stage, one in (("pre", pre), ("ft", ft)):
        if isinstance(one, Embeddings):
            check_varies(one.values, stage)
    config = with_centre(with_modalities(config, manifest), manifest, pre, ft)
    given = FinetuneGiven.read(finetune)
    splits_file = given.where if splits is None else ""
    splits = splits if splits is not None else given.splits
    task = task or given.task or "fine-tuning"
    cohort, dropped = _usable(manifest, pre, ft, config, splits, seed, splits_file)
    _check_fit(cohort, config)
    identity = {
        "kind": "lens", "config": config.to_dict(), "manifest_sha256": cohort_hash(manifest),
        "radiomics": content_hash({name: settings_for(config, name).to_dict() for name in config.modalities}),
        "pre": _hash(pre), "ft": _hash(ft), "task": task, "seed": seed,
        "splits": None if splits is None else content_hash(dict(sorted(splits.items()))),
        "evaluations": content_hash([dict(row) for row in given.evaluations]),
    }  # fmt: skip
    begun = (out / RUN_FILE).is_file()
    run = RunFolder(out, identity, resume=resume, products=PRODUCTS)
    if run.status == "finished" and is_current(out):
        return LensResult.read(out)
    store = Path(cache) if cache is not None else out / "cache"
    try:
        remarks = [*pair_remarks(pre, ft, finetune is not None), *check_files(cohort, config.modalities)]
        radiomics = radiomics_table(
            cohort, config, store / "radiomics", workers=workers, cluster=cluster, progress=part(progress, 0.0, 0.5)
        )
        cohort = subset(cohort, radiomics.ids)
        remarks += [text for text in check_marks(cohort, radiomics.marks) if text not in remarks]
        tables = {
            stage: _embedded(one, cohort, config, store / "embeddings", device, part(progress, start, start + 0.15))
            for stage, one, start in (("pre", pre, 0.5), ("ft", ft, 0.65))
        }
        failed = {case: why for table in tables.values() for case, why in table.about.get("dropped", ())}
        cohort, not_encoded = without(cohort, [(case, failed[case]) for case in cohort.ids if case in failed], config)
        embeddings = {stage: table.select(cohort.ids) for stage, table in tables.items()}
        lens = _fit(
            cohort, radiomics.rows(cohort.ids), embeddings, config, seed, device, store / "permutations",
            part(progress, 0.8, 0.97),
        )  # fmt: skip
    except InputError:
        if not begun:
            _take_back(out)
        raise
    fitted = Fitted(
        lens, cohort, radiomics.rows(cohort.ids), embeddings, {"pre": identity_of(pre), "ft": identity_of(ft)}, config,
        (*dropped, *radiomics.dropped, *not_encoded), given.evaluations, task, seed,
        (*remarks, *same_numbers(embeddings["pre"].values, embeddings["ft"].values)),
    )  # fmt: skip
    write_result(fitted, run)
    run.update(status="finished", finished=now())
    if progress:
        progress(1.0, "lens fitted")
    return LensResult.read(out)


def identity_of(source: Encoder | Embeddings) -> dict[str, Any]:
    """Who an encoder is; of a table what it tells about the encoder that made it."""
    if not isinstance(source, Embeddings):
        return dict(source.identity)
    told = source.about.get("encoder")
    if isinstance(told, Mapping):
        return {**told, "source": "table of embeddings"}
    return {"name": "table of embeddings", "source": "table of embeddings", "dimension": source.dimension, "about": {}}


def _usable(
    manifest: Manifest,
    pre: Encoder | Embeddings,
    ft: Encoder | Embeddings,
    config: LensConfig,
    splits: Mapping[str, str] | None,
    seed: int,
    splits_file: str = "",
) -> tuple[Manifest, tuple[Dropped, ...]]:
    """The cases that have all that is asked for, with their splits, and those that do not."""
    channels: list[str] = []
    for stage, one in (("pre", pre), ("ft", ft)):
        if not isinstance(one, Embeddings):
            absent_here = [name for name in one.channels if name not in manifest.views]
            if absent_here:
                raise BundleError(
                    f"{stage}: encoder {one.name!r} sees the modalities {', '.join(one.channels)}, but "
                    f"{manifest.where} has no column view_{absent_here[0]}; it has: {', '.join(manifest.views)}. "
                    "Name the columns as the encoder does, or use an encoder of fewer channels ('deepradiomics encode "
                    "--modalities' makes tables of embeddings that can be given instead)."
                )
            channels += one.channels
    cohort, lacking = complete_cases(manifest, config, channels)
    absent: dict[str, str] = {}
    for stage, one in (("pre", pre), ("ft", ft)):
        if isinstance(one, Embeddings):
            known = set(one.ids)
            absent |= {case: f"has no embedding ({stage})" for case in cohort.ids if case not in known}
    cohort, not_encoded = without(cohort, list(absent.items()), config)
    cohort, unsplit = split_cases(cohort, splits, config, seed, splits_file)
    return cohort, (*lacking, *not_encoded, *unsplit)


def _check_fit(cohort: Manifest, config: LensConfig) -> None:
    """Refuse options, parameters and a cohort too small for the lens before hours of extraction."""
    from deepradiomics.lens import checks
    from deepradiomics.lens.estimator import RadiomicLens
    from deepradiomics.lens.fitting import checked_options

    for modality in config.modalities:
        settings_for(config, modality)
    checked_options(RadiomicLens(**config.estimator()).get_params())
    split = [str(row.split) for row in cohort.rows]
    checks.checked_split(split, checks.checked_groups(cohort.groups, len(cohort)), cohort.ids, 0, config.sweep)
    checks.check_enough(split.count("train"), config.hidden, config.ridge)


def _hash(source: Encoder | Embeddings) -> str:
    if isinstance(source, Embeddings):
        return content_hash(list(source.ids), np.ascontiguousarray(source.values))
    return source.hash


def _embedded(
    source: Encoder | Embeddings, cohort: Manifest, config: LensConfig, cache: Path, device: str, progress: Progress
) -> Embeddings:
    """The embeddings of these cases; with ``missing="drop"`` some may lack, which ``about["dropped"]`` lists."""
    if isinstance(source, Embeddings):
        about = {name: value for name, value in source.about.items() if name != "dropped"}  # of another cohort
        return Embeddings(cohort.ids, source.select(cohort.ids).values, about, source.columns)
    from deepradiomics.lens.encode import encode

    return encode(
        cohort, source, cache, roi=config.centre or None, device=device, missing=config.missing, progress=progress
    )


def _fit(
    cohort: Manifest,
    radiomics: RadiomicsTable,
    embeddings: Mapping[str, Embeddings],
    config: LensConfig,
    seed: int,
    device: str,
    store: Path,
    progress: Progress,
) -> RadiomicLens:
    from deepradiomics.lens.estimator import RadiomicLens

    split: Sequence[str] = [str(row.split) for row in cohort.rows]
    return RadiomicLens(**config.estimator(), seed=seed, device=device).fit(
        embeddings["pre"].values, embeddings["ft"].values, radiomics.targets, split=split, groups=cohort.groups,
        ids=cohort.ids, feature_names=radiomics.keys, store=store, progress=progress,
    )  # fmt: skip


def _take_back(out: Path) -> None:
    """Leave nothing of a run whose input cannot be used, but for the cache."""
    (out / RUN_FILE).unlink(missing_ok=True)
    if not any(out.iterdir()):
        out.rmdir()
