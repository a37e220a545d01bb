"""Tables T1 and T2: every method × task is there, quoted numbers are marked, and the three files say the same."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.evaluate.records import Prediction
from deepradiomics.fingerprint.evaluate.result import Evaluation, MethodInfo, Selection, TopFeature
from deepradiomics.reports.fingerprint.tables import (
    markdown,
    quoted,
    selection_table,
    t1,
    t1_comparisons,
    t2,
    top_table,
    write_table,
)

TASKS = ("abnormality", "acl")
METHODS = (("fingerprint", "paper"), ("fingerprint", "masked"), ("mean-q", "paper"), ("mean-q", "masked"), ("nofs", ""))


def _evaluation() -> Evaluation:
    rng = np.random.default_rng(0)
    rows = []
    for method, inference in METHODS:
        for seed in (0, 1):
            for task in TASKS:
                for i in range(12):
                    p = float(np.clip(0.3 * (i % 2) + rng.uniform(0, 0.7), 0, 1))
                    rows.append(
                        Prediction(method, inference, seed, 0, task, f"c{i}", "test", i % 2, (p,), 0.5, int(p >= 0.5))
                    )
    infos = tuple(MethodInfo(m, i, f"{m} {i}".strip(), "2×2×2", "All", "per patient", 3, "off") for m, i in METHODS)
    return Evaluation(
        "evaluation", tuple(rows), infos,
        (Selection("acl", 100, 50.0, 4.0, 0.1, 0.01, 0.8, float("nan")),),
        (TopFeature("acl", "relevance", 1, "original_glcm_Contrast", "axial", 3, "glcm", 0.9, 0.2, 0.75),),
        ("MRNet's backbone is from scratch.",),
        {"command": "deepradiomics fingerprint evaluate m.csv", "seeds": [0, 1], "machine": "x", "date": "2025-01-01"},
    )  # fmt: skip


def test_t1_has_a_row_for_every_method_and_task() -> None:
    rows = [row for row in t1(_evaluation(), n_bootstrap=20).rows if row["source"] == "measured"]
    assert {(r["method"], r["inference"], r["task"]) for r in rows} == {(*m, t) for m in METHODS for t in TASKS}
    assert all(row["auc_low"] <= row["auc_high"] for row in rows)


def test_both_inference_modes_of_the_fingerprint_are_reported_and_only_baselines_are_tested() -> None:
    rows = [row for row in t1(_evaluation(), n_bootstrap=20).rows if row["source"] == "measured"]
    assert all("delong_p_holm" not in row for row in rows if row["method"] == "fingerprint")
    assert all(0 <= row["delong_p_holm"] <= 1 for row in rows if row["method"] != "fingerprint")


def test_a_baseline_without_modes_shows_its_test_against_the_papers_mode() -> None:
    evaluation = _evaluation()
    shown = next(r for r in t1(evaluation, n_bootstrap=0).rows if r["method"] == "nofs" and r["task"] == "acl")
    tests = t1_comparisons(evaluation).rows
    paper = next(r for r in tests if (r["baseline"], r["task"], r["inference"]) == ("nofs", "acl", "paper"))
    assert shown["delong_p"] == paper["delong_p"]


def test_the_papers_numbers_are_marked_as_quoted() -> None:
    skid = [row for row in quoted("T1") if row["method"] == "SKID"]
    assert [(row["task"], row["auc"], row["auc_sd"]) for row in skid] == [
        ("abnormality", 0.90, None), ("acl", 0.89, None), ("meniscus", 0.81, None),
    ]  # fmt: skip
    assert all("quoted" in row["label"] and "MRNet data" in row["note"] for row in quoted("T1") + quoted("T2"))


def test_the_papers_own_ablation_shows_nofs_ahead_of_the_fingerprint_in_auc() -> None:
    # Quoted faithfully, also where it is not in the method's favour.
    auc = {(row["method"], row["task"]): row["auc"] for row in quoted("T2")}
    for task in ("abnormality", "acl", "meniscus"):
        assert auc["NoFS", task] > auc["Ours 2×2×2", task]


def test_the_three_files_say_the_same(tmp_path: Path) -> None:
    table = t1(_evaluation(), n_bootstrap=20)
    as_csv, as_json, as_md = write_table(table, tmp_path)
    with open(as_csv, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    stored = json.loads(as_json.read_text(encoding="utf-8"))
    assert len(rows) == len(stored["rows"]) == len(table.rows)
    assert float(rows[0]["auc"]) == stored["rows"][0]["auc"] == table.rows[0]["auc"]
    assert rows[0]["command"] == stored["provenance"]["command"] == "deepradiomics fingerprint evaluate m.csv"
    assert f"{table.rows[0]['auc']:.2f} ± {table.rows[0]['auc_sd']:.2f}" in as_md.read_text(encoding="utf-8")


def test_json_holds_no_nan(tmp_path: Path) -> None:
    one_seed = Evaluation("evaluation", tuple(r for r in _evaluation().predictions if r.seed == 0), ())
    for table in (t1(one_seed, n_bootstrap=0), selection_table(_evaluation())):
        _, as_json, _ = write_table(table, tmp_path)
        assert "NaN" not in as_json.read_text(encoding="utf-8")


def test_markdown_has_the_papers_columns() -> None:
    head = markdown(t2(_evaluation(), n_bootstrap=0)).splitlines()[2]
    assert head == "| Method | N | RF | FS | View | Reg | Type | Acc | Sen | Spe | AUC |"


def test_an_evaluation_comes_back_from_its_folder(tmp_path: Path) -> None:
    evaluation = _evaluation()
    again = Evaluation.load(evaluation.save(tmp_path / "out"))
    assert again.predictions == evaluation.predictions
    assert again.methods == evaluation.methods
    assert again.top == evaluation.top
    assert repr(again.selections) == repr(evaluation.selections)  # NaN is not equal to itself
    assert top_table(again).rows[0]["patch"] == 3


def test_a_folder_without_an_evaluation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        Evaluation.load(tmp_path)
