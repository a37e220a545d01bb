"""The experiment: inputs × classifiers × outcomes, out of fold and in another cohort, nothing learned outside its fold.

    manifests ─► plan ─► radiomics ─► leakage? ─► latents ─► folds ─► components ─► cells ─► tables, bundle
                                       (stops)                        a split each     a file each

::

    OUT/
      run.json             identity, status, versions (see training.RunFolder)
      experiment.json      what was done, on whom, with which networks; remarks (written last)
      tables/*.csv         see experiment_tables.py
      predictions.csv      everybody's probability by every pipeline
      bundle/              the model for single patients
      cache/ blocks/ cells/    what a run that was stopped goes on from
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics import __version__
from deepradiomics.errors import InputError
from deepradiomics.files import content_hash, sha256_file, write_json
from deepradiomics.ich.cohort import IchCohort, read_cohort
from deepradiomics.ich.evaluation import Evaluation, evaluated
from deepradiomics.ich.experiment_about import described
from deepradiomics.ich.experiment_bundle import bundle_choice, write_bundle
from deepradiomics.ich.experiment_config import ExperimentConfig
from deepradiomics.ich.experiment_plan import Plan, planned, settings_of
from deepradiomics.ich.experiment_tables import COLUMNS, PREDICTIONS, prediction_rows, write_table
from deepradiomics.ich.features import CohortFeatures, measure_cohort, networks_of, with_latents
from deepradiomics.ich.leakage import check_apart, check_networks
from deepradiomics.ich.marks import seen_record
from deepradiomics.progress import Progress, part
from deepradiomics.training.run_folder import RunFolder, now

KIND = "ich-experiment"
PRODUCTS = ("experiment.json", "tables", "predictions.csv", "bundle", "cells", "blocks", "figures", "report.html")


@dataclass(frozen=True, eq=False)
class ExperimentResult:
    """A finished experiment.

    Args:
        folder: where it lies.
        about: experiment.json.
        tables: rows by table.
    """

    folder: Path
    about: Mapping[str, Any]
    tables: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, eq=False)
class _Cohorts:
    """Both cohorts with their features, what was said of them, and whether somebody leaks."""

    training: CohortFeatures
    external: CohortFeatures | None
    remarks: tuple[str, ...]
    leaking: bool


def run_experiment(
    manifest: str | Path,
    out: str | Path,
    *,
    external: str | Path | None = None,
    config: ExperimentConfig | None = None,
    encoder: str | Path | None = None,
    autoencoder: str | Path | None = None,
    seed: int = 0,
    workers: int = 1,
    cluster: str | None = None,
    cache: str | Path | None = None,
    resume: bool = True,
    allow_leakage: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
) -> ExperimentResult:
    """Run an experiment, or go on where one was stopped.

    Args:
        manifest: of the training cohort.
        out: folder of the experiment.
        external: manifest of the cohort that tests the final models.
        config: every choice; the preset ``paper`` by default.
        encoder, autoencoder: bundles for patients whose row names none.
        seed: of folds, factorisations, classifiers and resamples: equal seeds give equal tables.
        workers: processes for radiomics and cells; the numbers do not depend on it.
        cluster: address of a Dask scheduler instead; its workers must see the same files.
        cache: folder of kept features, which experiments on the same patients may share (``out/cache`` by default).
        resume: go on with what is there; False removes an earlier experiment first (features are kept).
        allow_leakage: run although patients would be tested by what has seen them; every output says so.
        device: of networks and factorisations: auto, cpu, cuda, mps.
        progress: may raise Cancelled; what is finished is kept.

    Raises:
        LeakageError: the run would leak.
        ManifestError: a manifest cannot be used.
        InputError: something asked for is not there, nobody can be used, one class in a fold, or another experiment
            lives in the folder.
    """
    out, config = Path(out), config or ExperimentConfig()
    cohort, other = read_cohort(manifest), read_cohort(external) if external is not None else None
    encoder, autoencoder = _absolute(encoder), _absolute(autoencoder)
    plan = planned(cohort, other, config, encoder, autoencoder)
    _check_names(cohort, other, plan, allow_leakage)
    run = RunFolder(
        out, _identity(cohort, other, plan, config, seed, allow_leakage), resume=resume, products=PRODUCTS
    )  # fmt: skip
    try:
        store = Path(cache) if cache is not None else out / "cache"
        found = _measured(
            cohort, other, plan, config, store, {"encoder": encoder, "autoencoder": autoencoder}, allow_leakage,
            workers, cluster, device, progress,
        )  # fmt: skip
        result = evaluated(
            found.training, found.external, config, out, inputs=plan.inputs, outcomes=plan.outcomes, seed=seed,
            workers=workers, cluster=cluster, device=device, progress=part(progress, 0.5, 0.97),
        )  # fmt: skip
    except InputError:
        run.take_back()
        raise
    return _written(out, run, found, result, plan, config, seed, progress)


def _measured(
    cohort: IchCohort,
    other: IchCohort | None,
    plan: Plan,
    config: ExperimentConfig,
    store: Path,
    defaults: Mapping[str, Path | None],
    allow: bool,
    workers: int,
    cluster: str | None,
    device: str,
    progress: Progress | None,
) -> _Cohorts:
    """Features of both cohorts; the leakage rule stands between radiomics and the networks."""
    settings = settings_of(config)
    tables: list[CohortFeatures] = []
    given = [one for one in (cohort, other) if one is not None]
    for number, one in enumerate(given):
        share = part(progress, 0.3 * number / len(given), 0.3 * (number + 1) / len(given))
        tables.append(
            measure_cohort(
                one, settings, store, encoder=defaults["encoder"], workers=workers, cluster=cluster, device=device,
                progress=share,
            )
        )  # fmt: skip
    remarks, leaking = _check_scans(tables, plan, allow, defaults)
    for number, table in enumerate(tables):
        for step, kind in enumerate(plan.kinds):
            start = 0.3 + 0.2 * (number * len(plan.kinds) + step) / (len(tables) * len(plan.kinds))
            share = part(progress, start, start + 0.2 / (len(tables) * len(plan.kinds)))
            table = with_latents(
                table, kind, settings, store, default=defaults[kind], device=device, progress=share
            )  # fmt: skip
        tables[number] = table
    return _Cohorts(tables[0], tables[1] if other is not None else None, remarks, leaking)


def _check_names(cohort: IchCohort, other: IchCohort | None, plan: Plan, allow: bool) -> None:
    """The leakage rule by patients' names alone, before hours of work; scans are checked when they are read."""
    empty = ("",) * len(cohort)
    check_networks(cohort.where, cohort.ids, cohort.patients, empty, plan.training, allow=allow)
    if other is not None:
        check_networks(other.where, other.ids, other.patients, ("",) * len(other), plan.external, allow=allow)
        own = tuple(f"own {i}" for i in range(len(cohort)))  # no scan is known yet: none stands twice
        theirs = tuple(f"other {i}" for i in range(len(other)))
        check_apart(
            (cohort.where, cohort.ids, cohort.patients, own), (other.where, other.ids, other.patients, theirs),
            allow=allow,
        )  # fmt: skip


def _check_scans(
    tables: Sequence[CohortFeatures], plan: Plan, allow: bool, defaults: Mapping[str, Path | None]
) -> tuple[tuple[str, ...], bool]:
    remarks: list[str] = []
    leaking = False
    told = [(one.cohort.where, one.ids, one.cohort.patients, one.marks) for one in tables]
    found = [check_apart(told[0], told[1] if len(tables) > 1 else None, allow=allow)]
    for one, who in zip(tables, told, strict=True):
        used = {kind: networks_of(one.cohort, kind, defaults[kind]) for kind in plan.kinds}
        known = {kind: networks for kind, networks in used.items() if networks is not None}
        found.append(check_networks(*who, known, allow=allow))
    for more, leaks in found:
        remarks += [text for text in more if text not in remarks]
        leaking = leaking or leaks
    return tuple(remarks), leaking


def _written(
    out: Path,
    run: RunFolder,
    found: _Cohorts,
    result: Evaluation,
    plan: Plan,
    config: ExperimentConfig,
    seed: int,
    progress: Progress | None,
) -> ExperimentResult:
    """Tables, bundle and, last, experiment.json."""
    say = part(progress, 0.97, 1.0)
    for number, (name, rows) in enumerate(result.tables.items()):
        say(0.3 * number / len(result.tables), f"writing {name}.csv")
        write_table(out / "tables" / f"{name}.csv", COLUMNS[name], rows)
    write_table(out / "predictions.csv", PREDICTIONS, prediction_rows(result.predictions))
    say(0.4, "fitting the bundle")
    networks = {kind: one.networks for kind, one in found.training.latents.items()}
    chosen = bundle_choice(config, plan.inputs, networks)
    about = described(
        found.training, found.external, plan, result, config, run.record, seed=seed, leaking=found.leaking,
        bundle=chosen[:2], remarks=(*found.remarks, *chosen[2]),
    )  # fmt: skip
    if chosen[0]:
        info = {
            "name": f"{chosen[0]} {chosen[1]}", "version": __version__, "created": now(),
            "synthetic": about["synthetic"], "leaking": about["leaking"], "n_training": len(found.training),
            "seed": seed, "seen": seen_record(found.training.marks, found.training.cohort.patients),
        }  # fmt: skip
        write_bundle(
            out / "bundle", *chosen[:2], result.last.blocks, result.last.components, result.predictions, networks,
            config, seed, info,
        )  # fmt: skip
    write_json(out / "experiment.json", about)
    run.update(status="finished", finished=now())
    say(1.0, "experiment finished")
    return ExperimentResult(out, about, result.tables)


def _identity(
    cohort: IchCohort, other: IchCohort | None, plan: Plan, config: ExperimentConfig, seed: int, allow: bool
) -> dict[str, Any]:
    hashes = [sha256_file(one.manifest.path) for one in (cohort, other) if one is not None and one.manifest.path]
    networks = [
        [kind, [one.sha256 for one in used]]
        for part_ in (plan.training, plan.external)
        for kind, (used, _) in part_.items()
    ]  # fmt: skip
    return {
        "kind": KIND, "config": config.to_dict(), "seed": seed, "inputs": list(plan.inputs),
        "outcomes": list(plan.outcomes), "manifest_sha256": content_hash(*hashes),
        "networks": content_hash(networks)[:32], "allow_leakage": allow,
    }  # fmt: skip


def _absolute(path: str | Path | None) -> Path | None:
    """Seen from a worker, a relative path may mean another place."""
    return None if path is None else Path(path).resolve()
