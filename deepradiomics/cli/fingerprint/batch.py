"""Many cases through one model: a folder per case, finished ones are skipped, a failing one does not stop the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deepradiomics.cli.cases import folder_cases, folder_name
from deepradiomics.cli.fingerprint.apply_case import FILES, REQUEST, ApplyOptions, apply_case, request_hash
from deepradiomics.cli.session import Session, explain
from deepradiomics.errors import Cancelled, InputError, ManifestError
from deepradiomics.files.atomic import sha256_file
from deepradiomics.files.lock import held
from deepradiomics.files.names import same_file_key
from deepradiomics.files.sealed import note_made_anew, read_sealed


@dataclass(frozen=True)
class BatchCase:
    """A case still on disk: its id, the path of each view, of its mask, and the label or segment that its row names."""

    id: str
    views: Mapping[str, Path]
    mask: Path | None = None
    label: int | None = None
    segment: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a case: ``done``, ``skipped`` (finished before) or ``failed`` with its message."""

    id: str
    status: str
    message: str = ""
    prediction: Mapping[str, Any] | None = None


def cases_of(manifest: Path | None, folder: Path | None) -> list[BatchCase]:
    """Return the cases of a manifest (labels are not needed) or of a folder of folders.

    Raises:
        InputError: two cases would share an output folder.
    """
    if manifest is not None:
        from deepradiomics.cohort import read_manifest

        rows = read_manifest(manifest, need_labels=False).rows
        cases = [BatchCase(row.id, row.views, row.mask, row.region, row.segment) for row in rows]
    else:
        assert folder is not None
        cases = [BatchCase(name, views) for name, views in folder_cases(folder).items()]
    names: dict[str, str] = {}
    for case in cases:
        name = folder_name(case.id)
        key = same_file_key(name)
        if key in names:
            raise InputError(f"cases {names[key]!r} and {case.id!r} would both be written to the folder {name}.")
        names[key] = case.id
    return cases


def apply_batch(cases: list[BatchCase], output: Path, options: ApplyOptions, session: Session) -> list[Outcome]:
    """Apply the model to every case; ``output/batch.csv`` lists what became of each.

    A case outside the training cohort has no class there (``predicted_<task>`` is empty); its folder's prediction.json
    keeps the number for programs.
    """
    from deepradiomics.cohort.each_case import Fault, case_outcomes, id_of

    outcomes: list[Outcome] = []

    def work(case: BatchCase) -> Outcome:
        def progress(fraction: float, message: str) -> None:
            number = len(outcomes)
            session.progress((number + fraction) / len(cases), f"{case.id} ({number + 1}/{len(cases)}): {message}")

        target = output / folder_name(case.id)
        case_options = replace(options, reading=options.reading.for_row(case.label, case.segment))
        before = _finished(target, case, case_options)
        if before is not None:
            return Outcome(case.id, "skipped", prediction=before)
        prediction = apply_case(case.id, case.views, case.mask, target, case_options, session, progress)
        return Outcome(case.id, "done", prediction=prediction)

    with held(output):
        for number, outcome in case_outcomes(cases, work, name=id_of, explain=_reason):
            if isinstance(outcome, Fault):
                outcome = Outcome(cases[number].id, "failed", outcome.reason)
                session.warn(f"{outcome.id} failed: {outcome.message}")
            outcomes.append(outcome)
            _write_table(output / "batch.csv", outcomes)
    return outcomes


def _reason(case: str, error: Exception) -> str | None:
    return None if isinstance(error, Cancelled | ManifestError) else explain(error)[1]


def _finished(folder: Path, case: BatchCase, options: ApplyOptions) -> dict[str, Any] | None:
    """Return an earlier result for the same images, region, model and options, whole and unchanged."""

    needed = ("fingerprint.csv", "relevance.nii.gz", "report.html")
    if not all((folder / name).is_file() for name in (*needed, "prediction.json")):
        return None
    prediction = read_sealed(folder / "prediction.json", (REQUEST, FILES, "tasks"))
    mask = case.mask if options.reading.names_labels else None
    if prediction is None or prediction[REQUEST] != request_hash(case.views, mask, options):
        return None
    changed = [name for name in needed if sha256_file(folder / name) != prediction[FILES].get(name)]
    if changed:
        note_made_anew(f"{folder / changed[0]}: this result was changed since it was written.")
        return None
    return prediction


def _write_table(path: Path, outcomes: list[Outcome]) -> None:
    from deepradiomics.files.tables import write_csv

    tasks = sorted({task for outcome in outcomes if outcome.prediction for task in outcome.prediction["tasks"]})
    columns = [f"{what}_{task}" for task in tasks for what in ("probability", "predicted", "selected")]
    rows = []
    for outcome in outcomes:
        prediction = outcome.prediction or {}
        results = prediction.get("tasks", {})
        outside, share = prediction.get("outside_training_cohort"), prediction.get("outside_share")
        values = [
            "" if outside and what == "predicted" else results.get(task, {}).get(what, "")
            for task in tasks
            for what in ("probability", "predicted", "selected")
        ]
        far = ["" if outside is None else int(outside), "" if share is None else f"{share:.4f}"]
        rows.append([outcome.id, outcome.status, *values, *far, outcome.message])
    write_csv(path, ["id", "status", *columns, "outside_training_cohort", "outside_share", "message"], rows)
