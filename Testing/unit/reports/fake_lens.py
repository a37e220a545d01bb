"""SYNTHETIC: a folder of `lens fit` and one of `lens case`, of invented numbers, to test what reads and draws them.

write_fake_lens(folder)  ─►  shift, table1, modality_r2, cases, dropped, tableA1, lens.json, run.json
                             case/  three modalities on three tilted grids, the ROI on each, a map with NaN outside
Group tables are the means of the shift table's own columns, so that readers can check one against the other.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.images import Geometry, Mask, Volume, image_record, write_mask, write_volume
from deepradiomics.radiomics.catalogue.pyradiomics import default_names
from deepradiomics.stats.tests import holm

FAMILIES = {
    "firstorder": "First order", "glcm": "GLCM", "gldm": "GLDM", "glrlm": "GLRLM", "glszm": "GLSZM", "ngtdm": "NGTDM",
}  # fmt: skip
SHIFT_COLUMNS = (
    "modality", "feature", "family", "image_type", "i_pre", "i_ft", "delta_i", "delta_i_low", "delta_i_high", "p_null",
    "q_null", "p_family", "delta_i_standardised", "delta_i_fit_ft", "delta_i_fit_both", "r2_pre", "r2_ft", "mse_pre",
    "mse_ft", "rank", "explained_pre", "explained_ft", "delta_explained", "delta_explained_low", "delta_explained_high",
    "p_explained", "q_explained", "p_family_explained", "rank_explained", "noise_pre", "noise_ft",
)  # fmt: skip
TABLE1_COLUMNS = (
    "kind", "group", "n_features", "mse_pre", "mse_ft", "r2_pre", "r2_ft", "r2_pooled_pre", "r2_pooled_ft", "p",
    "p_holm", "stars", "n_patients",
)  # fmt: skip
CASE_ID = "synthetic-001"
CASE_FEATURE = ("t2", "original_glcm_Correlation")
_TEST_PATIENTS = 24


def write_fake_lens(
    folder: Path,
    *,
    task: str = "PIRADS CLS",
    modalities: Sequence[str] = ("t2", "highb", "adc"),
    images: Sequence[str] = ("original", "wavelet-LLH", "wavelet-HHH"),
    permutations: int = 200,
    evaluation: bool = True,
    synthetic: bool = True,
    case: bool = True,
    seed: int = 0,
) -> Path:
    """Write a result folder of ``lens fit`` and, with ``case``, a ``case/`` folder of ``lens case`` inside it.

    ``permutations=0`` leaves the columns of the null empty; ``evaluation=False`` leaves out ``tableA1.csv``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, *task.encode()])
    shift = _shift(rng, modalities, images, permutations)
    _write_csv(folder / "shift.csv", SHIFT_COLUMNS, shift)
    _write_parquet(folder / "shift.parquet", shift)
    _write_csv(folder / "table1.csv", TABLE1_COLUMNS, _table1(shift, modalities))
    r2 = _modality_r2(shift, modalities)
    _write_csv(folder / "modality_r2.csv", tuple(r2[0]), r2)
    dropped = [{"modality": modalities[0], "feature": "original_firstorder_Minimum", "reason": "constant in training"}]
    _write_csv(folder / "dropped.csv", ("modality", "feature", "reason"), dropped)
    if evaluation:
        rows = _evaluations(task, rng)
        _write_csv(folder / "tableA1.csv", tuple(rows[0]), rows)
    if case:
        write_fake_case(folder / "case", next(row for row in shift if _key(row) == CASE_FEATURE), modalities)
    _write_csv(folder / "cases.csv", *_cases(folder, modalities))
    _write_json(folder / "lens.json", _about(task, shift, modalities, permutations, synthetic, seed))
    _write_json(folder / "run.json", {"command": "deepradiomics lens fit (invented)", "state": "finished"})
    return folder


def write_fake_case(folder: Path, row: Mapping[str, Any], modalities: Sequence[str] = ("t2", "highb", "adc")) -> Path:
    """Write a folder of ``lens case``: an egg-shaped gland with a dark spot, on a grid of its own for each modality."""
    folder.mkdir(parents=True, exist_ok=True)
    modality = str(row["modality"])
    records = {}
    for i, name in enumerate(modalities):
        geometry = case_grid(i)
        image, gland = _anatomy(geometry, seed=i)
        write_volume(Volume(image, geometry, name), folder / f"image_{name}.nrrd")
        records[name] = image_record(Volume(image, geometry, name))
        write_mask(Mask(gland, geometry, "gland"), folder / f"roi_{name}.nrrd")
        if name == modality:
            x, y, z = np.moveaxis(
                geometry.index_to_physical(np.indices(geometry.shape)[::-1].transpose(1, 2, 3, 0)), -1, 0
            )
            values = np.where(gland > 0, 0.5 + 0.3 * np.sin(x / 6) * np.cos(y / 7) + 0.01 * z, np.nan)
            write_volume(Volume(values.astype(np.float32), geometry, "map"), folder / "map.nrrd")
            low, high = float(np.nanmin(values)), float(np.nanmax(values))
    _write_json(
        folder / "case.json",
        {
            "software": "deepradiomics", "kind": "lens-case", "case_id": CASE_ID, "modality": modality,
            "feature": row["feature"], "roi": "gland", "roi_note": "synthetic contour",
            "modalities": {
                m: {"image": f"image_{m}.nrrd", "roi": f"roi_{m}.nrrd", **records[m]} for m in modalities
            },
            "map": "map.nrrd", "range": [low, high], "unit": "",
            "explained": "How linearly the grey levels of neighbouring voxels go together.",
            "delta_i": dict(row), "synthetic": True,
        },
    )  # fmt: skip
    return folder


def case_grid(i: int) -> Geometry:
    """The grid of the i-th modality: other spacing, size and tilt each, all about the same point."""
    spacing = ((0.9, 0.9, 3.0), (1.8, 1.8, 4.0), (2.0, 1.6, 3.6))[i % 3]
    size = ((80, 76, 14), (44, 40, 11), (40, 48, 12))[i % 3]
    tilt, turn = ((0.0, 0.0), (0.15, 0.1), (-0.2, 0.05))[i % 3]
    c, s, ct, st = np.cos(tilt), np.sin(tilt), np.cos(turn), np.sin(turn)
    axes = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ np.array([[ct, -st, 0], [st, ct, 0], [0, 0, 1]])
    origin = -axes @ ((np.array(size) - 1) / 2 * np.array(spacing))
    return Geometry(size, spacing, tuple(origin.tolist()), tuple(axes.ravel().tolist()))


def _anatomy(geometry: Geometry, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Image float32 (z, y, x) and gland uint8; the gland's left half is brighter, a dark spot lies left posterior."""
    points = geometry.index_to_physical(np.indices(geometry.shape)[::-1].transpose(1, 2, 3, 0))
    x, y, z = np.moveaxis(points, -1, 0)
    gland = (x / 24) ** 2 + (y / 18) ** 2 + (z / 16) ** 2 < 1
    spot = (x - 10) ** 2 + (y - 8) ** 2 + z**2 < 36
    body = (x / 36) ** 2 + (y / 32) ** 2 < 1
    image = 60.0 * body + 80 * gland + 25 * (gland & (x > 0)) + 15 * np.sin(x / 3) * gland - 70 * spot
    image += np.random.default_rng(seed).normal(0, 6, image.shape)
    return image.astype(np.float32), gland.astype(np.uint8)


def _shift(
    rng: np.random.Generator, modalities: Sequence[str], images: Sequence[str], permutations: int
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for m, modality in enumerate(modalities):
        for image in images:
            for family in FAMILIES:
                for name in default_names(family):
                    before = float(rng.gamma(6, 0.1))
                    drift = 0.12 * (m == 0) - 0.08 * (modality == "adc")
                    delta = float(rng.normal(drift, 0.18)) if rng.random() < 0.5 else float(rng.normal(0, 0.02))
                    delta = max(delta, 0.02 - before)
                    r2 = float(np.clip(rng.normal(0.45 + 0.12 * (family == "ngtdm"), 0.15), -0.3, 0.97))
                    half = float(rng.uniform(0.04, 0.12))
                    fell = float(rng.normal(0.03, 0.04))
                    p = float(np.clip(np.exp(-((delta / 0.06) ** 2) / 2) * rng.uniform(0.4, 1), 1 / 201, 1))
                    rows.append(
                        {
                            "modality": modality, "feature": f"{image}_{family}_{name}", "family": family,
                            "image_type": image, "i_pre": before, "i_ft": before + delta, "delta_i": delta,
                            "delta_i_low": delta - half, "delta_i_high": delta + half,
                            "p_null": p, "q_null": min(1.0, 2 * p), "p_family": min(1.0, 8 * p),
                            "delta_i_standardised": delta + float(rng.normal(0, 0.03)),
                            "delta_i_fit_ft": delta + float(rng.normal(0.02, 0.06)),
                            "delta_i_fit_both": delta + float(rng.normal(0.01, 0.04)),
                            "r2_pre": r2, "r2_ft": r2 - fell, "mse_pre": 1 - r2, "mse_ft": 1 - r2 + fell,
                        }
                    )  # fmt: skip
    _add_explained(rows, np.random.default_rng(int(rng.integers(1 << 30))))
    if not permutations:
        for row in rows:
            row.update(dict.fromkeys(("p_null", "q_null", "p_family", "p_explained", "q_explained",
                                      "p_family_explained")))  # fmt: skip
    for rank, column in (("rank", "delta_i"), ("rank_explained", "delta_explained")):
        for place, row in enumerate(sorted(rows, key=lambda row: -row[column]), start=1):
            row[rank] = place
    return rows


def _add_explained(rows: Sequence[dict[str, Any]], rng: np.random.Generator) -> None:
    """The columns of the explained spread, which goes with R² and moves apart from importance, and of noise."""
    for row in rows:
        before = float(np.sqrt(np.clip(row["r2_pre"] + 0.1, 0.0, 0.99)))
        delta = 0.3 * row["delta_i"] + float(rng.normal(-0.01, 0.05 if rng.random() < 0.5 else 0.005))
        delta = float(np.clip(delta, -before, 1.0 - before))
        half = float(rng.uniform(0.02, 0.06))
        p = float(np.clip(np.exp(-((delta / 0.03) ** 2) / 2) * rng.uniform(0.4, 1), 1 / 201, 1))
        row |= {
            "explained_pre": before, "explained_ft": before + delta, "delta_explained": delta,
            "delta_explained_low": delta - half, "delta_explained_high": delta + half, "p_explained": p,
            "q_explained": min(1.0, 2 * p), "p_family_explained": min(1.0, 8 * p),
            "noise_pre": float(rng.uniform(0.1, 0.4)), "noise_ft": float(rng.uniform(0.1, 0.4)),
        }  # fmt: skip


def _table1(shift: Sequence[Mapping[str, Any]], modalities: Sequence[str]) -> list[dict[str, Any]]:
    kinds: dict[str, list[tuple[str, Callable[[Mapping[str, Any]], bool]]]] = {
        "family": [(label, lambda row, f=family: row["family"] == f) for family, label in FAMILIES.items()],  # type: ignore[misc]
        "image_type": [
            ("Original", lambda row: row["image_type"] == "original"),
            ("Wavelet", lambda row: row["image_type"].startswith("wavelet")),
        ],
        "modality": [(name, lambda row, m=name: row["modality"] == m) for name in modalities],  # type: ignore[misc]
        "all": [("All", lambda row: True)],
    }
    table: list[dict[str, Any]] = []
    for kind, groups in kinds.items():
        some = [(label, [row for row in shift if belongs(row)]) for label, belongs in groups]
        some = [(label, ones) for label, ones in some if ones]
        # One group of each star level, and one without: what a reader must tell apart.
        raw = [(0.0001, 0.004, 0.012, 0.2, 0.0002, 0.6)[i % 6] for i in range(len(some))]
        adjusted = [float(p) for p in holm(np.array(raw))]
        for (label, ones), p, p_holm in zip(some, raw, adjusted, strict=True):
            means = {name: _mean(ones, name) for name in ("mse_pre", "mse_ft", "r2_pre", "r2_ft")}
            table.append(
                {
                    "kind": kind, "group": label, "n_features": len(ones), **means,
                    "r2_pooled_pre": means["r2_pre"] + 0.02, "r2_pooled_ft": means["r2_ft"] + 0.02,
                    "p": p, "p_holm": p_holm, "stars": stars(p_holm), "n_patients": _TEST_PATIENTS,
                }
            )  # fmt: skip
    return table


def stars(p: float) -> str:
    """The paper's marks: * below 0.05, ** below 0.01, *** below 0.001."""
    return "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < 0.05 else ""


def _modality_r2(shift: Sequence[Mapping[str, Any]], modalities: Sequence[str]) -> list[dict[str, Any]]:
    best = max(FAMILIES, key=lambda family: _mean([row for row in shift if row["family"] == family], "r2_ft"))
    return [
        {
            "group": FAMILIES[family], "modality": modality, "stage": stage, "r2": _mean(ones, f"r2_{stage}"),
            "r2_pooled": _mean(ones, f"r2_{stage}") + 0.02, "n_features": len(ones), "best": int(family == best),
        }
        for family in FAMILIES for modality in modalities
        for ones in [[row for row in shift if row["family"] == family and row["modality"] == modality]]
        for stage in ("pre", "ft")
    ]  # fmt: skip


def _evaluations(task: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    frozen, gain = float(rng.uniform(0.1, 0.4)), float(rng.uniform(0.02, 0.3))
    if "REG" in task:
        values = [("MSE", "lower", 0.007, 0.004, ""), ("MAE", "lower", 9.4, 6.1, "mL")]
    elif "SEG" in task:
        values = [("Mean Dice", "higher", frozen, frozen + gain, "")]
    else:
        values = [("QWK", "higher", frozen, frozen + gain, "")]
    names = ("metric", "better", "frozen", "tuned", "unit")
    return [{"task": task, **dict(zip(names, one, strict=True))} for one in values]


def _cases(folder: Path, modalities: Sequence[str]) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    columns = ("id", "split", *(f"view_{m}" for m in modalities), "mask_gland")
    rows = []
    for i in range(1, 9):
        row: dict[str, Any] = {"id": f"synthetic-{i:03d}", "split": "test" if i < 4 else "train"}
        row |= {f"view_{m}": folder / "case" / f"image_{m}.nrrd" for m in modalities}
        rows.append({**row, "mask_gland": folder / "case" / f"roi_{modalities[0]}.nrrd"})
    return columns, rows


def _about(
    task: str,
    shift: Sequence[Mapping[str, Any]],
    modalities: Sequence[str],
    permutations: int,
    synthetic: bool,
    seed: int,
) -> dict[str, Any]:
    beyond, beyond_explained = (
        sum(row[q] < 0.05 for row in shift) if permutations else None for q in ("q_null", "q_explained")
    )
    return {
        "format": "deepradiomics-lens", "format_version": 2, "task": task, "modalities": list(modalities),
        "roi": "gland", "synthetic": synthetic,
        "counts": {"train": 84, "validation": 12, "test": _TEST_PATIENTS, "dropped": 1},
        "dropped_cases": [{"id": "synthetic-099", "reason": "no adc image"}],
        "encoders": {
            stage: {"name": name, "architecture": "ConvNeXtV2-atto", "sha256": sha * 32, "source": "bundle"}
            for stage, name, sha in (("pre", "pre-trained", "ab"), ("ft", f"tuned for {task}", "cd"))
        },
        "config": {"hidden": 256, "l1": 1e-6, "l2": 1e-5, "bootstraps": 1000, "permutations": permutations},
        "seed": seed, "warnings": ["84 training patients for 256 hidden units: the heads can fit noise."],
        "leakage": "The fine-tuning cohort was part of the pre-training cohort.",
        "controls": ["The projection was trained on the features before fine-tuning, which favours them."],
        "methods_text": "SYNTHETIC: these numbers were invented to test what draws and reads them.",
        "summary": {
            "r2_pre": _mean(shift, "r2_pre"), "r2_ft": _mean(shift, "r2_ft"),
            "r2_pooled_pre": _mean(shift, "r2_pre") + 0.02, "r2_pooled_ft": _mean(shift, "r2_ft") + 0.02,
            "mse_pre": _mean(shift, "mse_pre"), "mse_ft": _mean(shift, "mse_ft"),
            "n_features": len(shift), "n_beyond_noise": beyond,
            "n_beyond_noise_explained": beyond_explained, "doubt": "",
        },
        "picked": {**_picked(shift, "i"), "explained": _picked(shift, "explained")},
        "software": {"deepradiomics": "0.1.0", "numpy": np.__version__},
        "command": "deepradiomics lens fit (invented)", "created": "2025-01-01T12:00:00+00:00",
    }  # fmt: skip


def _picked(shift: Sequence[Mapping[str, Any]], value: str) -> dict[str, list[tuple[str, str]]]:
    ranked = sorted(shift, key=lambda row: -row[f"delta_{value}"])
    middle = {stage: np.median([row[f"{value}_{stage}"] for row in shift]) for stage in ("pre", "ft")}
    common = [row for row in shift if all(row[f"{value}_{stage}"] > middle[stage] for stage in ("pre", "ft"))]
    stable = sorted(common, key=lambda row: abs(row[f"delta_{value}"]))
    groups = {"top": ranked, "bottom": ranked[::-1], "stable": stable}
    return {name: [_key(row) for row in rows[:5]] for name, rows in groups.items()}


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row["modality"]), str(row["feature"])


def _mean(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    return float(np.mean([row[name] for row in rows]))


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as stream:
        out = csv.DictWriter(stream, columns, lineterminator="\n")
        out.writeheader()
        out.writerows({name: "" if row[name] is None else row[name] for name in columns} for row in rows)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return  # readers without pyarrow take shift.csv
    text = ("modality", "feature", "family", "image_type")
    kinds = {
        name: pa.string() if name in text else pa.int64() if name in ("rank", "rank_explained") else pa.float64()
        for name in SHIFT_COLUMNS
    }
    columns = {name: pa.array([row[name] for row in rows], kind) for name, kind in kinds.items()}
    pq.write_table(pa.table(columns), path)
