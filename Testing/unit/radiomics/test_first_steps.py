"""What a newcomer's slips are answered with: a sentence that says what to do, never Python's own error or silence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.radiomics import Settings, extract, extract_labels, extract_many
from deepradiomics.radiomics.counting.chunks import chunks
from deepradiomics.radiomics.counting.plan import CountingPlan
from deepradiomics.radiomics.maps import feature_maps
from deepradiomics.radiomics.memory import Budget, told_when_full
from deepradiomics.radiomics.region.region import LevelRegion

MEAN = {"featureClass": {"firstorder": ["Mean"]}}


def _pair(negative: bool = False) -> tuple[sitk.Image, sitk.Image]:
    labels = np.zeros((12, 12, 12), np.int16)
    labels[3:8, 3:8, 3:8] = 1
    if negative:
        labels[10:, 10:, 10:] = -1
    image = sitk.GetImageFromArray(np.random.default_rng(0).normal(100, 30, labels.shape).astype(np.float32))
    return image, sitk.GetImageFromArray(labels)


def _read(folder: Path, text: str) -> Settings:
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    return Settings.from_params(folder / "mine.yaml")


def test_numbers_that_yaml_takes_for_text_are_numbers(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        "voxelSetting: {initValue: nan}\n"
        "setting: {geometryTolerance: 1e-6, binWidth: 2.5e1, binCount: 32.0, label: 2.0, sigma: [1e0, 1.0, 1]}\n",
    )
    assert np.isnan(found.init_value)
    assert (found.geometry_tolerance, found.bin_width, found.bin_count, found.label) == (1e-6, 25, 32, 2)
    assert [str(sigma) for sigma in found.sigma_mm] == ["1.0", "1"], "equal ones once, and each as it is written"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("setting:\n  binWidth: 5\n  binWidth: 6\n", r"mine.yaml.*'binWidth' stands here a second time.*line 3"),
        ("just words", "mine.yaml: expected a parameter file"),
        ("setting: {binWidth: nan}", "expected a number above 0, got nan"),
        ("setting: {binCount: 32.5}", "got 32.5"),
        ("setting: {sigma: 2}", r"up to 64 values.*Write \[2\]"),
        ("setting: {distances: 1}", r"Write \[1\]"),
        ("setting: {interpolator: 3}", "Give the name, such as sitkBSpline"),
        ("setting: {roundIntensities: true}", "only standard: ibsi reads it"),
    ],
)
def test_a_slip_in_a_parameter_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _read(tmp_path, text)


@pytest.mark.parametrize(
    "params",
    [{"setting": {"filterBoundary": "zero"}}, {"imageType": {"Original": {"filterBoundary": "zero"}}}],
)
def test_a_filters_key_without_the_filter_is_a_note(params: dict) -> None:
    [note] = Settings.from_params(params).notes
    assert "filterBoundary: no image type here reads it" in note


def test_a_key_that_something_reads_is_taken() -> None:
    assert Settings.from_params({"setting": {"filterBoundary": "zero"}, "imageType": {"Mean": {}}}).filter_boundary
    ibsi = {"setting": {"standard": "ibsi", "roundIntensities": True, "logTruncate": 3}, "imageType": {"LoG": {}}}
    assert Settings.from_params(ibsi).log_truncate == 3
    compared = Settings.from_params({"setting": {"roundIntensities": True}}, standard="pyradiomics")
    assert "only standard: ibsi" in compared.notes[0], "who overrides the standard in a call is only told"


def test_a_preset_almost_named_is_offered() -> None:
    with pytest.raises(InputError, match="Did you mean lens"):
        Settings.from_params("Lense")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"featureClass": {"shape2D": None}}, "no feature to compute. shape2D is not computed: it needs force2D"),
        ({"featureClass": {"glcm": None}, "imageType": {"LoG": {}}}, "no feature to compute. LoG gives no image"),
    ],
)
def test_nothing_to_compute_is_an_error(params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        extract(*_pair(), params)


def test_a_flat_image_without_its_shape_is_told() -> None:
    image, mask = (one[:, :, 5] for one in _pair())
    with pytest.raises(InputError, match="shape is not computed: the image is two-dimensional"):
        extract(image, mask, {"featureClass": {"shape": None}})


def test_a_part_that_gives_nothing_is_a_warning() -> None:
    params = {
        "imageType": {"Original": {}, "LoG": {"sigma": []}},
        "featureClass": {"shape2D": None, **MEAN["featureClass"]},
    }
    warnings = " ".join(extract(*_pair(), params).diagnostics["warnings"])
    assert "LoG gives no image" in warnings
    assert "shape2D is not computed" in warnings


def test_a_sigma_given_twice_is_filtered_once() -> None:
    found = extract(*_pair(), MEAN | {"imageType": {"LoG": {"sigma": [1.0, 1.0]}}})
    assert list(found) == ["log-sigma-1-0-mm-3D_firstorder_Mean"]


def test_a_label_map_is_a_mask_but_no_image() -> None:
    image, mask = _pair()
    coded = sitk.Cast(sitk.Cast(mask, sitk.sitkUInt8), sitk.sitkLabelUInt8)
    assert extract(image, coded, MEAN) == extract(image, mask, MEAN)
    with pytest.raises(InputError, match="got a SimpleITK LabelMap"):
        extract(coded, mask, MEAN)


def test_a_resampled_box_beyond_the_budget_is_refused_before_it_is_made() -> None:
    params = MEAN | {"setting": {"resampledPixelSpacing": [0.001, 0.001, 0.001]}}
    message = r"resampledPixelSpacing: at \[0.001.*voxels.*GB, the budget is [14] GB.*max_memory_gb"
    for compute in (lambda: extract(*_pair(), params, max_memory_gb=1), lambda: feature_maps(*_pair(), params=params)):
        with pytest.raises(InputError, match=message):
            compute()
    [label] = extract_labels(*_pair(), MEAN | {"setting": {"resampledPixelSpacing": [0.5, 0.5, 0.5]}})
    assert label == 1


def test_memory_that_is_spent_is_a_sentence() -> None:
    with pytest.raises(InputError, match=r"scan: this machine's memory is spent \(3 GiB\)"), told_when_full("scan"):
        raise MemoryError("3 GiB")


def test_the_budget_names_the_distances_where_they_are_the_cause() -> None:
    region = LevelRegion(np.ones((2, 2, 2), np.int32), np.arange(20))
    plan = CountingPlan(("glcm",), (100,), 0)
    with pytest.raises(
        InputError, match=r"20 grey levels and 1\d+ directions \(distances \[100\]\).*Take smaller dist"
    ):
        chunks([region], ["label 1"], plan, Budget(1), 8)


def test_a_negative_label_stops_no_other() -> None:
    found = extract_labels(*_pair(negative=True), MEAN)
    assert list(found) == [1]
    assert "above 0" in found.skipped[-1]
    with pytest.raises(MaskError, match="label -1"):
        extract_labels(*_pair(negative=True), MEAN, labels=-1)


@pytest.mark.parametrize("labels", [[], "1", ["1"], [1.5], 2.5])
def test_labels_that_are_none_are_refused(labels: Any) -> None:
    with pytest.raises(InputError, match="labels: "):
        extract_labels(*_pair(), MEAN, labels=labels)


def test_what_is_no_pair_is_refused() -> None:
    image, mask = _pair()
    for pairs, message in (
        ([image, mask], "number 1 is one Image"), ((image, mask), "number 1 is one Image"), ("abc", "got str"),
        (image, "got Image"), ([(image, mask, 1)], "labels="),
    ):  # fmt: skip
        with pytest.raises(InputError, match=f"expected a list of .*{message}"):
            extract_many(pairs, MEAN)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "effort",
    [{"device": None}, {"threads": 1.5}, {"threads": "2"}, {"threads": True}, {"max_memory_gb": "1"}],
    ids=str,
)
def test_effort_of_the_wrong_kind_is_refused(effort: dict[str, Any]) -> None:
    name = next(iter(effort))
    for compute in (extract, extract_labels, feature_maps):
        with pytest.raises(InputError, match=f"{name}: expected"):
            compute(*_pair(), params=MEAN, **effort)


def test_a_key_that_is_not_there_offers_those_that_are() -> None:
    found = extract(*_pair(), MEAN)
    for key in ("firstorder_Mean", "original_firstorder_Meen"):
        with pytest.raises(KeyError, match="Did you mean original_firstorder_Mean"):
            found[key]
    assert found.get("Mean") is None


def test_grids_apart_are_told_without_contradiction() -> None:
    image, mask = _pair()
    with pytest.raises(GeometryError, match="Their sizes differ; no tolerance helps") as error:
        extract(image, mask[:, :, :9], MEAN)
    assert "raise geometryTolerance" not in str(error.value)
    assert str(error.value).startswith("mask: it does not lie")
    mask.SetOrigin((0, 0, 0.0010003))
    with pytest.raises(GeometryError, match=r"up to 0.0010003 mm apart; allowed are 0.001 mm"):
        extract(image, mask, MEAN)
    mask.SetOrigin((0, 0, 0.001))
    assert extract(image, mask, MEAN), "what is allowed is taken"


def test_a_nameless_mask_gives_no_stray_space() -> None:
    with pytest.raises(MaskError, match=r"^Mask: no voxel has label 7; labels present: 1"):
        extract(*_pair(), MEAN, label=7)


def test_a_region_larger_than_the_budget_is_computed_and_told() -> None:
    found = extract(*_pair(), MEAN, max_memory_gb=1e-5)
    assert found == extract(*_pair(), MEAN)
    [told] = [w for w in found.diagnostics["warnings"] if "max_memory_gb" in w]
    assert "more than max_memory_gb" in told
    assert "voxels" in told


def test_bins_finer_than_the_numbers_are_refused_by_features_and_maps_alike() -> None:
    image, mask = _pair()
    close = sitk.Cast(image * 1e-6 + 1e7, sitk.sitkFloat32)
    params = {"featureClass": {"glcm": ["Contrast"]}, "setting": {"binCount": 64}}
    for compute in (extract, lambda *pair: feature_maps(*pair[:2], params=pair[2])):
        with pytest.raises(InputError, match="too close together for 64 bins"):
            compute(close, mask, params)
