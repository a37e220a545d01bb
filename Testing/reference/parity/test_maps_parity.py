"""Feature maps equal PyRadiomics 3.0.1's voxel-based extraction within 1e-6, or the difference is explained."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.radiomics.maps import feature_maps
from Testing.reference.parity import maps_cases, oracle
from Testing.reference.parity.parity_cases import real_pair

pytestmark = pytest.mark.skipif(not oracle.is_live(), reason="PyRadiomics is not installed here")


@pytest.mark.parametrize("seed", range(30))
def test_random_maps_equal_pyradiomics(seed: int) -> None:
    found = maps_cases.compare(f"seed {seed}", *maps_cases.random_case(seed))
    assert found.wrong == []
    assert sum(found.compared.values()) > 1000
    assert sum(found.excused.values()) < 0.02 * sum(found.compared.values())


@pytest.mark.slow
def test_hundreds_of_further_random_maps_equal_pyradiomics() -> None:
    result = maps_cases.Comparison()
    for seed in range(30, 30 + int(os.environ.get("DEEPRADIOMICS_FUZZ", "200"))):
        maps_cases.compare(f"seed {seed}", *maps_cases.random_case(seed), result=result)
    assert result.wrong == [], result.excused


def _part_of_brain(data_dir: Path) -> tuple[sitk.Image, sitk.Image]:
    """The image, and 3 slices of 13 × 14 voxels at the border of its lesion."""
    image, mask = real_pair(data_dir, "brain1")
    labels = sitk.GetArrayFromImage(mask) == 1
    where = np.argwhere(labels)
    z = int(np.median(where[:, 0]))
    y, x = where[where[:, 0] == z][:, 1:].min(axis=0)
    part = np.zeros(labels.shape, np.uint8)
    box = (slice(z - 1, z + 2), slice(y + 5, y + 18), slice(x + 2, x + 16))
    part[box] = labels[box]
    other = sitk.GetImageFromArray(part)
    other.CopyInformation(mask)
    return image, other


@pytest.mark.parametrize(
    ("image_types", "setting"),
    [
        ({"Original": {}}, {}),
        ({"LoG": {"sigma": [1.0, 3.0]}}, {}),
        ({"Square": {}, "SquareRoot": {}, "Logarithm": {}, "Exponential": {}, "Gradient": {}}, {}),
        ({"LBP2D": {}}, {"force2D": True, "force2Ddimension": 0}),
    ],
)
@pytest.mark.parametrize("masked", [True, False])
def test_maps_of_a_real_image_and_its_filters_equal_pyradiomics(
    data_dir: Path, image_types: dict[str, Any], setting: dict[str, Any], masked: bool
) -> None:
    if "LBP2D" in image_types and not oracle.has_lbp():
        pytest.skip("the oracle's needs for LBP are not installed")
    params = {
        "imageType": image_types, "featureClass": maps_cases.ALL_MAPS, "setting": setting,
        "voxelSetting": {"maskedKernel": masked},
    }  # fmt: skip
    found = maps_cases.compare("brain1", *_part_of_brain(data_dir), params)
    assert found.wrong == []
    assert not found.excused or (masked and all(reason.startswith("MCC") for reason in found.excused))


@pytest.mark.slow
def test_maps_of_wavelets_equal_pyradiomics(data_dir: Path) -> None:
    params = {"imageType": {"Wavelet": {}}, "featureClass": maps_cases.ALL_MAPS}
    assert maps_cases.compare("brain1", *_part_of_brain(data_dir), params).wrong == []


def test_where_pyradiomics_gives_mcc_up_ours_is_what_it_gives_window_by_window() -> None:
    rng = np.random.default_rng(2)
    image = sitk.GetImageFromArray(rng.normal(100, 60, (5, 6, 6)))
    mask = sitk.GetImageFromArray((rng.random((5, 6, 6)) < 0.5).astype(np.uint8))
    params = {"featureClass": {"glcm": ["MCC"]}}
    key, batch = "original_glcm_MCC", {"voxelSetting": {"voxelBatch": 1}}
    given_up = sitk.GetArrayFromImage(maps_cases.live_maps(image, mask, params)[key])
    each = sitk.GetArrayFromImage(maps_cases.live_maps(image, mask, params | batch)[key])
    ours = sitk.GetArrayFromImage(feature_maps(image, mask, params=params)[key])
    assert (given_up == 0).all()
    assert np.nanmax(ours) > 0.5
    np.testing.assert_allclose(ours, each, rtol=1e-6, atol=1e-9)


def test_an_asymmetrical_correlation_differs_only_where_one_level_stands_on_a_side() -> None:
    setting = {"symmetricalGLCM": False}
    differing = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        image = sitk.GetImageFromArray(rng.choice([10.0, 40.0, 70.0], (3, 5, 6)))
        labels = (rng.random((3, 5, 6)) < 0.5).astype(np.uint8)
        labels.flat[0] = labels.flat[-1] = 1
        mask = sitk.GetImageFromArray(labels)
        params = {"featureClass": {"glcm": ["Correlation"]}, "setting": setting}
        ours, theirs = (
            sitk.GetArrayFromImage(maps["original_glcm_Correlation"])
            for maps in (feature_maps(image, mask, params=params), maps_cases.live_maps(image, mask, params))
        )
        same = np.isclose(ours, theirs, rtol=1e-6, atol=1e-9) | (np.isnan(ours) & np.isnan(theirs))
        assert not (~same & ~maps_cases.one_sided_windows(image, mask, setting, 1)).any()
        differing += int((~same).sum())
    assert differing < 40


def test_the_wall_of_the_lung_equals_pyradiomics(data_dir: Path) -> None:
    folder = data_dir / "ibsi_ct_phantom_NC"
    image = sitk.ReadImage(str(folder / "phantom.nii.gz"))
    labels = np.zeros(image.GetSize()[::-1], np.uint8)
    labels[43:47, 124:132, 95:111] = 1  # 40 grey levels
    mask = sitk.GetImageFromArray(labels)
    mask.CopyInformation(image)
    params = {"featureClass": {"glcm": [], "firstorder": []}, "voxelSetting": {"voxelBatch": 256}}
    found = maps_cases.compare("lung", image, mask, params)
    assert found.wrong == []
    assert not found.excused
