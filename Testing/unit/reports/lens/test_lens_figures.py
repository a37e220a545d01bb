"""Figures 2, 3 and the overview show the files' numbers, claim no more than they know, and cut no label."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from math import nan
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from deepradiomics.lens.readings import EXPLAINED, IMPORTANCE
from deepradiomics.lens.result import LensResult
from deepradiomics.reports.lens.case import read_case
from deepradiomics.reports.lens.figures import best_family, figure2, figure3, group_title, overview_figure
from Testing.unit.reports.fake_lens import write_fake_lens


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> LensResult:
    folder = tmp_path_factory.mktemp("lens")
    return LensResult.read(write_fake_lens(folder, images=("original", "wavelet-LLH")))


@pytest.fixture(scope="module")
def without_null(tmp_path_factory: pytest.TempPathFactory) -> LensResult:
    folder = write_fake_lens(
        tmp_path_factory.mktemp("lens"), modalities=("t2",), images=("original",), permutations=0, evaluation=False
    )
    return LensResult.read(folder)


def _texts_inside(figure: Any) -> list[str]:
    """Every text of a figure, after checking that those drawn lie wholly on the canvas."""
    from matplotlib.text import Text

    figure.canvas.draw()
    beyond = {tick for ax in figure.axes for tick in _ticks_beyond(ax)}
    found = []
    for text in figure.findobj(Text):
        if not text.get_visible() or not text.get_text().strip() or text in beyond:
            continue
        box = text.get_window_extent()
        assert box.x0 >= -1, f"{text.get_text()!r} is cut"
        assert box.y0 >= -1, f"{text.get_text()!r} is cut"
        assert box.x1 <= figure.bbox.x1 + 1, f"{text.get_text()!r} is cut"
        assert box.y1 <= figure.bbox.y1 + 1, f"{text.get_text()!r} is cut"
        found.append(text.get_text())
    return found


def _ticks_beyond(ax: Any) -> list[Any]:
    """Labels of ticks outside the axes' limits, which matplotlib keeps and does not draw."""
    pairs = ((ax.xaxis, sorted(ax.get_xlim())), (ax.yaxis, sorted(ax.get_ylim())))
    return [
        label
        for axis, (low, high) in pairs
        for tick in axis.get_major_ticks()
        if not ax.axison or not low <= tick.get_loc() <= high
        for label in (tick.label1, tick.label2)
    ]


def _x(line: Any) -> list[float]:
    return [float(value) for value in line.get_xdata()]


def test_figure_2_shows_the_best_family_of_the_file(result: LensResult) -> None:
    means = {row["group"]: row["r2_ft"] for row in result.table1 if row["kind"] == "family"}
    assert best_family(result) == max(means, key=lambda name: means[name])
    figure = figure2([result])
    (ax,) = figure.axes
    bars: Any = ax.patches
    heights = [bar.get_height() for bar in bars]
    rows = {(r["modality"], r["stage"]): r["r2"] for r in result.modality_r2 if r["group"] == best_family(result)}
    assert heights == [rows[m, stage] for stage in ("pre", "ft") for m in ("t2", "highb", "adc")]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["T2", "High-b", "ADC"]
    assert f"{best_family(result)} features" in ax.get_title()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Pre-train", "Fine-tune"]


def test_many_tasks_have_a_panel_each(result: LensResult) -> None:
    tasks = [dataclasses.replace(result, about={**result.about, "task": f"task {i}"}) for i in range(6)]
    figure = figure2(tasks)
    assert [ax.get_title().split("\n")[0] for ax in figure.axes if ax.axison] == [f"task {i}" for i in range(6)]
    _texts_inside(figure)


def test_a_negative_or_missing_r2_is_drawn_as_such(without_null: LensResult) -> None:
    rows = [{**r, "r2": -0.4 if r["stage"] == "pre" else nan} for r in without_null.modality_r2]
    (ax,) = figure2([dataclasses.replace(without_null, modality_r2=rows)]).axes
    assert [text.get_text() for text in ax.texts] == ["−0.40"]
    assert ax.get_ylim()[0] < -0.4
    assert ax.get_xlim() == (-0.6, 0.6)


def test_figure_3_lists_the_picked_features_with_their_importance(result: LensResult) -> None:
    figure = figure3(result)
    bars, shift = figure.axes
    picked = [row for group in ("top", "bottom", "stable") for row in result.picked(group)]  # type: ignore[arg-type]
    assert len(picked) == 15
    drawn_bars: Any = bars.patches
    widths = [bar.get_width() for bar in drawn_bars]
    assert widths == [row["i_pre"] for row in picked] + [row["i_ft"] for row in picked]
    drawn = [_x(line) for line in shift.lines if len(set(_x(line))) == 2]
    assert [one for one in drawn if one != [0, 1]] == [[r["delta_i_low"], r["delta_i_high"]] for r in picked]
    labels = [label.get_text() for label in bars.get_yticklabels()]
    for label, row in zip(labels, picked, strict=True):
        modality = {"t2": "T2", "highb": "High-b", "adc": "ADC"}[row["modality"]]
        assert label.startswith(modality)
        assert label.endswith(row["feature"].rpartition("_")[2])
        assert (", wavelet-LLH" in label) == (row["image_type"] == "wavelet-LLH")


def test_only_shifts_that_differ_by_the_null_are_filled(result: LensResult) -> None:
    shift = figure3(result).axes[1]
    picked = [row for group in ("top", "bottom", "stable") for row in result.picked(group)]  # type: ignore[arg-type]
    dots = [line for line in shift.lines if line.get_marker() == "o"]
    assert [_x(line)[0] for line in dots] == [row["delta_i"] for row in picked]
    filled = [line.get_markerfacecolor() != "white" for line in dots]
    assert filled == [row["q_null"] < 0.05 for row in picked]
    assert {*filled} == {True, False}


def test_without_permutations_nothing_is_said_to_differ(without_null: LensResult) -> None:
    texts = _texts_inside(figure3(without_null))
    assert any("no permutation null" in text for text in texts)
    assert not any("differs" in text for text in texts)
    assert any("no permutation null" in text for text in _texts_inside(overview_figure(without_null)))


def test_gain_and_loss_are_claimed_only_where_the_numbers_bear_it_out() -> None:
    up, down = {"delta_i": 0.1, "q_null": nan, "i_pre": 1.0}, {"delta_i": -0.1, "q_null": nan, "i_pre": 1.0}
    assert group_title("top", [up, up]).startswith("Gained")
    assert group_title("top", [up, down]) == "Largest ΔI"
    assert group_title("bottom", [down]).startswith("Lost")
    assert group_title("bottom", [up, down]) == "Smallest ΔI"
    clear, noise = {"delta_i": 0.1, "q_null": 0.01}, {"delta_i": 0.1, "q_null": 0.3}
    assert group_title("top", [noise, noise]) == "Largest ΔI (none with q < 0.05)"
    assert group_title("top", [clear, noise]) == "Gained importance (largest ΔI)"  # the marks tell which
    assert group_title("stable", [up, down]) == "Kept their importance (smallest |ΔI|)"
    assert group_title("stable", [up, {"delta_i": 990.0, "i_pre": 10.0, "q_null": nan}]) == "Smallest |ΔI|"
    explained = {"delta_explained": -0.2, "explained_pre": 0.5, "q_explained": 0.01}
    assert group_title("bottom", [explained], EXPLAINED) == "Lost explained spread (smallest ΔE)"
    assert group_title("stable", [explained], EXPLAINED) == "Kept their explained spread (smallest |ΔE|)"


def test_the_explained_figure_lists_its_own_picks_with_their_numbers(result: LensResult) -> None:
    bars, shift = figure3(result, by=EXPLAINED).axes
    picked = [row for group in ("top", "bottom", "stable") for row in result.picked(group, EXPLAINED)]  # type: ignore[arg-type]
    assert picked[0]["rank_explained"] == 1
    assert picked[0]["delta_explained"] == max(row["delta_explained"] for row in result.shift)
    drawn: Any = bars.patches
    assert [bar.get_width() for bar in drawn] == [row[f"explained_{s}"] for s in ("pre", "ft") for row in picked]
    dots = [line for line in shift.lines if line.get_marker() == "o"]
    assert [_x(line)[0] for line in dots] == [row["delta_explained"] for row in picked]
    assert [dot.get_markerfacecolor() != "white" for dot in dots] == [row["q_explained"] < 0.05 for row in picked]
    texts = _texts_inside(figure3(result, [read_case(result.folder / "case")], EXPLAINED))
    assert "explained spread E" in texts
    assert not any("ΔI" in text for text in texts)


def collapsed(result: LensResult) -> LensResult:
    """After fine-tuning all importances are 250 times as large."""
    shift = [{**r, "i_ft": 250 * r["i_ft"], "delta_i": 250 * r["i_ft"] - r["i_pre"]} for r in result.shift]
    return dataclasses.replace(result, shift=shift)


def test_importances_of_another_size_are_told_and_drawn_on_log_axes(result: LensResult) -> None:
    huge = collapsed(result)
    scatter = overview_figure(huge).axes[3]
    assert (scatter.get_xscale(), scatter.get_yscale()) == ("log", "log")
    assert overview_figure(huge).axes[0].get_xscale() == overview_figure(result).axes[3].get_xscale() == "linear"
    limits = scatter.get_xlim()
    assert all(limits[0] < row[name] < limits[1] for row in huge.shift for name in ("i_pre", "i_ft"))
    _texts_inside(overview_figure(huge))
    for cases in ([], [read_case(huge.folder / "case")]):
        texts = _texts_inside(figure3(huge, cases))
        assert any("the spread of the embeddings rather than" in text.replace("\n", " ") for text in texts)
        assert "Smallest |ΔI|" in texts
        assert not any("Kept" in text for text in texts)
    assert not any("rather than" in text for text in _texts_inside(figure3(result)))
    assert not any("rather than" in text for text in _texts_inside(figure3(huge, by=EXPLAINED)))


def test_no_label_is_cut_or_lies_on_another_row(result: LensResult) -> None:
    long = "radiomics_of_another_program_with_a_name_that_goes_on_and_on_GrayLevelNonUniformityNormalizedAverage"
    key = tuple(result.about["picked"]["top"][0])
    shift = [{**r, "feature": long} if (r["modality"], r["feature"]) == key else r for r in result.shift]
    picked = {**result.about["picked"], "top": [(key[0], long), *result.about["picked"]["top"][1:]]}
    changed = dataclasses.replace(result, shift=shift, about={**result.about, "picked": picked})
    for figure in (figure3(changed), figure3(changed, [read_case(result.folder / "case")]), overview_figure(changed)):
        _texts_inside(figure)
    figure = figure3(changed)
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    order = sorted(boxes, key=lambda box: -box.y0)
    assert all(above.y0 >= below.y1 - 1 for above, below in pairwise(order))


def test_cases_stand_beside_the_list_with_their_map(result: LensResult) -> None:
    case = read_case(result.folder / "case")
    one, two = figure3(result, [case]), figure3(result, [dataclasses.replace(case, map=None), case])
    for figure, panels in ((one, 4), (two, 7)):
        assert sum(bool(ax.images) and ax.get_label() != "<colorbar>" for ax in figure.axes) == panels
        assert any("local value" in ax.get_ylabel() for ax in figure.axes)


def test_the_overview_shows_every_feature_and_the_mean_shift_of_each_group(result: LensResult) -> None:
    axes = overview_figure(result).axes
    for by, (scatter, heat, _) in zip((EXPLAINED, IMPORTANCE), (axes[:3], axes[3:]), strict=True):
        points = np.concatenate([np.asarray(one.get_offsets()) for one in scatter.collections])
        assert len(points) == len(result.shift)
        known = {(round(row[by.before], 9), round(row[by.after], 9)) for row in result.shift}
        assert {tuple(p) for p in points.round(9)} == known
        glcm = [row[by.delta] for row in result.shift if row["family"] == "glcm" and row["modality"] == "highb"]
        row = [label.get_text() for label in heat.get_yticklabels()].index("GLCM")
        assert np.asarray(heat.images[0].get_array())[row, 1] == pytest.approx(np.mean(glcm))


def test_digits_in_the_heat_map_stand_out_from_their_cell(result: LensResult) -> None:
    heat = overview_figure(result).axes[1]
    picture = heat.images[0]
    for text in heat.texts:
        column, row = (int(each) for each in text.get_position())
        rgb = np.array(picture.to_rgba(np.asarray(picture.get_array())[row, column])[:3])
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        cell, ink = float(linear @ (0.2126, 0.7152, 0.0722)), float(text.get_color() == "white")
        assert (max(cell, ink) + 0.05) / (min(cell, ink) + 0.05) >= 4.5  # WCAG 2, AA


def test_panels_of_figure_2_share_their_axis_and_tell_of_other_patients(
    result: LensResult, without_null: LensResult
) -> None:
    other = dataclasses.replace(
        without_null, cases=without_null.cases[:2], about={**without_null.about, "counts": {"test": 7}, "task": "REG"}
    )
    figure = figure2([result, other])
    first, second = figure.axes
    assert first.get_ylim() == second.get_ylim()
    count = result.about["counts"]["test"]
    said = f"tested on different patients ({result.task} {count}; REG 7)"
    assert any(said in text.replace("\n", " ") for text in _texts_inside(figure))
    assert not any("different patients" in text for text in _texts_inside(figure2([result, result])))


def test_an_identical_encoder_is_drawn_without_a_shift(without_null: LensResult) -> None:
    same = [
        {**r, "i_ft": r["i_pre"], "delta_i": 0.0, "delta_i_low": nan, "delta_i_high": nan} for r in without_null.shift
    ]
    result = dataclasses.replace(without_null, shift=same)
    texts = _texts_inside(figure3(result))
    assert "Largest ΔI" in texts
    assert "ΔI (no intervals were computed)" in texts
    assert texts.count("0") >= 15
    _texts_inside(overview_figure(result))


def test_synthetic_data_are_marked_in_every_figure(result: LensResult) -> None:
    real = dataclasses.replace(result, about={**result.about, "synthetic": False})
    for draw in (lambda one: figure2([one]), figure3, overview_figure):
        assert any("SYNTHETIC" in text for text in _texts_inside(draw(result)))
        assert not any("SYNTHETIC" in text for text in _texts_inside(draw(real)))
