"""Shape measured in one compiled pass equals its definitions, on balls, sheets, lines, scattered voxels and boxes."""

import numpy as np
import pytest

pytest.importorskip("numba")

from deepradiomics.radiomics.compiled.shape import measured
from deepradiomics.radiomics.features.diameters import largest_distances
from deepradiomics.radiomics.features.mesh import area_and_volume, vertices
from deepradiomics.radiomics.features.shape import principal_variances

SPACING = (2.5, 0.7, 1.1)


def _ball(radius: float) -> np.ndarray:
    n = int(radius)
    z, y, x = np.ogrid[-n : n + 1, -n : n + 1, -n : n + 1]
    return z**2 + y**2 + x**2 <= radius**2


def _scattered(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mask = rng.random(rng.integers(2, 14, 3)) < rng.random()
    mask[0, 0, 0] = mask[-1, -1, -1] = True
    return mask


MASKS = {
    "ball": _ball(6.3),
    "ball with a hole": _ball(6.3) & ~np.pad(_ball(2.2), 4),
    "box": np.ones((3, 5, 8), bool),
    "one slice": np.ones((1, 5, 8), bool),
    "one line": np.ones((1, 1, 9), bool),
    "one voxel": np.ones((1, 1, 1), bool),
    "two corners": np.isin(np.indices((4, 4, 4)).sum(axis=0), (0, 9)),
} | {f"scattered {seed}": _scattered(seed) for seed in range(12)}


@pytest.mark.parametrize("name", MASKS)
def test_one_pass_measures_what_the_definitions_measure(name: str) -> None:
    mask = MASKS[name]
    area, volume, distances, variances = measured(mask, SPACING)
    assert (area, volume) == pytest.approx(area_and_volume(mask, SPACING), rel=1e-12)
    np.testing.assert_array_equal(distances, largest_distances(vertices(mask), SPACING))
    np.testing.assert_allclose(variances, principal_variances(mask, SPACING), rtol=1e-11, atol=1e-12)


def test_a_cut_out_view_is_measured_as_its_copy() -> None:
    mask = np.pad(_ball(4.2), 3)[3:-3, 3:-3, 3:-3]
    assert not mask.flags["C_CONTIGUOUS"]
    for view, copy in zip(measured(mask, SPACING), measured(mask.copy(), SPACING), strict=True):
        np.testing.assert_array_equal(view, copy)


def test_a_flat_region_has_no_third_axis_at_all() -> None:
    assert measured(np.ones((1, 7, 9), bool), SPACING)[3][0] == 0
