"""extract: what it returns, what it warns of, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_volume
from deepradiomics.radiomics import Features, Settings, extract, feature_names

GRID = Geometry((12, 10, 8), (1.0, 1.5, 2.0), (5.0, -3.0, 7.0))


def _volume(seed: int = 0) -> Volume:
    return Volume(np.random.default_rng(seed).normal(200, 120, GRID.shape).astype(np.float32), GRID, "image")


def _mask(label: int = 1, geometry: Geometry = GRID) -> Mask:
    labels = np.zeros(geometry.shape, np.uint8)
    labels[2:6, 2:8, 3:9] = label
    return Mask(labels, geometry, "lesion")


def test_features_are_a_dictionary_of_floats_in_order_with_diagnostics() -> None:
    features = extract(_volume(), _mask())
    assert isinstance(features, Features)
    assert isinstance(features, dict)
    assert tuple(features) == feature_names(Settings.from_params())
    assert all(type(value) is float for value in features.values())
    assert features.diagnostics["roi"]["voxels"] == 4 * 6 * 6
    assert features.diagnostics["warnings"] == []
    assert features.diagnostics["undefined"] == {}
    json.dumps(features.diagnostics)


def test_paths_sitk_images_and_own_objects_give_the_same(tmp_path: Path) -> None:
    volume, mask = _volume(), _mask()
    write_volume(volume, tmp_path / "image.nrrd")
    write_mask(mask, tmp_path / "mask.nrrd")
    files = tmp_path / "image.nrrd", tmp_path / "mask.nrrd"
    expected = extract(volume, mask)
    assert extract(*files) == expected
    assert extract(*map(str, files)) == expected
    assert extract(*(sitk.ReadImage(str(f)) for f in files)) == expected


def test_label_and_parameters_choose_what_is_computed() -> None:
    volume, mask = _volume(), _mask(label=4)
    only = extract(volume, mask, {"featureClass": {"glcm": ["Contrast"]}}, label=4)
    assert list(only) == ["original_glcm_Contrast"]
    assert extract(volume, mask, {"setting": {"label": 4}})["original_glcm_Contrast"] == only["original_glcm_Contrast"]
    shape = extract(volume, mask, {"featureClass": {"shape": None}}, label=4)
    assert len(shape) == 14
    assert shape.diagnostics["grey_levels"] is None


def test_a_mask_of_one_label_without_background_is_fine() -> None:
    assert len(extract(_volume(), Mask(np.ones(GRID.shape, np.uint8), GRID))) == 107


def test_few_and_many_grey_levels_are_warned_of() -> None:
    few = extract(_volume(), _mask(), {"setting": {"binWidth": 400}})
    assert "fewer than 16" in few.diagnostics["warnings"][0]
    everywhere = Mask(np.ones(GRID.shape, np.uint8), GRID)
    many = extract(_volume(), everywhere, {"setting": {"binWidth": 0.5}})
    assert "more than 128" in many.diagnostics["warnings"][0]


def test_far_too_many_grey_levels_are_refused_with_a_bin_width_to_take() -> None:
    with pytest.raises(InputError, match="Take a binWidth of about"):
        extract(_volume(), _mask(), {"setting": {"binWidth": 1e-5}})


def test_a_constant_region_has_all_its_conventional_values() -> None:
    features = extract(Volume(np.full(GRID.shape, 7.0), GRID), _mask())
    assert features["original_firstorder_Variance"] == 0
    assert features["original_glcm_MCC"] == 1
    assert features["original_ngtdm_Coarseness"] == 1e6
    assert not any(np.isnan(value) for value in features.values())


def test_what_is_not_defined_is_nan_with_its_reason() -> None:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[0, 0, 0] = labels[3, 1, 2] = 1  # two voxels that share no line
    features = extract(_volume(), Mask(labels, GRID))
    reasons = features.diagnostics["undefined"]
    assert np.isnan(features["original_glcm_Contrast"])
    assert "no two voxels" in reasons["original_glcm_Contrast"]
    assert "no line" in reasons["original_glrlm_RunEntropy"]
    assert set(reasons) == {name for name, value in features.items() if np.isnan(value)}


def test_a_shift_of_grey_values_by_whole_bins_changes_no_texture() -> None:
    volume = _volume()
    shifted = Volume(volume.voxels + 75, GRID)
    a, b = extract(volume, _mask()), extract(shifted, _mask())
    for name in a:
        if name.split("_")[1] not in ("firstorder", "shape"):
            assert b[name] == pytest.approx(a[name], rel=1e-9), name
    assert b["original_firstorder_Mean"] == pytest.approx(a["original_firstorder_Mean"] + 75)


def test_texture_is_the_same_after_a_flip_and_after_a_permutation_of_axes() -> None:
    volume, mask = _volume(), _mask()
    expected = extract(volume, mask)
    flipped = extract(Volume(volume.voxels[::-1, :, ::-1], GRID), Mask(mask.labels[::-1, :, ::-1], GRID))
    turned = Geometry(GRID.size[::-1], GRID.spacing_mm[::-1])
    swapped = extract(Volume(volume.voxels.T, turned), Mask(mask.labels.T, turned))
    for name, value in expected.items():
        if "2DDiameter" not in name:
            assert flipped[name] == pytest.approx(value, rel=1e-9), name
            assert swapped[name] == pytest.approx(value, rel=1e-9), name


def test_normalising_makes_scale_and_offset_irrelevant() -> None:
    setting = {"setting": {"normalize": True, "normalizeScale": 100}}
    volume = _volume()
    a = extract(volume, _mask(), setting)
    b = extract(Volume(volume.voxels * 3 + 40, GRID), _mask(), setting)
    assert b["original_glcm_Contrast"] == pytest.approx(a["original_glcm_Contrast"], rel=1e-3)


def test_resampling_is_reported_and_changes_the_spacing() -> None:
    features = extract(_volume(), _mask(), {"setting": {"resampledPixelSpacing": [2, 2, 2]}})
    assert features.diagnostics["image"]["spacing_mm"] == (2.0, 2.0, 2.0)


def test_b_spline_resampling_of_a_thin_image_is_refused_because_it_cannot_be_repeated() -> None:
    thin = Geometry((12, 10, 2), (1.0, 1.0, 3.0))
    mask = np.zeros(thin.shape, np.uint8)
    mask[:, 2:8, 2:8] = 1
    image = Volume(np.random.default_rng(0).normal(0, 90, thin.shape), thin)
    setting = {"resampledPixelSpacing": [2, 2, 2]}
    with pytest.raises(InputError, match=r"\(12, 10, 2\) voxels.*at least four.*sitkLinear"):
        extract(image, Mask(mask, thin), {"setting": setting})
    linear = {"setting": setting | {"interpolator": "sitkLinear"}}
    assert extract(image, Mask(mask, thin), linear) == extract(image, Mask(mask, thin), linear)


def test_a_mask_on_another_grid_is_refused_with_both_geometries() -> None:
    other = Geometry(GRID.size, GRID.spacing_mm, (6.0, -3.0, 7.0))
    with pytest.raises(GeometryError) as error:
        extract(_volume(), _mask(geometry=other))
    assert "origin [5.0, -3.0, 7.0]" in str(error.value)
    assert "origin [6.0, -3.0, 7.0]" in str(error.value)
    assert "Voxels lie up to 1 mm apart; allowed are 0.001 mm" in str(error.value)
    assert "1e-06 of a voxel (geometryTolerance)" in str(error.value)
    assert "correctMask" in str(error.value)
    with pytest.raises(GeometryError, match="Their sizes differ; no tolerance helps"):
        extract(_volume(), _mask(geometry=Geometry((12, 10, 9), GRID.spacing_mm, GRID.origin_mm)))


def test_correct_mask_moves_a_mask_onto_the_image_and_says_so() -> None:
    finer = Geometry((24, 20, 16), (0.5, 0.75, 1.0), (4.75, -3.375, 6.5))
    labels = _mask().labels.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2)
    features = extract(_volume(), Mask(labels, finer, "lesion"), {"setting": {"correctMask": True}})
    assert "resampled onto the image's grid" in features.diagnostics["warnings"][0]
    plain = extract(_volume(), _mask())
    assert features["original_shape_VoxelVolume"] == pytest.approx(plain["original_shape_VoxelVolume"])


def test_a_mask_outside_the_image_cannot_be_corrected() -> None:
    far = Geometry(GRID.size, GRID.spacing_mm, (100.0, -3.0, 7.0))
    with pytest.raises(MaskError, match="none of its 144 voxels lies inside the image"):
        extract(_volume(), _mask(geometry=far), {"setting": {"correctMask": True}})


def test_headers_that_differ_by_rounding_are_the_same_grid() -> None:
    close = Geometry(GRID.size, GRID.spacing_mm, (5.00002, -3.0, 7.0))
    assert extract(_volume(), _mask(geometry=close)) == extract(_volume(), _mask())
    apart = Geometry(GRID.size, GRID.spacing_mm, (5.05, -3.0, 7.0))
    with pytest.raises(GeometryError):
        extract(_volume(), _mask(geometry=apart))
    tolerant = {"setting": {"geometryTolerance": 0.1}}
    assert extract(_volume(), _mask(geometry=apart), tolerant) == extract(_volume(), _mask())


def test_an_empty_mask_and_a_wrong_label_name_the_labels_present() -> None:
    with pytest.raises(MaskError, match="it is empty, no voxel has a label"):
        extract(_volume(), Mask(np.zeros(GRID.shape, np.uint8), GRID))
    with pytest.raises(MaskError, match=r"no voxel has label 1; labels present: 4"):
        extract(_volume(), _mask(label=4), {"setting": {"binWidth": 25}})


def test_regions_that_are_too_small_are_refused() -> None:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[3, 3, 3] = 1
    with pytest.raises(MaskError, match="single voxel"):
        extract(_volume(), Mask(labels, GRID))
    labels[3, 3, 4:7] = 1
    with pytest.raises(MaskError, match=r"extends over 1 dimension .*minimumROIDimensions"):
        extract(_volume(), Mask(labels, GRID))
    assert extract(_volume(), Mask(labels, GRID), {"setting": {"minimumROIDimensions": 1}})
    with pytest.raises(MaskError, match="144 voxels, more than 200 are needed"):
        extract(_volume(), _mask(), {"setting": {"minimumROISize": 200}})


def test_resegmentation_that_leaves_nothing_is_refused_with_the_values_there() -> None:
    with pytest.raises(MaskError, match=r"resegmentRange \[9000\.0.*only 0 of 144"):
        extract(_volume(), _mask(), {"setting": {"resegmentRange": [9000.0, 9999.0]}})


def test_nan_is_refused_inside_the_region_and_ignored_outside() -> None:
    voxels = _volume().voxels.copy()
    voxels[0, 0, 0] = np.nan
    assert extract(Volume(voxels, GRID), _mask()) == extract(_volume(), _mask())
    with pytest.raises(InputError, match="NaN or infinite"):
        extract(Volume(voxels, GRID), _mask(), {"setting": {"normalize": True}})
    voxels[3, 3, 4] = np.nan
    with pytest.raises(InputError, match="1 of the 144 voxels in the ROI are NaN"):
        extract(Volume(voxels, GRID), _mask())


def test_a_constant_image_cannot_be_normalised() -> None:
    with pytest.raises(InputError, match="it is constant"):
        extract(Volume(np.full(GRID.shape, 7.0), GRID), _mask(), {"setting": {"normalize": True}})


def test_a_vector_mask_gives_the_channel_asked_for() -> None:
    labels = _mask().labels
    vector = sitk.GetImageFromArray(np.stack([labels * 0, labels], axis=-1), isVector=True)
    vector.SetSpacing(GRID.spacing_mm)
    vector.SetOrigin(GRID.origin_mm)
    assert extract(_volume(), vector, {"setting": {"label_channel": 1}}) == extract(_volume(), _mask())
    with pytest.raises(MaskError, match="2 channels, 0 to 1"):
        extract(_volume(), vector, {"setting": {"label_channel": 2}})


def test_small_integer_types_do_not_overflow() -> None:
    voxels = np.clip(_volume().voxels, 0, 255).astype(np.uint8)
    small, large = extract(Volume(voxels, GRID), _mask()), extract(Volume(voxels.astype(float), GRID), _mask())
    assert small == large


def test_a_gpu_that_is_not_there_is_an_error_and_mps_counts_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(InputError, match="macOS only"):
        extract(_volume(), _mask(), device="mps")
    monkeypatch.setattr("sys.platform", "darwin")
    assert extract(_volume(), _mask(), device="mps") == extract(_volume(), _mask(), device="cpu")
    with pytest.raises(InputError, match="expected one of"):
        extract(_volume(), _mask(), device="tpu")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="no CUDA GPU"):
            extract(_volume(), _mask(), device="cuda")


def test_without_numba_the_numbers_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = extract(_volume(), _mask())
    monkeypatch.setattr("deepradiomics.kernels.available", lambda: False)
    monkeypatch.setattr("deepradiomics.radiomics.features.diameters._READY", {})
    plain = extract(_volume(), _mask())
    assert plain == pytest.approx(expected, rel=1e-10)
    assert plain.diagnostics["backend"] == "numpy"


@pytest.mark.parametrize("setting", [{"binCount": 20}, {"binWidth": 1e-8}])
def test_bins_finer_than_the_numbers_themselves_are_refused(setting: dict[str, float]) -> None:
    voxels = np.full(GRID.shape, 55.5, np.float32)
    if "binCount" in setting:
        voxels[2, 2, 2] = np.nextafter(voxels[2, 2, 2], np.float32(60))
    inside = np.zeros(GRID.shape, np.uint8)
    inside[1:4, 1:4, 1:4] = 1
    with pytest.raises(InputError, match=r"too close together for .* Take fewer or wider bins"):
        extract(Volume(voxels, GRID, "image"), Mask(inside, GRID), {"setting": setting})
