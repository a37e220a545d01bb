"""Formulas on small matrices worked by hand, on edges of their domains, and on published matrices."""

import csv
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.images import read_mask, read_volume
from deepradiomics.radiomics import extract
from deepradiomics.radiomics.counting import reference as counting_reference
from deepradiomics.radiomics.counting.plan import CountingPlan, stack
from deepradiomics.radiomics.features.directions import norms
from deepradiomics.radiomics.features.glcm import glcm_features
from deepradiomics.radiomics.features.gldm import gldm_features
from deepradiomics.radiomics.features.glrlm import glrlm_features
from deepradiomics.radiomics.features.glszm import glszm_features
from deepradiomics.radiomics.features.ngtdm import ngtdm_features
from deepradiomics.radiomics.region.region import LevelRegion

LEVELS = np.array([[1.0, 4.0]])
TWO = np.array([2])


def test_glcm_of_two_levels_is_as_by_hand() -> None:
    # one direction with pairs 1-1 once, 1-4 once: symmetrical matrix [[2, 1], [1, 0]] / 4
    f = glcm_features(np.array([[[[1, 1], [0, 0]]]]), LEVELS, TWO)
    assert f["Contrast"] == pytest.approx(9 * 0.5)
    assert f["JointAverage"] == pytest.approx(0.75 * 1 + 0.25 * 4)
    assert f["Autocorrelation"] == pytest.approx(0.5 * 1 + 0.5 * 4)
    assert f["JointEnergy"] == pytest.approx(0.25 + 2 / 16)
    assert f["MaximumProbability"] == pytest.approx(0.5)
    assert f["JointEntropy"] == pytest.approx(1.5)
    assert f["DifferenceEntropy"] == pytest.approx(1.0)
    assert f["Idm"] == pytest.approx(0.5 + 0.5 / 10)
    assert f["Idn"] == pytest.approx(0.5 + 0.5 / (1 + 3 / 4))
    assert f["InverseVariance"] == pytest.approx(0.5 / 9)
    assert f["SumAverage"] == pytest.approx(0.5 * 2 + 0.5 * 5)
    # p = (0.75, 0.25), levels apart by 3: covariance 0.5 * 1 + 0.5 * 4 - 1.75², variance 9 * 3/16
    assert f["Correlation"] == pytest.approx((2.5 - 1.75**2) / (9 * 3 / 16))
    # for two levels the maximal correlation is the correlation's magnitude
    assert f["MCC"] == pytest.approx(abs(f["Correlation"][0]))


def test_glcm_averages_over_the_directions_that_have_pairs() -> None:
    pairs = np.zeros((1, 3, 2, 2), int)
    pairs[0, 0] = [[1, 0], [0, 0]]  # contrast 0
    pairs[0, 2] = [[0, 1], [0, 0]]  # contrast 9
    assert glcm_features(pairs, LEVELS, TWO)["Contrast"] == pytest.approx(4.5)


def test_glcm_without_any_pair_is_nan_and_its_neighbour_in_the_batch_is_not() -> None:
    pairs = np.zeros((2, 1, 2, 2), int)
    pairs[1, 0] = [[1, 1], [0, 0]]
    f = glcm_features(pairs, np.repeat(LEVELS, 2, axis=0), np.array([2, 2]))
    assert np.isnan(f["Contrast"][0])
    assert f["Contrast"][1] == pytest.approx(4.5)


def test_a_flat_region_has_correlation_and_mcc_one_and_no_entropy() -> None:
    f = glcm_features(np.array([[[[12]]]]), np.array([[3.0]]), np.array([1]))
    assert f["Correlation"] == 1
    assert f["MCC"] == 1
    assert f["Imc1"] == pytest.approx(0)
    assert f["Imc2"] == 0
    assert f["JointEntropy"] == pytest.approx(0, abs=1e-12)
    assert f["InverseVariance"] == 0


def test_one_sided_pairs_have_correlation_one_however_the_sums_round() -> None:
    pairs = np.array([[[[1, 1, 1], [0, 0, 0], [0, 0, 0]]]])
    f = glcm_features(pairs, np.array([[1.0, 3.0, 5.0]]), np.array([3]), symmetrical=False)
    assert f["Correlation"] == 1


def test_glcm_blocks_of_the_batch_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    pairs, levels = rng.integers(0, 9, (5, 13, 6, 6)), np.arange(1.0, 7)[None].repeat(5, axis=0)
    whole = glcm_features(pairs, levels, np.full(5, 6))
    monkeypatch.setattr("deepradiomics.radiomics.features.glcm._BLOCK", 100)
    blocks = glcm_features(pairs, levels, np.full(5, 6))
    for name, values in whole.items():
        np.testing.assert_allclose(blocks[name], values, rtol=1e-12)


def test_glrlm_of_two_runs_is_as_by_hand() -> None:
    # level 1: one run of length 1; level 4: one run of length 3
    f = glrlm_features(np.array([[[[1, 0, 0], [0, 0, 1]]]]), LEVELS)
    assert f["ShortRunEmphasis"] == pytest.approx((1 + 1 / 9) / 2)
    assert f["LongRunEmphasis"] == pytest.approx((1 + 9) / 2)
    assert f["RunPercentage"] == pytest.approx(2 / 4)
    assert f["RunVariance"] == pytest.approx(1.0)
    assert f["GrayLevelVariance"] == pytest.approx(2.25)
    assert f["RunEntropy"] == pytest.approx(1.0)
    assert f["HighGrayLevelRunEmphasis"] == pytest.approx((1 + 16) / 2)
    assert f["LongRunHighGrayLevelEmphasis"] == pytest.approx((1 + 9 * 16) / 2)
    assert f["ShortRunLowGrayLevelEmphasis"] == pytest.approx((1 + 1 / 144) / 2)


def test_glrlm_without_runs_is_nan() -> None:
    assert np.isnan(glrlm_features(np.zeros((1, 13, 2, 3), int), LEVELS)["RunEntropy"]).all()


def test_glszm_and_gldm_share_the_algebra_but_not_the_smallest_size() -> None:
    matrix = np.array([[[1, 0, 0], [0, 0, 1]]])
    zones = glszm_features(matrix, LEVELS, np.array([[1, 2, 3]]))
    dependences = gldm_features(matrix, LEVELS)  # columns 0, 1, 2 alike neighbours count as sizes 1, 2, 3
    assert zones["LargeAreaEmphasis"] == dependences["LargeDependenceEmphasis"] == pytest.approx(5)
    assert zones["ZonePercentage"] == pytest.approx(0.5)


def test_ngtdm_of_two_levels_is_as_by_hand() -> None:
    f = ngtdm_features(np.array([[4, 3]]), np.array([[6.0, 6.0]]), LEVELS)
    p = np.array([4, 3]) / 7
    assert f["Coarseness"] == pytest.approx(1 / (p @ [6, 6]))
    assert f["Contrast"] == pytest.approx(2 * p[0] * p[1] * 9 / 2 * 12 / 7)
    assert f["Busyness"] == pytest.approx((p @ [6, 6]) / (2 * abs(p[0] * 1 - p[1] * 4)))
    assert f["Complexity"] == pytest.approx(2 * 3 * (p @ [6, 6]) / 1 / 7)
    assert f["Strength"] == pytest.approx(2 * 9 / 12)


def test_ngtdm_of_a_flat_region_takes_the_conventional_values() -> None:
    f = ngtdm_features(np.array([[8]]), np.array([[0.0]]), np.array([[3.0]]))
    assert {name: float(value[0]) for name, value in f.items()} == {
        "Busyness": 0, "Coarseness": 1e6, "Complexity": 0, "Contrast": 0, "Strength": 0,
    }  # fmt: skip


def test_busyness_is_zero_where_levels_times_their_numbers_are_equal() -> None:
    # 2 * (3 / 5) and 3 * (2 / 5) differ by rounding: a divisor of 1e-16 would make a busyness of 1e16
    assert ngtdm_features(np.array([[3, 2]]), np.array([[1.0, 1.0]]), np.array([[2.0, 3.0]]))["Busyness"] == 0


def test_norms_of_a_diagonal_step() -> None:
    step = np.array([[1, 0, -1]])
    assert norms(step, (3.0, 1.0, 4.0), "euclidean") == pytest.approx(5)
    assert norms(step, (3.0, 1.0, 4.0), "manhattan") == pytest.approx(7)
    assert norms(step, (3.0, 1.0, 4.0), "infinity") == pytest.approx(4)
    assert norms(step, (3.0, 1.0, 4.0), "no_weighting") == pytest.approx(1)


@pytest.fixture(scope="module")
def digital_phantom(data_dir: Path) -> LevelRegion:
    """IBSI-1's digital phantom: its grey values are its grey levels (1, 3, 4, 6)."""
    folder = data_dir / "ibsi1_digital_phantom"
    values = read_volume(folder / "phantom.nii.gz").voxels.astype(int)
    inside = read_mask(folder / "mask.nii.gz").region(1)
    grey = np.unique(values[inside])
    return LevelRegion(np.where(inside, np.searchsorted(grey, values) + 1, 0).astype(np.int32), grey)


def _published(data_dir: Path, matrix: str) -> list[dict[str, str]]:
    path = data_dir / "ibsi_reference_values" / "ibsi1_digital_phantom_texture_matrices.csv"
    with open(path, encoding="utf-8", newline="") as stream:
        rows = [r for r in csv.DictReader(stream) if r["matrix"] == matrix and r["dimensionality"] == "3D"]
    assert rows
    return rows


def test_the_ibsi_phantoms_glcm_and_glrlm_are_met_entry_by_entry(digital_phantom: LevelRegion, data_dir: Path) -> None:
    plan = CountingPlan()
    found = counting_reference.count([digital_phantom], plan)[0]
    index = {str(tuple(o[::-1])): a for a, o in enumerate(plan.offsets.tolist())}  # published directions are (x, y, z)
    index |= {str(tuple(-c for c in o[::-1])): a for a, o in enumerate(plan.offsets.tolist())}
    row_of = {str(level): k for k, level in enumerate(digital_phantom.grey_levels.tolist())}
    both = found.glcm + found.glcm.transpose(0, 2, 1)
    glcm, glrlm = np.zeros_like(both), np.zeros_like(found.glrlm)
    for row in _published(data_dir, "GLCM"):
        if row["direction_xyz"] in index:
            a, i, j = index[row["direction_xyz"]], row_of[row["grey_level_i"]], row_of[row["second_value"]]
            glcm[a, i, j] = int(row["third_value"])
    for row in _published(data_dir, "GLRLM"):
        if row["direction_xyz"] in index:
            i, r = row_of[row["grey_level_i"]], int(row["second_value"]) - 1
            glrlm[index[row["direction_xyz"]], i, r] = int(row["third_value"])
    np.testing.assert_array_equal(both, glcm)
    np.testing.assert_array_equal(found.glrlm, glrlm)


def test_the_ibsi_phantoms_other_matrices_are_met_entry_by_entry(digital_phantom: LevelRegion, data_dir: Path) -> None:
    counts = counting_reference.count([digital_phantom], CountingPlan())
    found, stacked = counts[0], stack([digital_phantom], counts)
    level = digital_phantom.grey_levels.tolist()
    zones = {(level[i], int(size)): 0 for i, size in found.zones}
    for i, size in found.zones:
        zones[level[i], int(size)] += 1
    published = _published(data_dir, "GLSZM")
    assert zones == {(int(r["grey_level_i"]), int(r["second_value"])): int(r["third_value"]) for r in published}
    dependences = {(level[i], int(n) + 1): int(found.gldm[i, n]) for i, n in zip(*np.nonzero(found.gldm), strict=True)}
    published = _published(data_dir, "NGLDM")
    assert dependences == {(int(r["grey_level_i"]), int(r["second_value"])): int(r["third_value"]) for r in published}
    for r in _published(data_dir, "NGTDM"):
        k = level.index(int(r["grey_level_i"]))
        assert stacked.voxels[0, k] == int(r["third_value"])
        assert stacked.ngtdm[0, k] == pytest.approx(float(r["second_value"]), rel=1e-5)


def test_ibsi_reference_values_of_the_digital_phantom_are_met(data_dir: Path) -> None:
    """Published consensus values (3D, averaged over directions) beside their tolerances."""
    folder = data_dir / "ibsi1_digital_phantom"
    setting = {"setting": {"binWidth": 1}}
    f = extract(folder / "phantom.nii.gz", folder / "mask.nii.gz", setting)
    for name, reference, tolerance in (
        ("shape_MeshVolume", 556, 4),
        ("shape_VoxelVolume", 592, 4),
        ("shape_SurfaceArea", 388, 3),
        ("shape_Maximum3DDiameter", 13.1, 0.1),
        ("firstorder_Mean", 2.15, 0.005),
        ("firstorder_Variance", 3.05, 0.005),
        ("firstorder_Skewness", 1.08, 0.005),
        ("glcm_JointEntropy", 2.40, 0.005),
        ("glcm_Contrast", 5.32, 0.005),
        ("glrlm_ShortRunEmphasis", 0.705, 0.0005),
        ("glszm_SmallAreaEmphasis", 0.255, 0.0005),
        ("ngtdm_Coarseness", 0.0296, 0.00005),
        ("ngtdm_Strength", 0.763, 0.0005),
    ):
        assert f[f"original_{name}"] == pytest.approx(reference, abs=tolerance), name
