"""A fingerprint result made by hand on a small oblique knee-like image, for tests of what draws and writes results."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from deepradiomics.images import VIEWS, Case, Geometry, Volume
from deepradiomics.prepare import Recipe, paint_map, paint_patches, patch_boxes, prepare_exam, reformat
from deepradiomics.radiomics.catalogue.explain import family_of

FEATURES = (
    "original_firstorder_Mean",
    "original_firstorder_Entropy",
    "original_shape_Sphericity",
    "original_glcm_Contrast",
    "original_glrlm_RunEntropy",
    "original_glszm_ZoneEntropy",
    "original_gldm_DependenceEntropy",
    "original_ngtdm_Busyness",
)


def oblique_sagittal(seed: int = 0, tilt: float = 0.2) -> Volume:
    """A sagittal stack (x → P, y → I, z → L, tilted about the left-right axis) of an egg with stripes and noise."""
    c, s = np.cos(tilt), np.sin(tilt)
    columns = np.array([[0.0, c, -s], [0.0, -s, -c], [1.0, 0.0, 0.0]])  # where x, y, z lead, LPS
    geometry = Geometry((72, 80, 14), (1.9, 1.7, 7.0), (-45.0, -60.0, 70.0), tuple(columns.T.ravel()))
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in geometry.shape), indexing="ij")
    egg = np.clip(1.2 - (x**2 + 1.3 * y**2 + 0.8 * z**2), 0, None)
    voxels = 300 * egg + 60 * np.sin(9 * x + 4 * y) * (egg > 0.2) + rng.normal(0, 12, geometry.shape)
    return Volume(voxels.astype(np.float32), geometry, "sagittal", "sagittal.nii.gz")


def fake_result(
    tasks: tuple[str, ...] = ("abnormality", "acl", "meniscus"), *, case_id: str = "knee-1", **changes: Any
) -> Any:
    """Return a FingerprintResult-like object; ``changes`` replace entries of its prediction."""
    sagittal = oblique_sagittal()
    case = Case(case_id, {view: sagittal if view == "sagittal" else reformat(sagittal, view) for view in VIEWS})
    recipe = Recipe(registration="off", resized_shape=(16, 48, 48))
    exam = prepare_exam(case, recipe)
    boxes = patch_boxes(exam)
    rng = np.random.default_rng(1)
    rows, relevance, gradcam, prediction_tasks = [], {}, {}, {}
    patch_relevance, patch_contribution = {}, {}
    for task in tasks:
        q = rng.uniform(0.3, 0.8, (8, 3, len(FEATURES)))
        contribution = rng.normal(0, 0.05, q.shape) * (q >= 0.55)
        for patch, view, feature in np.ndindex(q.shape):
            rows.append(
                SimpleNamespace(
                    task=task,
                    feature=FEATURES[feature],
                    view=VIEWS[view],
                    patch=patch + 1,
                    family=family_of(FEATURES[feature]),
                    value=float(rng.normal(10, 3)),
                    z=float(rng.normal()),
                    relevance=float(q[patch, view, feature]),
                    selected=bool(q[patch, view, feature] >= 0.55),
                    contribution=float(contribution[patch, view, feature]),
                )
            )
        patch_relevance[task], patch_contribution[task] = q.mean(axis=(1, 2)), contribution.sum(axis=(1, 2))
        relevance[task] = paint_patches(patch_relevance[task], exam, sagittal.geometry, "sagittal")
        heat = np.zeros(exam.roi_grid.shape)
        heat[2:5, 6:12, 8:16] = 1.0
        gradcam[task] = paint_map(heat, exam, sagittal.geometry, "sagittal")
        logit = float(contribution.sum() - 0.2)
        prediction_tasks[task] = {
            "type": "binary",
            "classes": ["0", "1"],
            "probability": float(1 / (1 + np.exp(-logit))),
            "probabilities": [],
            "logit": logit,
            "intercept": -0.2,
            "predicted": int(logit > 0),
            "decision_threshold": 0.5,
            "relevance_threshold": 0.55,
            "selected": int((q >= 0.55).sum()),
            "pool": q.size,
            "by_inference": {"paper": 0.61, "masked": 0.55, "soft": 0.52},
        }
    prediction = {
        "software": "deepradiomics",
        "version": "0.1.0",
        "kind": "fingerprint",
        "created": "2025-01-01T12:00:00+00:00",
        "case_id": case_id,
        "synthetic_model": True,
        "disclaimer": "The model was trained on synthetic knees.",
        "inference": "paper",
        "reference_view": "sagittal",
        "tasks": prediction_tasks,
        "views": {
            view: {
                "file": "sagittal.nii.gz",
                "sha256": "ab" * 32,
                "reformatted_from": None if view == "sagittal" else "sagittal",
                "size": list(case.views[view].geometry.size),
                "spacing_mm": list(case.views[view].geometry.spacing_mm),
            }
            for view in VIEWS
        },
        "roi": exam.roi_box.to_dict(),
        "patch_grid": list(recipe.patch_grid),
        "patches": [
            {
                "patch": j + 1,
                "boxes": {view: boxes[view][j].to_dict() for view in VIEWS},
                "relevance": {task: float(patch_relevance[task][j]) for task in tasks},
                "contribution": {task: float(patch_contribution[task][j]) for task in tasks},
            }
            for j in range(8)
        ],
        "bundle": {"name": "tiny", "version": "0.1.0", "sha256": "cd" * 32},
        "settings": recipe.to_dict(),
        "versions": {"numpy": np.__version__},
        "device": "cpu",
        "seconds": 3.2,
        "notes": list(exam.notes),
        "methods_text": "Radiomic features were computed in eight patches and three views.",
        **changes,
    }
    return SimpleNamespace(prediction=prediction, rows=rows, relevance=relevance, gradcam=gradcam, exam=exam, case=case)
