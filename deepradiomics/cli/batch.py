"""Many cases through one model: a folder a case, finished ones are skipped, a failing one does not stop the rest."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.cli.apply_case import ApplyOptions, apply_case
from deepradiomics.cli.cases import folder_cases, folder_name
from deepradiomics.cli.session import Session, explain
from deepradiomics.errors import Cancelled, DeepRadiomicsError, InputError, ManifestError


@dataclass(frozen=True)
class BatchCase:
    """A case still on disk: its id, the path of each view, and of its mask."""

    id: str
    views: Mapping[str, Path]
    mask: Path | None = None


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
        cases = [BatchCase(row.id, row.views, row.mask) for row in rows]
    else:
        assert folder is not None
        cases = [BatchCase(name, views) for name, views in folder_cases(folder).items()]
    seen: dict[str, str] = {}
    for case in cases:
        name = folder_name(case.id)
        if name in seen:
            raise InputError(f"cases {seen[name]!r} and {case.id!r} would both be written to the folder {name}.")
        seen[name] = case.id
    return cases


def apply_batch(cases: list[BatchCase], output: Path, options: ApplyOptions, session: Session) -> list[Outcome]:
    """Apply the model to every case; ``output/batch.csv`` lists what became of each.

    A case outside the training cohort has no class there (``predicted_<task>`` is empty); its folder's prediction.json
    keeps the number for programs.
    """
    from deepradiomics.files import sha256_file

    weights = options.bundle / "model.safetensors"
    model = sha256_file(weights) if weights.is_file() else ""
    outcomes: list[Outcome] = []
    for count, case in enumerate(cases):
        target = output / folder_name(case.id)

        def progress(fraction: float, message: str, count: int = count, case: BatchCase = case) -> None:
            session.progress((count + fraction) / len(cases), f"{case.id} ({count + 1}/{len(cases)}): {message}")

        before = _finished(target, model, options)
        if before is not None:
            outcomes.append(Outcome(case.id, "skipped", prediction=before))
            continue
        try:
            found = apply_case(case.id, case.views, case.mask, target, options, session, progress)
            outcomes.append(Outcome(case.id, "done", prediction=found))
        except Cancelled:
            raise
        except ManifestError:
            raise
        except Exception as error:
            _, message = explain(error)
            outcomes.append(Outcome(case.id, "failed", message))
            session.warn(f"{case.id} failed: {message}")
        _write_table(output / "batch.csv", outcomes)
    _write_table(output / "batch.csv", outcomes)
    return outcomes


def _finished(folder: Path, model_sha256: str, options: ApplyOptions) -> dict[str, Any] | None:
    """Return an earlier result of the same model and inference, whose folder is complete."""
    from deepradiomics.files import read_json

    wanted = ("prediction.json", "fingerprint.csv", "relevance.nii.gz", "report.html")
    if not all((folder / name).is_file() for name in wanted):
        return None
    try:
        found = read_json(folder / "prediction.json")
        same = found["bundle"]["sha256"] == model_sha256 and found["inference"] == options.inference
    except (DeepRadiomicsError, KeyError, TypeError):
        return None
    return found if same else None


def _write_table(path: Path, outcomes: list[Outcome]) -> None:
    from deepradiomics.files import atomic_file

    tasks = sorted({task for one in outcomes if one.prediction for task in one.prediction["tasks"]})
    columns = [f"{what}_{task}" for task in tasks for what in ("probability", "predicted", "selected")]
    with atomic_file(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "status", *columns, "outside_training_cohort", "outside_share", "message"])
        for one in outcomes:
            prediction = one.prediction or {}
            found = prediction.get("tasks", {})
            outside, share = prediction.get("outside_training_cohort"), prediction.get("outside_share")
            values = [
                "" if outside and what == "predicted" else found.get(task, {}).get(what, "")
                for task in tasks
                for what in ("probability", "predicted", "selected")
            ]
            far = ["" if outside is None else int(outside), "" if share is None else f"{share:.4f}"]
            writer.writerow([one.id, one.status, *values, *far, one.message])
