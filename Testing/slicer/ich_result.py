"""Folders as `ich apply`, `ich expansion` and `ich experiment` write them, made by hand from the documented schema.

SYNTHETIC. A head CT on a tilted grid; a haematoma that is an ellipsoid and a second, smaller lesion; a ring of two
voxels; Grad-CAM whose maximum lies at the haematoma's front end; a follow-up in which the haematoma grew to its left.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import binary_dilation

from deepradiomics import __version__
from deepradiomics.images import Geometry, Mask, Volume, image_record, write_mask, write_stack, write_volume
from Testing.slicer.synthetic_result import rotation

OUTCOMES = ("poor_outcome", "expansion_3ml", "expansion_6ml", "expansion_9ml")
TITLES = ("Poor outcome (mRS > 3)", "Expansion > 3 mL", "Expansion > 6 mL", "Expansion > 9 mL")
GROUPS = ("radiomics", "encoder", "autoencoder")
CENTRE_MM = np.array([18.0, -12.0, 30.0])  # LPS: left, front, up
RADII_MM = np.array([14.0, 20.0, 13.0])
FEATURES = ("original_shape_MeshVolume", "original_firstorder_Mean", "log-sigma-2-0-mm-3D_glcm_Contrast")
LABELS = ("Radiomics component 1: Zone Entropy, Entropy, Contrast", "", "")


@dataclass(frozen=True)
class SyntheticIch:
    """The folder, the CT it was made from, and what must be found in the scene."""

    folder: Path
    ct: Volume
    followup: Volume
    labels: np.ndarray  # (z, y, x): 1 haematoma, 2 ring
    gradcam: dict[str, np.ndarray]
    change: np.ndarray  # (z, y, x): 1 stable, 2 grown, 3 shrunk


def head_geometry() -> Geometry:
    """An axial grid of 5 mm slices, turned by 13 degrees about a skew axis."""
    size, spacing = (56, 64, 30), (3.5, 3.5, 5.0)
    direction = rotation(13, (2, 1, 3))
    middle = direction @ ((np.array(size) - 1) / 2 * spacing)
    return Geometry(size, spacing, tuple(np.array([2.0, 5.0, 20.0]) - middle), tuple(direction.ravel()))


def make_ich_case(
    folder: Path, *, followup: bool = True, latents: bool = True, patient: int = 1, case_id: str = "case"
) -> SyntheticIch:
    """Write everything but report.html and scene.mrb into `folder`; `latents`: with Grad-CAM.

    Another `patient` has a head of other noise, and the haematoma at the same place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    grid = head_geometry()
    points = _points(grid)  # (z, y, x, 3)
    haematoma = _inside(points, CENTRE_MM, RADII_MM) | _inside(points, CENTRE_MM + np.array([-40, 18, 14]), (7, 8, 8))
    ring = binary_dilation(haematoma, np.ones((3, 5, 5))) & ~haematoma
    labels = (haematoma + 2 * ring).astype(np.uint8)
    grown = _inside(points, CENTRE_MM + np.array([8, 0, 2]), RADII_MM + np.array([3, 1, 1]))
    change = np.select([haematoma & grown, grown & ~haematoma, haematoma & ~grown], [1, 2, 3], 0).astype(np.uint8)
    front = np.exp(-np.sum(((points - CENTRE_MM - (0, -16, 0)) / (12, 14, 12)) ** 2, axis=-1))
    gradcam = {
        name: np.where(labels > 0, front * (1 - 0.1 * at), 0).astype(np.float32) for at, name in enumerate(OUTCOMES)
    }
    ct = Volume(_head(points, haematoma, patient), grid, name="ct")
    later = Volume(_head(points, grown, 100 + patient), grid, name="followup")
    write_mask(Mask(labels, grid), folder / "segmentation.nii.gz")
    if latents:
        write_stack([Volume(gradcam[name], grid) for name in OUTCOMES], folder / "gradcam.nii.gz")
    _write_rows(folder / "features.csv", ("label", "feature", "family", "value"), _features())
    _write_rows(folder / "shap.csv", ("outcome", "group", "component", "label", "value", "shap"), _shap(latents))
    if followup:
        make_expansion(folder, later, change)
    about = _about(haematoma, ring, grid, followup, latents)
    about["inputs"]["ct"] |= image_record(ct)
    about["case_id"] = case_id
    (folder / "ich.json").write_text(json.dumps(about), encoding="utf-8")
    return SyntheticIch(folder, ct, later, labels, gradcam if latents else {}, change)


def make_expansion(folder: Path, followup: Volume, change: np.ndarray) -> Path:
    """Write what `ich expansion` writes."""
    folder.mkdir(parents=True, exist_ok=True)
    ml = float(np.prod(followup.geometry.spacing_mm)) / 1000
    before, after = (np.isin(change, labels).sum() * ml for labels in ((1, 3), (1, 2)))
    write_mask(Mask(change, followup.geometry), folder / "expansion.nii.gz")
    write_volume(followup, folder / "followup_registered.nii.gz")
    difference = after - before
    about = {
        "kind": "ich-expansion", "software": "deepradiomics", "version": __version__, "baseline_ml": before,
        "followup_ml": after, "difference_ml": difference, "relative": difference / before,
        "labels": {f"expansion_{limit}ml": bool(difference > limit) for limit in (3, 6, 9)},
        "transform": {"matrix": np.eye(4).tolist(), "space": "LPS", "maps": "fixed to moving"}, "notes": [],
    }  # fmt: skip
    (folder / "expansion.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def make_experiment(folder: Path, *, external: bool = True, leaking: bool = False) -> Path:
    """Write the tables of `ich experiment` that the scene shows, of invented numbers."""
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    inputs = ("radiomics", "shape", "encoder", "autoencoder", "latents", "radiomics+latents", "shape+latents")
    classifiers = ("random-forest", "xgboost", "naive-bayes", "extra-trees", "elastic-net", "svm")
    rng, rows = np.random.default_rng(3), []
    for outcome in OUTCOMES:
        for input_ in inputs:
            for classifier in classifiers:
                auc = 0.6 + 0.2 * rng.random()
                outside = [auc - 0.05, auc - 0.15, auc + 0.05] if external else [""] * 3
                rows.append([outcome, input_, classifier, auc, 0.03, auc, auc - 0.06, auc + 0.06, *outside])
    header = [
        *("outcome", "input", "classifier", "auc_mean", "auc_sd", "auc_pooled", "auc_low", "auc_high"),
        *("external_auc", "external_low", "external_high"),
    ]
    _write_rows(folder / "tables" / "summary.csv", header, rows)
    shares = [[OUTCOMES[0], "extra-trees", group, 0.1, 1 / 3] for group in GROUPS]
    _write_rows(
        folder / "tables" / "shap_groups.csv", ("outcome", "classifier", "group", "mean_abs_shap", "share"), shares
    )
    about = {
        "kind": "ich-experiment", "software": "deepradiomics", "version": __version__, "seed": 0, "synthetic": True,
        "leaking": leaking, "folds": 5, "warnings": ["shape: 14 columns"], "methods_text": "Cells were compared.",
        "outcomes": [{"name": name, "title": title} for name, title in zip(OUTCOMES, TITLES, strict=True)],
        "inputs": [{"name": each, "title": each.title()} for each in inputs],
        "classifiers": [{"name": each, "title": each.replace("-", " ").title()} for each in classifiers],
        "bundle": {"input": "radiomics+latents", "classifier": "extra-trees"}, "tables": ["summary", "shap_groups"],
    }  # fmt: skip
    (folder / "experiment.json").write_text(json.dumps(about), encoding="utf-8")
    (folder / "report.html").write_text("<html></html>", encoding="utf-8")
    return folder


def _points(grid: Geometry) -> np.ndarray:
    z, y, x = np.indices(grid.shape)
    return grid.index_to_physical(np.stack([x, y, z], axis=-1))


def _inside(points: np.ndarray, centre: np.ndarray, radii: Any) -> np.ndarray:
    return np.sum(((points - centre) / radii) ** 2, axis=-1) <= 1


def _head(points: np.ndarray, haematoma: np.ndarray, seed: int) -> np.ndarray:
    """(z, y, x) int16 HU: air, skull, brain with two ventricles, blood."""
    rng = np.random.default_rng(seed)
    middle = np.array([2.0, 5.0, 20.0])
    hu = np.full(haematoma.shape, -1000.0)
    hu[_inside(points, middle, (78, 96, 82))] = 40  # scalp
    hu[_inside(points, middle, (72, 90, 76))] = 1000  # skull
    hu[_inside(points, middle, (66, 84, 70))] = 32
    for side in (-10, 10):
        hu[_inside(points, middle + np.array([side, 5, 12]), (6, 22, 10))] = 6
    hu[haematoma] = 65
    return (hu + rng.normal(0, 4, hu.shape)).astype(np.int16)


def _features() -> list[list[Any]]:
    values = (15200.0, 62.5, 1.25)
    return [[1, name, name.split("_")[1], value] for name, value in zip(FEATURES, values, strict=True)]


def _shap(latents: bool) -> list[list[Any]]:
    rows = []
    for at, outcome in enumerate(OUTCOMES):
        shares = []
        for place, (group, label) in enumerate(zip(GROUPS if latents else GROUPS[:1], LABELS, strict=False)):
            for number in range(6):
                share = (0.09 - 0.012 * number - 0.01 * at) * (-1 if (number + place % 2) % 3 == 0 else 1)
                shares.append(
                    [
                        outcome,
                        group,
                        f"{group} {number + 1}",
                        label or f"{group} latent component {number + 1}",
                        0.4,
                        share,
                    ]
                )
        rows += sorted(shares, key=lambda row: -abs(row[-1]))
    return rows


def _about(haematoma: np.ndarray, ring: np.ndarray, grid: Geometry, followup: bool, latents: bool) -> dict[str, Any]:
    ml = float(np.prod(grid.spacing_mm)) / 1000
    sums: dict[tuple[str, str], float] = {}
    for outcome, group, *_, share in _shap(latents):
        sums[outcome, group] = sums.get((outcome, group), 0.0) + share
    bins = [
        {"mean_predicted": p, "observed": p * 0.9 + 0.02, "low": max(p * 0.9 - 0.1, 0), "high": p * 0.9 + 0.15, "n": 40}
        for p in (0.08, 0.2, 0.34, 0.52, 0.74)
    ]
    outcomes = {}
    for at, (name, title) in enumerate(zip(OUTCOMES, TITLES, strict=True)):
        groups = {group: share for (outcome, group), share in sums.items() if outcome == name}
        base = 0.36 - 0.06 * at
        risk = base + sum(groups.values())
        outcomes[name] = {
            "title": title, "probability": risk, "threshold": 0.35, "positive": bool(risk >= 0.35), "base_rate": base,
            "n_training": 200, "base_value": base, "groups": groups,
            "calibration": {"bins": bins, "bin": int(np.argmin([abs(each["mean_predicted"] - risk) for each in bins]))},
        }  # fmt: skip
    files = ["segmentation.nii.gz", "features.csv", "shap.csv"] + (["gradcam.nii.gz"] if latents else [])
    return {
        "kind": "ich-case", "software": "deepradiomics", "version": __version__, "created": "2026-01-02T03:04:05+00:00",
        "command": "deepradiomics ich apply", "case_id": "case", "synthetic_model": True, "leaking": False,
        "disclaimer": "Research use only.",
        "bundle": {"name": "b", "input": "radiomics+latents", "classifier": "extra-trees", "sha256": "0" * 64},
        "inputs": {"ct": {"file": "JOHN_DOE.nii.gz", "sha256": "1" * 64}, "mask": None},
        "settings": {"imageType": {"Original": {}, "LoG": {"sigma": [2.0]}}, "setting": {"binWidth": 25}},
        "volumes": {
            "haematoma_ml": float(haematoma.sum() * ml), "ring_ml": float(ring.sum() * ml), "abc2_ml": 16.1,
            "abc": {"a_mm": 40.0, "b_mm": 28.0, "c_mm": 26.0},
            "lesions": [{"label": 1, "ml": 14.0}, {"label": 2, "ml": 1.8}],
        },
        "lesions_policy": "all", "outcomes": outcomes, "followup": {"followup_ml": 20.0} if followup else None,
        "notes": ["two haematomas: measured together"], "files": {each.partition(".")[0]: each for each in files},
        "methods_text": "The haematoma was outlined and its risk predicted.",
    }  # fmt: skip


def _write_rows(path: Path, header: Any, rows: list[list[Any]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)
