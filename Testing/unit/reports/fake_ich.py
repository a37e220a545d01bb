"""SYNTHETIC: a folder of ``ich experiment`` and one of ``ich apply``, of invented numbers, to test what draws them.

write_fake_experiment(folder)  ─►  experiment.json  run.json  predictions.csv  tables/*.csv
write_fake_case(folder)        ─►  ich.json  segmentation.nii.gz  gradcam.nii.gz  features.csv  shap.csv
                                   with follow-up: expansion.json  expansion.nii.gz  followup_registered.nii.gz
                                   and, outside the folder, the CT on a tilted grid of thick slices
Scores and differences are computed from the invented predictions, so that readers can check one against the other.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_stack, write_volume
from deepradiomics.radiomics.catalogue.explain import label_of
from deepradiomics.stats import classification_rates, delong_ci, delong_test, holm, wilson_ci

OUTCOMES = ("poor_outcome", "expansion_3ml", "expansion_6ml", "expansion_9ml")
INPUTS = ("radiomics", "shape", "encoder", "autoencoder", "latents", "radiomics+latents", "shape+latents")
CLASSIFIERS = ("random-forest", "xgboost", "naive-bayes", "extra-trees", "elastic-net", "svm")
CHOSEN = ("radiomics+latents", "extra-trees")
_RATES = {"poor_outcome": 0.4, "expansion_3ml": 0.32, "expansion_6ml": 0.24, "expansion_9ml": 0.2}
_STRENGTH = {"radiomics": 0.8, "shape": 0.55, "encoder": 0.45, "autoencoder": 0.6, "latents": 0.65,
             "radiomics+latents": 0.95, "shape+latents": 0.8}  # fmt: skip
_THRESHOLD = 0.4
_RADIOMICS = ("original_glcm_Contrast", "wavelet-LLH_firstorder_Entropy", "log-sigma-1-0-mm-3D_glszm_ZoneEntropy")


def write_fake_experiment(
    folder: Path,
    *,
    outcomes: Sequence[str] = OUTCOMES,
    inputs: Sequence[str] = INPUTS,
    classifiers: Sequence[str] = CLASSIFIERS,
    external: bool = True,
    synthetic: bool = True,
    leaking: bool = False,
    patients: int = 100,
    seed: int = 0,
) -> Path:
    """Write an experiment's folder; without ``external`` as of a run without an external cohort."""
    rng = np.random.default_rng(seed)
    sizes = {"validation": patients, **({"external": patients // 2} if external else {})}
    labels = {
        (o, c): (np.argsort(rng.random(n)) < _RATES[o] * n).astype(int) for o in outcomes for c, n in sizes.items()
    }
    scores = _predictions(rng, labels, inputs, classifiers)
    tables = folder / "tables"
    cells = list(_cells(labels, scores))
    _write_csv(tables / "cells.csv", cells)
    _write_csv(tables / "summary.csv", _summary(cells))
    _write_csv(tables / "differences.csv", _differences(labels, scores))
    _write_csv(tables / "friedman.csv", (
        {"outcome": o, "cohort": c, "statistic": 20.4 if o == "poor_outcome" else 4.1,
         "df": len(inputs) - 1, "p": 0.002 if o == "poor_outcome" else 0.657, "blocks": len(classifiers),
         "pipelines": len(inputs)} for o, c in labels))  # fmt: skip
    _write_csv(tables / "wilcoxon.csv", _wilcoxon(rng, labels, inputs))
    _write_csv(tables / "sex.csv", _sex(rng, labels, inputs, classifiers))
    _write_csv(tables / "calibration.csv", _calibration(labels, scores))
    groups = ("radiomics", "encoder", "autoencoder")
    _write_csv(tables / "shap_groups.csv", _shap_groups(rng, outcomes, classifiers, groups))
    _write_csv(tables / "shap_components.csv", _shap_components(rng, outcomes, classifiers, groups))
    _write_csv(tables / "components.csv", (
        {"family": "radiomics", "component": i, "rank": rank + 1, "feature": name, "loading": 0.9 - 0.2 * rank}
        for i in range(3) for rank, name in enumerate(_RADIOMICS)))  # fmt: skip
    _write_csv(tables / "cohort.csv", _cohort(external))
    _write_csv(tables / "nmf.csv", (
        {"family": family, "split": split, "rows": patients, "columns": columns, "components": 32,
         "relative_error": 0.05 + 0.01 * rng.random(), "iterations": 120, "seconds": 3.2}
        for family, columns in (("radiomics", 1688), ("encoder", 4608), ("autoencoder", 512))
        for split in (*(f"fold {k}" for k in range(1, 6)), "all")))  # fmt: skip
    _write_csv(folder / "predictions.csv", (
        {"outcome": o, "input": i, "classifier": k, "cohort": c, "fold": n % 5 + 1 if c == "validation" else "external",
         "id": f"ich-s{seed}-{c[:3]}-{n:04d}", "y": y, "probability": f"{p:.6f}", "threshold": _THRESHOLD}
        for (o, i, k, c), values in scores.items()
        for n, (y, p) in enumerate(zip(labels[o, c], values, strict=True))))  # fmt: skip
    _write_json(
        folder / "experiment.json", _about(outcomes, inputs, classifiers, sizes, labels, synthetic, leaking, seed)
    )
    _write_json(folder / "run.json", {"command": "deepradiomics ich experiment (invented)", "state": "finished"})
    return folder


def write_fake_case(
    folder: Path, *, outcomes: Sequence[str] = OUTCOMES, followup: bool = True, synthetic: bool = True,
    leaking: bool = False, seed: int = 0,
) -> tuple[Path, Path]:  # fmt: skip
    """Write a folder of ``ich apply``; returns it and the path of the CT, which lies beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    ct, labels, blood = head(rng)
    write_volume(ct, path := folder.parent / f"{folder.name}_ct.nii.gz")
    write_mask(Mask(labels, ct.geometry), folder / "segmentation.nii.gz")
    write_stack([_heat(labels, ct.geometry, i) for i in range(len(outcomes))], folder / "gradcam.nii.gz")
    voxel_ml = float(np.prod(ct.geometry.spacing_mm)) / 1000
    shap = list(_case_shap(rng, outcomes))
    _write_csv(folder / "shap.csv", shap)
    _write_csv(folder / "features.csv", (
        {"label": 1, "feature": name, "family": name.split("_")[1], "value": 1.5 * i}
        for i, name in enumerate(("original_shape_MeshVolume", "original_shape_Sphericity", "original_firstorder_Mean",
                                  "original_firstorder_Entropy", *_RADIOMICS))))  # fmt: skip
    told = None
    if followup:
        told = {"followup_ml": 27.4, "expansion_ml": 7.1, "relative": 0.35,
                "labels": {"expansion_3ml": True, "expansion_6ml": True, "expansion_9ml": False}}  # fmt: skip
        changed = labels.copy()
        changed[labels == 2] = 0
        changed[(labels == 2) & (np.indices(labels.shape)[2] > labels.shape[2] // 2)] = 2
        write_mask(Mask(changed.astype(np.uint8), ct.geometry), folder / "expansion.nii.gz")
        grown = np.where(changed > 0, 66.0, ct.voxels)
        write_volume(Volume(grown.astype(np.float32), ct.geometry), folder / "followup_registered.nii.gz")
        measured = {"kind": "ich-expansion", "baseline_ml": 20.3, "difference_ml": 7.1, **told}
        _write_json(folder / "expansion.json", measured)
    about = {
        "kind": "ich-case", "software": "deepradiomics", "version": "0.0", "synthetic_image": synthetic,
        "created": "2026-01-01T00:00:00",
        "command": "deepradiomics ich apply (invented)", "case_id": "synthetic-001", "synthetic_model": synthetic,
        "leaking": leaking,
        "bundle": {"name": "fake", "input": CHOSEN[0], "classifier": CHOSEN[1], "sha256": "0" * 64},
        "inputs": {"ct": {"file": path.name, "size": list(ct.geometry.size)}, "mask": {"by": "user"}},
        "volumes": {"haematoma_ml": blood * voxel_ml, "abc2_ml": 1.1 * blood * voxel_ml,
                    "abc": {"a_mm": 42.0, "b_mm": 31.0, "c_mm": 33.0},
                    "lesions": [{"label": 1, "ml": 0.9 * blood * voxel_ml}, {"label": 2, "ml": 0.1 * blood * voxel_ml}],
                    "ring_ml": float((labels == 2).sum()) * voxel_ml},
        "lesions_policy": "all", "outcomes": {o: _case_outcome(o, i, shap) for i, o in enumerate(outcomes)},
        "followup": told,
        "notes": ["Slices are 5 mm apart: features of shape are coarse.", "Two haematomas: all were taken together."],
        "files": {"segmentation": "segmentation.nii.gz", "gradcam": "gradcam.nii.gz"},
        "methods_text": "Invented numbers, made to test the report.",
    }  # fmt: skip
    _write_json(folder / "ich.json", about)
    return folder, path


def head(rng: np.random.Generator, tilt: float = 0.12) -> tuple[Volume, np.ndarray, int]:
    """A CT of an egg-shaped head, with labels 1 (blood, two pieces) and 2 (ring), and the number of blood voxels.

    The larger piece lies in the patient's left hemisphere, in front of and above the middle.
    """
    size, spacing = (96, 112, 32), (1.8, 1.8, 4.8)
    rotation = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    geometry = Geometry(size, spacing, (-86.0, -90.0, -70.0), tuple(rotation.ravel().tolist()))
    z, y, x = np.indices(geometry.shape)
    points = geometry.index_to_physical(np.stack([x, y, z], -1)) - geometry.centre_mm
    reach = np.linalg.norm(points / (72.0, 88.0, 66.0), axis=-1)
    voxels = np.full(geometry.shape, -1000.0)
    voxels[reach < 1] = 40  # skin
    voxels[reach < 0.95] = 900  # skull
    voxels[reach < 0.87] = 33 + 4 * np.sin(points[..., 0] / 6)[reach < 0.87] * np.cos(points[..., 1] / 7)[reach < 0.87]
    sides = np.abs(points[..., 0])
    voxels[
        np.linalg.norm((np.stack([sides, points[..., 1], points[..., 2]], -1) - (10, 0, 5)) / (6, 24, 9), axis=-1) < 1
    ] = 6
    far = np.linalg.norm((points - (32, -16, 12)) / (19, 26, 17), axis=-1)
    far = far + 0.12 * np.sin(points[..., 1] / 3.5) + 0.1 * np.cos(points[..., 0] / 4)
    small = np.linalg.norm((points - (-30, 34, -6)) / (9, 9, 9), axis=-1)
    labels = np.zeros(geometry.shape, np.uint8)
    labels[(far < 1.35) | (small < 1.5)] = 2
    blood = (far < 1) | (small < 1)
    labels[blood] = 1
    voxels[labels == 2] -= 9
    voxels[blood] = 66 + 8 * np.sin(points[..., 2] / 5)[blood]
    inside = reach < 1
    voxels[inside] += 3 * rng.standard_normal(int(inside.sum()))
    return Volume(voxels.astype(np.float32), geometry), labels, int(blood.sum())


def _predictions(
    rng: np.random.Generator, labels: Mapping[tuple[str, str], np.ndarray], inputs: Sequence[str], kinds: Sequence[str]
) -> dict[tuple[str, str, str, str], np.ndarray]:
    """Probabilities (n,) by outcome, input, classifier and cohort; what patients share makes rivals' errors alike."""
    found = {}
    for (outcome, cohort), y in labels.items():
        shared = rng.standard_normal(len(y))
        for input_ in inputs:
            for kind in kinds:
                strength = (
                    _STRENGTH[input_] * (0.5 if kind == "naive-bayes" else 1.0) * (0.8 if "exp" in outcome else 1)
                )
                z = -0.8 + 1.6 * strength * y + 0.7 * shared + 0.45 * rng.standard_normal(len(y))
                found[outcome, input_, kind, cohort] = 1 / (1 + np.exp(-z))
    return found


def _scored(y: np.ndarray, p: np.ndarray) -> dict[str, Any]:
    area, rates = delong_ci(y, p), classification_rates(y, p >= _THRESHOLD)
    return {
        "n": len(y), "positives": int(y.sum()), "auc": area.estimate, "auc_low": area.low, "auc_high": area.high,
        "f1": 0.6, "sensitivity": rates.sensitivity, "specificity": rates.specificity, "ppv": 0.55, "npv": 0.8,
        "threshold": _THRESHOLD, "brier": float(((p - y) ** 2).mean()),
    }  # fmt: skip


def _cells(
    labels: Mapping[tuple[str, str], np.ndarray], scores: Mapping[tuple[str, str, str, str], np.ndarray]
) -> Iterable[dict[str, Any]]:
    for (outcome, input_, kind, cohort), p in scores.items():
        key, y = {"outcome": outcome, "input": input_, "classifier": kind, "cohort": cohort}, labels[outcome, cohort]
        if cohort == "external":
            yield {**key, "fold": "external", **_scored(y, p)}
            continue
        folds = np.empty(len(y), int)
        for value in (0, 1):  # stratified
            folds[y == value] = np.arange((y == value).sum()) % 5
        rows = [_scored(y[folds == k], p[folds == k]) for k in range(5)]
        yield from ({**key, "fold": str(k + 1), **row} for k, row in enumerate(rows))
        for name, of in (("mean", np.mean), ("sd", lambda values: np.std(values, ddof=1))):
            numbers = {column: float(of([row[column] for row in rows])) for column in rows[0]}
            yield {**key, "fold": name, **numbers, "n": "", "positives": "", "auc_low": "", "auc_high": ""}
        yield {**key, "fold": "pooled", **_scored(y, p)}


def _summary(cells: Sequence[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    by = {tuple(row[k] for k in ("outcome", "input", "classifier", "fold")): row for row in cells}
    for outcome, input_, kind, fold in by:
        if fold == "pooled":
            key = (outcome, input_, kind)
            pooled, outside = by[*key, "pooled"], by.get((*key, "external"), {})
            yield {
                "outcome": outcome, "input": input_, "classifier": kind, "auc_mean": by[*key, "mean"]["auc"],
                "auc_sd": by[*key, "sd"]["auc"], "auc_pooled": pooled["auc"], "auc_low": pooled["auc_low"],
                "auc_high": pooled["auc_high"], "external_auc": outside.get("auc", ""),
                "external_low": outside.get("auc_low", ""), "external_high": outside.get("auc_high", ""),
            }  # fmt: skip


def _differences(
    labels: Mapping[tuple[str, str], np.ndarray], scores: Mapping[tuple[str, str, str, str], np.ndarray]
) -> list[dict[str, Any]]:
    rows = []
    for reference in ("radiomics", "shape"):
        for outcome, cohort in labels:
            own = []
            for (o, input_, kind, c), p in scores.items():
                if (o, c) == (outcome, cohort) and input_ != reference and (o, reference, kind, c) in scores:
                    test = delong_test(labels[o, c], p, scores[o, reference, kind, c])
                    own.append({
                        "outcome": o, "cohort": c, "classifier": kind, "input": input_, "reference": reference,
                        "auc": test.auc_a, "auc_reference": test.auc_b, "difference": test.difference,
                        "low": test.low, "high": test.high, "p_delong": test.p,
                    })  # fmt: skip
            for row, p_holm in zip(own, holm([row["p_delong"] for row in own]) if own else (), strict=True):
                rows.append({**row, "p_holm": p_holm, "p_bootstrap": row["p_delong"]})
    return rows


def _wilcoxon(
    rng: np.random.Generator, labels: Iterable[tuple[str, str]], inputs: Sequence[str]
) -> Iterable[dict[str, Any]]:
    for outcome, cohort in labels:
        for i, a in enumerate(inputs):
            for b in inputs[i + 1 :]:
                p = float(rng.choice([0.03125, 0.0625, 0.4375]))
                yield {
                    "outcome": outcome, "cohort": cohort, "input_a": a, "input_b": b, "statistic": 3.0,
                    "median_difference": float(rng.normal(0, 0.03)), "p": p, "p_bonferroni": min(1.0, 21 * p),
                    "p_holm": min(1.0, 18 * p), "p_bh": min(1.0, 2 * p),
                }  # fmt: skip


def _sex(
    rng: np.random.Generator, labels: Iterable[tuple[str, str]], inputs: Sequence[str], kinds: Sequence[str]
) -> Iterable[dict[str, Any]]:
    for outcome, cohort in labels:
        for input_ in inputs:
            for kind in kinds:
                female, male = rng.uniform(0.6, 0.8, 2)
                yield {
                    "outcome": outcome, "cohort": cohort, "input": input_, "classifier": kind, "n_female": 40,
                    "auc_female": female, "low_female": female - 0.12, "high_female": female + 0.1, "n_male": 60,
                    "auc_male": male, "low_male": male - 0.1, "high_male": male + 0.09, "difference": female - male,
                    "p": float(rng.uniform(0.06, 1)),
                }  # fmt: skip


def _calibration(
    labels: Mapping[tuple[str, str], np.ndarray], scores: Mapping[tuple[str, str, str, str], np.ndarray]
) -> Iterable[dict[str, Any]]:
    for (outcome, input_, kind, cohort), p in scores.items():
        y = labels[outcome, cohort]
        for bin_, chosen in enumerate(np.array_split(np.argsort(p), 5)):
            share = wilson_ci(int(y[chosen].sum()), len(chosen))
            yield {
                "outcome": outcome, "cohort": cohort, "input": input_, "classifier": kind, "bin": bin_ + 1,
                "n": len(chosen), "mean_predicted": float(p[chosen].mean()), "observed": share.estimate,
                "low": share.low, "high": share.high,
            }  # fmt: skip


def _shap_groups(
    rng: np.random.Generator, outcomes: Sequence[str], kinds: Sequence[str], groups: Sequence[str]
) -> Iterable[dict[str, Any]]:
    for outcome in outcomes:
        for kind in kinds:
            sizes = rng.uniform(0.02, 0.12, len(groups))
            for group, size in zip(groups, sizes, strict=True):
                yield {"outcome": outcome, "classifier": kind, "group": group, "mean_abs_shap": size,
                       "share": size / sizes.sum()}  # fmt: skip


def _shap_components(
    rng: np.random.Generator, outcomes: Sequence[str], kinds: Sequence[str], groups: Sequence[str]
) -> Iterable[dict[str, Any]]:
    for outcome in outcomes:
        for kind in kinds:
            sizes = np.sort(rng.uniform(0, 0.02, 12))[::-1]
            for i, size in enumerate(sizes):
                group = groups[i % len(groups)]
                yield {"outcome": outcome, "classifier": kind, "group": group, "component": f"{group}_{i:03d}",
                       "label": _label(group, i), "mean_abs_shap": size}  # fmt: skip


def _label(group: str, i: int) -> str:
    return (
        f"Radiomics component {i}: {'; '.join(map(label_of, _RADIOMICS))}"
        if group == "radiomics"
        else f"{group} component {i}"
    )


def _cohort(external: bool) -> Iterable[dict[str, Any]]:
    rows = [("n", "", "100", "50", "", ""), ("age", "", "63.1 ± 11.2", "68.4 ± 12.0", 0.004, "Mann-Whitney"),
            ("sex", "F", "38 (38.0 %)", "25 (50.0 %)", 0.16, "chi-squared"),
            ("volume_ml", "", "17.2 ± 14.0", "22.9 ± 20.3", 0.0004, "Mann-Whitney"),
            *((o, "", f"{100 * r:.0f} ({100 * r:.1f} %)", f"{50 * r:.0f} ({100 * r:.1f} %)", 1.0, "Fisher")
              for o, r in _RATES.items())]  # fmt: skip
    for variable, level, training, outside, p, test in rows:
        yield {"variable": variable, "level": level, "training": training, "external": outside if external else "",
               "p": p if external else "", "test": test if external else ""}  # fmt: skip


def _about(
    outcomes: Sequence[str], inputs: Sequence[str], kinds: Sequence[str], sizes: Mapping[str, int],
    labels: Mapping[tuple[str, str], np.ndarray], synthetic: bool, leaking: bool, seed: int,
) -> dict[str, Any]:  # fmt: skip
    def counted(outcome: str, cohort: str) -> dict[str, int] | None:
        y = labels.get((outcome, cohort))
        return None if y is None else {"n": len(y), "positives": int(y.sum())}

    network = {"name": "tiny", "sha256": "a" * 64, "synthetic": synthetic, "patients": 100, "latents": 512}
    return {
        "kind": "ich-experiment", "software": "deepradiomics", "version": "0.0", "versions": {"scikit-learn": "1.9"},
        "created": "2026-01-01T00:00:00", "command": "deepradiomics ich experiment manifest.csv -o out", "seed": seed,
        "synthetic": synthetic, "leaking": leaking, "config": {"folds": 5, "components": 32, "search": "fixed"},
        "cohorts": {"training": {"manifest": "manifest.csv", "n": sizes["validation"]},
                    "external": {"manifest": "external.csv", "n": sizes["external"]} if "external" in sizes else None},
        "outcomes": [{"name": o, "title": "", "training": counted(o, "validation"), "external": counted(o, "external")}
                     for o in outcomes],
        "inputs": [{"name": i} for i in inputs], "classifiers": [{"name": k} for k in kinds], "folds": 5,
        "warnings": ["Only 20 patients have expansion > 9 mL: its scores are unsure."],
        "notes": {"training": {"ich-s0-0001": ["Thick slices: 5 mm."], "ich-s0-0002": []}},
        "dropped": [["training", "ich-s0-0099", "haematoma empty"]],
        "networks": {"encoder": [network], "autoencoder": [{**network, "name": "tiny VAE-GAN"}]},
        "bundle": dict(zip(("input", "classifier"), CHOSEN, strict=True)),
        "methods_text": "Invented numbers, made to test the report.", "tables": [],
    }  # fmt: skip


def _case_shap(rng: np.random.Generator, outcomes: Sequence[str]) -> Iterable[dict[str, Any]]:
    for outcome in outcomes:
        values = rng.normal(0.004, 0.015, 60)
        for i in np.argsort(-np.abs(values)):
            group = ("radiomics", "encoder", "autoencoder")[i % 3]
            yield {"outcome": outcome, "group": group, "component": f"{group}_{i:03d}", "label": _label(group, int(i)),
                   "value": float(rng.uniform()), "shap": float(values[i])}  # fmt: skip


def _case_outcome(outcome: str, i: int, shap: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    groups: dict[str, float] = {}
    for row in shap:
        if row["outcome"] == outcome:
            groups[row["group"]] = groups.get(row["group"], 0.0) + row["shap"]
    base = _RATES[outcome] + 0.01
    probability = base + sum(groups.values())
    means = np.linspace(0.1, 0.8, 5)
    bins = [
        {"mean_predicted": m, "observed": min(0.95, 1.1 * m), "low": max(0, 1.1 * m - 0.12), "n": 20,
         "high": min(1, 1.1 * m + 0.1)}
        for m in means.tolist()
    ]  # fmt: skip
    return {
        "title": "", "probability": probability, "threshold": _THRESHOLD, "positive": bool(probability >= _THRESHOLD),
        "base_rate": _RATES[outcome], "n_training": 100, "base_value": base, "groups": groups,
        "gradcam": {"encoder": 0.3, "autoencoder": 0.7},
        "calibration": {"bins": bins, "bin": int(np.argmin(np.abs(means - probability)))},
    }  # fmt: skip


def _heat(labels: np.ndarray, geometry: Geometry, i: int) -> Volume:
    """A warm spot that wanders with the outcome; 0 outside the dilated lesion."""
    z, y, x = np.indices(labels.shape)
    where = np.argwhere(labels == 1).mean(axis=0) + np.array([0, 4 * (i - 1.5), 2 * i])
    heat = np.exp(-(((z - where[0]) / 3) ** 2 + ((y - where[1]) / 7) ** 2 + ((x - where[2]) / 6) ** 2))
    return Volume(np.where(labels > 0, heat, 0).astype(np.float32), geometry)


def _write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = list(rows)
    with open(path, "w", encoding="utf-8", newline="") as stream:
        out = csv.DictWriter(stream, list(listed[0]) if listed else [], lineterminator="\n")
        out.writeheader()
        out.writerows(listed)


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
