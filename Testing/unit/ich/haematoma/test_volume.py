"""Volume, parts and ABC/2: numbers worked by hand, an ellipsoid's formula, and what does not change them."""

import numpy as np
import pytest

from deepradiomics.errors import MaskError
from deepradiomics.ich.haematoma.volume import abc2, check_lesion_size, lesion_mask, lesions, size_record, volume_ml
from deepradiomics.images import Geometry, Mask

GRID = Geometry((40, 40, 12), (1.0, 1.0, 5.0), (10.0, -20.0, 30.0))


def ellipsoid(semi_mm: tuple[float, float, float], spacing: tuple[float, float, float], turn: float = 0.0) -> Mask:
    size = tuple(int(2 * max(semi_mm) / step) + 5 for step in spacing)
    grid = Geometry(size, spacing)  # type: ignore[arg-type]
    index = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), -1)[..., ::-1]
    at = grid.index_to_physical(index) - grid.centre_mm
    c, s = np.cos(turn), np.sin(turn)
    turned = np.stack([c * at[..., 0] + s * at[..., 1], c * at[..., 1] - s * at[..., 0], at[..., 2]], -1)
    return Mask((((turned / semi_mm) ** 2).sum(-1) <= 1).astype(np.uint8), grid)


def test_a_box_has_its_volume_and_other_labels_do_not_count() -> None:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[2:4, 10:20, 10:30] = 1
    labels[8, 0, 0] = 2
    assert volume_ml(Mask(labels, GRID)) == pytest.approx(2 * 10 * 20 * 5 / 1000)
    assert volume_ml(Mask(labels, GRID), 2) == pytest.approx(0.005)
    assert volume_ml(Mask(labels, GRID), 3) == 0


def test_parts_are_told_from_large_to_small_with_their_place() -> None:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[1, 1:3, 1:3] = 1
    labels[5, 10:20, 30:34] = 1
    found = lesions(Mask(labels, GRID))
    assert [(one.number, one.voxels) for one in found] == [(1, 40), (2, 4)]
    assert found[0].ml == pytest.approx(0.2)
    assert found[0].centre_mm == pytest.approx((10 + 31.5, -20 + 14.5, 30 + 25))
    assert lesion_mask(Mask(labels, GRID)).labels[1, 1, 1] == 2
    assert len(lesions(Mask(labels, GRID), minimum_ml=0.1)) == 1
    assert lesions(Mask(np.zeros(GRID.shape, np.uint8), GRID)) == ()


@pytest.mark.parametrize("turn", [0.0, 0.5, 1.2])
def test_an_ellipsoid_is_measured_along_its_axes_however_it_lies_in_the_slice(turn: float) -> None:
    found = abc2(ellipsoid((30, 18, 22), (0.5, 0.5, 2.0), turn))
    assert found.a_mm == pytest.approx(60, rel=0.02)
    assert found.b_mm == pytest.approx(36, rel=0.03)
    # Slices at height z have the share 1 - (z/22)² of the largest area: above 75 % for |z| < 11, above 25 % for
    # |z| < 19.05, so that C = 22 + ½ · 16.1 = 30 mm; the whole height would be 44.
    assert found.c_mm == pytest.approx(30, abs=2.0)
    assert found.ml == pytest.approx(found.a_mm * found.b_mm * found.c_mm / 2000)


def test_slices_count_by_their_area() -> None:
    labels = np.zeros(GRID.shape, np.uint8)
    for z, pixels in ((2, 4), (3, 10), (4, 20), (5, 16), (6, 15), (7, 5)):  # of 20: 20, 50, 100, 80, 75, 25 %
        labels[z, 10, 10 : 10 + pixels] = 1
    # Rows of one pixel: A is the longest, B one pixel; 0 + ½ + 1 + 1 + ½ + ½ slices of 5 mm.
    found = abc2(Mask(labels, GRID))
    assert (found.a_mm, found.b_mm, found.c_mm) == (20.0, 1.0, 17.5)
    assert found.ml == pytest.approx(0.175)


def test_a_diameter_is_the_longest_line_across_and_right_angles_are_kept() -> None:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[4, 10:13, 5:35] = 1  # 30 by 3 mm
    labels[4, 13:20, 8:11] = 1  # with a spur: 10 mm across at one place
    found = abc2(Mask(labels, GRID))
    assert found.a_mm == pytest.approx(np.hypot(29, 2) + 1, rel=0.03)
    assert found.b_mm == pytest.approx(10, rel=0.1)


def test_the_storage_of_the_slices_does_not_matter() -> None:
    mask = ellipsoid((30, 18, 22), (0.8, 0.8, 4.0))
    grid = mask.geometry
    # The same voxels with the body's axis first: index x runs along S.
    turned = Geometry(
        (grid.size[2], grid.size[0], grid.size[1]), (4.0, 0.8, 0.8), direction=(0, 1, 0, 0, 0, 1, 1, 0, 0)
    )
    other = abc2(Mask(np.transpose(mask.labels, (1, 2, 0)), turned))
    found = abc2(mask)
    assert (other.a_mm, other.b_mm, other.c_mm) == pytest.approx((found.a_mm, found.b_mm, found.c_mm))


def test_one_voxel_is_one_voxel_and_of_several_parts_the_largest_is_measured() -> None:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[4, 4, 4] = 1
    assert abc2(Mask(labels, GRID)) == abc2(Mask(labels, GRID)).__class__(1.0, 1.0, 5.0, 0.0025)
    labels[8, 20:30, 20] = 1
    assert abc2(Mask(labels, GRID)).a_mm == pytest.approx(10)


def test_small_and_scattered_haematomas_are_noted_and_an_empty_one_is_refused() -> None:
    labels = np.zeros(GRID.shape, np.uint8)
    with pytest.raises(MaskError, match="empty"):
        check_lesion_size(Mask(labels, GRID))
    with pytest.raises(MaskError, match="no voxel has label 1"):
        abc2(Mask(labels, GRID))
    assert size_record(Mask(labels, GRID)) == {
        "volume_ml": 0.0, "abc2_ml": None, "abc": None, "lesions": [], "notes": [],
    }  # fmt: skip
    labels[4, 4:8, 4:8] = 1
    labels[9, 9, 9] = 1
    tiny, parts = check_lesion_size(Mask(labels, GRID))
    assert tiny.startswith("Tiny haematoma: 0.09 mL")
    assert "2 separate parts" in parts
    labels[2:6, 10:30, 10:30] = 1
    assert not [note for note in check_lesion_size(Mask(labels, GRID)) if "Tiny" in note]
