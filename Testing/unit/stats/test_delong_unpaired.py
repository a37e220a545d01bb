"""DeLong's test of two groups of different patients."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from deepradiomics.errors import InputError
from deepradiomics.stats import delong_ci, delong_unpaired


def group(seed: int, n: int, shift: float, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 2, n)
    y[:4] = (0, 1, 0, 1)
    score = generator.normal(size=n) + shift * y
    return y, score.round() if ties else score


def by_definition(y: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """Area and variance by double loop."""
    kernel = np.array([[1.0 if p > q else 0.5 if p == q else 0.0 for q in score[y == 0]] for p in score[y == 1]])
    rows, columns = kernel.mean(axis=1), kernel.mean(axis=0)
    return kernel.mean(), np.var(rows, ddof=1) / len(rows) + np.var(columns, ddof=1) / len(columns)


@pytest.mark.parametrize("ties", [False, True])
def test_it_equals_its_definition_by_double_loop(ties):
    women, men = group(1, 50, 1.2, ties), group(2, 83, 0.4, ties)
    (area_a, var_a), (area_b, var_b) = by_definition(*women), by_definition(*men)
    error = math.sqrt(var_a + var_b)
    found = delong_unpaired(*women, *men)
    assert found.difference == pytest.approx(area_a - area_b, abs=1e-12)
    assert found.z == pytest.approx((area_a - area_b) / error, rel=1e-10)
    assert found.p == pytest.approx(2 * norm.sf(abs(found.z)), rel=1e-10)
    assert found.high - found.low == pytest.approx(2 * norm.ppf(0.975) * error, rel=1e-10)


def test_the_areas_are_those_of_each_group_alone_and_swapping_changes_the_sign():
    women, men = group(3, 40, 1.0), group(4, 60, 1.0)
    found, swapped = delong_unpaired(*women, *men), delong_unpaired(*men, *women)
    assert (found.auc_a, found.auc_b) == (delong_ci(*women).estimate, delong_ci(*men).estimate)
    assert (swapped.z, swapped.p) == pytest.approx((-found.z, found.p))


def test_it_rejects_about_as_often_as_it_says_when_nothing_differs():
    hits = sum(delong_unpaired(*group(2 * s, 80, 0.8), *group(2 * s + 1, 120, 0.8)).p < 0.05 for s in range(400))
    assert 8 <= hits <= 36  # 20 expected


def test_a_group_of_one_class_is_named():
    with pytest.raises(InputError, match="y_b needs cases of both classes"):
        delong_unpaired([0, 1], [0.1, 0.9], [1, 1], [0.2, 0.3])
