"""Slices lie as radiologists read them, whatever the image's own order of axes."""

import numpy as np
import pytest

from deepradiomics.images import VIEWS, Geometry, Volume
from deepradiomics.prepare import Box
from deepradiomics.reports.slices import letters, own_plane, place_in_words, take_slice
from Testing.unit.reports.fake_fingerprint import oblique_sagittal

_EDGES = {"axial": ("R", "L", "A", "P"), "coronal": ("R", "L", "S", "I"), "sagittal": ("A", "P", "S", "I")}


def _marked(direction: tuple[float, ...], size: tuple[int, int, int] = (7, 9, 11)) -> tuple[Volume, np.ndarray]:
    """An image that is 1 in one voxel, towards the patient's left, anterior and superior of its centre."""
    spacing = (3.0, 2.0, 1.0)
    plain = Geometry(size, spacing, (0.0, 0.0, 0.0), direction)
    target = np.array(plain.centre_mm) + np.array([4.0, -4.0, 4.0])
    index = np.rint(plain.physical_to_index(target)).astype(int)
    voxels = np.zeros(plain.shape, np.float32)
    voxels[tuple(index[::-1])] = 1
    return Volume(voxels, plain), plain.index_to_physical(index)


@pytest.mark.parametrize("plane", VIEWS)
@pytest.mark.parametrize(
    "direction",
    [
        (1, 0, 0, 0, 1, 0, 0, 0, 1),
        (-1, 0, 0, 0, -1, 0, 0, 0, 1),
        (0, 0, 1, 1, 0, 0, 0, -1, 0),  # a sagittal stack: x to posterior, y to inferior, z to left
        (0, 0, -1, 1, 0, 0, 0, -1, 0),
    ],
)
def test_a_mark_at_the_left_front_top_lies_right_and_up_in_every_plane(
    plane: str, direction: tuple[float, ...]
) -> None:
    volume, point = _marked(direction)
    found = take_slice(volume, plane, point)
    assert (found.left, found.right, found.top, found.bottom) == _EDGES[plane]
    row, column = np.argwhere(found.pixels == 1)[0]
    height, width = found.pixels.shape
    assert row < (height - 1) / 2  # anterior or superior is up
    assert (column > (width - 1) / 2) == (
        plane != "sagittal"
    )  # the patient's left is at the right, anterior at the left


def test_the_extent_keeps_the_spacing_of_thick_slices() -> None:
    volume = oblique_sagittal()
    sagittal, axial = (take_slice(volume, plane, volume.geometry.centre_mm) for plane in ("sagittal", "axial"))
    assert sagittal.pixels.shape == (80, 72)
    assert sagittal.extent_mm == pytest.approx((72 * 1.9, 80 * 1.7))
    assert axial.pixels.shape == (72, 14)
    assert axial.extent_mm == pytest.approx((14 * 7.0, 72 * 1.9))


def test_a_second_letter_names_a_clear_tilt() -> None:
    assert letters(np.array([0.0, -1.0, 0.0])) == "A"
    assert letters(np.array([0.0, -0.9, 0.436])) == "AS"
    assert letters(np.array([0.0, -0.98, 0.199])) == "A"


def test_the_own_plane_is_across_the_thick_slices() -> None:
    assert own_plane(oblique_sagittal().geometry) == "sagittal"
    assert own_plane(Geometry((4, 4, 4), (1.0, 1.0, 5.0))) == "axial"
    assert own_plane(Geometry((4, 4, 4), (1.0, 5.0, 1.0))) == "coronal"


def test_patches_are_named_by_where_they_lie() -> None:
    boxes = [Box((x, y, z), (2.0, 2.0, 2.0)) for z in (-1.0, 1.0) for y in (-1.0, 1.0) for x in (-1.0, 1.0)]
    words = [place_in_words(box, boxes) for box in boxes]
    assert words[0] == "inferior anterior right"
    assert words[7] == "superior posterior left"
    assert len(set(words)) == 8
    assert place_in_words(boxes[0], boxes[:1]) == "centre"


def test_a_tilted_grid_keeps_the_words_of_the_upright_one() -> None:
    c, s = np.cos(0.4), np.sin(0.4)
    axes = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    upright = [(x, y, z) for z in (-1.0, 1.0) for y in (-1.0, 1.0) for x in (-1.0, 1.0)]
    straight = [Box(p, (2.0, 2.0, 2.0)) for p in upright]
    tilted = [Box(tuple(axes @ np.array(p)), (2.0, 2.0, 2.0), axes) for p in upright]  # type: ignore[arg-type]
    assert [place_in_words(b, tilted) for b in tilted] == [place_in_words(b, straight) for b in straight]
