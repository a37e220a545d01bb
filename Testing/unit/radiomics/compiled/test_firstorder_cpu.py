"""The compiled first-order features equal their readable definition: flat, tiny, shifted, nearly balanced values."""

import numpy as np
import pytest

pytest.importorskip("numba")

from deepradiomics.radiomics.compiled.firstorder import firstorder_features
from deepradiomics.radiomics.features import firstorder

RNG = np.random.default_rng(0)
VALUES = {
    "normal": RNG.normal(50, 20, (3, 5000)),
    "float32": RNG.normal(-200, 90, (2, 1001)).astype(np.float32),
    "whole numbers": RNG.integers(-1000, 1000, (2, 500)).astype(np.int16),
    "bytes": RNG.integers(0, 255, (1, 129)).astype(np.uint8),
    "flat": np.full((2, 300), 0.1),
    "two voxels": np.array([[1.0, 5.0]]),
    "one outlier": np.r_[np.zeros(999), 1e6][None],
    "balanced": np.r_[-np.arange(1.0, 500), np.arange(1.0, 500)][None],
}


@pytest.mark.parametrize("shift", [0, 300])
@pytest.mark.parametrize("name", VALUES)
def test_compiled_features_equal_the_definition(name: str, shift: float) -> None:
    values = VALUES[name]
    levels = np.tile([values.shape[1] - 1, 1, 0], (len(values), 1))
    found = firstorder_features(values, levels, 2.5, shift)
    definition = firstorder.firstorder_features(values, levels, 2.5, shift)
    assert list(found) == list(definition)
    for feature, expected in definition.items():
        np.testing.assert_allclose(found[feature], expected, rtol=1e-11, atol=1e-13, err_msg=feature)


def test_the_batch_changes_no_bit_of_a_regions_features() -> None:
    values, levels = VALUES["normal"], np.full((3, 1), 5000)
    together, alone = firstorder_features(values, levels, 1.0), firstorder_features(values[1:2], levels[1:2], 1.0)
    assert all(together[name][1] == alone[name][0] for name in together)
