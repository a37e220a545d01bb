"""RTSTRUCT: contours become the voxels whose centres they enclose; what cannot, is refused or noted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Code, Geometry, MaskOptions, Volume, read_mask, read_volume
from deepradiomics.images.masks.axes import reordered_geometry
from deepradiomics.images.masks.contours import rasterised
from Testing.unit.images.masks.rtstruct_material import outlines, polygon, rtstruct_dataset
from Testing.unit.images.masks.seg_material import FRAME, random_geometry, random_region, save

COS, SIN = np.cos(0.3), np.sin(0.3)
GRID = Geometry((12, 10, 6), (0.8, 1.3, 2.5), (-7.0, 8.0, 9.0), (COS, -SIN, 0, SIN, COS, 0, 0, 0, 1))
IMAGE = Volume(np.zeros(GRID.shape, np.int16), GRID, "CT", frame_of_reference=FRAME)
SQUARE = [(1.5, 1.5), (8.5, 1.5), (8.5, 7.5), (1.5, 7.5)]
HOLE = [(3.5, 3.5), (5.5, 3.5), (5.5, 5.5), (3.5, 5.5)]


def read(tmp_path: Path, dataset: Any, reference: Volume | None = IMAGE, **options: Any) -> Any:
    path = save(dataset, tmp_path / "rtstruct.dcm")
    return read_mask(path, reference=reference, options=MaskOptions(**options))


def box(columns: slice, rows: slice, *slices: int) -> np.ndarray:
    region = np.zeros(GRID.shape, bool)
    for k in slices:
        region[k, rows, columns] = True
    return region


def test_a_square_holds_the_voxels_whose_centres_lie_in_it(tmp_path: Path) -> None:
    mask = read(tmp_path, rtstruct_dataset({3: [polygon(GRID, k, SQUARE) for k in (1, 2)]}, names={3: "GTV 1"}))
    assert mask.geometry == GRID
    assert np.array_equal(mask.region(3), box(slice(2, 9), slice(2, 8), 1, 2))
    assert mask.segment_names == {3: "GTV 1"}
    assert mask.segments[3].colour == (1, 0, 0.2)
    assert mask.segments[3].type == Code("GTV", "99RTROITYPE", "GTV")
    assert mask.frame_of_reference == FRAME
    assert "centre lies inside" in mask.notes[0]
    assert len(mask.notes) == 1


def test_regions_without_a_name_go_by_their_labels_and_a_note_says_so(tmp_path: Path) -> None:
    rois = {number: [polygon(GRID, number, SQUARE)] for number in (1, 2, 3)}
    mask = read(tmp_path, rtstruct_dataset(rois, names={1: "GTV", 2: "", 3: ""}))
    assert mask.segment_names == {1: "GTV"}
    assert mask.labels_present() == (1, 2, 3)
    assert "Segments 2, 3 have no name in the file (ROIName is missing or empty)" in mask.notes[-1]


def test_regions_that_share_an_edge_through_centres_share_no_voxel_and_leave_none_between() -> None:
    left = np.array([[1, 1], [4, 1], [4, 6], [1, 6]], float)
    right = np.array([[4, 1], [7, 1], [7, 6], [4, 6]], float)
    pictures = np.zeros((2, 9, 9), int)
    for picture, contour in zip(pictures, (left, right), strict=True):
        region, place = rasterised([contour], (9, 9))
        picture[place] = region
    assert pictures.sum(axis=0).max() == 1
    assert np.array_equal(np.argwhere(pictures.any(axis=0)).min(axis=0), (1, 1))
    assert pictures.sum() == 6 * 5


def test_a_hole_several_parts_and_a_keyhole(tmp_path: Path) -> None:
    ring = box(slice(2, 9), slice(2, 8), 1) & ~box(slice(4, 6), slice(4, 6), 1)
    nested = [polygon(GRID, 1, SQUARE), polygon(GRID, 1, HOLE)]
    assert np.array_equal(read(tmp_path, rtstruct_dataset({1: nested})).region(1), ring)
    keyhole = [*SQUARE, SQUARE[0], HOLE[0], *HOLE[::-1], SQUARE[0]]
    assert np.array_equal(read(tmp_path, rtstruct_dataset({1: [polygon(GRID, 1, keyhole)]})).region(1), ring)
    island = [(4.5, 4.5), (5.5, 4.5), (5.5, 5.5), (4.5, 5.5)]
    aside = [(9.5, 8.5), (10.5, 8.5), (10.5, 9.5), (9.5, 9.5)]
    parts = [*nested, polygon(GRID, 1, island), polygon(GRID, 1, aside)]
    expected = ring | box(slice(5, 6), slice(5, 6), 1) | box(slice(10, 11), slice(9, 10), 1)
    assert np.array_equal(read(tmp_path, rtstruct_dataset({1: parts})).region(1), expected)


def test_a_contour_that_stands_there_twice_is_taken_once(tmp_path: Path) -> None:
    mask = read(tmp_path, rtstruct_dataset({1: [polygon(GRID, 1, SQUARE)] * 2}))
    assert mask.region(1).sum() == 42
    assert "1 contours stand there twice" in mask.notes[1]


def test_contours_that_cross_are_told(tmp_path: Path) -> None:
    aside = [(x + 3, y) for x, y in SQUARE]
    mask = read(tmp_path, rtstruct_dataset({1: [polygon(GRID, 1, SQUARE), polygon(GRID, 1, aside)]}))
    assert mask.region(1).sum() == 2 * 3 * 6
    assert "contours cross each other on 1 slices" in mask.notes[1]


def test_overlapping_regions_keep_all_of_their_voxels(tmp_path: Path) -> None:
    mask = read(tmp_path, rtstruct_dataset({2: [polygon(GRID, 1, SQUARE)], 7: [polygon(GRID, 1, HOLE)]}))
    assert mask.region(2).sum() == 42
    assert mask.region(7).sum() == 4
    assert (mask.labels == 2).sum() == 38


def test_what_encloses_nothing_is_left_out_with_a_note_and_an_empty_region_keeps_its_name(tmp_path: Path) -> None:
    line = polygon(GRID, 1, SQUARE)[:2]
    rois = {1: [polygon(GRID, 1, SQUARE), ("POINT", line[:1]), ("OPEN_PLANAR", line), line], 2: [("POINT", line[:1])]}
    mask = read(tmp_path, rtstruct_dataset(rois))
    assert mask.labels_present() == (1,)
    assert mask.segment_names == {1: "ROI 1", 2: "ROI 2"}
    notes = "\n".join(mask.notes)
    assert "ROI 1 (ROI 1): 1 contours of type POINT were left out" in notes
    assert "type OPEN_PLANAR" in notes
    assert "1 closed contours of fewer than 3 points" in notes
    assert "ROI 2 (ROI 2): 1 contours of type POINT" in notes


def test_contours_between_slices_go_to_the_nearest_with_a_note(tmp_path: Path) -> None:
    mask = read(tmp_path, rtstruct_dataset({1: [polygon(GRID, k, SQUARE) for k in (1.3, 2.3)]}))
    assert np.array_equal(mask.region(1), box(slice(2, 9), slice(2, 8), 1, 2))
    assert "up to 0.30 slices off" in mask.notes[1]


def test_contours_of_thicker_slices_fill_the_slices_between(tmp_path: Path) -> None:
    """Planes at 1.25 and 3.75, 2.5 slices apart: each holds for the slices within 1.25 slices."""
    contours = [polygon(GRID, 1.25, SQUARE), polygon(GRID, 3.75, HOLE)]
    mask = read(tmp_path, rtstruct_dataset({1: contours}))
    assert mask.labels.sum(axis=(1, 2)).tolist() == [42, 42, 42, 4, 4, 0]
    assert "within 1.25 slices" in mask.notes[1]


def test_contours_on_every_second_slice_leave_gaps_with_a_note(tmp_path: Path) -> None:
    mask = read(tmp_path, rtstruct_dataset({1: [polygon(GRID, k, SQUARE) for k in (0, 2, 4)]}))
    assert mask.labels.any(axis=(1, 2)).tolist() == [True, False, True, False, True, False]
    assert "at least 2 apart; the slices between have none" in mask.notes[1]


def test_contours_beyond_the_image_are_cut_and_told(tmp_path: Path) -> None:
    wide = [(-5, -5), (30, -5), (30, 4.5), (-5, 4.5)]
    mask = read(tmp_path, rtstruct_dataset({1: [polygon(GRID, k, wide) for k in (4, 5, 6, 7)]}))
    assert np.array_equal(mask.region(1), box(slice(0, 12), slice(0, 5), 4, 5))
    assert "in 2 planes lie above or below" in mask.notes[1]
    assert "on 2 slices reach beyond" in mask.notes[2]
    with pytest.raises(GeometryError, match="no voxel centre of the image lies inside"):
        read(tmp_path, rtstruct_dataset({1: [polygon(GRID, 40, SQUARE)]}))


def test_an_image_sliced_the_other_way_gets_the_same_voxels(tmp_path: Path) -> None:
    for order in ([(2, -1), (0, 1), (1, -1)], [(1, 1), (2, 1), (0, -1)]):
        geometry = reordered_geometry(GRID, order)
        other = Volume(np.zeros(geometry.shape), geometry)
        mask = read(tmp_path, rtstruct_dataset({1: [polygon(GRID, k, SQUARE) for k in (1, 2)]}), other)
        points = geometry.index_to_physical(np.argwhere(mask.region(1))[:, ::-1])
        index = np.rint(GRID.physical_to_index(points)).astype(int)
        assert mask.geometry == geometry
        assert {tuple(i[::-1]) for i in index.tolist()} == {
            tuple(i) for i in np.argwhere(box(slice(2, 9), slice(2, 8), 1, 2)).tolist()
        }


def test_without_the_image_or_as_an_image_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds contours, no voxels\. Give the image"):
        read(tmp_path, rtstruct_dataset({1: [polygon(GRID, 1, SQUARE)]}), None)
    with pytest.raises(InputError, match=r"expected an image, got a mask \(RTSTRUCT\)"):
        read_volume(tmp_path / "rtstruct.dcm")


def test_frames_of_reference_are_compared(tmp_path: Path) -> None:
    contours = {1: [polygon(GRID, 1, SQUARE)], 2: [polygon(GRID, 1, HOLE)]}
    with pytest.raises(MaskError, match="another frame of reference than the image"):
        read(tmp_path, rtstruct_dataset(contours, frames={1: "1.2.3", 2: "1.2.3"}))
    with pytest.raises(MaskError, match=r"2 frames of reference; not in the image's are ROI 2 \(ROI 2\)"):
        read(tmp_path, rtstruct_dataset(contours, frames={2: "1.2.3"}))
    mask = read(tmp_path, rtstruct_dataset(contours, frames={2: "1.2.3"}), any_frame=True)
    assert mask.labels_present() == (1, 2)
    assert any("accepted as asked for" in note for note in mask.notes)


def test_numbers_that_no_label_can_be_get_another_label(tmp_path: Path) -> None:
    mask = read(tmp_path, rtstruct_dataset({0: [polygon(GRID, 1, HOLE)], 1: [polygon(GRID, 2, HOLE)]}))
    assert mask.labels_present() == (1, 2)
    assert mask.segment_names == {1: "ROI 1", 2: "ROI 0"}
    assert mask.segments[2].number == 0
    assert "ROI 0 (ROI 0) has label 2 here" in mask.notes[1]


def test_random_regions_come_back_from_their_outlines(tmp_path: Path) -> None:
    check_random(tmp_path, range(25))


@pytest.mark.slow
def test_many_random_regions_come_back_from_their_outlines(tmp_path: Path) -> None:
    check_random(tmp_path, range(25, 500))


def check_random(tmp_path: Path, seeds: range) -> None:
    """Outlines along the pixels' edges enclose just the region's centres: equal, better than Dice 0.99."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        grid = random_geometry(rng)
        regions = {n: random_region(rng, grid) for n in (4, 9)}
        if seed % 2:
            regions[4] &= rng.random(grid.shape) > 0.1  # holes and islands
            regions[4].ravel()[rng.integers(regions[4].size)] = True
        rois = {n: outlines(region, grid) for n, region in regions.items()}
        order = {n: [rois[n][i] for i in rng.permutation(len(rois[n]))] for n in rois}
        mask = read(tmp_path, rtstruct_dataset(order), Volume(np.zeros(grid.shape), grid, frame_of_reference=FRAME))
        for number, region in regions.items():
            assert np.array_equal(mask.region(number), region), (seed, number)
