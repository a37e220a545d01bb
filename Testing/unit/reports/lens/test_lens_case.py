"""The case picture: outline and map lie on the ROI's pixels, and every panel is seen as a radiologist sees it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.lens.result import LensResult
from deepradiomics.prepare import canonical_grid, reformat
from deepradiomics.reports.lens.case import (
    LensCase,
    case_figure,
    case_of,
    case_picture,
    read_case,
    sample,
    window_grid,
    window_of,
)
from Testing.unit.reports.fake_lens import write_fake_lens


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> LensResult:
    return LensResult.read(write_fake_lens(tmp_path_factory.mktemp("lens"), images=("original",)))


@pytest.fixture(scope="module")
def case(result: LensResult) -> LensCase:
    return read_case(result.folder / "case")


def _outlined(ax: Any, grid: Geometry) -> np.ndarray:
    """Which pixels of a panel have their centre inside the outline drawn, bool (rows, columns)."""
    (contour,) = [one for one in ax.collections if hasattr(one, "levels")]
    (path,) = contour.get_paths()
    width, height = grid.extent_mm[:2]
    columns, rows = grid.size[:2]
    x, y = (np.arange(columns) + 0.5) * width / columns, (np.arange(rows) + 0.5) * height / rows
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return path.contains_points(points).reshape(rows, columns)


def _map_drawn(figure: Any) -> np.ma.MaskedArray[Any, Any]:
    return np.ma.asarray(figure.axes[3].images[1].get_array())


@pytest.mark.parametrize("modality", ["t2", "highb", "adc"])
def test_the_outline_encloses_the_regions_pixels_and_no_other(case: LensCase, modality: str) -> None:
    panel = list(case.images).index(modality)
    grid = window_grid(case.images[modality].geometry, window_of(case))
    roi = sample(case.rois[modality].labels, case.rois[modality].geometry, grid)[0] == 1
    assert 100 < roi.sum() < roi.size / 2
    assert (_outlined(case_figure(case).axes[panel], grid) == roi).all()


@pytest.mark.parametrize("modality", ["t2", "highb", "adc"])
def test_the_pixels_are_the_images_own_voxels(case: LensCase, modality: str) -> None:
    image = case.images[modality]
    grid = window_grid(image.geometry, window_of(case))
    stack = reformat(image, "axial")
    first = np.rint(stack.geometry.physical_to_index(grid.origin_mm)).astype(int)
    padded = np.pad(stack.voxels[first[2]], 50, constant_values=np.nan)  # the window may reach beyond the image
    rows, columns = (slice(first[i] + 50, first[i] + 50 + grid.size[i]) for i in (1, 0))
    assert np.array_equal(sample(image.voxels, image.geometry, grid)[0], padded[rows, columns], equal_nan=True)


@pytest.mark.parametrize("modality", ["t2", "highb", "adc"])
def test_what_lies_left_and_posterior_is_drawn_right_and_below(case: LensCase, modality: str) -> None:
    ax = case_figure(case).axes[list(case.images).index(modality)]
    pixels = np.asarray(ax.images[0].get_array())
    grid = window_grid(case.images[modality].geometry, window_of(case))
    inside = sample(case.rois[modality].labels, case.rois[modality].geometry, grid)[0] == 1
    dark = np.argwhere(inside & (pixels < 90))  # the synthetic lesion, 10 mm to the left and 8 mm posterior
    assert len(dark) > 5
    row, column = dark.mean(axis=0)
    assert column > pixels.shape[1] / 2
    assert row > pixels.shape[0] / 2
    assert {text.get_text() for text in ax.texts} == {"R", "L", "A", "P"}


def test_the_same_image_stored_the_other_way_round_gives_the_same_picture(case: LensCase) -> None:
    grid = case.images["t2"].geometry
    axes = grid.axes * [-1, -1, -1]
    flipped = Geometry(
        grid.size, grid.spacing_mm, tuple(grid.index_to_physical(np.array(grid.size) - 1)), tuple(axes.ravel())
    )
    image = Volume(case.images["t2"].voxels[::-1, ::-1, ::-1], flipped)
    other = dataclasses.replace(case, images={**case.images, "t2": image})
    one, two = (np.asarray(case_figure(c).axes[0].images[0].get_array()) for c in (case, other))
    assert np.array_equal(one, two)


def test_panels_show_the_same_millimetres_whatever_the_voxels_shape(case: LensCase) -> None:
    window = window_of(case)
    for image in case.images.values():
        grid = window_grid(image.geometry, window)
        step = np.array(grid.spacing_mm[:2])
        assert (np.abs(np.array(grid.extent_mm[:2]) - window.side_mm) <= step / 2 + 1e-6).all()
        middle = np.array(window.centre_mm) - grid.centre_mm
        assert (np.abs(canonical_grid(image.geometry, "axial").axes.T @ middle)[:2] <= step / 2 + 1e-6).all()
    for ax in case_figure(case).axes[:3]:
        assert ax.get_aspect() == 1.0


def test_the_map_is_drawn_at_its_values_and_only_inside_the_region(case: LensCase) -> None:
    assert case.map is not None
    figure = case_figure(dataclasses.replace(case, unit="mm²/s"))
    drawn = _map_drawn(figure)
    grid = window_grid(case.images["t2"].geometry, window_of(case))
    expected = sample(case.map.voxels, case.map.geometry, grid)[0]
    assert (np.ma.getmaskarray(drawn) == np.isnan(expected)).all()
    assert (drawn.compressed() == expected[np.isfinite(expected)]).all()
    assert figure.axes[3].images[1].get_clim() == case.range
    assert figure.axes[4].get_ylabel() == "local value, mm²/s"


def test_the_legend_points_where_values_lie_beyond_its_colours(case: LensCase) -> None:
    assert case.range is not None
    assert case.map is not None
    case = dataclasses.replace(case, map=dataclasses.replace(case.map, voxels=case.map.voxels + 10))  # of one sign
    low, high = (limit + 10 for limit in case.range or ())
    for limits, extend in (((low, high), "neither"), ((low - 1, high - 0.1), "max"), ((low + 0.1, high - 0.1), "both")):
        bar = case_figure(dataclasses.replace(case, range=limits)).axes[3].images[1].colorbar
        assert bar is not None
        assert bar.extend == extend


def test_a_map_of_both_signs_diverges_from_0_and_a_few_voxels_do_not_rule_it(case: LensCase) -> None:
    assert case.map is not None
    values = np.where(
        np.isfinite(case.map.voxels), np.linspace(-2, 2, case.map.voxels.size).reshape(case.map.voxels.shape), np.nan
    )
    for shift, name in ((0.0, "DivergingBlueRed"), (10.0, "Plasma")):
        some = values + shift
        some[np.isfinite(some) & (some == np.nanmax(some))] = 1e6
        shown = (
            case_figure(dataclasses.replace(case, map=dataclasses.replace(case.map, voxels=some), range=None))
            .axes[3]
            .images[1]
        )
        low, high = shown.get_clim()
        assert shown.get_cmap().name == name
        assert high < 14
        assert (low == -high) == (shift == 0)


def test_a_map_on_a_finer_grid_keeps_its_detail_and_its_place(case: LensCase) -> None:
    assert case.map is not None
    coarse = case.map.geometry
    nx, ny, nz = coarse.size
    fine = coarse.resized((2 * nx, 2 * ny, nz))
    values = np.kron(case.map.voxels, np.ones((1, 2, 2), np.float32))
    finer = dataclasses.replace(case, map=Volume(values, fine))
    drawn, plain = _map_drawn(case_figure(finer)), _map_drawn(case_figure(case))
    assert drawn.shape == (2 * plain.shape[0], 2 * plain.shape[1])
    assert np.array_equal(plain.filled(-9).repeat(2, axis=0).repeat(2, axis=1), drawn.filled(-9))


def test_a_region_drawn_on_another_modalitys_grid_lies_where_it_lies_in_the_patient(case: LensCase) -> None:
    other = dataclasses.replace(case, rois=dict.fromkeys(case.images, case.rois["t2"]))
    grid = window_grid(case.images["adc"].geometry, window_of(other))
    own = sample(case.rois["adc"].labels, case.rois["adc"].geometry, grid)[0] == 1
    drawn = _outlined(case_figure(other).axes[2], grid)
    assert (own != drawn).sum() < 0.12 * own.sum()  # one egg, cut into voxels of two sizes


def test_the_slice_cuts_a_crescent_whose_middle_is_empty(case: LensCase) -> None:
    labels = np.zeros(case.rois["t2"].geometry.shape, np.uint8)
    labels[0, 10:60, 5:8] = labels[13, 10:60, 70:73] = 1  # two pieces, nothing between
    window = window_of(dataclasses.replace(case, rois={"t2": Mask(labels, case.rois["t2"].geometry)}))
    grid = window_grid(case.images["t2"].geometry, window)
    assert np.nansum(sample(labels, case.rois["t2"].geometry, grid)) > 0


def test_the_picture_says_what_is_synthetic_and_what_no_reader_drew(case: LensCase) -> None:
    figure = case_figure(dataclasses.replace(case, roi_note="ellipsoid: not a reader's contour"))
    assert figure.get_suptitle().startswith("SYNTHETIC   Case synthetic-001\nT2, GLCM Correlation: ΔE ")
    assert "not a reader's contour" in figure.get_supxlabel().replace("\n", " ")
    assert "SYNTHETIC" not in case_figure(dataclasses.replace(case, synthetic=False)).get_suptitle()


def test_a_folder_of_lens_case_becomes_a_file(result: LensResult, tmp_path: Path) -> None:
    path = case_picture(result.folder / "case", tmp_path / "picture.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [p.name for p in tmp_path.iterdir()] == ["picture.png"]


def test_one_modality_without_a_map_is_one_panel(case: LensCase) -> None:
    alone = LensCase("a", {"t2": case.images["t2"]}, {"t2": case.rois["t2"]})
    assert len(case_figure(alone).axes) == 1
    assert len(case_figure(LensCase("a", {"t2": case.images["t2"]}, {})).axes) == 1  # and without a region


def test_the_first_test_case_whose_files_are_there_is_found(result: LensResult) -> None:
    found = case_of(result)
    assert found is not None
    assert found.id == "synthetic-001"
    assert found.map is None
    assert list(found.images) == ["t2", "highb", "adc"]
    gone = [{**row, "view_adc": "nowhere.nrrd"} for row in result.cases]
    assert case_of(dataclasses.replace(result, cases=gone)) is None
    ellipsoid = case_of(dataclasses.replace(result, about={**result.about, "roi": "ellipsoid"}))
    assert ellipsoid is not None
    assert "not a reader's contour" in ellipsoid.roi_note


def test_what_cannot_be_drawn_is_said(case: LensCase, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the map is of modality 'dce', but there are images of t2, highb, adc"):
        dataclasses.replace(case, modality="dce")
    with pytest.raises(InputError, match="there is no image to draw"):
        dataclasses.replace(case, images={})
    empty = Mask(np.zeros(case.rois["t2"].geometry.shape, np.uint8), case.rois["t2"].geometry)
    with pytest.raises(InputError, match="region on modality 't2' is empty"):
        case_figure(dataclasses.replace(case, rois={"t2": empty}))
    (tmp_path / "case.json").write_text(json.dumps({"kind": "maps"}), encoding="utf-8")
    with pytest.raises(InputError, match="does not describe a case of a lens"):
        read_case(tmp_path)
