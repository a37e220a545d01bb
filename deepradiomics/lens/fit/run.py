"""fit_lens: from a cohort and two encoders to the result folder, step by step, each kept so that a kill costs little.

manifest ─► splits: the fine-tuning's, the manifest's, or 7 : 1 : 2 by patient
        ├─► radiomics of the region, every modality ──────────────┐ (cached by case)
        ├─► embeddings before fine-tuning ─┐                      │ (cached by case)
        └─► embeddings after ──────────────┴─ lens ─► I, ΔI, R², MSE ─► tables, bundle, lens.json
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.cohort.contents import manifest_hash
from deepradiomics.cohort.manifest import Manifest
from deepradiomics.cohort.splits import subset
from deepradiomics.errors import BundleError, InputError
from deepradiomics.files.atomic import content_hash
from deepradiomics.files.lock import holds_out
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.encoders.embeddings import Embeddings
from deepradiomics.lens.encoders.encode import encode
from deepradiomics.lens.estimator import checks
from deepradiomics.lens.estimator.checks import check_varies
from deepradiomics.lens.estimator.lens import RadiomicLens
from deepradiomics.lens.fit.finetuned import FinetuneGiven
from deepradiomics.lens.fit.inputs import (
    Dropped,
    check_pair,
    complete_cases,
    split_cases,
    with_centre,
    with_modalities,
    without,
)
from deepradiomics.lens.fit.pairing import pair_remarks, same_numbers
from deepradiomics.lens.fit.radiomics import radiomics_table, settings_for
from deepradiomics.lens.fit.result_folder import PRODUCTS, Fitted, write_result
from deepradiomics.lens.fit.same_scans import check_files, check_marks
from deepradiomics.lens.result import LensResult, is_current
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line
from deepradiomics.training.run_folder import RunFolder, RunKind, now

if TYPE_CHECKING:
    from deepradiomics.networks.encoders.encoder import Encoder

_RUN = RunKind("lens", "a lens")


@one_line
@dataclass(frozen=True, eq=False)
class LensRequest:
    """What a lens is fitted on, and how.

    Args:
        manifest: the cases; columns view_<modality> and mask_<roi>.
        pre, ft: the encoder before and after fine-tuning, or tables of their embeddings. They may see fewer modalities
            than the lens measures.
        config: every choice; the preset ``paper`` by default.
        task: name of the fine-tuning, as tables show it; by default that of ``finetune``.
        splits: split by case id; None takes those of ``finetune``, else the manifest's, else 7 : 1 : 2 by patient.
        finetune: run folder of the fine-tuning: its splits.csv, and tableA1.csv, the downstream performance.
        seed: of splits and everything random in the lens.
    """

    manifest: Manifest
    pre: Encoder | Embeddings
    ft: Encoder | Embeddings
    config: LensConfig = field(default_factory=LensConfig)
    task: str = ""
    splits: Mapping[str, str] | None = None
    finetune: str | Path | None = None
    seed: int = 0

    @property
    def stages(self) -> dict[str, Encoder | Embeddings]:
        """Both encoders by stage."""
        return {"pre": self.pre, "ft": self.ft}

    def completed(self) -> tuple[LensRequest, FinetuneGiven]:
        """The same with what the fine-tuning and the manifest say where nothing is named, and that fine-tuning.

        Raises:
            InputError: encoders, manifest and fine-tuning do not fit each other.
        """
        check_pair(self.pre, self.ft)
        for stage, source in self.stages.items():
            if isinstance(source, Embeddings):
                check_varies(source.values, stage)
        config = with_centre(with_modalities(self.config, self.manifest), self.manifest, self.pre, self.ft)
        finetuned = FinetuneGiven.read(self.finetune)
        splits = self.splits if self.splits is not None else finetuned.splits
        return replace(self, config=config, splits=splits, task=self.task or finetuned.task or "fine-tuning"), finetuned

    def identity(self, finetuned: FinetuneGiven) -> dict[str, Any]:
        """All that decides the result, for the run folder."""
        config = self.config
        return {
            "config": config.to_dict(),
            "manifest_sha256": manifest_hash(self.manifest),
            "radiomics": content_hash({name: settings_for(config, name).to_dict() for name in config.modalities}),
            "pre": _hash(self.pre),
            "ft": _hash(self.ft),
            "task": self.task,
            "seed": self.seed,
            "splits": None if self.splits is None else content_hash(dict(sorted(self.splits.items()))),
            "evaluations": content_hash([dict(row) for row in finetuned.evaluations]),
        }


@holds_out
def fit_lens(
    request: LensRequest,
    out: str | Path,
    *,
    cache: str | Path | None = None,
    workers: int = 1,
    cluster: str | None = None,
    device: str = "auto",
    resume: bool = True,
    progress: Progress | None = None,
) -> LensResult:
    """Fit a lens on a cohort and write its result folder (see :mod:`deepradiomics.lens.fit.result_folder`).

    A run that was stopped goes on: radiomics and embeddings that are done are found again. A finished run is read back.

    Args:
        request: what the lens is fitted on, and how.
        out: result folder.
        cache: folder of kept radiomics and embeddings, which several lenses may share; ``out/cache`` by default.
        workers, cluster: processes, or a Dask scheduler, that extract features.
        device: of encoders and lens.
        resume: with False a result in ``out`` is removed first (the cache stays).
        progress: may raise Cancelled; the run can be resumed.

    Raises:
        InputError: the inputs do not fit each other or cannot be used; the message names case, modality or argument.
        BundleError: an encoder does not fit the modalities.
    """
    out = Path(out)
    own_splits = request.splits is not None
    request, finetuned = request.completed()
    cohort, dropped = _usable(request, "" if own_splits else finetuned.where)
    _check_fit(cohort, request.config)
    run = RunFolder(out, request.identity(finetuned), kind=_RUN, resume=resume, products=PRODUCTS)
    if run.status == "finished" and is_current(out):
        return LensResult.read(out)
    store = Path(cache) if cache is not None else out / "cache"
    config, pre, ft = request.config, request.pre, request.ft
    try:
        remarks = [*pair_remarks(pre, ft, request.finetune is not None), *check_files(cohort, config.modalities)]
        radiomics = radiomics_table(
            cohort, config, store / "radiomics", workers=workers, cluster=cluster, progress=part(progress, 0.0, 0.5)
        )
        cohort = subset(cohort, radiomics.ids)
        remarks += [text for text in check_marks(cohort, radiomics.marks) if text not in remarks]
        tables = {
            stage: _embedded(source, cohort, config, store / "embeddings", device, part(progress, start, start + 0.15))
            for (stage, source), start in zip(request.stages.items(), (0.5, 0.65), strict=True)
        }
        failed = {case: why for table in tables.values() for case, why in table.about.get("dropped", ())}
        cohort, not_encoded = without(cohort, [(case, failed[case]) for case in cohort.ids if case in failed], config)
        embeddings = {stage: table.select(cohort.ids) for stage, table in tables.items()}
        radiomics_of_cohort = radiomics.rows(cohort.ids)
        lens = RadiomicLens(**config.estimator(), seed=request.seed, device=device).fit(
            embeddings["pre"].values,
            embeddings["ft"].values,
            radiomics_of_cohort.targets,
            split=[str(row.split) for row in cohort.rows],
            groups=cohort.groups,
            ids=cohort.ids,
            feature_names=radiomics_of_cohort.keys,
            store=store / "permutations",
            progress=part(progress, 0.8, 0.97),
        )
    except InputError:
        run.take_back()
        raise
    fitted = Fitted(
        lens, cohort, radiomics_of_cohort, embeddings, {"pre": identity_of(pre), "ft": identity_of(ft)}, config,
        (*dropped, *radiomics.dropped, *not_encoded), finetuned.evaluations, request.task, request.seed,
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


def _usable(request: LensRequest, splits_file: str = "") -> tuple[Manifest, tuple[Dropped, ...]]:
    """The cases that have all that is asked for, with their splits, and those that do not."""
    manifest, config = request.manifest, request.config
    channels: list[str] = []
    for stage, source in request.stages.items():
        if not isinstance(source, Embeddings):
            absent_here = [name for name in source.channels if name not in manifest.views]
            if absent_here:
                raise BundleError(
                    f"{stage}: encoder {source.name!r} sees the modalities {', '.join(source.channels)}, but "
                    f"{manifest.where} has no column view_{absent_here[0]}; it has: {', '.join(manifest.views)}. "
                    "Name the columns as the encoder does, or use an encoder of fewer channels ('deepradiomics encode "
                    "--modalities' makes tables of embeddings that can be given instead)."
                )
            channels += source.channels
    cohort, lacking = complete_cases(manifest, config, channels)
    absent: dict[str, str] = {}
    for stage, source in request.stages.items():
        if isinstance(source, Embeddings):
            known = set(source.ids)
            absent |= {case: f"has no embedding ({stage})" for case in cohort.ids if case not in known}
    cohort, not_encoded = without(cohort, list(absent.items()), config)
    cohort, unsplit = split_cases(cohort, request.splits, config, request.seed, splits_file)
    return cohort, (*lacking, *not_encoded, *unsplit)


def _check_fit(cohort: Manifest, config: LensConfig) -> None:
    """Refuse parameters and a cohort too small for the lens before hours of extraction."""
    for modality in config.modalities:
        settings_for(config, modality)
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
    if config.centre and config.centre != config.roi:  # the labels that are named are those of the region measured
        cohort = replace(
            cohort, rows=tuple(replace(row, reading=replace(row.reading, only_label=True)) for row in cohort.rows)
        )
    return encode(
        cohort, source, cache, roi=config.centre or None, device=device, missing=config.missing, progress=progress
    )
