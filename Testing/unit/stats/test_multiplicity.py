"""Adjusted p-values against SciPy, statsmodels and hand-worked values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from deepradiomics.errors import InputError
from deepradiomics.stats import benjamini_hochberg, bonferroni, holm


def test_three_p_values_worked_by_hand():
    # sorted 0.01, 0.03, 0.04 times 3/1, 3/2, 3/3 = 0.03, 0.045, 0.04; made monotone from the right: 0.03, 0.04, 0.04
    assert benjamini_hochberg([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.04, 0.04])


def test_it_equals_scipy_and_never_exceeds_holm():
    p = np.random.default_rng(1).uniform(size=200) ** 2
    np.testing.assert_allclose(benjamini_hochberg(p), false_discovery_control(p), rtol=1e-12)
    assert (benjamini_hochberg(p) <= holm(p) + 1e-12).all()


def test_tied_and_extreme_p_values_stay_between_0_and_1():
    assert benjamini_hochberg([1.0, 1.0, 0.0]).tolist() == [1.0, 1.0, 0.0]
    assert benjamini_hochberg([]).size == 0


@pytest.mark.parametrize("p", [[0.1, np.nan], [1.2], [[0.1]]])
def test_what_is_no_vector_of_p_values_is_refused(p):
    with pytest.raises(InputError):
        benjamini_hochberg(p)


def test_all_three_adjustments_equal_statsmodels():
    multipletests = pytest.importorskip("statsmodels.stats.multitest").multipletests
    p = np.random.default_rng(5).uniform(size=21) ** 3  # the pairs of seven inputs
    p[3] = p[4]
    for ours, name in ((bonferroni, "bonferroni"), (holm, "holm"), (benjamini_hochberg, "fdr_bh")):
        np.testing.assert_allclose(ours(p), multipletests(p, method=name)[1], rtol=1e-12)


def test_bonferroni_refuses_what_is_no_p_value():
    with pytest.raises(InputError, match="bonferroni needs a vector"):
        bonferroni([[0.1]])
    with pytest.raises(InputError, match="between 0 and 1"):
        bonferroni([1.5])
