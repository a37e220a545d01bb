"""The cube around the brain: where it lies, what its grey levels mean, what becomes of the blood, and the way back."""

import dataclasses

import numpy as np
import pytest

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.prepare.components import components, largest_component
from deepradiomics.prepare.head.head import HeadRecipe, prepare_head, to_volume_grid
from deepradiomics.stats.overlap import dice
from Testing.unit.ich.ball_head import BLOOD_HU, BRAIN_HU, CENTRE, ball_head

RECIPE = HeadRecipe(size_zyx=(48, 48, 48), spacing_mm=4.0)


@pytest.fixture(scope="module")
def case() -> tuple[Volume, Mask]:
    return ball_head()


def test_the_cube_lies_around_the_brain_wherever_that_lies_in_the_image(case: tuple[Volume, Mask]) -> None:
    head = prepare_head(case[0], RECIPE)
    assert np.allclose(head.geometry.centre_mm, CENTRE, atol=4)
    assert head.notes == ()
    assert head.geometry.extent_mm == (192.0, 192.0, 192.0)
    assert head.image.shape == (48, 48, 48)


def test_grey_levels_are_the_window_from_0_to_1(case: tuple[Volume, Mask]) -> None:
    head = prepare_head(*case[:1], RECIPE, case[1])
    at = np.rint(head.geometry.physical_to_index(np.add(CENTRE, [[-30, 0, 0], [25, 0, 10], [0, 0, 90]]))).astype(int)
    brain, blood, air = (head.image[z - 1 : z + 2, y - 1 : y + 2, x - 1 : x + 2].mean() for x, y, z in at)
    assert brain == pytest.approx((BRAIN_HU + 20) / 140, abs=0.01)
    assert blood == pytest.approx((BLOOD_HU + 20) / 140, abs=0.01)
    assert air == 0
    assert head.image.dtype == np.float32
    assert 0 <= head.image.min() <= head.image.max() <= 1


def test_the_order_in_which_voxels_are_stored_does_not_matter(case: tuple[Volume, Mask]) -> None:
    volume, _ = case
    grid = volume.geometry
    last = grid.index_to_physical([grid.size[0] - 1, 0, grid.size[2] - 1])
    turned = Geometry(grid.size, grid.spacing_mm, tuple(last), (-1, 0, 0, 0, 1, 0, 0, 0, -1))
    other = prepare_head(Volume(volume.voxels[::-1, :, ::-1], turned), RECIPE)
    straight = prepare_head(volume, RECIPE)
    # The search for the brain looks at every second voxel or so, from one end or the other.
    assert np.allclose(other.geometry.centre_mm, straight.geometry.centre_mm, atol=3)
    assert np.array_equal(other.geometry.axes, straight.geometry.axes)
    assert np.corrcoef(other.image.ravel(), straight.image.ravel())[0, 1] > 0.95


def test_the_haematoma_keeps_its_volume_and_comes_back_to_its_place(case: tuple[Volume, Mask]) -> None:
    volume, mask = case
    head = prepare_head(volume, RECIPE, mask)
    assert head.mask is not None
    assert head.mask.dtype == np.uint8
    assert head.mask.sum() * 64 == pytest.approx(mask.labels.sum() * 45, rel=0.08)  # mm³
    back = to_volume_grid(head.mask, head, volume.geometry) >= 0.5
    assert dice(back, mask.labels == 1) > 0.88


def test_noise_is_averaged_where_the_cube_is_coarser_than_the_ct() -> None:
    noisy = prepare_head(ball_head(noise_hu=20, seed=1)[0], HeadRecipe(size_zyx=(16, 16, 16), spacing_mm=12.0))
    inside = noisy.image[7:10, 7:10, 4:7]
    assert inside.std() < 0.35 * 20 / 140  # linear interpolation alone would leave more


def test_a_lesion_smaller_than_a_voxel_stays_and_is_noted(case: tuple[Volume, Mask]) -> None:
    tiny = np.zeros(case[1].labels.shape, np.uint8)
    tiny[16, 34, 29] = 1
    head = prepare_head(case[0], HeadRecipe(size_zyx=(16, 16, 16), spacing_mm=12.0), Mask(tiny, case[1].geometry))
    assert head.mask is not None
    assert head.mask.sum() >= 1
    assert "smaller than the cube's voxels of 12 mm" in head.notes[0]


def test_a_lesion_larger_than_the_cube_is_refused_and_one_that_is_cut_is_noted(case: tuple[Volume, Mask]) -> None:
    volume, _ = case
    whole = Mask((volume.voxels > -500).astype(np.uint8), volume.geometry)
    with pytest.raises(MaskError, match=r"Case p1: \d\d% of the haematoma lie outside .* larger than the crop"):
        prepare_head(volume, HeadRecipe(size_zyx=(16, 16, 16), spacing_mm=4.0), whole, "p1")
    head = prepare_head(volume, HeadRecipe(size_zyx=(48, 48, 48), spacing_mm=3.0), whole)
    assert "of the haematoma lie outside the cube of 144 x 144 x 144 mm and are cut off" in head.notes[0]


def test_an_empty_mask_and_one_of_another_scan_are_refused(case: tuple[Volume, Mask]) -> None:
    volume, mask = case
    with pytest.raises(MaskError, match="Case p1: the mask of the haematoma is empty"):
        prepare_head(volume, RECIPE, Mask(np.zeros(mask.labels.shape, np.uint8), mask.geometry), "p1")
    away = dataclasses.replace(mask.geometry, origin_mm=(500.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="lies outside the CT"):
        prepare_head(volume, RECIPE, Mask(mask.labels, away))


def test_without_a_brain_the_cube_lies_around_the_head() -> None:
    voxels = np.full((20, 40, 40), -1000.0)
    voxels[5:15, 20:36, 20:36] = 500.0
    head = prepare_head(Volume(voxels, Geometry((40, 40, 20), (2.0, 2.0, 4.0))), RECIPE)
    assert "No brain was found" in head.notes[0]
    assert np.allclose(head.geometry.centre_mm, (55, 55, 38), atol=3)


def test_a_bottlenecks_map_fills_the_cube(case: tuple[Volume, Mask]) -> None:
    head = prepare_head(case[0], RECIPE)
    small = np.zeros((6, 6, 6), np.float32)
    small[3, 3, 3] = 1.0
    found = to_volume_grid(small, head, head.geometry)
    peak = np.array(np.unravel_index(found.argmax(), found.shape))
    assert np.abs(peak - 27.5).max() <= 0.5  # voxels 24 to 31
    assert found.shape == (48, 48, 48)


def test_a_recipe_survives_json_and_refuses_nonsense() -> None:
    recipe = HeadRecipe((0.0, 100.0), (64, 32, 32), 2.5)
    assert HeadRecipe.from_dict(recipe.to_dict()) == recipe
    assert HeadRecipe.from_dict({}) == HeadRecipe()
    for wrong, message in (
        ({"window_hu": (100.0, 0.0)}, "a lower and a higher"),
        ({"size_zyx": (4, 4, 4)}, "from 8 to 1024"),
        ({"spacing_mm": 0.0}, "spacing_mm: expected a number from 0.1 to 20"),
        ({"size_zyx": "cube"}, r"size_zyx: expected three whole numbers \(z, y, x\)"),
        ({"spacing": 1.0}, "Did you mean 'spacing_mm'"),
    ):
        with pytest.raises(InputError, match=message):
            HeadRecipe.from_dict(wrong)


def test_parts_are_numbered_by_size_and_corners_join() -> None:
    region = np.zeros((4, 4, 8), bool)
    region[0, 0, 0] = True
    region[2, 2, 2] = region[3, 3, 3] = True  # joined by a corner
    region[0, 0, 5:8] = True
    labels, counts = components(region)
    assert counts.tolist() == [3, 2, 1]
    assert (labels[0, 0, 6], labels[3, 3, 3], labels[0, 0, 0], labels[1, 1, 1]) == (1, 2, 3, 0)
    assert largest_component(region).sum() == 3
    assert not largest_component(np.zeros((2, 2, 2), bool)).any()
