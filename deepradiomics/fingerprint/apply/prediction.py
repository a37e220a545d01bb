"""prediction.json: everything that other programs read about one prediction, with its provenance and no identifiers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics import __version__
from deepradiomics.files.atomic import content_hash
from deepradiomics.fingerprint.apply.methods_text import methods_text
from deepradiomics.fingerprint.model.tasks import output_slices
from deepradiomics.images import Case, image_record
from deepradiomics.prepare import patch_boxes
from deepradiomics.stats.outside import beyond_share, outside_fields
from deepradiomics.training.run_folder import now, versions

if TYPE_CHECKING:
    from deepradiomics.fingerprint.apply.explain import Explanation
    from deepradiomics.fingerprint.model.bundle import FingerprintBundle
    from deepradiomics.prepare import PreparedExam, Recipe

DISCLAIMER = "Research use only; not a medical device. Not for diagnosis or treatment."
SYNTHETIC_DISCLAIMER = (
    "The model was trained on synthetic images: this prediction demonstrates the software and means nothing clinically."
)
_IMAGE_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".npy")


@dataclass(frozen=True)
class RunFacts:
    """Circumstances of one prediction.

    Args:
        inference: mode of the prediction.
        device: where the network ran.
        region: how the region of interest was chosen, as a phrase.
        notes: what was assumed, one sentence each.
        reformatted: view → view it was reformatted from.
        started: ``time.perf_counter()`` at the start.
    """

    inference: str
    device: str
    region: str
    notes: tuple[str, ...]
    reformatted: Mapping[str, str]
    started: float


def prediction_of(
    model: FingerprintBundle,
    case: Case,
    exam: PreparedExam,
    recipe: Recipe,
    found: Explanation,
    relevance: np.ndarray,
    contribution: np.ndarray,
    about: RunFacts,
) -> dict[str, Any]:
    """Return the content of prediction.json.

    Args:
        model: the bundle that was applied.
        case: with all views used.
        exam: as prepared.
        recipe: as used.
        found: the prediction taken apart.
        relevance: of the patches (T, J).
        contribution: of the patches (T, J).
        about: the circumstances of the run.
    """
    boxes = patch_boxes(exam)
    names = [task.name for task in model.tasks]
    synthetic = bool(model.about.get("synthetic"))
    share = beyond_training(model, found)
    software = versions()
    return {
        "software": "deepradiomics",
        "version": __version__,
        "kind": "fingerprint",
        "created": now(),
        "case_id": case.id,
        "synthetic_model": synthetic,
        "disclaimer": f"{SYNTHETIC_DISCLAIMER} {DISCLAIMER}" if synthetic else DISCLAIMER,
        "inference": about.inference,
        "reference_view": recipe.reference_view,
        **outside_fields(share),
        "tasks": _tasks(model, found, about.inference, share),
        "views": {view: _provenance(view, case, about.reformatted.get(view)) for view in recipe.views},
        "roi": exam.roi_box.transformed(exam.to_view[recipe.reference_view]).to_dict(),
        "patch_grid": list(recipe.patch_grid),
        "patches": [
            {
                "patch": j + 1,
                "boxes": {view: boxes[view][j].to_dict() for view in recipe.views},
                "relevance": {name: float(relevance[t, j]) for t, name in enumerate(names)},
                "contribution": {name: float(contribution[t, j]) for t, name in enumerate(names)},
            }
            for j in range(model.layout.n_patches)
        ],
        "bundle": {
            "name": model.about.get("name", ""),
            "version": model.about.get("version", ""),
            "sha256": model.sha256,
        },
        "settings": recipe.to_dict(),
        "versions": software,
        "device": about.device,
        "seconds": round(time.perf_counter() - about.started, 2),
        "notes": list(about.notes),
        "methods_text": methods_text(model, recipe, about.region, about.inference, about.reformatted, software),
    }


def beyond_training(model: FingerprintBundle, found: Explanation) -> float | None:
    """Share of the features in use that lie far from their training mean; see ``stats.outside``."""
    return beyond_share(found.pool, model.scaling.mean, model.scaling.sd)


def _tasks(model: FingerprintBundle, found: Explanation, inference: str, share: float | None) -> dict[str, Any]:
    tasks: dict[str, Any] = {}
    for t, (task, where) in enumerate(zip(model.tasks, output_slices(model.tasks), strict=True)):
        limit = model.thresholds.relevance[task.name]
        binary = task.kind == "binary"
        chances = {mode: found.chances[mode][t] for mode in found.chances}
        mine = float(chances[inference]) if binary else None
        tasks[task.name] = {
            "title": task.readable,
            "type": task.kind,
            "classes": list(task.classes),
            **({"probability": mine} if mine is not None else {}),
            "probabilities": [1.0 - mine, mine] if mine is not None else chances[inference].tolist(),
            "logit": float(found.logits[where.start]) if binary else found.logits[where].tolist(),
            "intercept": float(found.intercepts[where.start]) if binary else found.intercepts[where].tolist(),
            "predicted": found.predicted[t],
            "beyond_3sd": share,
            "decision_threshold": model.thresholds.decision[inference][task.name],
            "relevance_threshold": limit,
            "selected": int((found.relevance[t].astype(np.float64) >= limit).sum()),
            "pool": int(found.z.size),
            "by_inference": {mode: float(p) if binary else p.tolist() for mode, p in chances.items()},
        }
    return tasks


def _provenance(view: str, case: Case, reformatted_from: str | None) -> dict[str, Any]:
    """File name without its folder (the view's name for DICOM, whose file names may tell who it is) and a hash."""
    volume, origin = case.views[view], case.views[reformatted_from or view]
    name = Path(origin.source).name
    return {
        "file": name if name.lower().endswith(_IMAGE_SUFFIXES) else (reformatted_from or view),
        "sha256": content_hash(np.asarray(origin.voxels), origin.geometry.to_dict()),
        **image_record(origin),
        "reformatted_from": reformatted_from,
        "size": list(volume.geometry.size),
        "spacing_mm": list(volume.geometry.spacing_mm),
    }
