"""The matrices of hand-worked examples, and the three ways of counting them."""

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.radiomics.counting import reference as counting_reference
from deepradiomics.radiomics.counting.plan import CountingPlan, offsets_at, stack
from deepradiomics.radiomics.region.region import LevelRegion
from Testing.counting_backends import BACKENDS, counting_backend


def _region(levels: object) -> LevelRegion:
    """Make a region from levels (0 outside)."""
    array = np.array(levels)
    grey = np.unique(array[array > 0])
    return LevelRegion(np.where(array > 0, np.searchsorted(grey, array) + 1, 0).astype(np.int32), grey.astype(np.int64))


MATRICES = ("glcm", "glrlm", "zones", "gldm", "ngtdm", "voxels")

# slices z = 0 and z = 1 of a 2 × 2 × 2 block
#   1 1    1 4
#   4 .    1 4
BLOCK = [[[1, 1], [4, 0]], [[1, 4], [1, 4]]]


def test_offsets_at_distance_one_are_thirteen_and_begin_with_the_diagonal() -> None:
    offsets = offsets_at([1])
    assert len(offsets) == 13
    assert offsets[0].tolist() == [1, 1, 1]
    assert len({tuple(o) for o in np.concatenate([offsets, -offsets]).tolist()}) == 26
    assert len(offsets_at([2])) == (5**3 - 3**3) // 2
    assert len(offsets_at([1, 2])) == 13 + 49


@pytest.mark.parametrize("name", BACKENDS)
def test_a_block_of_two_by_two_by_two_is_counted_as_by_hand(name: str) -> None:
    found = counting_backend(name)([_region(BLOCK)], CountingPlan())[0]
    offsets = CountingPlan().offsets.tolist()
    assert found.voxels.tolist() == [4, 3]  # four voxels of level 1, three of level 4
    # along x: (1, 1), (1, 4), (1, 4); the pair (4, outside) does not count
    assert found.glcm[offsets.index([0, 0, 1])].tolist() == [[1, 2], [0, 0]]
    # along z: 1-1, 1-4 (x = 1, y = 0), 4-1 (x = 0, y = 1)
    assert found.glcm[offsets.index([1, 0, 0])].tolist() == [[1, 1], [1, 0]]
    # runs along y: columns (1, 4), (1), (1, 1), (4, 4)
    assert found.glrlm[offsets.index([0, 1, 0])].tolist() == [[2, 1], [1, 1]]
    # all ones touch, and so do all fours: one zone each
    assert found.zones.tolist() == [[0, 4], [1, 3]]
    # every voxel neighbours all six others: each one has three like it, each four two
    assert found.gldm[:, :4].tolist() == [[0, 0, 0, 4], [0, 0, 3, 0]]
    # a one sees 1+1+1+4+4+4 = 15 over six neighbours: |6*1 - 15| = 9; a four sees 1*4 + 4*2 = 12: |6*4 - 12| = 12
    assert found.ngtdm[:, 6].tolist() == [4 * 9, 3 * 12]
    assert found.ngtdm.sum() == 36 + 36


@pytest.mark.parametrize("name", BACKENDS)
def test_neighbours_are_alike_up_to_alpha(name: str) -> None:
    found = counting_backend(name)([_region([[[1, 2, 4]]])], CountingPlan(("gldm",), alpha=1))[0]
    assert found.gldm[:, :3].tolist() == [[0, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert found.glcm is None
    assert found.ngtdm is None


@pytest.mark.parametrize("name", BACKENDS)
def test_runs_end_where_the_region_has_a_hole(name: str) -> None:
    found = counting_backend(name)([_region([[[2, 2, 0, 2, 5, 2, 2, 2]]])], CountingPlan(("glrlm",)))[0]
    along_x = CountingPlan().run_offsets.tolist().index([0, 0, 1])
    assert found.glrlm[along_x].tolist() == [[1, 1, 1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]]


@pytest.mark.parametrize("name", BACKENDS)
def test_zones_join_across_corners_but_not_across_levels(name: str) -> None:
    diagonal = np.zeros((3, 3, 3), int)
    diagonal[0, 0, 0] = diagonal[1, 1, 1] = diagonal[2, 2, 2] = 3
    diagonal[0, 2, 2] = 3  # touches (1, 1, 1)
    diagonal[2, 0, 0] = 7
    assert counting_backend(name)([_region(diagonal)], CountingPlan(("glszm",)))[0].zones.tolist() == [[0, 4], [1, 1]]


def _random_region(rng: np.random.Generator) -> LevelRegion:
    """Holes, several components, slices, lines and single voxels, few levels or many, gaps between levels."""
    shape = rng.integers(1, 9, 3)
    if rng.random() < 0.3:
        shape[rng.integers(3)] = 1
    palette = np.array([1, 2, 3, 7, 20]) if rng.random() < 0.7 else np.unique(rng.integers(1, 400, 60))
    levels = rng.choice(palette, shape) * (rng.random(shape) < rng.choice([0.15, 0.3, 0.7, 1.0]))
    levels.flat[rng.integers(levels.size)] = 2
    return _region(levels)


PLANS = [
    CountingPlan(distances=distances, alpha=alpha, flat_axis=axis)
    for distances in ((1,), (1, 2), (2,))
    for alpha in (0, 2)
    for axis in (None, 0, 1, 2)
]


@pytest.mark.parametrize("name", ["cpu", "torch"])
@pytest.mark.parametrize("plan", PLANS, ids=lambda p: f"{p.distances} alpha {p.alpha} flat {p.flat_axis}")
def test_fast_backends_count_exactly_what_the_reference_counts(name: str, plan: CountingPlan) -> None:
    rng = np.random.default_rng(5)
    regions = [_random_region(rng) for _ in range(40)]
    expected, found = counting_reference.count(regions, plan), counting_backend(name)(regions, plan)
    for k, (a, b) in enumerate(zip(expected, found, strict=True)):
        for matrix in MATRICES:
            assert getattr(b, matrix).dtype == np.int64
            np.testing.assert_array_equal(getattr(a, matrix), getattr(b, matrix), err_msg=f"region {k}, {matrix}")


def _added(parts: list[np.ndarray]) -> np.ndarray:
    return np.sum(parts, axis=0)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_in_a_plane_a_region_is_the_sum_of_its_slices(name: str, axis: int) -> None:
    rng = np.random.default_rng(axis)
    plan = CountingPlan(distances=(1, 2), alpha=1, flat_axis=axis)
    for _ in range(10):
        region = _random_region(rng)
        slices = [
            LevelRegion(np.take(region.codes, [k], axis), region.grey_levels) for k in range(region.codes.shape[axis])
        ]
        whole, parts = counting_backend(name)([region], plan)[0], counting_backend(name)(slices, plan)
        for matrix in ("glcm", "gldm", "ngtdm", "voxels"):
            np.testing.assert_array_equal(getattr(whole, matrix), _added([getattr(p, matrix) for p in parts]), matrix)
        runs = np.zeros_like(whole.glrlm)
        for part in parts:
            runs[:, :, : part.glrlm.shape[2]] += part.glrlm  # a slice is shorter than the region may be thick
        np.testing.assert_array_equal(whole.glrlm, runs)
        zones = np.concatenate([p.zones for p in parts])
        np.testing.assert_array_equal(whole.zones, zones[np.lexsort((zones[:, 1], zones[:, 0]))])


def test_in_a_plane_there_are_four_directions_and_none_leaves_it() -> None:
    for axis in range(3):
        assert len(offsets_at([1], axis)) == 4
        assert len(offsets_at([1, 2], axis)) == 4 + 8
        assert not offsets_at([1, 2], axis)[:, axis].any()
        assert len(CountingPlan(flat_axis=axis).run_offsets) == 4


@pytest.mark.parametrize(
    ("changes", "message"), [({"flat_axis": 3}, "flat_axis: expected None, 0"), ({"distances": ()}, "distances")]
)
def test_a_plan_that_means_nothing_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        CountingPlan(**changes)


def test_every_voxel_belongs_to_one_run_of_each_direction_and_to_one_zone() -> None:
    rng = np.random.default_rng(7)
    region = _random_region(rng)
    found = counting_reference.count([region], CountingPlan())[0]
    voxels = found.voxels.sum()
    lengths = np.arange(1, found.glrlm.shape[2] + 1)
    assert ((found.glrlm.sum(axis=1) * lengths).sum(axis=1) == voxels).all()
    assert found.zones[:, 1].sum() == voxels
    assert found.gldm.sum() == voxels


def test_stacking_pads_levels_with_one_and_counts_with_zero() -> None:
    regions = [_region([[[1, 2, 9]]]), _region([[[5, 5]]])]
    stacked = stack(regions, counting_reference.count(regions, CountingPlan()))
    assert stacked.levels.tolist() == [[1, 2, 9], [5, 1, 1]]
    assert stacked.voxels.tolist() == [[1, 1, 1], [2, 0, 0]]
    assert stacked.glcm.shape == (2, 13, 3, 3)
    assert stacked.zone_sizes.tolist() == [[1], [2]]


def test_directions_whose_lines_meet_the_region_once_hold_no_runs() -> None:
    region = _region([[[1, 0, 1]]])  # one line along x, with a gap; every other line meets one voxel
    stacked = stack([region], counting_reference.count([region], CountingPlan()))
    kept = [o.tolist() for o, runs in zip(offsets_at([1]), stacked.glrlm[0], strict=True) if runs.any()]
    assert kept == [[0, 0, 1]]
