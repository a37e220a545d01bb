"""Which region is meant, and that overlapping segments are measured whole however they are prepared."""

from pathlib import Path

import numpy as np
import pytest

from deepradiomics import extract, extract_labels, extract_many, feature_maps
from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.radiomics import Settings
from deepradiomics.radiomics.region.regions import RegionChoice, alone

GRID = Geometry((18, 16, 12), (1.0, 1.0, 1.5))
VOXELS = np.random.default_rng(3).normal(100, 60, GRID.shape).astype(np.float32)
CORE, RIM = (np.zeros(GRID.shape, bool) for _ in range(2))
CORE[2:8, 3:11, 3:11] = True
RIM[4:10, 6:14, 6:15] = True
MEAN = {"featureClass": {"firstorder": ["Mean"]}}


def _overlapping() -> Mask:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[CORE], labels[RIM] = 1, 2
    return Mask(labels, GRID, "mask", segments={1: "core", 2: "rim"}, covered={1: CORE})


def _several() -> Mask:
    return Mask(CORE.astype(np.uint8) + 4 * RIM.astype(np.uint8), GRID, "mask")  # labels 1, 4, 5


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"setting": {"resampledPixelSpacing": [1.3, 1.3, 1.3]}},
        {"setting": {"preCrop": True, "padDistance": 2}},
        {"setting": {"resegmentRange": [-2, 2], "resegmentMode": "sigma"}},
        {"setting": {"standard": "ibsi", "resampledPixelSpacing": [1.2, 1.2, 1.2], "interpolator": "sitkLinear"}},
        {"imageType": {"Original": {}, "Wavelet": {}}, **MEAN},
    ],
    ids=["plain", "resampled", "cropped", "re-segmented", "ibsi", "wavelet"],
)
def test_a_segment_that_another_covers_has_the_features_of_its_own_mask(params: dict[str, object]) -> None:
    image = Volume(VOXELS, GRID)
    for label, region in ((1, CORE), (2, RIM)):
        own = extract(image, Mask(region.astype(np.uint8), GRID), params)
        assert dict(extract(image, _overlapping(), params, label=label)) == pytest.approx(dict(own), nan_ok=True)
        together = extract_labels(image, _overlapping(), params)
        assert dict(together[label]) == pytest.approx(dict(own), nan_ok=True)


def test_a_covered_segment_is_whole_on_another_grid_too() -> None:
    wide = Geometry((20, 18, 14), GRID.spacing_mm, (-1.0, -1.0, -1.5))
    image = Volume(np.pad(VOXELS, 1, mode="edge"), wide)
    params = {**MEAN, "setting": {"correctMask": True}}
    assert extract(image, _overlapping(), params, segment="core")["original_firstorder_Mean"] == pytest.approx(
        float(VOXELS[CORE].mean(dtype=float))
    )


def test_maps_of_a_covered_segment_cover_it() -> None:
    [found] = feature_maps(Volume(VOXELS, GRID), _overlapping(), "firstorder_Mean", segment="core").values()
    [own] = feature_maps(Volume(VOXELS, GRID), Mask(CORE.astype(np.uint8), GRID), "firstorder_Mean").values()
    assert found.GetSize() == own.GetSize()


def test_a_mask_with_one_label_needs_no_name_and_a_note_tells_which() -> None:
    features = extract(Volume(VOXELS, GRID), Mask(7 * CORE.astype(np.uint8), GRID))
    assert features.notes == ("Mask: its only label was taken, 7.",)
    [result] = extract_many([(Volume(VOXELS, GRID), Mask(7 * CORE.astype(np.uint8), GRID))])
    assert list(result) == [7]
    assert result.notes == features.notes
    maps = feature_maps(Volume(VOXELS, GRID), Mask(7 * CORE.astype(np.uint8), GRID), "firstorder_Mean")
    assert maps.label == 7
    assert maps.notes == features.notes


@pytest.mark.parametrize("params", [None, "fingerprint-107"])
def test_of_several_labels_none_is_guessed(params: str | None) -> None:
    for compute in (
        lambda: extract(Volume(VOXELS, GRID), _several(), params),
        lambda: feature_maps(Volume(VOXELS, GRID), _several(), "firstorder_Mean", params=params),
        lambda: extract_many([(Volume(VOXELS, GRID), _several())], params, errors="raise"),
    ):
        with pytest.raises(MaskError, match="it has 3 labels: 1, 4, 5"):
            compute()


def test_parameters_mean_their_label_and_one_where_they_are_silent() -> None:
    image, mask = Volume(VOXELS, GRID), _several()
    four = extract(image, mask, {**MEAN, "setting": {"label": 4}})
    assert four["original_firstorder_Mean"] == pytest.approx(float(VOXELS[RIM & ~CORE].mean(dtype=float)))
    assert four.notes == ()
    silent = extract(image, mask, MEAN)
    assert silent["original_firstorder_Mean"] == pytest.approx(float(VOXELS[CORE & ~RIM].mean(dtype=float)))
    assert "label 1 was taken of 1, 4, 5" in silent.notes[0]
    with pytest.raises(MaskError, match="no voxel has label 1; labels present: 4"):
        extract(image, Mask(4 * CORE.astype(np.uint8), GRID), MEAN)
    assert extract(image, mask, Settings.from_params({**MEAN, "setting": {"label": 5}})).notes == ()


def test_a_segment_by_name_in_every_call() -> None:
    image, mean = Volume(VOXELS, GRID), pytest.approx(float(VOXELS[CORE].mean(dtype=float)))
    assert extract(image, _overlapping(), MEAN, segment="core")["original_firstorder_Mean"] == mean
    assert extract_labels(image, _overlapping(), MEAN, segment="core")[1]["original_firstorder_Mean"] == mean
    [one] = extract_many([(image, _overlapping())], MEAN, segment="core")
    assert one[1]["original_firstorder_Mean"] == mean
    with pytest.raises(MaskError, match=r"no segment is called 'cores'\. Did you mean 'core'"):
        extract(image, _overlapping(), MEAN, segment="cores")
    with pytest.raises(InputError, match="labels and segment: give one of them"):
        extract_labels(image, _overlapping(), MEAN, labels=[1], segment="core")
    with pytest.raises(InputError, match="give one of them"):
        extract(image, _overlapping(), MEAN, label=1, segment="core")


@pytest.mark.parametrize("wrong", [{"label": 0}, {"label": 1.5}, {"label": True}, {"segment": ""}, {"segment": 3}])
def test_a_label_or_name_that_can_mean_nothing_is_refused_before_anything_is_read(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"label|segment"):
        extract("none.nii", "none.nii", MEAN, **wrong)  # type: ignore[arg-type]


def test_a_row_of_a_manifest_goes_before_the_call() -> None:
    choice = RegionChoice.of(None, all_labels=True)
    assert choice.labels(_several()).labels == (1, 4, 5)
    assert choice.of_case(4, None).labels(_several()).labels == (4,)
    assert choice.of_case(None, "rim").labels(_overlapping()).labels == (2,)
    assert choice.of_case(None, None) is choice


def test_a_parameter_file_is_read_for_its_label(tmp_path: Path) -> None:
    file = tmp_path / "params.json"
    file.write_text('{"setting": {"label": 5}}', encoding="utf-8")
    assert RegionChoice.of(file) == RegionChoice(of_params=5)
    file.write_text("{}", encoding="utf-8")
    assert RegionChoice.of(str(file)) == RegionChoice(of_params=1, silent=True)
    assert RegionChoice.of(None) == RegionChoice.of("lens") == RegionChoice()


def test_a_mask_without_overlaps_stays_as_it_is_and_one_with_keeps_one_region() -> None:
    plain = _several()
    assert alone(plain, 4) is plain
    single = alone(_overlapping(), 1)
    assert single.labels_present() == (1,)
    assert (single.region(1) == CORE).all()
    assert single.segment_names == {1: "core"}


@pytest.mark.parametrize("label", [1, 255, 70_000, 2**33, 2**40])
def test_an_overlapping_region_of_any_label_is_taken_alone_and_whole(label: int) -> None:
    inside = np.zeros((2, 3, 3), bool)
    inside[0, :2] = True
    labels = np.full(inside.shape, 7, np.int64)
    mask = Mask(labels, Geometry((3, 3, 2)), covered={label: inside})
    assert np.array_equal(alone(mask, label).labels == label, inside)
    assert alone(mask, label).labels_present() == (label,)
