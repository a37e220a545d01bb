"""The direction in which a risk rises: worked by hand where the model is simple, and it does raise the risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.ich.patient.risk_direction import latent_directions, risk_slopes
from deepradiomics.modelling.components.nmf_components import Components
from deepradiomics.modelling.frozen import FrozenModel


class Formula(FrozenModel):
    """A model given by a formula of the columns."""

    kind = "formula"

    def __init__(self, formula: Any, n_columns: int) -> None:
        self.formula, self.n_columns = formula, n_columns

    def _probability(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.formula(X), np.float64)

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        raise NotImplementedError

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> FrozenModel:
        raise NotImplementedError


BACKGROUND = np.array([[0.0, 0.0, 5.0], [2.0, 4.0, 5.0]])  # standard deviations 1, 2 and 0


def test_the_slope_of_a_line_is_its_slope() -> None:
    model = Formula(lambda X: 0.3 + 0.1 * X[:, 0] - 0.02 * X[:, 1] + X[:, 2], 3)
    assert np.allclose(risk_slopes(model, np.array([1.0, 2.0, 5.0]), BACKGROUND), [0.1, -0.02, 0.0])


def test_a_step_is_seen_when_it_lies_within_one_standard_deviation() -> None:
    model = Formula(lambda X: np.where(X[:, 0] > 1.5, 0.9, 0.1), 3)
    near = risk_slopes(model, np.array([1.0, 2.0, 5.0]), BACKGROUND)
    assert near[0] == pytest.approx(0.8 / 2.0)  # from 0 to 2
    assert near[1:].tolist() == [0.0, 0.0]
    far = risk_slopes(Formula(lambda X: np.where(X[:, 0] > 9, 0.9, 0.1), 3), np.array([1.0, 2.0, 5.0]), BACKGROUND)
    assert far.tolist() == [0.0, 0.0, 0.0]


def test_no_step_leaves_the_range_of_background_and_patient() -> None:
    asked: list[np.ndarray] = []

    def formula(X: np.ndarray) -> np.ndarray:
        asked.append(X)
        return X[:, 0]

    slopes = risk_slopes(Formula(formula, 3), np.array([0.0, 6.0, 5.0]), BACKGROUND)
    assert np.vstack(asked).min() >= 0.0
    assert np.vstack(asked)[:, 1].max() == 6.0
    assert slopes[0] == pytest.approx(1.0)  # from 0 to 1: the width is the step's, not two standard deviations


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(InputError, match=r"background: expected \(rows, 2\)"):
        risk_slopes(Formula(lambda X: X[:, 0], 3), np.zeros(2), BACKGROUND)


def test_only_the_columns_asked_for_are_tried() -> None:
    asked: list[int] = []

    def formula(X: np.ndarray) -> np.ndarray:
        asked.append(len(X))
        return X[:, 0] + X[:, 1]

    wanted = np.array([False, True, True])
    slopes = risk_slopes(Formula(formula, 3), np.array([1.0, 2.0, 5.0]), BACKGROUND, wanted)
    assert slopes == pytest.approx([0.0, 1.0, 0.0])
    assert asked == [2]


def test_along_the_direction_the_components_and_with_them_the_risk_rise() -> None:
    rng = np.random.default_rng(0)
    values = rng.gamma(2.0, 1.0, (30, 4)) @ rng.gamma(1.0, 1.0, (4, 50)) + rng.uniform(0, 0.1, (30, 50))
    block = Components.fit(values, family="encoder", n_components=3, threads=1)
    slopes = np.array([[0.3, -0.1, 0.2], [0.0, 0.0, 0.0], [-0.2, 0.4, 0.1]])
    directions = latent_directions(block, slopes)
    assert directions.shape == (3, 50)
    assert not directions[1].any()
    start = values.mean(axis=0)
    for slope, direction in zip(slopes[[0, 2]], directions[[0, 2]], strict=True):
        step = 1e-3 / np.abs(direction).max()
        before, after = (block.transform((start + length * direction)[None])[0] for length in (0.0, step))
        assert float(slope @ (after - before)) > 0
