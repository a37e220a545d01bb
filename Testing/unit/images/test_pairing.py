"""Image and mask are compared before anything is resampled."""

import numpy as np
import pytest

from deepradiomics.errors import MaskError
from deepradiomics.images import Geometry, Mask, MaskOptions, Volume
from deepradiomics.images.masks.axes import reordered_geometry
from deepradiomics.images.pairing import check_pair

GRID = Geometry((12, 10, 8), (1.0, 1.0, 2.0), (30.0, 20.0, 10.0))


def image(geometry: Geometry = GRID, frame: str = "") -> Volume:
    return Volume(np.zeros(geometry.shape, np.int16), geometry, "CT", frame_of_reference=frame)


def mask(geometry: Geometry = GRID, frame: str = "") -> Mask:
    labels = np.zeros(geometry.shape, np.uint8)
    labels[2:6, 3:8, 3:9] = 1
    return Mask(labels, geometry, "m", frame_of_reference=frame)


def moved(*shift: float) -> Geometry:
    origin = tuple(np.add(GRID.origin_mm, shift).tolist())
    return Geometry(GRID.size, GRID.spacing_mm, origin, GRID.direction)


def test_one_grid_needs_no_word() -> None:
    assert check_pair(image(frame="1"), mask(frame="1")) == check_pair(image(), mask(frame="1")) == ()
    assert check_pair(image(), mask(moved(5e-4, 0, 0))) == ()


def test_the_same_voxels_with_their_axes_in_another_order_need_no_word() -> None:
    for order in ([(0, -1), (1, -1), (2, 1)], [(2, 1), (0, -1), (1, 1)]):
        labels = np.ones(reordered_geometry(GRID, order).shape, np.uint8)
        assert check_pair(image(), Mask(labels, reordered_geometry(GRID, order))) == ()


def test_another_frame_of_reference_is_refused_unless_accepted() -> None:
    with pytest.raises(MaskError, match=r"Mask m: it was drawn in another frame of reference.*--any-frame"):
        check_pair(image(frame="1"), mask(frame="2"))
    notes = check_pair(image(frame="1"), mask(frame="2"), MaskOptions(any_frame=True))
    assert len(notes) == 1
    assert "accepted as asked for" in notes[0]


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        (moved(0.5, 0, 0), r"it has the image's grid, but 0\.5, 0, 0 mm aside"),
        (Geometry((12, 10, 8), (1, 1, 2.5), GRID.origin_mm), "as many voxels as the image, but another spacing"),
        (GRID.resized((24, 20, 8)), "24 x 20 x 8 voxels of 0.5 x 0.5 x 2 mm in the space of the image"),
        (GRID.crop((1, 1, 1), (10, 9, 7)), "it has another grid than the image"),
        (GRID.resized((8, 10, 12)), "8 x 10 x 12 voxels"),
    ],
)
def test_another_grid_is_described(geometry: Geometry, message: str) -> None:
    notes = check_pair(image(), mask(geometry))
    assert len(notes) == 1
    assert message.replace("\\", "") in notes[0]


def test_a_part_outside_is_told_and_all_of_it_is_refused() -> None:
    notes = check_pair(image(), mask(moved(6, 0, 0)))
    assert "50 % of its voxels lie outside the image" in notes[1]  # 3 of 6 columns
    with pytest.raises(MaskError, match=r"none of its 120 voxels lies inside the image: its grid is centred on"):
        check_pair(image(), mask(moved(100, 0, 0)))


def test_lps_and_ras_mistaken_for_each_other_are_recognised() -> None:
    turn = np.diag([-1.0, -1.0, 1.0])
    turned = Geometry(GRID.size, GRID.spacing_mm, tuple(turn @ GRID.origin_mm), tuple(turn.ravel()))
    with pytest.raises(MaskError, match="were LPS and RAS mistaken for each other"):
        check_pair(image(), mask(turned))
    near = Geometry((12, 10, 8), (1, 1, 2), (-4.0, -3.0, 0.0))
    mirrored = Geometry((12, 10, 8), (1, 1, 2), (4.0, 3.0, 0.0), tuple(turn.ravel()))
    assert "as if x and y had been written with the other sign" in check_pair(image(near), mask(mirrored))[0]


def test_an_empty_mask_on_another_grid_is_not_the_pairing_s_matter() -> None:
    empty = Mask(np.zeros(GRID.shape, np.uint8), moved(500, 0, 0))
    assert len(check_pair(image(), empty)) == 1
