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
from deepradiomics.cohort.seen.leakage import check_apart, check_networks
from deepradiomics.cohort.seen.marks import seen_record
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import content_hash, sha256_file, write_json
from deepradiomics.files.lock import holds_out
from deepradiomics.files.tables import write_table
from deepradiomics.ich.cohort.manifest import IchCohort, read_cohort
from deepradiomics.ich.experiment.about import described
from deepradiomics.ich.experiment.bundle import bundle_choice, write_bundle
from deepradiomics.ich.experiment.config import Design
from deepradiomics.ich.experiment.evaluation import Evaluation, evaluated
from deepradiomics.ich.experiment.plan import Plan, planned, settings_of
from deepradiomics.ich.experiment.request import Cohorts, ExperimentRequest
from deepradiomics.ich.experiment.tables import COLUMNS, PREDICTIONS, prediction_rows
from deepradiomics.ich.features.run import CohortFeatures, Machines, measure_cohort, networks_of, with_latents
from deepradiomics.images.reading import Reading
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line
from deepradiomics.training.run_folder import RunFolder, RunKind, now

_RUN = RunKind("ich-experiment", "an experiment on haemorrhages")
PRODUCTS = ("experiment.json", "tables", "predictions.csv", "bundle", "cells", "blocks", "figures", "report.html")


@one_line
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


@holds_out
def run_experiment(
    request: ExperimentRequest,
    out: str | Path,
    *,
    machines: Machines | None = None,
    cache: str | Path | None = None,
    resume: bool = True,
    progress: Progress | None = None,
) -> ExperimentResult:
    """Run an experiment, or resume one that was stopped.

    Args:
        request: what is compared, on whom.
        out: folder of the experiment.
        machines: what computes radiomics, networks, factorisations and cells.
        cache: folder of kept features, which experiments on the same patients may share (``out/cache`` by default).
        resume: go on with what is there; False removes an earlier experiment first (features are kept).
        progress: may raise Cancelled; what is finished is kept.

    Raises:
        LeakageError: the run would leak.
        ManifestError: a manifest cannot be used.
        InputError: something asked for is not there, nobody can be used, one class in a fold, or another experiment
            lives in the folder.
    """
    out, config = Path(out), request.config
    cohort = read_cohort(request.manifest, request.reading)
    other = read_cohort(request.external, request.reading) if request.external is not None else None
    plan = planned(cohort, other, config, request.networks["encoder"], request.networks["autoencoder"])
    _check_names(cohort, other, plan, request.allow_leakage)
    run = RunFolder(out, _identity(cohort, other, plan, request), kind=_RUN, resume=resume, products=PRODUCTS)
    store = Path(cache) if cache is not None else out / "cache"
    machines = machines or Machines()
    try:
        found = _measured(
            [table for table in (cohort, other) if table is not None], plan, request, store, machines, progress
        )
        result = evaluated(
            found.training,
            found.external,
            Design(config, plan.inputs, plan.outcomes, request.seed),
            out,
            machines,
            progress=part(progress, 0.5, 0.97),
        )
    except InputError:
        run.take_back()
        raise
    choices = cohort.manifest.reading.or_labels_of(Reading(label=config.label)).to_dict()
    return _written(run, found, result, plan, request, choices, part(progress, 0.97, 1.0))


def _measured(
    cohorts: Sequence[IchCohort],
    plan: Plan,
    request: ExperimentRequest,
    cache: Path,
    machines: Machines,
    progress: Progress | None,
) -> Cohorts:
    """Features of the cohorts; the leakage rule stands between radiomics and the networks."""
    settings, networks = settings_of(request.config), request.networks
    tables: list[CohortFeatures] = []
    for number, cohort in enumerate(cohorts):
        share = part(progress, 0.3 * number / len(cohorts), 0.3 * (number + 1) / len(cohorts))
        tables.append(measure_cohort(cohort, settings, cache, machines, encoder=networks["encoder"], progress=share))
    remarks, leaking = _check_scans(tables, plan, request.allow_leakage, networks)
    for number, table in enumerate(tables):
        for step, kind in enumerate(plan.kinds):
            start = 0.3 + 0.2 * (number * len(plan.kinds) + step) / (len(tables) * len(plan.kinds))
            share = part(progress, start, start + 0.2 / (len(tables) * len(plan.kinds)))
            table = with_latents(
                table, kind, settings, cache, default=networks[kind], device=machines.device, progress=share
            )
        tables[number] = table
    return Cohorts(tables[0], tables[1] if len(tables) > 1 else None, remarks, leaking)


def _check_names(cohort: IchCohort, other: IchCohort | None, plan: Plan, allow: bool) -> None:
    """The leakage rule by patients' names alone, before hours of work; scans are checked when they are read."""
    empty = ("",) * len(cohort)
    check_networks(cohort.where, cohort.ids, cohort.patients, empty, plan.training, allow=allow)
    if other is not None:
        check_networks(other.where, other.ids, other.patients, ("",) * len(other), plan.external, allow=allow)
        own = tuple(f"own {i}" for i in range(len(cohort)))  # no scan is known yet: none stands twice
        theirs = tuple(f"other {i}" for i in range(len(other)))
        check_apart(
            (cohort.where, cohort.ids, cohort.patients, own),
            (other.where, other.ids, other.patients, theirs),
            allow=allow,
        )


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
    run: RunFolder,
    found: Cohorts,
    result: Evaluation,
    plan: Plan,
    request: ExperimentRequest,
    choices: Mapping[str, Any],
    say: Progress,
) -> ExperimentResult:
    """Tables, bundle and, last, experiment.json."""
    out, config, seed = run.folder, request.config, request.seed
    for number, (name, rows) in enumerate(result.tables.items()):
        say(0.3 * number / len(result.tables), f"writing {name}.csv")
        write_table(out / "tables" / f"{name}.csv", COLUMNS[name], rows)
    write_table(out / "predictions.csv", PREDICTIONS, prediction_rows(result.predictions))
    say(0.4, "fitting the bundle")
    networks = {kind: one.networks for kind, one in found.training.latents.items()}
    chosen = bundle_choice(config, plan.inputs, networks)
    about = described(found, plan, result, request, run.record, bundle=chosen[:2], remarks=(*found.remarks, *chosen[2]))
    if chosen[0]:
        info = {
            "name": f"{chosen[0]} {chosen[1]}",
            "version": __version__,
            "created": now(),
            "synthetic": about["synthetic"],
            "leaking": about["leaking"],
            "n_training": len(found.training),
            "seed": seed,
            "seen": seen_record(found.training.marks, found.training.cohort.patients),
            "reading": dict(choices),
        }
        write_bundle(
            out / "bundle",
            chosen[:2],
            result.last,
            result.predictions,
            networks,
            Design(config, plan.inputs, plan.outcomes, seed),
            info,
        )
    write_json(out / "experiment.json", about)
    run.update(status="finished", finished=now())
    say(1.0, "experiment finished")
    return ExperimentResult(out, about, result.tables)


def _identity(cohort: IchCohort, other: IchCohort | None, plan: Plan, request: ExperimentRequest) -> dict[str, Any]:
    hashes = [sha256_file(one.manifest.path) for one in (cohort, other) if one is not None and one.manifest.path]
    networks = [
        [kind, [one.sha256 for one in used]]
        for part_ in (plan.training, plan.external)
        for kind, (used, _) in part_.items()
    ]
    return {
        "config": request.config.to_dict(),
        "seed": request.seed,
        "inputs": list(plan.inputs),
        "outcomes": list(plan.outcomes),
        "manifest_sha256": content_hash(*hashes),
        "networks": content_hash(networks)[:32],
        "allow_leakage": request.allow_leakage,
    } | ({"reading": choices} if (choices := cohort.manifest.reading.to_dict()) else {})
