"""Many labels and many images in one call: the numbers of single calls, and reasons for what cannot be used."""

import numpy as np
import pytest

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.radiomics import extract, extract_labels, extract_many
from deepradiomics.radiomics.filters import types as filter_types

GRID = Geometry((20, 16, 12), (1.0, 1.0, 1.5))
FILTERS = {"imageType": {"Original": {}, "Wavelet": {"wavelet": "haar"}, "LoG": {"sigma": [1.0]}, "Square": {}}}


def _volume(seed: int = 0) -> Volume:
    return Volume(np.random.default_rng(seed).normal(200, 120, GRID.shape).astype(np.float32), GRID, "image")


def _segments() -> Mask:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[2:6, 2:8, 3:9] = 2
    labels[6:11, 6:14, 10:18] = 5
    labels[0, 0, 0] = 7  # a single voxel
    return Mask(labels, GRID, "segments")


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"normalize": True, "normalizeScale": 100},
        {"resampledPixelSpacing": [1.2, 1.2, 1.2]},
        {"preCrop": True, "padDistance": 2},
        {"resegmentRange": [-1, 2], "resegmentMode": "sigma"},
    ],
    ids=lambda setting: next(iter(setting), "plain"),
)
def test_every_label_equals_its_own_extraction(setting: dict[str, object]) -> None:
    params = FILTERS | {"setting": setting}
    found = extract_labels(_volume(), _segments(), params)
    assert list(found) == [2, 5]
    for label in found:
        alone = extract(_volume(), _segments(), params, label=label)
        assert dict(found[label]) == dict(alone)
        ours, theirs = found[label].diagnostics, alone.diagnostics
        assert {**ours, "threads": 0} == {**theirs, "threads": 0}


def test_a_label_that_cannot_be_used_is_told_and_stops_no_other() -> None:
    found = extract_labels(_volume(), _segments(), labels=[7, 5, 9])
    assert list(found) == [5]
    assert "single voxel" in found.skipped[7]
    assert "no voxel has label 9; labels present: 2, 5, 7" in found.skipped[9]


def test_a_label_with_too_many_grey_levels_stops_no_other() -> None:
    voxels = _volume().voxels.copy()
    voxels[8, 8, 12] = 1e9
    found = extract_labels(Volume(voxels, GRID), _segments(), labels=[2, 5])
    assert list(found) == [2]
    assert "Take a binWidth of about" in found.skipped[5]


def test_filters_run_once_for_all_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    theirs = filter_types.filtered

    def counted(image_type: str, *args: object, **kwargs: object) -> object:
        seen.append(image_type)
        return theirs(image_type, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("deepradiomics.radiomics.image_types.filtered", counted)
    extract_labels(_volume(), _segments(), FILTERS)
    assert seen == ["Wavelet", "LoG", "Square"]


def test_an_empty_mask_and_labels_that_all_fail_are_errors() -> None:
    with pytest.raises(MaskError, match="it is empty, no voxel has a label"):
        extract_labels(_volume(), Mask(np.zeros(GRID.shape, np.uint8), GRID))
    with pytest.raises(
        MaskError, match=r"none of the labels \[7\] can be used; label 7: segments: the ROI is a single"
    ):
        extract_labels(_volume(), _segments(), labels=[7])
    with pytest.raises(InputError, match=r"labels: expected whole numbers.*'all' or None, got 'every'"):
        extract_labels(_volume(), _segments(), labels="every")  # type: ignore[arg-type]


def test_many_images_give_one_result_each_in_order_and_a_bad_one_stops_no_other() -> None:
    good = [(_volume(seed), _segments()) for seed in range(3)]
    constant = (Volume(np.zeros(GRID.shape), GRID, "empty"), _segments())
    params = {"setting": {"normalize": True, "normalizeScale": 100, "label": 2}, "featureClass": {"glcm": None}}
    for threads in (1, 2):
        found = extract_many([good[0], constant, good[1], good[2]], params, threads=threads, errors="keep")
        assert [list(one) for one in found] == [[2], [], [2], [2]]
        assert found[1].error.startswith("pair 2: empty: it is constant")
        assert dict(found[3][2]) == dict(extract(*good[2], params))


def test_many_images_with_all_their_labels() -> None:
    found = extract_many(
        [(_volume(), _segments())], {"featureClass": {"firstorder": ["Mean"]}}, labels="all", errors="keep"
    )
    assert (list(found[0]), list(found[0].skipped)) == ([2, 5], [7])


def test_pairs_are_reported_one_by_one_and_a_wrong_setting_is_an_error_before_anything_is_read() -> None:
    seen: list[float] = []
    pairs = [(_volume(), _segments())] * 3
    extract_many(
        pairs, {"featureClass": {"firstorder": None}, "setting": {"label": 5}}, progress=lambda f, m: seen.append(f)
    )
    assert seen == pytest.approx([1 / 3, 2 / 3, 1])
    with pytest.raises(InputError, match="binWidht"):
        extract_many([("none.nii", "none.nii")], {"setting": {"binWidht": 3}})


def test_a_pair_that_cannot_be_read_is_named() -> None:
    [found] = extract_many([("there-is-none.nii", _segments())], errors="keep")
    assert "pair 1: there-is-none.nii: this file does not exist" in found.error


def test_labels_by_the_ibsi_standard() -> None:
    params = {"featureClass": {"glcm": ["Contrast"]}, "setting": {"binCount": 16}}
    found = extract_labels(_volume(), _segments(), params, labels=[2, 5], standard="ibsi")
    assert dict(found[5]) == dict(extract(_volume(), _segments(), params, label=5, standard="ibsi"))
    assert list(found[2]) == ["original_glcm_Contrast_3D_averaged"]
