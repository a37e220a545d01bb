"""The experiment report needs nothing else, says plainly what it is, and shows the tables' numbers."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from deepradiomics.ich.experiment.result import Experiment
from deepradiomics.reports.ich.report import render_experiment, write_experiment
from deepradiomics.words import with_interval
from Testing.unit.reports.fake_ich import write_fake_experiment
from Testing.unit.reports.ich_pages import check_page, words

PICTURES = ("figure3", "differences", "roc", "figure4", "figure5", "components")
SMALL = {"outcomes": ("poor_outcome", "expansion_3ml"), "classifiers": ("random-forest", "extra-trees"), "patients": 60}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = write_fake_experiment(
        tmp_path_factory.mktemp("experiment"), inputs=("radiomics", "radiomics+latents"), **SMALL
    )
    write_experiment(out)
    return out


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def leaking_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Leaking latents, real patients, one outcome and input, no external cohort."""
    out = write_fake_experiment(
        tmp_path_factory.mktemp("leaking"), outcomes=("poor_outcome",), inputs=("radiomics+latents",),
        classifiers=("extra-trees",), external=False, synthetic=False, leaking=True,
    )  # fmt: skip
    for name in ("differences", "wilcoxon", "friedman", "sex"):
        (out / "tables" / f"{name}.csv").unlink()
    write_experiment(out)
    return out


@pytest.fixture(scope="module")
def leaking(leaking_folder: Path) -> str:
    return (leaking_folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("which", ["page", "leaking"])
def test_the_page_is_whole_in_itself(which: str, request: pytest.FixtureRequest) -> None:
    check_page(request.getfixturevalue(which))


def test_every_figure_is_a_file_and_a_picture_of_the_page(folder: Path, page: str) -> None:
    assert {path.name for path in (folder / "figures").iterdir()} == {f"{name}.png" for name in PICTURES}
    assert page.count("<img ") == len(PICTURES)
    assert all(f"Figure {number}." in words(page) for number in (3, 4, 5))


def test_what_is_synthetic_or_leaks_stands_in_red_at_the_top(page: str, leaking: str) -> None:
    boxes = [re.search(r'<div class="warning" role="alert">(.*?)</div>', one, re.S) for one in (page, leaking)]
    assert boxes[0]
    assert "SYNTHETIC DATA: these numbers" in boxes[0][1]
    assert "LEAKING" not in boxes[0][1]
    assert boxes[1]
    assert "LEAKING RUN: some latents come from networks" in boxes[1][1]
    assert "SYNTHETIC" not in words(leaking)
    assert all(box and "not a medical device" in box[1] for box in boxes)
    assert "--allow-leakage" in words(leaking)
    assert "None of them had seen" in words(page)


def test_scores_of_the_model_named_beforehand_are_those_of_the_table(folder: Path, page: str) -> None:
    found, text = Experiment.read(folder), words(page)
    for outcome in found.outcomes:
        for cohort in found.cohorts:
            row = found.cell(outcome, *found.chosen, cohort)
            assert with_interval(row) in text
            assert f"{row['sensitivity']:.2f} {row['specificity']:.2f} {row['ppv']:.2f} {row['npv']:.2f}" in text


def test_every_cell_stands_in_table_s2(folder: Path, page: str) -> None:
    found = Experiment.read(folder)
    for title in found.outcomes.values():
        part = page.partition(f"Table S2. {title.replace('>', '&gt;')}")[2].partition("</details>")[0]
        assert part.count("<tr>") == 1 + 2 * 2 * 2  # head; inputs, classifiers, cohorts


def test_patients_left_out_warnings_methods_and_provenance_are_told(page: str) -> None:
    text = words(page)
    for said in (
        "ich-s0-0099 haematoma empty", "Only 20 patients have expansion", "Invented numbers, made to test",
        "deepradiomics ich experiment manifest.csv", "Thick slices: 5 mm.", "scikit-learn 1.9", "< 0.001 Mann-Whitney",
        "smallest possible p is 0.500", "no pair can pass it", "60 patients training",
    ):  # fmt: skip
        assert said in text, said


def test_a_run_without_external_cohort_or_comparisons_says_what_is_missing(leaking: str) -> None:
    text = words(leaking)
    assert "No inputs were compared" in text
    assert "External" not in text.replace("external cohort: on", "")
    assert "Women and men were not compared" in text
    assert "at least two classifiers" in text


def test_drawing_again_gives_the_same_page_and_removes_stale_figures(leaking_folder: Path, leaking: str) -> None:
    write_experiment(leaking_folder)
    assert (leaking_folder / "report.html").read_text(encoding="utf-8") == leaking
    for name in ("shap_groups", "shap_components"):
        (leaking_folder / "tables" / f"{name}.csv").unlink()
    written = write_experiment(leaking_folder)
    stale = leaking_folder / "figures" / "figure5.png"
    assert not stale.exists()
    assert stale not in written
    assert "Explanations were not computed" in words((leaking_folder / "report.html").read_text(encoding="utf-8"))


def test_texts_from_outside_cannot_become_markup(folder: Path) -> None:
    found = Experiment.read(folder)
    about = json.loads((folder / "experiment.json").read_text(encoding="utf-8"))
    about["warnings"] = ["<script>alert(1)</script>"]
    about["dropped"] = [["training", "<b>x</b>", "a & b"]]
    about["outcomes"][0]["title"] = "A <i>title</i>"
    about["cohorts"]["training"]["manifest"] = "<u>.csv"
    page = render_experiment(dataclasses.replace(found, about=about), {})
    check_page(page)
    assert not any(tag in page for tag in ("<script", "<i>", "<b>", "<u>"))
    assert "a &amp; b" in page
