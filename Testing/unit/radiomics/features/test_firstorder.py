"""Statistics of grey values, by hand and against numpy and scipy."""

import numpy as np
import pytest
from scipy import stats

from deepradiomics.radiomics.features.firstorder import firstorder_features, percentile


def test_five_values_are_as_by_hand() -> None:
    f = firstorder_features(np.array([[1.0, 2, 3, 4, 10]]), np.array([[2, 2, 1]]), 0.5, shift=1)
    assert f["Mean"] == pytest.approx(4)
    assert f["Median"] == 3
    assert f["Minimum"] == 1
    assert f["Maximum"] == 10
    assert f["Range"] == 9
    assert f["Variance"] == pytest.approx((9 + 4 + 1 + 0 + 36) / 5)
    assert f["Energy"] == pytest.approx(4 + 9 + 16 + 25 + 121)
    assert f["TotalEnergy"] == pytest.approx(175 / 2)
    assert f["RootMeanSquared"] == pytest.approx(np.sqrt(35))
    assert f["MeanAbsoluteDeviation"] == pytest.approx((3 + 2 + 1 + 0 + 6) / 5)
    assert f["InterquartileRange"] == pytest.approx(2)
    # 10th and 90th percentile are 1.4 and 7.6: of 2, 3, 4 the mean is 3
    assert f["RobustMeanAbsoluteDeviation"] == pytest.approx(2 / 3)
    assert f["Uniformity"] == pytest.approx((4 + 4 + 1) / 25)
    assert f["Entropy"] == pytest.approx(-(0.8 * np.log2(0.4) + 0.2 * np.log2(0.2)))


def test_random_values_agree_with_numpy_and_scipy() -> None:
    x = np.random.default_rng(0).gamma(2, 30, (3, 501))
    f = firstorder_features(x, np.ones((3, 1)) * 501, 1.0)
    for q in (10, 90):
        np.testing.assert_array_equal(f[f"{q}Percentile"], np.percentile(x, q, axis=1))
    np.testing.assert_allclose(f["Skewness"], stats.skew(x, axis=1), rtol=1e-9)
    np.testing.assert_allclose(f["Kurtosis"], stats.kurtosis(x, axis=1, fisher=False), rtol=1e-9)
    np.testing.assert_allclose(f["StandardDeviation"], x.std(axis=1), rtol=1e-12)


def test_a_constant_region_has_no_spread_and_no_skew() -> None:
    f = firstorder_features(np.full((1, 8), 7.0), np.array([[8]]), 1.0)
    for name in ("Variance", "Skewness", "Kurtosis", "Range", "MeanAbsoluteDeviation", "RobustMeanAbsoluteDeviation"):
        assert f[name] == 0, name
    assert f["Uniformity"] == 1
    assert f["Entropy"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("count", [1, 2, 7, 71, 141, 1000])
def test_percentiles_are_numpys_to_the_last_bit(count: int) -> None:
    x = np.sort(np.random.default_rng(count).normal(0, 100, (50, count)), axis=1)
    for q in (10, 25, 50, 75, 90):
        np.testing.assert_array_equal(percentile(x, q), np.percentile(x, q, axis=1))


def test_two_voxels_leave_none_between_the_percentiles() -> None:
    f = firstorder_features(np.array([[1.0, 2.0]]), np.array([[2]]), 1.0)
    assert np.isnan(f["RobustMeanAbsoluteDeviation"]).all()
