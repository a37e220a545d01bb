"""The case view's numbers: the map, the region on every grid, and which feature is meant."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort import Manifest, ManifestRow
from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.files.atomic import read_json
from deepradiomics.images import Geometry, Mask, read_mask, read_volume, write_mask
from deepradiomics.images.reading import Reading
from deepradiomics.lens.case.run import CaseSource, case_map, chosen_feature
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.fit.tables import case_rows
from deepradiomics.lens.result import LensResult
from deepradiomics.prepare.head.ellipsoid import ELLIPSOID_NOTE
from deepradiomics.prepare.resample import resample_mask
from Testing.unit.lens import lens_material as material
from Testing.unit.reports.fake_lens import write_fake_lens

CONFIG = LensConfig(spacing_mm=None, modalities=("t2", "adc"))


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory) -> ManifestRow:
    return material.read(material.cohort(tmp_path_factory.mktemp("cohort"), 1)).rows[0]


@pytest.fixture
def source(row: ManifestRow) -> CaseSource:
    return CaseSource.of_row(row, ("t2", "adc"), "gland")


@pytest.mark.parametrize("modality", ["t2", "adc"])
def test_a_voxel_shows_the_feature_of_the_window_around_it(source: CaseSource, modality: str) -> None:
    found = case_map(source, modality, "original_firstorder_Mean", CONFIG)
    volume = source.images[modality]
    grey = volume.voxels.astype(float)
    if modality == "t2":  # no unit: z-scored over the image, times 100
        grey = (grey - grey.mean()) / grey.std(ddof=1) * 100
    inside = resample_mask(source.mask, volume.geometry).labels > 0
    z, y, x = np.argwhere(inside)[len(np.argwhere(inside)) // 3]
    window = np.zeros(inside.shape, bool)
    window[z - 1 : z + 2, y - 1 : y + 2, x - 1 : x + 2] = True
    expected = grey[window & inside].mean()
    point = volume.geometry.index_to_physical([[x, y, z]])
    i, j, k = np.rint(found.map.geometry.physical_to_index(point))[0].astype(int)
    np.testing.assert_allclose(found.map.voxels[k, j, i], expected, rtol=1e-4)


def test_the_map_is_nan_outside_the_region_and_nowhere_else(source: CaseSource) -> None:
    found = case_map(source, "adc", "original_firstorder_Variance", CONFIG)
    on_map = resample_mask(found.rois["adc"], found.map.geometry).labels > 0
    np.testing.assert_array_equal(np.isfinite(found.map.voxels), on_map)
    values = found.map.voxels[on_map]
    assert found.range == pytest.approx(tuple(np.percentile(values, (1, 99))))


def test_the_region_lies_on_each_modalitys_own_grid(source: CaseSource) -> None:
    found = case_map(source, "t2", "original_firstorder_Mean", CONFIG)
    assert found.rois["t2"].geometry == material.T2
    assert found.rois["adc"].geometry == material.ADC
    points = material.ADC.index_to_physical(np.argwhere(found.rois["adc"].labels)[:, ::-1])
    assert np.linalg.norm(points, axis=1).max() < 6 + 1.8  # the ball of 6 mm, and a voxel


def test_a_wavelet_band_has_a_map_and_is_explained(source: CaseSource) -> None:
    found = case_map(source, "adc", "wavelet-LLH_glcm_Contrast", CONFIG)
    assert np.isfinite(found.map.voxels).any()
    assert "Wavelet band LLH" in found.explained


def test_the_spacing_of_the_extraction_is_that_of_the_map(source: CaseSource) -> None:
    fine = replace(CONFIG, spacing_mm=(0.9, 0.9, 1.1))
    found = case_map(source, "adc", "original_firstorder_Mean", fine)
    assert found.map.geometry.spacing_mm == pytest.approx((0.9, 0.9, 1.1))


def test_what_is_written_is_read_back_by_the_picture(source: CaseSource, tmp_path: Path) -> None:
    from deepradiomics.reports.lens.case import read_case

    found = case_map(source, "t2", "glcm_Contrast", CONFIG)
    files = found.write(tmp_path)
    assert {file.name for file in files} == {"case.json", "map.nrrd", "roi_t2.nrrd", "roi_adc.nrrd"}
    about = read_json(tmp_path / "case.json")
    assert about["feature"] == "original_glcm_Contrast"
    assert about["roi_note"] == ""
    assert about["case_id"] == "c00"
    drawn = read_case(tmp_path)
    np.testing.assert_array_equal(drawn.map.voxels, found.map.voxels)  # type: ignore[union-attr]
    np.testing.assert_array_equal(read_mask(tmp_path / "roi_adc.nrrd").labels, found.rois["adc"].labels)
    assert drawn.range == pytest.approx(found.range)
    assert list(drawn.images) == ["t2", "adc"]


def test_images_without_a_file_are_written_beside_the_map(source: CaseSource, tmp_path: Path) -> None:
    found = case_map(replace(source, files={}), "t2", "firstorder_Mean", CONFIG)
    found.write(tmp_path)
    written = read_volume(tmp_path / "image_adc.nrrd")
    np.testing.assert_array_equal(written.voxels, source.images["adc"].voxels)


def test_an_ellipsoid_is_called_what_it_is(row: ManifestRow, tmp_path: Path) -> None:
    found = case_map(CaseSource.of_row(row, ("t2",), "ellipsoid"), "t2", "firstorder_Mean", CONFIG)
    found.write(tmp_path)
    about = read_json(tmp_path / "case.json")
    assert about["roi_note"] == ELLIPSOID_NOTE
    assert "not a reader's contour" in about["notes"][0]


def test_a_region_outside_the_mapped_modality_is_refused_and_outside_another_noted(source: CaseSource) -> None:
    far = Geometry((6, 6, 4), (1, 1, 2), (10.6, -2.5, -3))  # beyond the right edge of T2, partly on ADC
    moved = replace(source, mask=Mask(np.ones(far.shape, np.uint8), far), images=dict(source.images))
    with pytest.raises(GeometryError, match="Case c00: the ROI gland lies outside modality t2"):
        case_map(moved, "t2", "firstorder_Mean", CONFIG)


def test_names_that_do_not_exist_are_told(source: CaseSource) -> None:
    with pytest.raises(InputError, match="modality 'dwi': case c00 has t2, adc"):
        case_map(source, "dwi", "firstorder_Mean", CONFIG)
    with pytest.raises(InputError, match="glcm_Contrast"):
        case_map(source, "t2", "glcm_Contrst", CONFIG)
    with pytest.raises(InputError, match="shape"):
        case_map(source, "t2", "original_shape_VoxelVolume", CONFIG)


@pytest.mark.parametrize(
    ("radiomics", "says"),
    [
        ({}, "holds no 'radiomics'.*fit the lens again"),
        ({"t2": {}, "adc": {}}, "modality 'dwi': this lens measured t2, adc."),
    ],
)
def test_a_lens_that_did_not_measure_a_modality_says_what_it_did(
    source: CaseSource, fake: LensResult, radiomics: dict[str, object], says: str
) -> None:
    lens = replace(fake, about={**fake.about, "radiomics": radiomics})
    images = {**source.images, "dwi": source.images["t2"]}
    with pytest.raises(InputError, match=says):
        case_map(replace(source, images=images), "dwi", "original_firstorder_Mean", lens)


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> LensResult:
    return LensResult.read(write_fake_lens(tmp_path_factory.mktemp("fake") / "lens", case=False))


def test_a_feature_is_chosen_by_its_place_in_the_table(fake: LensResult) -> None:
    rows = sorted(fake.shift, key=lambda row: -row["delta_importance" if "delta_importance" in row else "delta_i"])
    first, last = rows[0], rows[-1]

    def by_importance(**how: str) -> tuple[str, str]:
        return chosen_feature(fake, by="importance", **how)  # type: ignore[arg-type]

    assert by_importance(rank="top") == by_importance(rank="1") == (first["modality"], first["feature"])
    assert by_importance(rank="bottom") == (last["modality"], last["feature"])
    assert list(by_importance(rank="stable")) == list(fake.about["picked"]["stable"][0])
    adc = [row for row in rows if row["modality"] == "adc"]
    assert by_importance(rank="3", modality="adc") == ("adc", adc[2]["feature"])
    assert by_importance(rank="bottom", modality="adc") == ("adc", adc[-1]["feature"])


def test_by_default_a_place_goes_by_what_the_command_line_goes_by(fake: LensResult) -> None:
    import inspect

    from deepradiomics.cli.lens.case import case as command

    explained = max(fake.shift, key=lambda row: row["delta_explained"])
    for rank in ("top", "1"):
        assert chosen_feature(fake, rank=rank) == (explained["modality"], explained["feature"])
    defaults = [inspect.signature(one).parameters["by"].default for one in (chosen_feature, command)]
    assert defaults[0] == defaults[1] == "explained"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "either --feature"),
        ({"feature": "glcm_Contrast", "rank": "top"}, "either --feature"),
        ({"feature": "original_glcm_Contrast"}, "say of which modality, with --modality t2"),
        ({"rank": "best"}, "expected top, bottom, stable or a number from 1 to"),
        ({"rank": "0"}, "expected top"),
        ({"rank": "top", "by": "r2"}, "--by: expected importance or explained, got 'r2'"),
        ({"rank": "top", "modality": "dwi"}, "this lens has t2, highb, adc"),
    ],
)
def test_a_choice_that_means_nothing_is_told(given: dict[str, str], says: str, fake: LensResult) -> None:
    with pytest.raises(InputError, match=says):
        chosen_feature(fake, **given)  # type: ignore[arg-type]


def test_a_case_that_the_lens_lacks_or_whose_files_went_is_told(fake: LensResult) -> None:
    with pytest.raises(InputError, match=r"case 'synthetic-01' is not in the lens .*synthetic-001"):
        CaseSource.of_result(fake, "synthetic-01")
    with pytest.raises(InputError, match=r"Case synthetic-001, column view_t2: .* is no longer there"):
        CaseSource.of_result(fake, "synthetic-001")


@pytest.mark.parametrize("part", [{"region": 3}, {"segment": "core"}])
def test_a_case_of_a_lens_has_the_label_or_segment_that_its_row_named(
    fake: LensResult, row: ManifestRow, tmp_path: Path, part: dict[str, object]
) -> None:
    gland = read_mask(row.masks["gland"])
    labels = np.where(gland.union(), 3, 0).astype(np.uint8)
    labels[:2] = 1
    write_mask(Mask(labels, gland.geometry, segments={1: "rim", 3: "core"}), tmp_path / "gland.seg.nrrd")
    named = replace(row, masks={"gland": tmp_path / "gland.seg.nrrd"}, split="test", **part)  # type: ignore[arg-type]
    config = replace(CONFIG, modalities=("t2",), roi="gland")
    cohort = Manifest((named,), tuple(row.views), (), rois=("gland",))
    columns, cells = case_rows(cohort, config)
    assert columns[-1] == ("label" if "region" in part else "segment")
    lens = replace(fake, cases=cells, about={**fake.about, "modalities": ["t2"], "roi": "gland"})
    source = CaseSource.of_result(lens, row.id)
    np.testing.assert_array_equal(source.mask.region(), labels == 3)
    other = CaseSource.of_result(lens, row.id, reading=Reading(label=1))
    np.testing.assert_array_equal(other.mask.region(), labels == 1)


def test_a_mask_of_another_examination_is_named(row: ManifestRow, tmp_path: Path) -> None:
    far = Geometry((4, 4, 4), (1, 1, 1), (300, 0, 0))
    write_mask(Mask(np.ones(far.shape, np.uint8), far), tmp_path / "far.nrrd")
    with pytest.raises(MaskError, match=r"Case .*, column mask: .*none of its 64 voxels lies inside the image"):
        CaseSource.of_row(replace(row, mask=tmp_path / "far.nrrd"), ("t2",), "mask")
