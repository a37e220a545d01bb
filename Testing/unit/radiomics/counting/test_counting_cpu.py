"""The compiled counts where number types change: runs longer than a byte holds, sums of levels that need 64 bits."""

import numpy as np
import pytest

pytest.importorskip("numba")

from deepradiomics.radiomics.counting import compiled as counting_cpu
from deepradiomics.radiomics.counting import reference as counting_reference
from deepradiomics.radiomics.counting.plan import CountingPlan
from deepradiomics.radiomics.region.region import LevelRegion


def _assert_counted_as_by_the_reference(codes: np.ndarray, grey_levels: np.ndarray, plan: CountingPlan) -> None:
    region = LevelRegion(codes.astype(np.int32), grey_levels)
    found, expected = counting_cpu.count([region], plan)[0], counting_reference.count([region], plan)[0]
    for name in ("glcm", "glrlm", "zones", "gldm", "ngtdm", "voxels"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


@pytest.mark.parametrize("length", [255, 256, 257, 300])
def test_a_run_may_be_longer_than_a_byte_holds(length: int) -> None:
    _assert_counted_as_by_the_reference(np.ones((2, 1, length)), np.array([3]), CountingPlan())


def test_sums_of_a_million_levels_over_many_neighbours_do_not_overflow() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, (13, 12, 11))
    plan = CountingPlan(distances=(1, 2, 3, 4, 5, 6))
    assert 2 * len(plan.offsets) * 1_000_000 > 2**31
    _assert_counted_as_by_the_reference(codes, np.array([1, 1_000_000]), plan)


def test_a_region_longer_than_the_voxels_summed_side_by_side() -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(1, 5, (1, 2, 200)) * (rng.random((1, 2, 200)) < 0.3)
    codes[0, 0, :4] = [1, 2, 3, 4]
    _assert_counted_as_by_the_reference(codes, np.array([1, 2, 5, 9]), CountingPlan(alpha=1))
