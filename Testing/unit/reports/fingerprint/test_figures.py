"""Figures: each draws from plain records, without global state, and says what it cannot draw."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.evaluate.ranks import Localisation, RankRow
from deepradiomics.fingerprint.evaluate.records import Prediction
from deepradiomics.fingerprint.evaluate.result import Evaluation, MethodInfo, TopFeature
from deepradiomics.reports.canvas import save, style, wrapped
from deepradiomics.reports.fingerprint.figures import (
    calibration_figure,
    case_means,
    draw_evaluation,
    localisation_figure,
    loss_figure,
    roc_figure,
    top_features_figure,
)

PNG = b"\x89PNG"


def _row(
    case: str, label: int, p: float, method: str = "fingerprint", inference: str = "paper", seed: int = 0
) -> Prediction:
    return Prediction(method, inference, seed, 0, "acl", case, "test", label, (p,), 0.5, int(p >= 0.5))


def _evaluation() -> Evaluation:
    rows = [_row(f"c{i}", i % 2, p) for i, p in enumerate((0.1, 0.9, 0.4, 0.3, 0.2, 0.7))]
    rows += [_row(f"c{i}", i % 2, p, "nofs", "") for i, p in enumerate((0.2, 0.8, 0.6, 0.7, 0.1, 0.4))]
    top = [
        TopFeature("acl", "contribution", i + 1, name, "axial", 1 + i, name.split("_")[1], 0.5, 0.3 / (i + 1), 1.0)
        for i, name in enumerate(("original_glszm_SmallAreaLowGrayLevelEmphasis", "original_glcm_Contrast"))
    ]
    return Evaluation("evaluation", tuple(rows), (MethodInfo("fingerprint", "paper", "Fingerprint"),), (), tuple(top))


def _localisation() -> Localisation:
    return Localisation(
        (
            RankRow("fingerprint", "relevance", 0, 0, "acl", "a", 3, 8, 1.0, 1),
            RankRow("fingerprint", "relevance", 0, 0, "acl", "b", 3, 8, 2.0, 1),
            RankRow("nofs", "relevance", 0, 0, "acl", "a", 3, 8, 4.5, 8),
        )
    )


def test_the_mean_over_seeds_is_what_is_drawn() -> None:
    rows = [_row("a", 1, 0.2), _row("a", 1, 0.8, seed=1), _row("b", 0, 0.1)]
    label, score = case_means(rows, ("fingerprint", "paper"), "acl")
    assert label.tolist() == [1, 0]
    assert score == pytest.approx([0.5, 0.1])


def test_the_roc_legend_names_each_method_with_its_auc() -> None:
    axes = roc_figure(_evaluation()).axes[0]
    # fingerprint: positives 0.9 0.3 0.7 against 0.1 0.4 0.2, 8 of 9 pairs right
    # nofs: positives 0.8 0.7 0.4 against 0.2 0.6 0.1, 8 of 9 pairs right
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Fingerprint  0.89", "nofs  0.89"]


def test_the_localisation_bars_add_to_one_and_ties_are_spread_evenly() -> None:
    axes = localisation_figure(_localisation()).axes[0]
    heights = np.array([bar.get_height() for bar in axes.patches]).reshape(2, 8)
    assert heights[0].tolist() == [0.5, 0.5, 0, 0, 0, 0, 0, 0]
    assert heights[1] == pytest.approx(np.full(8, 1 / 8))


def test_every_figure_is_written_without_pyplot(tmp_path: Path) -> None:
    before = "matplotlib.pyplot" in sys.modules
    paths = draw_evaluation(_evaluation(), tmp_path, _localisation())
    assert [path.name for path in paths] == [
        "roc.png",
        "calibration.png",
        "top_acl_contribution.png",
        "localisation.png",
    ]
    assert all(path.read_bytes().startswith(PNG) for path in paths)
    assert ("matplotlib.pyplot" in sys.modules) == before


def test_the_loss_curve_reads_every_loss_of_a_history(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(
        "epoch,train_loss,validation_loss,lr\n0,0.7,0.8,1\n1,0.5,,1\n", encoding="utf-8"
    )
    lines = loss_figure(tmp_path / "history.csv").axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["train loss", "validation loss"]
    assert lines[0].get_ydata() == pytest.approx([0.7, 0.5])


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(InputError, match="no features listed for task 'meniscus'"):
        top_features_figure(_evaluation().top, "meniscus")
    with pytest.raises(InputError, match="no column with 'loss'"):
        loss_figure([{"epoch": 0.0, "auc": 0.5}])
    three = Prediction("a", "", 0, 0, "grade", "c", "test", 2, (0.1, 0.2, 0.7), None, 2)
    with pytest.raises(InputError, match="no binary task"):
        roc_figure(Evaluation("evaluation", (three,), ()))
    with pytest.raises(InputError, match="no test predictions"):
        calibration_figure(_evaluation(), ("elnet", ""))


def test_sixteen_lines_look_different() -> None:
    assert len({repr(style(i)) for i in range(16)}) == 16


def test_long_names_break_at_underscores_without_losing_a_letter() -> None:
    assert wrapped("glszm_SmallArea", 8) == "glszm_\nSmallArea"


def test_a_figure_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not supported"):
        save(loss_figure([{"loss": 1.0}]), tmp_path / "figure.nonsense")
    assert list(tmp_path.iterdir()) == []
