"""Legends lie beside what they explain: they cover no bar, no curve, no title of an axis, and no title is cut."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from deepradiomics.fingerprint.evaluate.ranks import Localisation, RankRow
from deepradiomics.fingerprint.evaluate.result import Evaluation
from deepradiomics.ich.patient.result import CaseFolder
from deepradiomics.reports.canvas import legend_below, new_figure, tidy
from deepradiomics.reports.fingerprint.figures import calibration_figure, localisation_figure, loss_figure, roc_figure
from deepradiomics.reports.ich.case_charts import calibration_figure as patient_calibration
from Testing.unit.reports.fake_ich import write_fake_case
from Testing.unit.reports.fingerprint.test_figures import _evaluation, _row
from Testing.unit.reports.ich_pages import texts


def many_tasks() -> Evaluation:
    rows = _evaluation().predictions
    names = ("acl", "a_task_with_a_rather_long_name", "meniscus", "abnormality")
    return replace(_evaluation(), predictions=tuple(replace(row, task=name) for name in names for row in rows))


FIGURES = {
    "roc": lambda: roc_figure(many_tasks()),
    "calibration": lambda: calibration_figure(many_tasks()),
    "losses": lambda: loss_figure([{f"{i}_loss": 1.0 / (j + 1) for i in range(5)} for j in range(4)]),
    "ranks": lambda: localisation_figure(
        Localisation(
            tuple(
                RankRow(method, score, 0, 0, "acl", case, 3, 8, 2.0, 1)
                for method in ("fingerprint", "nofs")
                for score in ("relevance", "contribution")
                for case in "ab"
            )
        )
    ),
}


def check(figure: Any) -> None:
    figure.canvas.draw()
    for axes in figure.axes:
        legend = axes.get_legend()
        if legend is None:
            continue
        box = legend.get_window_extent()
        assert not box.overlaps(axes.get_window_extent()), "the legend lies on bars or curves"
        for text in (axes.xaxis.label, *axes.get_xticklabels()):
            if text.get_text():
                assert not box.overlaps(text.get_window_extent()), f"the legend covers {text.get_text()!r}"


@pytest.mark.parametrize("name", FIGURES)
def test_no_legend_covers_anything_and_no_title_is_cut(name: str) -> None:
    figure = FIGURES[name]()
    check(figure)
    texts(figure)  # fails where a text is cut


@pytest.mark.parametrize("height", [1.6, 2.5, 6.0])
def test_a_legend_below_keeps_its_distance_from_the_axis_title_whatever_the_height(height: float) -> None:
    figure = new_figure(3.0, height)
    axes = tidy(figure.subplots(), "", "predicted probability", "")
    axes.plot([0, 1], [0, 1], label="line")
    legend_below(axes)
    check(figure)


def test_what_cannot_be_computed_is_left_out_of_a_legend() -> None:
    figure = FIGURES["ranks"]()
    words = " ".join(text.get_text() for text in figure.axes[0].get_legend().get_texts())
    assert "nan" not in words
    assert "mean rank" in words


def test_titles_of_tasks_are_read_not_ids() -> None:
    assert [axes.get_title() for axes in roc_figure(many_tasks()).axes][1] == "A task with a rather long name"
    assert _row("a", 1, 0.2).task == "acl"


@pytest.mark.parametrize("outcomes", [("poor_outcome",), ("poor_outcome", "expansion_6ml")])
@pytest.mark.parametrize("outside", [False, True])
def test_nothing_is_cut_from_the_calibration_of_a_patient(
    tmp_path: Path, outcomes: tuple[str, ...], outside: bool
) -> None:
    folder, _ = write_fake_case(tmp_path / "case", outcomes=outcomes, leaking=True)
    path = folder / "ich.json"
    about = {**json.loads(path.read_text(encoding="utf-8")), "real_head": True, "outside_training_cohort": outside}
    path.write_text(json.dumps(about), encoding="utf-8")
    figure = patient_calibration(CaseFolder.read(folder))
    drawn = " ".join(texts(figure))  # fails where a text is cut
    assert "predicted probability" in drawn
    assert ("outside the training cohort" in drawn) == outside
    figure.canvas.draw()
    (legend,) = figure.legends
    for axes in figure.axes:
        assert not legend.get_window_extent().overlaps(axes.get_tightbbox())
