"""Figures 3 to 5 of an experiment show the tables' numbers, cut no label, and say what is synthetic or leaks."""

from __future__ import annotations

import dataclasses
from math import nan

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from deepradiomics.ich.experiment.result import Experiment
from deepradiomics.reports.ich.figures import differences_figure, figure3, roc_figure
from deepradiomics.reports.ich.figures_model import calibration_figure, component_name, components_figure, shap_figure
from Testing.unit.reports.fake_ich import write_fake_experiment
from Testing.unit.reports.ich_pages import texts

DRAWN = (figure3, differences_figure, roc_figure, calibration_figure, shap_figure, components_figure)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    folder = tmp_path_factory.mktemp("experiment")
    inputs = ("radiomics", "shape", "radiomics+latents")
    kinds = ("random-forest", "extra-trees")
    return Experiment.read(
        write_fake_experiment(folder, outcomes=("poor_outcome", "expansion_9ml"), inputs=inputs, classifiers=kinds)
    )


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """The smallest experiment: one outcome, two inputs, one classifier, no external cohort."""
    folder = tmp_path_factory.mktemp("alone")
    found = write_fake_experiment(folder, outcomes=("poor_outcome",), inputs=("radiomics", "radiomics+latents"),
                                  classifiers=("extra-trees",), external=False)  # fmt: skip
    return Experiment.read(found)


@pytest.mark.parametrize("draw", DRAWN)
def test_no_label_of_the_smallest_experiment_is_cut(draw, alone: Experiment) -> None:  # type: ignore[no-untyped-def]
    assert "SYNTHETIC DATA" in texts(draw(alone))


@pytest.mark.parametrize("draw", DRAWN)
def test_no_label_is_cut_and_synthetic_data_are_said(draw, experiment: Experiment) -> None:  # type: ignore[no-untyped-def]
    assert "SYNTHETIC DATA" in texts(draw(experiment))


@pytest.mark.parametrize("draw", DRAWN)
def test_a_leaking_run_says_so_on_every_picture(draw, experiment: Experiment) -> None:  # type: ignore[no-untyped-def]
    leaking = dataclasses.replace(experiment, about={**experiment.about, "leaking": True, "synthetic": False})
    figure = draw(leaking)
    assert "LEAKING RUN" in figure.get_suptitle()
    assert "SYNTHETIC" not in figure.get_suptitle()
    clean = draw(dataclasses.replace(experiment, about={**experiment.about, "synthetic": False}))
    assert clean.get_suptitle() == ""


def test_figure_3_has_a_cell_for_each_model_and_frames_the_highest(experiment: Experiment) -> None:
    figure = figure3(experiment)
    panels = [ax for ax in figure.axes if ax.images]
    assert len(panels) == 4  # outcomes × cohorts
    validation = panels[0]
    shown = [[text.get_text() for text in validation.texts][3 * 0 + i] for i in range(6)]
    means = [
        experiment.cell("poor_outcome", input_, kind, "validation", "mean")["auc"]
        for input_ in experiment.inputs
        for kind in experiment.classifiers
    ]
    assert shown == [f"{mean:.2f}" for mean in means]
    [frame] = validation.patches
    row, column = divmod(int(np.argmax(means)), 2)
    assert (frame.get_x(), frame.get_y()) == pytest.approx((column - 0.47, row - 0.47))


def test_a_cell_that_was_not_run_is_left_empty(experiment: Experiment) -> None:
    rows = [row for row in experiment.tables["cells"] if (row["input"], row["classifier"]) != ("shape", "extra-trees")]
    figure = figure3(dataclasses.replace(experiment, tables={**experiment.tables, "cells": rows}))
    assert [text.get_text() for text in figure.axes[0].texts].count("–") == 1


def test_marks_are_filled_where_a_difference_is_beyond_noise(experiment: Experiment) -> None:
    for p, face in ((0.01, "filled"), (0.2, "open")):
        rows = [{**row, "p_holm": p} for row in experiment.tables["differences"]]
        figure = differences_figure(dataclasses.replace(experiment, tables={**experiment.tables, "differences": rows}))
        assert figure is not None
        marks = [line for ax in figure.axes for line in ax.lines if len(line.get_xdata()) == 1]
        assert len(marks) == 2 * 2 * 2 * 2  # references, outcomes, classifiers, cohorts
        faces = {"open" if line.get_markerfacecolor() == "white" else "filled" for line in marks}
        assert faces == {face}


def test_intervals_of_the_forest_are_the_tables(experiment: Experiment) -> None:
    figure = differences_figure(experiment)
    assert figure is not None
    drawn = {tuple(np.round(line.get_xdata(), 6)) for line in figure.axes[0].lines if len(line.get_xdata()) == 2}
    rows = experiment.rows("differences", outcome="poor_outcome", input="radiomics+latents", reference="radiomics")
    assert {(round(row["low"], 6), round(row["high"], 6)) for row in rows} <= drawn


def test_bars_of_figure_5_add_up_to_the_whole(experiment: Experiment) -> None:
    figure = shap_figure(experiment)
    assert figure is not None
    for ax in figure.axes:
        for place in range(2):
            bars = [bar for bar in ax.patches if round(bar.get_y() + bar.get_height() / 2) == place]
            assert len(bars) == 3
            assert sum(bar.get_width() for bar in bars) == pytest.approx(100)


def test_calibration_points_are_those_of_the_model_named_beforehand(experiment: Experiment) -> None:
    figure = calibration_figure(experiment)
    assert figure is not None
    rows = experiment.rows("calibration", outcome="poor_outcome", cohort="validation", input="radiomics+latents",
                           classifier="extra-trees")  # fmt: skip
    points = [(row["mean_predicted"], row["observed"]) for row in rows]
    assert any(
        np.allclose(points, line.get_xydata()) for line in figure.axes[0].lines if len(line.get_xdata()) == len(points)
    )


def test_what_was_not_computed_is_not_drawn(experiment: Experiment) -> None:
    bare = dataclasses.replace(experiment, tables={"cells": experiment.tables["cells"]})
    assert all(draw(bare) is None for draw in (differences_figure, calibration_figure, shap_figure, components_figure))
    other = dataclasses.replace(
        experiment, about={**experiment.about, "bundle": {"input": "autoencoder", "classifier": "svm"}}
    )
    assert roc_figure(other) is None


def test_undefined_numbers_do_not_stop_a_figure(experiment: Experiment) -> None:
    rows = [{**row, "auc": nan, "auc_low": nan, "auc_high": nan} for row in experiment.tables["cells"]]
    nowhere = [{**row, "difference": nan, "low": nan, "high": nan} for row in experiment.tables["differences"]]
    broken = dataclasses.replace(experiment, tables={**experiment.tables, "cells": rows, "differences": nowhere})
    assert all(draw(broken) is not None for draw in DRAWN)


def test_a_component_names_its_group_once() -> None:
    assert component_name("radiomics", "Radiomics component 3: GLCM Contrast") == "Radiomics component 3: GLCM Contrast"
    assert component_name("clinical", "age") == "Clinical: age"
    long = component_name("radiomics", "Radiomics component 3: " + "; ".join(["First order Entropy, wavelet LLH"] * 9))
    assert len(long.split("\n")) == 2
    assert "…" in long
