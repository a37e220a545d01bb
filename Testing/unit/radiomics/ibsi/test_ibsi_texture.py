"""IBSI's aggregations: worked by hand on two slices, and the same with every counting backend."""

from collections.abc import Callable

import numpy as np
import pytest

from deepradiomics import kernels as compiled
from deepradiomics.radiomics.catalogue.ibsi import AGGREGATIONS, aggregations_of, entries
from deepradiomics.radiomics.counting import reference as counting_reference
from deepradiomics.radiomics.counting.plan import CountingPlan
from deepradiomics.radiomics.ibsi.texture import matrices, slices, texture_features
from deepradiomics.radiomics.region.region import LevelRegion

FAMILIES = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")


def _levels(rows: list[list[list[int]]]) -> LevelRegion:
    """Levels 1 ... L as written; 0 lies outside."""
    array = np.array(rows, np.int32)
    present = np.unique(array[array > 0])
    codes = np.where(array > 0, np.searchsorted(present, array) + 1, 0).astype(np.int32)
    return LevelRegion(codes, present.astype(np.int64))


# slice 0: 1 1     slice 1: 1 3
#          1 1              . .
TWO = _levels([[[1, 1], [1, 1]], [[1, 3], [0, 0]]])


def _all(levels: LevelRegion, families: tuple[str, ...] = FAMILIES) -> dict[tuple[str, str, str], float]:
    return texture_features(levels, families, tuple(AGGREGATIONS), counting_reference.count)


def test_glcm_contrast_by_hand_in_every_aggregation() -> None:
    found = _all(TWO, ("glcm",))
    contrast = {way: found["glcm", "Contrast", way] for way in AGGREGATIONS}
    # slice 0 has pairs along 4 directions (2, 2, 1, 1 pairs), all 1-1; slice 1 has one pair along x, 1-3, contrast 4
    assert contrast["2D_averaged"] == pytest.approx(4 / 5), "five matrices that hold a pair"
    assert contrast["2D_slice_merged"] == pytest.approx((0 + 4) / 2)
    # along x: two pairs 1-1 and one 1-3: 4/3; the other three directions: 0
    assert contrast["2.5D_direction_merged"] == pytest.approx(4 / 3 / 4)
    assert contrast["2.5D_merged"] == pytest.approx(4 / 7)
    # in space slice 1 has further pairs with slice 0: of voxel "1" four 1-1, of voxel "3" four 1-3
    assert contrast["3D_merged"] == pytest.approx(4 * 5 / 15)


def test_run_percentage_counts_the_voxels_of_all_merged_matrices() -> None:
    found = _all(TWO, ("glrlm",))
    # runs: slice 0 has 2 along x, 2 along y, 3 along each diagonal; slice 1 has 2 along each
    assert found["glrlm", "RunPercentage", "2D_slice_merged"] == pytest.approx((10 / 16 + 8 / 8) / 2)
    assert found["glrlm", "RunPercentage", "2.5D_merged"] == pytest.approx(18 / 24)


def test_zones_join_across_slices_in_space_only() -> None:
    found = _all(TWO, ("glszm",))
    assert found["glszm", "ZonePercentage", "2D"] == pytest.approx((1 / 4 + 2 / 2) / 2)
    assert found["glszm", "ZonePercentage", "2.5D"] == pytest.approx(3 / 6)
    assert found["glszm", "ZonePercentage", "3D"] == pytest.approx(2 / 6)


def test_dependence_energy_and_percentage_by_hand() -> None:
    found = _all(TWO, ("gldm",))
    # slice 0: four voxels of level 1 with 3 alike neighbours; slice 1: one of level 1 and one of level 3 with none
    assert found["gldm", "DependenceEnergy", "2D"] == pytest.approx((1 + 0.5) / 2)
    assert found["gldm", "DependenceEnergy", "2.5D"] == pytest.approx((16 + 1 + 1) / 36)
    assert found["gldm", "DependencePercentage", "3D"] == 1
    assert found["gldm", "GrayLevelNonUniformityNormalized", "2.5D"] == pytest.approx((25 + 1) / 36)


def test_a_voxel_without_neighbours_is_left_out_of_ngtdm_and_stays_in_the_others() -> None:
    lonely = _levels([[[1, 2, 0, 9]]])
    found, without = _all(lonely, ("ngtdm", "gldm")), _all(_levels([[[1, 2, 0, 0]]]), ("ngtdm", "gldm"))
    for name in entries()["ngtdm"]:
        assert found["ngtdm", name, "3D"] == pytest.approx(without["ngtdm", name, "3D"]), name
    assert found["gldm", "GrayLevelVariance", "3D"] != pytest.approx(without["gldm", "GrayLevelVariance", "3D"])


def test_a_flat_roi_has_the_same_features_in_slices_merged_and_in_space() -> None:
    one = LevelRegion(np.random.default_rng(0).integers(0, 5, (1, 9, 8), dtype=np.int32), np.arange(1, 5))
    found = _all(one)
    for family in FAMILIES:
        for name in entries()[family]:
            plane, space = ("2.5D_merged", "3D_merged") if family in ("glcm", "glrlm") else ("2.5D", "3D")
            if family == "glrlm":  # nine of the thirteen directions leave the plane: every voxel is a run there
                continue
            assert found[family, name, plane] == pytest.approx(found[family, name, space], rel=1e-12), (family, name)


def test_every_feature_of_the_catalogue_comes_out_in_every_aggregation() -> None:
    found = _all(TWO)
    expected = {(f, n, w) for f in FAMILIES for w in aggregations_of(f, tuple(AGGREGATIONS)) for n in entries()[f]}
    assert set(found) == expected
    assert len(expected) == 25 * 6 + 16 * 6 + (16 + 17 + 5) * 3


def test_an_roi_of_single_voxels_has_no_glcm_and_no_ngtdm_and_says_so_with_nan() -> None:
    found = _all(_levels([[[1, 0, 2, 0, 1]]]))
    for (family, name, way), value in found.items():
        assert np.isnan(value) == (family in ("glcm", "ngtdm")), (family, name, way, value)


def test_slices_counted_a_few_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = LevelRegion(np.random.default_rng(1).integers(0, 6, (7, 6, 5), dtype=np.int32), np.arange(1, 6))
    whole = _all(levels)
    monkeypatch.setattr("deepradiomics.radiomics.ibsi.texture._CHUNK_ENTRIES", 4 * 25 * 2)
    assert _all(levels) == pytest.approx(whole, rel=1e-12, nan_ok=True)


def test_slices_without_a_voxel_are_left_out_and_all_share_the_grey_levels() -> None:
    parts = slices(_levels([[[1, 4]], [[0, 0]], [[4, 4]]]))
    assert [part.codes.tolist() for part in parts] == [[[[1, 2]]], [[[2, 2]]]]
    assert all(part.grey_levels.tolist() == [1, 4] for part in parts)


def _backends() -> dict[str, Callable]:
    found: dict[str, Callable] = {}
    if compiled.available():
        from deepradiomics.radiomics.counting import compiled as counting_cpu

        found["numba"] = counting_cpu.count
    try:
        from deepradiomics.radiomics.counting import on_torch as counting_torch

        found["torch"] = counting_torch.on_device("cpu")
    except ImportError:
        pass
    return found


@pytest.mark.parametrize("name", ["numba", "torch"])
def test_slices_that_lack_levels_are_counted_alike_by_every_backend(name: str) -> None:
    if name not in _backends():
        pytest.skip(f"{name} is not installed")
    codes = np.random.default_rng(2).integers(0, 9, (5, 12, 11), dtype=np.int32)
    codes[1] = np.where(codes[1] > 0, 3, 0)  # one level only
    codes[2] = np.where(codes[2] > 4, 0, codes[2])  # the upper levels are missing
    codes[3] = 0
    codes[3, 4, 5] = 8  # one voxel
    levels = LevelRegion(codes, np.array([1, 2, 3, 5, 6, 9, 10, 12]))
    for plan, regions in (
        (CountingPlan(FAMILIES, flat_axis=0), slices(levels)),
        (CountingPlan(FAMILIES, distances=(1, 2), alpha=1, flat_axis=0), slices(levels)),
        (CountingPlan(FAMILIES), [levels]),
    ):
        expected, found = (list(matrices(regions, plan, c)) for c in (counting_reference.count, _backends()[name]))
        for a, b in zip(expected, found, strict=True):
            for field in ("glcm", "glrlm", "zones", "gldm", "differences", "neighboured"):
                assert np.array_equal(getattr(a, field), getattr(b, field)), field
