"""Table 1 and A1 of the lens: every printed number is the file's, stars stand where the adjusted p says so."""

from __future__ import annotations

import csv
import dataclasses
from math import nan
from pathlib import Path

import pytest

from deepradiomics.lens.result import LensResult
from deepradiomics.reports import page
from deepradiomics.reports.lens.tables import (
    as_markdown,
    complete_table,
    evaluation_table,
    paper_table,
    task_labels,
    write_tables,
)
from deepradiomics.reports.page import Table
from Testing.unit.reports.fake_lens import write_fake_lens

TASKS = ("PIRADS CLS", "Volume REG", "Lesion SEG-L")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[LensResult]:
    folder = tmp_path_factory.mktemp("lens")
    return [
        LensResult.read(write_fake_lens(folder / str(i), task=task, case=False, images=("original", "wavelet-LLH")))
        for i, task in enumerate(TASKS)
    ]


def html_of(table: Table) -> str:
    """The table as it stands on a page."""
    template = page._environment().from_string('{% import "parts.html" as parts %}{{ parts.table(table) }}')
    return template.render(table=table)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_number_of_the_papers_table_is_that_of_the_file(results: list[LensResult]) -> None:
    shown = paper_table(results)
    assert shown.over == (("", 2), *((task, 2) for task in TASKS))
    groups = [("family", f) for f in ("First order", "GLCM", "GLDM", "GLRLM", "GLSZM", "NGTDM")]
    groups += [("image_type", "Original"), ("image_type", "Wavelet")]
    assert len(shown.rows) == 2 * len(groups)
    for i, (kind, group) in enumerate(groups):
        before, after = shown.rows[2 * i], shown.rows[2 * i + 1]
        assert before[:2] == (group, "Pre-train")
        assert after[:2] == ("", "Fine-tune")
        for j, result in enumerate(results):
            row = next(r for r in _read(result.folder / "table1.csv") if (r["kind"], r["group"]) == (kind, group))
            assert before[2 + 2 * j] == f"{float(row['mse_pre']):.3f}"
            assert before[3 + 2 * j] == f"{float(row['r2_pre']):.3f}"
            assert after[2 + 2 * j] == f"{float(row['mse_ft']):.3f} {row['stars']}".strip()
            assert after[3 + 2 * j] == f"{float(row['r2_ft']):.3f}"


def test_stars_stand_at_their_thresholds_of_the_adjusted_p(results: list[LensResult]) -> None:
    marks = {}
    for row in complete_table(results[:1]).rows:
        group, p, stars = row[1], row[-3], row[-2]
        adjusted = 0.0 if p == "< 0.001" else float(p)
        marks[group] = stars
        assert stars == ("***" if adjusted < 0.001 else "**" if adjusted < 0.01 else "*" if adjusted < 0.05 else "–")
    assert set(marks.values()) == {"***", "**", "*", "–"}  # every level was there to be told apart


def test_the_complete_table_holds_modalities_and_all_features_too(results: list[LensResult]) -> None:
    shown = complete_table(results)
    assert len(shown.rows) == sum(len(result.table1) for result in results)
    assert ("PIRADS CLS", "Modality", "High-b") in {row[:3] for row in shown.rows}
    row = next(row for row in shown.rows if row[:2] == ("Volume REG", "All"))
    stored = next(r for r in results[1].table1 if r["kind"] == "all")
    assert row[3] == "558"  # 3 modalities × 93 × 2 images
    assert row[8] == f"{stored['r2_pooled_pre']:.3f}"


def test_a_missing_p_is_a_dash(results: list[LensResult]) -> None:
    rows = tuple({**row, "p": nan, "p_holm": nan, "stars": "", "n_patients": nan} for row in results[0].table1)
    shown = complete_table([dataclasses.replace(results[0], table1=rows)])
    assert all(row[-4:] == ("–", "–", "–", "–") for row in shown.rows)
    assert "nan" not in html_of(shown) + as_markdown(shown)


def test_a_group_that_one_task_lacks_is_a_dash_there(results: list[LensResult]) -> None:
    short = dataclasses.replace(results[1], table1=[r for r in results[1].table1 if r["group"] != "GLCM"])
    rows = paper_table([results[0], short]).rows
    glcm = next(i for i, row in enumerate(rows) if row[0] == "GLCM")
    assert rows[glcm][4:] == ("–", "–")
    assert rows[glcm + 1][4:] == ("–", "–")
    assert rows[glcm][2] != "–"


def test_two_results_of_one_task_are_told_apart(results: list[LensResult]) -> None:
    lesion = dataclasses.replace(results[0], about={**results[0].about, "roi": "lesion"})
    assert task_labels([results[0], lesion]) == ["PIRADS CLS (gland)", "PIRADS CLS (lesion)"]
    assert task_labels([results[0], results[0]]) == ["PIRADS CLS (gland) 1", "PIRADS CLS (gland) 2"]


def test_the_joint_files_hold_the_numbers_unrounded(results: list[LensResult], tmp_path: Path) -> None:
    names = {path.name for path in write_tables(results, tmp_path)}
    assert names == {"table1.csv", "table1_paper.csv", "table1.md", "tableA1.csv", "tableA1.md"}
    joint = _read(tmp_path / "table1.csv")
    alone = [row for result in results for row in _read(result.folder / "table1.csv")]
    assert [row["task"] for row in joint] == [task for r, task in zip(results, TASKS, strict=True) for _ in r.table1]
    for one, other in zip(joint, alone, strict=True):
        assert float(one["mse_ft"]) == float(other["mse_ft"])
        assert float(one["p_holm"]) == float(other["p_holm"])
        assert one["stars"] == other["stars"]
        assert int(one["n_patients"]) == 24
    paper = _read(tmp_path / "table1_paper.csv")
    assert paper[1]["feature"] == "First order"
    assert paper[1]["stage"] == "Fine-tune"
    assert float(paper[1]["Volume REG mse"]) == results[1].table1[0]["mse_ft"]
    assert paper[0]["Volume REG stars"] == ""
    assert paper[1]["Volume REG stars"] == results[1].table1[0]["stars"]


def test_a_single_results_own_tables_are_not_touched(results: list[LensResult]) -> None:
    folder = results[0].folder
    before = {name: (folder / name).read_bytes() for name in ("table1.csv", "tableA1.csv")}
    written = write_tables(results[:1], folder)
    assert before == {name: (folder / name).read_bytes() for name in before}
    assert not {"table1.csv", "tableA1.csv"} & {path.name for path in written}


def test_a1_has_the_papers_metrics_with_their_better_direction(results: list[LensResult]) -> None:
    shown = evaluation_table(results)
    assert shown is not None
    assert shown.head == (
        "", "PIRADS CLS: QWK↑", "Volume REG: MSE↓", "Volume REG: MAE↓, mL", "Lesion SEG-L: Mean Dice↑",
    )  # fmt: skip
    assert [row[0] for row in shown.rows] == ["Pre-trained (frozen)", "Fine-tuned"]
    assert [row[2:4] for row in shown.rows] == [("0.007", "9.400"), ("0.004", "6.100")]
    assert evaluation_table([dataclasses.replace(results[0], evaluations=())]) is None


def test_texts_from_outside_are_escaped(results: list[LensResult]) -> None:
    evil = dataclasses.replace(results[0], about={**results[0].about, "task": "<b>A|B</b>"})
    html = html_of(paper_table([evil]))
    assert "<b>" not in html
    assert "&lt;b&gt;A|B" in html
    assert all(line.count("|") == 5 for line in as_markdown(paper_table([evil])).splitlines() if line.startswith("|"))


def test_stars_have_a_place_of_their_own_so_that_numbers_align(results: list[LensResult]) -> None:
    html = html_of(paper_table(results[:1]))
    assert html.count('<span class="stars">') == 16  # each MSE, starred or not
    assert '<span class="stars">***</span>' in html
    assert '<span class="stars"></span>' in html
    assert r"\*\*\*" in as_markdown(paper_table(results[:1]))  # not emphasis


def test_intervals_and_numbers_of_patients_are_shown_where_the_table_has_them(results: list[LensResult]) -> None:
    result = next(one for one in results if one.evaluations)
    one = dict(result.evaluations[0])
    more = {"frozen_low": "0.1", "frozen_high": "0.3", "tuned_low": "0.4", "tuned_high": "0.6", "n": "39"}
    known = dataclasses.replace(result, evaluations=({**one, "frozen": 0.2, "tuned": 0.5, **more},))
    shown = evaluation_table([known])
    assert shown is not None
    assert [row[1] for row in shown.rows] == ["0.200 [0.100, 0.300]", "0.500 [0.400, 0.600]", "39"]
    assert any("95 % bootstrap interval" in note for note in shown.notes)
    other = dataclasses.replace(known, evaluations=({**known.evaluations[0], "n": "12"},))
    joint = evaluation_table([known, dataclasses.replace(other, about={**other.about, "task": "REG"})])
    assert joint is not None
    assert any("REG 12" in note for note in joint.notes)
    plain = evaluation_table([dataclasses.replace(result, evaluations=(one,))])
    assert plain is not None
    assert len(plain.rows) == 2
    assert "[" not in plain.rows[0][1]
