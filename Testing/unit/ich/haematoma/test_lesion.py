"""The lesion crop: what is dilated, where the cube lies, what is flagged, and that maps come back to their place."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.ich.haematoma.lesion import CropRecipe, LesionCrop, dilate, lesion_crop, regions_on_ct, to_ct
from deepradiomics.images import Geometry, Mask, Volume
from Testing.unit.ich.head_balls import ball_mask, head, oblique


def centres(geometry: Geometry) -> np.ndarray:
    """LPS points of all voxel centres, (z, y, x, 3)."""
    z, y, x = np.indices(geometry.shape)
    return geometry.index_to_physical(np.stack([x, y, z], axis=-1))


def test_dilation_is_that_of_a_cube_of_five() -> None:
    region = np.random.default_rng(0).random((9, 10, 11)) > 0.97
    assert np.array_equal(dilate(region, 5), binary_dilation(region, np.ones((5, 5, 5))))
    assert np.array_equal(dilate(region, 1), region)


def test_the_ring_is_two_millimetres_thick_whatever_the_slices() -> None:
    for spacing in ((0.5, 0.5, 5.0), (1.0, 1.0, 1.0), (0.45, 0.45, 2.5)):
        volume, mask = head(spacing_mm=spacing, radius_mm=10.0)
        crop = lesion_crop(volume, mask)
        for axis in (1, 2):  # y and x: the lesion ends between two voxels of the CT
            rows = [np.flatnonzero(part.any(axis=tuple({0, 1, 2} - {axis}))) for part in (crop.mask, crop.dilated)]
            assert rows[0][0] - rows[1][0] == 2
            assert rows[1][-1] - rows[0][-1] == 2


def test_the_cube_has_one_millimetre_and_the_lesion_in_its_middle() -> None:
    volume, mask = head(radius_mm=9.0, centre_mm=(12.0, -8.0, 5.0))
    crop = lesion_crop(volume, mask)
    assert crop.image.shape == (64, 64, 64)
    assert crop.geometry.spacing_mm == (1.0, 1.0, 1.0)
    assert crop.scale == 1.0
    assert np.abs(np.array(crop.geometry.centre_mm) - (12.0, -8.0, 5.0)).max() < 1.5
    volume_mm3 = (mask.labels > 0).sum() * np.prod(mask.geometry.spacing_mm)
    assert crop.mask.sum() == pytest.approx(volume_mm3, rel=0.03)


def test_grey_levels_are_the_window_of_the_ct() -> None:
    grid = Geometry((40, 40, 40), (2.0, 2.0, 2.0), (-39.0, -39.0, -39.0))
    volume = Volume(centres(grid)[..., 0].astype(np.float32) * 3, grid)  # a ramp: linear interpolation is exact
    crop = lesion_crop(volume, ball_mask(grid, (0, 0, 0), 8.0))
    expected = np.clip((3 * centres(crop.geometry)[..., 0] + 20) / 140, 0, 1)
    assert np.abs(crop.image - expected).max() < 1e-5
    assert crop.image.min() == 0


def test_noise_of_finer_voxels_does_not_alias() -> None:
    grid = Geometry((160, 160, 16), (0.5, 0.5, 5.0))
    noise = np.random.default_rng(0).normal(50, 10, grid.shape).astype(np.float32)
    crop = lesion_crop(Volume(noise, grid), ball_mask(grid, grid.centre_mm, 8.0))
    middle = crop.image[28:36, 16:48, 16:48] * 140 - 20
    assert middle.std() < 3.0  # interpolation without smoothing leaves 4.2


@pytest.mark.parametrize("degrees", [(0.0, 0.0, 0.0), (20.0, -35.0, 50.0)])
def test_maps_come_back_to_where_they_lie_in_the_world(degrees: tuple[float, float, float]) -> None:
    grid = oblique(degrees, spacing_mm=(0.8, 0.9, 4.0))
    centre = grid.index_to_physical([45, 60, 14])
    volume = Volume(np.full(grid.shape, 40.0, np.float32), grid)
    mask = ball_mask(grid, centre, 11.0)
    crop = lesion_crop(volume, mask)
    hill = np.exp(-((np.linalg.norm(centres(crop.geometry) - centre, axis=-1) / 8) ** 2)).astype(np.float32)
    back = to_ct(hill, crop, grid)
    places = centres(grid)
    inside = crop.geometry.physical_to_index(places)  # brute force: each CT voxel asks in which voxel of the cube it is
    cell = np.floor(inside + 0.5 + 1e-6).astype(int)  # a point on a border belongs to the upper voxel
    within = ((cell >= 0) & (cell < 64)).all(axis=-1)
    dilated = np.zeros(grid.shape, bool)
    x, y, z = cell[within].T
    dilated[within] = crop.dilated[z, y, x]
    truth = np.exp(-((np.linalg.norm(places - centre, axis=-1) / 8) ** 2))
    assert ((back > 0) != dilated).mean() < 1e-5
    assert dilated.sum() > 300
    assert np.abs(back - truth)[dilated].max() < 0.02
    assert (mask.labels > 0)[dilated].sum() == (mask.labels > 0).sum()


def test_an_oblique_crop_sees_the_anatomy_at_its_world_coordinates() -> None:
    grid = oblique((15.0, 25.0, -40.0), spacing_mm=(0.9, 0.9, 2.0))
    world = centres(grid)
    volume = Volume((world @ np.array([0.5, -0.3, 0.4]) + 50).astype(np.float32), grid)
    crop = lesion_crop(volume, ball_mask(grid, grid.index_to_physical([50, 50, 25]), 9.0))
    expected = np.clip((centres(crop.geometry) @ np.array([0.5, -0.3, 0.4]) + 70) / 140, 0, 1)
    seen = (np.abs(grid.physical_to_index(centres(crop.geometry)) - (np.array(grid.size) - 1) / 2) < 40).all(axis=-1)
    near = crop.dilated & seen
    assert near.sum() > 1000
    assert np.abs(crop.image - expected)[near].max() < 1e-4


def test_a_mask_on_another_grid_gives_the_same_crop() -> None:
    volume, mask = head(spacing_mm=(1.0, 1.0, 2.0), radius_mm=10.0)
    finer = mask.geometry.resized([2 * n for n in mask.geometry.size])
    labels = mask.labels.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    one, other = lesion_crop(volume, mask), lesion_crop(volume, Mask(labels, finer))
    assert np.array_equal(one.mask, other.mask)
    assert np.array_equal(one.image, other.image)


def test_a_lesion_larger_than_the_crop_is_shrunk_and_flagged() -> None:
    volume, mask = head(radius_mm=38.0, size=96, spacing_mm=(1.5, 1.5, 1.5))
    crop = lesion_crop(volume, mask, case="c7")
    assert 0.7 < crop.scale < 0.85
    assert crop.geometry.spacing_mm[0] == pytest.approx(1 / crop.scale)
    assert crop.notes[0].startswith("Case c7: the dilated haematoma needs")
    for axis in range(3):  # all of it is inside, and nearly fills the cube
        there = np.flatnonzero(crop.dilated.any(axis=tuple({0, 1, 2} - {axis})))
        assert there[0] >= 0
        assert there[-1] <= 63
        assert there[-1] - there[0] >= 60
    ring_mm3 = crop.ring.sum() / crop.scale**3
    surface = 4 * np.pi * 38.0**2  # along a normal n a cube of half edge 2 mm adds 2·(|nx| + |ny| + |nz|), 3 on average
    assert ring_mm3 / surface == pytest.approx(3.2, abs=0.25)


def test_a_masked_crop_holds_nothing_but_the_dilated_lesion() -> None:
    volume, mask = head(radius_mm=9.0)
    plain, masked = lesion_crop(volume, mask), lesion_crop(volume, mask, CropRecipe(masked=True))
    assert (masked.image[~masked.dilated] == 0).all()
    assert (plain.image[~plain.dilated] > 0).any()
    assert np.array_equal(masked.image[plain.dilated], plain.image[plain.dilated])


def test_a_single_small_voxel_is_not_lost() -> None:
    grid = Geometry((60, 60, 60), (0.3, 0.3, 0.3))
    labels = np.zeros(grid.shape, np.uint8)
    labels[30, 30, 30] = 1
    crop = lesion_crop(Volume(np.full(grid.shape, 60.0, np.float32), grid), Mask(labels, grid))
    assert crop.mask.sum() == 1
    assert 27 <= crop.dilated.sum() <= 125


def test_a_lesion_at_the_edge_of_the_image_is_told() -> None:
    grid = Geometry((50, 50, 50))
    crop = lesion_crop(Volume(np.full(grid.shape, 60.0, np.float32), grid), ball_mask(grid, (25, 25, 1), 8.0), case="e")
    assert "outside the image" in crop.notes[0]
    assert crop.image[:20].max() == 0


def test_regions_on_the_ct_are_haematoma_and_ring() -> None:
    volume, mask = head(spacing_mm=(0.5, 0.5, 3.0), radius_mm=8.0, size=96)
    crop = lesion_crop(volume, mask)
    regions = regions_on_ct(crop, mask, volume.geometry)
    assert np.array_equal(regions == 1, mask.labels > 0)
    assert (regions == 2).sum() > 500
    assert regions.dtype == np.uint8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 63}, "size: expected an even number"),
        ({"dilation_voxels": 4}, "dilation_voxels: expected an odd number"),
        ({"window_hu": (100, 0)}, "window_hu: expected low < high"),
        ({"spacing_mm": 0.0}, "spacing_mm: expected a number"),
    ],
)
def test_options_out_of_range_are_told(options: dict[str, object], message: str) -> None:
    volume, mask = head()
    with pytest.raises(InputError, match=message):
        lesion_crop(volume, mask, CropRecipe(**options))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message):
        CropRecipe(**options)  # type: ignore[arg-type]


def test_empty_and_foreign_masks_are_told() -> None:
    volume, mask = head()
    with pytest.raises(MaskError, match="no voxel has label 1"):
        lesion_crop(volume, Mask(np.zeros(mask.geometry.shape, np.uint8), mask.geometry))
    far = Geometry(mask.geometry.size, mask.geometry.spacing_mm, (900.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="Case a: the haematoma's middle lies outside the image"):
        lesion_crop(volume, Mask(mask.labels, far), case="a")


def test_a_recipe_survives_its_json() -> None:
    recipe = CropRecipe((0, 90), 32, 2.0, True, 3)
    assert CropRecipe.from_dict(recipe.to_dict()) == recipe
    with pytest.raises(InputError, match="Did you mean 'masked'"):
        CropRecipe.from_dict({"mask": True})


def test_whole_numbers_come_back_as_whole_numbers() -> None:
    volume, mask = head(radius_mm=9.0)
    crop: LesionCrop = lesion_crop(volume, mask)
    labels = crop.mask.astype(np.uint8) * 3
    assert set(np.unique(to_ct(labels, crop, volume.geometry))) == {0, 3}
