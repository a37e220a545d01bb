"""Parts of a region and rings around it, worked by hand."""

import numpy as np
import pytest

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Geometry, Mask, Segment
from deepradiomics.prepare.regions import connected_parts, ring

COS, SIN = np.cos(0.4), np.sin(0.4)
OBLIQUE = (COS, -SIN, 0, SIN, COS, 0, 0, 0, 1)


def mask_of(voxels: list[tuple[int, int, int]], shape: tuple[int, int, int], spacing: tuple[float, ...]) -> Mask:
    labels = np.zeros(shape, np.uint8)
    labels[tuple(np.array(voxels).T)] = 3
    geometry = Geometry(shape[::-1], spacing, (5.0, -3.0, 9.0), OBLIQUE)  # type: ignore[arg-type]
    return Mask(labels, geometry, "m", segments={3: Segment("lesion", (1, 0, 0))}, frame_of_reference="1.2")


def test_parts_are_numbered_by_size_and_keep_the_name() -> None:
    mask = mask_of([(0, 0, 0), (0, 2, 2), (0, 2, 3), (0, 2, 4)], (1, 4, 6), (1, 1, 1))
    parts = connected_parts(mask, 3)
    assert parts.labels_present() == (1, 2)
    assert parts.region(1).sum() == 3
    assert parts.region(2).sum() == 1
    assert parts.segment_names == {1: "lesion 1", 2: "lesion 2"}
    assert parts.segments[1].colour == (1, 0, 0)
    assert parts.geometry == mask.geometry
    assert parts.frame_of_reference == "1.2"


@pytest.mark.parametrize(("connectivity", "count"), [(6, 3), (18, 2), (26, 1)])
def test_neighbours_by_face_edge_or_corner(connectivity: int, count: int) -> None:
    mask = mask_of([(0, 0, 0), (0, 1, 1), (1, 2, 2)], (2, 3, 3), (1, 1, 1))
    assert len(connected_parts(mask, 3, connectivity=connectivity).labels_present()) == count  # type: ignore[arg-type]


def test_small_parts_are_left_out_with_a_note_and_none_left_is_refused() -> None:
    mask = mask_of([(0, 0, 0), (0, 0, 2), (0, 0, 3)], (1, 1, 5), (0.5, 1, 2))  # voxels of 1 mm³
    parts = connected_parts(mask, 3, minimum_mm3=2)
    assert parts.labels_present() == (1,)
    assert "1 parts smaller than 2 mm³ were left out" in parts.notes[0]
    with pytest.raises(MaskError, match=r"none of its 2 parts has 3 mm³; the largest has 2 mm³"):
        connected_parts(mask, 3, minimum_mm3=3)
    with pytest.raises(InputError, match="minimum_mm3"):
        connected_parts(mask, 3, minimum_mm3=float("nan"))
    with pytest.raises(InputError, match="6, 18 or 26"):
        connected_parts(mask, 3, connectivity=8)  # type: ignore[arg-type]


def test_a_covered_segment_is_split_in_all_of_its_voxels() -> None:
    labels = np.array([[[1, 2, 1]]], np.uint8)
    mask = Mask(labels, Geometry((3, 1, 1)), covered={1: labels > 0})
    assert connected_parts(mask, 1).region(1).sum() == 3


def test_a_ring_is_measured_in_millimetres_along_each_axis() -> None:
    """Spacing 1, 2, 3 mm: within 3 mm lie 3 voxels each way along x, 1 along y, 1 along z, and (2, 1, 0): √8 mm."""
    mask = mask_of([(3, 3, 5)], (7, 7, 11), (1, 2, 3))
    where = np.argwhere(ring(mask, 3, outer_mm=3).region(3)) - (3, 3, 5)
    expected = {(0, 0, x) for x in (-3, -2, -1, 1, 2, 3)}
    expected |= {(0, y, x) for y in (-1, 1) for x in (-2, -1, 0, 1, 2)} | {(1, 0, 0), (-1, 0, 0)}
    assert {tuple(index) for index in where.tolist()} == expected


def test_a_ring_begins_behind_its_inner_distance_and_never_holds_the_region() -> None:
    mask = mask_of([(0, 0, 4), (0, 0, 6)], (1, 1, 11), (2, 1, 1))
    around = ring(mask, 3, inner_mm=2, outer_mm=6)
    assert np.flatnonzero(around.labels).tolist() == [1, 2, 8, 9]  # 5 lies 2 mm from both: not farther than inner
    assert around.segment_names == {3: "lesion ring 2-6 mm"}
    assert around.labels_present() == (3,)
    assert not (ring(mask, 3, outer_mm=6).union() & mask.union()).any()


def test_a_ring_equals_the_distances_counted_by_brute_force() -> None:
    rng = np.random.default_rng(4)
    labels = (rng.random((9, 10, 11)) > 0.97).astype(np.uint8)
    mask = Mask(labels, Geometry((11, 10, 9), (0.7, 1.1, 2.9), direction=OBLIQUE))
    points = mask.geometry.index_to_physical(np.argwhere(labels)[:, ::-1])
    everywhere = mask.geometry.index_to_physical(np.argwhere(np.ones(labels.shape))[:, ::-1])
    distance = np.linalg.norm(everywhere[:, None] - points[None], axis=-1).min(axis=1).reshape(labels.shape)
    expected = (distance > 1) & (distance <= 3)
    assert np.array_equal(ring(mask, inner_mm=1, outer_mm=3).union(), expected)


def test_a_second_mask_cuts_the_ring_also_on_another_grid() -> None:
    mask = mask_of([(0, 0, 5)], (1, 1, 11), (1, 1, 1))
    half = np.zeros((1, 1, 11), np.uint8)
    half[..., 6:] = 2
    cut = ring(mask, 3, outer_mm=2, within=Mask(half, mask.geometry))
    assert np.flatnonzero(cut.labels).tolist() == [6, 7]
    fine = Mask(np.repeat(half, 2, axis=2), mask.geometry.resized((22, 1, 1)))
    resampled = ring(mask, 3, outer_mm=2, within=fine)
    assert np.array_equal(resampled.labels, cut.labels)
    assert "another grid" in resampled.notes[-1]
    with pytest.raises(MaskError, match="does the mask that cuts the ring lie around"):
        ring(mask, 3, outer_mm=2, within=Mask(np.zeros((1, 1, 11), np.uint8), mask.geometry))


def test_a_ring_that_leaves_the_image_says_so_and_wrong_distances_are_refused() -> None:
    mask = mask_of([(0, 0, 1)], (1, 1, 11), (1, 1, 1))
    assert "cut at its border" in ring(mask, 3, outer_mm=4).notes[-1]
    for distances in ({"outer_mm": 0.0}, {"outer_mm": 2.0, "inner_mm": 2.0}, {"outer_mm": np.inf}, {"outer_mm": -1.0}):
        with pytest.raises(InputError, match="0 <= inner_mm < outer_mm"):
            ring(mask, 3, **distances)
    with pytest.raises(MaskError, match=r"no voxel lies in the lesion ring 0-0\.5 mm"):
        ring(mask, 3, outer_mm=0.5)
    with pytest.raises(MaskError, match="no voxel has label 2"):
        ring(mask, 2, outer_mm=2)
