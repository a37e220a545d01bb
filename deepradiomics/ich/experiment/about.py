"""experiment.json: what was done, on whom, with which networks, and what a reader must know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics import __version__
from deepradiomics.ich.cohort.manifest import title_of
from deepradiomics.ich.experiment.plan import Plan
from deepradiomics.ich.experiment.tables import COLUMNS
from deepradiomics.ich.experiment.text import experiment_methods, titled
from deepradiomics.ich.features.latents import KINDS
from deepradiomics.ich.features.run import CohortFeatures
from deepradiomics.ich.haematoma.region import TINY_ML
from deepradiomics.training.run_folder import command, now
from deepradiomics.words import count, some, without_folders

if TYPE_CHECKING:
    from deepradiomics.ich.experiment.evaluation import Evaluation
    from deepradiomics.ich.experiment.request import Cohorts, ExperimentRequest

_NOTED = {
    "Contrast?": "Contrast",
    "Thick slices": "Thick slices",
    "tilted": "Tilted slices",
    "separate haematomas": "Several haematomas",
    "Small field of view": "Small field of view",
    "the crop has": "Haematoma larger than the crop",
}
"""Words of a case's note, and how the remark on all such cases calls it."""


def described(
    found: Cohorts,
    plan: Plan,
    result: Evaluation,
    request: ExperimentRequest,
    record: Mapping[str, Any],
    *,
    bundle: tuple[str, str],
    remarks: Sequence[str],
) -> dict[str, Any]:
    """Return experiment.json."""
    config, external = request.config, found.external
    both = [("training", found.training), *([("external", external)] if external is not None else [])]
    networks = {kind: _networks([one for _, one in both], kind) for kind in KINDS}
    synthetic = any(one.cohort.synthetic for _, one in both) or any(
        network["synthetic"] for used in networks.values() for network in used
    )
    about: dict[str, Any] = {
        "kind": "ich-experiment",
        "software": "deepradiomics",
        "version": __version__,
        "created": str(record.get("created") or now()),
        "command": str(record.get("command") or command()),
        "versions": dict(record.get("versions") or {}),
        "seed": request.seed,
        "synthetic": synthetic,
        "real_head": any(one.cohort.real_head for _, one in both),
        "leaking": found.leaking,
        "config": config.to_dict(),
        "cohorts": {name: {"manifest": Path(one.cohort.where).name, "n": len(one)} for name, one in both},
        "outcomes": [
            {
                "name": name,
                "title": title_of(name),
                "training": _count(result.outcomes, name),
                "external": _count(result.external_outcomes, name),
            }
            for name in plan.outcomes
        ],
        "inputs": titled(plan.inputs, inputs=True),
        "classifiers": titled(config.classifiers, inputs=False),
        "folds": config.folds,
        "warnings": without_folders(list(dict.fromkeys((*plan.remarks, *remarks, *result.remarks, *_of_cases(both))))),
        "dropped": [[name, case, reason] for name, one in both for case, reason in one.dropped],
        "notes": {name: {case: list(notes) for case, notes in one.notes.items()} for name, one in both},
        "networks": networks,
        "bundle": {"input": bundle[0], "classifier": bundle[1]},
        "tables": list(COLUMNS),
    }
    return {**about, "methods_text": experiment_methods(about)}


def _count(counts: Mapping[str, tuple[int, int]], name: str) -> dict[str, int] | None:
    if name not in counts or not counts[name][0]:
        return None
    return {"n": counts[name][0], "positives": counts[name][1]}


def _networks(tables: Sequence[CohortFeatures], kind: str) -> list[dict[str, Any]]:
    """Each network once, with how many patients it gave latents."""
    found: dict[str, dict[str, Any]] = {}
    for table in tables:
        if kind not in table.latents:
            continue
        latents = table.latents[kind]
        for number, patients in sorted(Counter(latents.given_by).items()):
            one = latents.networks[number]
            entry = found.setdefault(
                one.sha256,
                {
                    "name": one.name,
                    "sha256": one.sha256,
                    "folder": str(one.folder),
                    "synthetic": one.synthetic,
                    "patients": 0,
                    "latents": int(latents.values.shape[1]),
                },
            )
            entry["patients"] += patients
    return list(found.values())


def _of_cases(both: Sequence[tuple[str, CohortFeatures]]) -> list[str]:
    """What several patients have in common is said once."""
    remarks = []
    for name, one in both:
        if one.dropped:
            remarks.append(
                f"{len(one.dropped)} of {len(one) + len(one.dropped)} {name} patients cannot be used and are left out: "
                f"{some([case for case, _ in one.dropped])}."
            )
        tiny = [case for case, ml in zip(one.ids, one.volume_ml, strict=True) if ml < TINY_ML]
        if tiny:
            remarks.append(
                f"{count(len(tiny), f'{name} patient')} with a haematoma below {TINY_ML:g} mL ({some(tiny)}): radiomic "
                "features rest on few voxels."
            )
        for what, title in _NOTED.items():
            cases = [case for case, notes in one.notes.items() if any(what in note for note in notes)]
            if cases:
                remarks.append(f"{title}: noted for {count(len(cases), f'{name} patient')} ({some(cases)}).")
    return remarks
