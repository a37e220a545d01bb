"""What features may not depend on: how the patient lies on the grid, the grey scale's origin, labels, box and batch."""

from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.radiomics import Settings, extract
from deepradiomics.radiomics.compute import feature_table
from deepradiomics.radiomics.region.region import Region

ISOTROPIC = (1.5, 1.5, 1.5)
IN_A_PLANE = {"Maximum2DDiameterSlice": 0, "Maximum2DDiameterColumn": 1, "Maximum2DDiameterRow": 2}  # across this axis
OF_THE_MESH = ("MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity")
ABOUT_THE_SPREAD = (
    "Entropy", "InterquartileRange", "Kurtosis", "MeanAbsoluteDeviation", "Range", "RobustMeanAbsoluteDeviation",
    "Skewness", "Uniformity", "Variance",
)  # fmt: skip
ABOUT_THE_PLACE = ("10Percentile", "90Percentile", "Maximum", "Mean", "Median", "Minimum")

# Every way to lay a volume on the grid: an order of its axes and a side for each (24 turns and 24 mirror images).
LAYINGS = list(product(permutations(range(3)), product((1, -1), repeat=3)))


def _settings(**setting: object) -> Settings:
    return Settings.from_params({"setting": setting})


def _region(seed: int, shape: tuple[int, int, int] = (7, 9, 8), spacing_mm: tuple = ISOTROPIC) -> Region:
    """Grey values with structure, in a random region with holes and several components."""
    rng = np.random.default_rng(seed)
    z, y, x = np.mgrid[: shape[0], : shape[1], : shape[2]]
    values = np.rint(40 * np.sin(z + 0.5 * y) + 60 * np.cos(0.7 * x) + rng.normal(0, 40, shape)).astype(np.int16)
    mask = rng.random(shape) < 0.7
    mask[[0, -1], [0, -1], [0, -1]] = True
    return Region(values, mask, spacing_mm, mask)


def _laid(region: Region, order: tuple[int, ...], sides: tuple[int, ...]) -> Region:
    flip = tuple(slice(None, None, side) for side in sides)
    values, mask = (array.transpose(order)[flip].copy() for array in (region.values, region.mask))
    return Region(values, mask, tuple(region.spacing_mm[axis] for axis in order), mask)  # type: ignore[arg-type]


def _values(region: Region, settings: Settings) -> dict[str, float]:
    table = feature_table([region], settings)
    return dict(zip((name.removeprefix("original_") for name in table.names), table.values[0].tolist(), strict=True))


def _assert_equal(found: dict[str, float], expected: dict[str, float], but: tuple[str, ...] = ()) -> None:
    assert found.keys() == expected.keys()
    for name in expected:
        if name.rpartition("_")[2] not in but:
            assert found[name] == pytest.approx(expected[name], rel=1e-9, abs=1e-9, nan_ok=True), name


def _textures(values: dict[str, float]) -> dict[str, float]:
    return {k: v for k, v in values.items() if not k.startswith(("shape", "firstorder"))}


@pytest.mark.parametrize("settings", [_settings(), _settings(distances=[1, 2], gldm_a=1)], ids=["defaults", "1 2"])
def test_turns_and_mirror_images_leave_every_feature_unchanged(settings: Settings) -> None:
    region = _region(1)
    expected = _values(region, settings)
    for order, sides in LAYINGS[::3]:
        found = _values(_laid(region, order, sides), settings)
        _assert_equal(found, expected, but=(*IN_A_PLANE, *OF_THE_MESH))
        for name, axis in IN_A_PLANE.items():
            across = next(n for n, a in IN_A_PLANE.items() if a == order[axis])
            assert found[f"shape_{name}"] == pytest.approx(expected[f"shape_{across}"]), (order, sides, name)


def test_turns_leave_the_mesh_of_a_compact_region_nearly_unchanged() -> None:
    """Nearly: a bent face is split along one of two diagonals. Where a region falls apart, its mesh has cracks."""
    z, y, x = np.mgrid[:14, :12, :13]
    mask = ((z - 6) / 6) ** 2 + ((y - 5) / 5) ** 2 + ((x - 4) / 4) ** 2 <= 1
    mask |= (z - 8) ** 2 + (y - 6) ** 2 + (x - 8) ** 2 <= 16
    region = _region(1, mask.shape)
    region = Region(region.values, mask, ISOTROPIC, mask)
    expected = _values(region, _settings())
    for order, sides in LAYINGS[::3]:
        found = _values(_laid(region, order, sides), _settings())
        for name in OF_THE_MESH:
            assert found[f"shape_{name}"] == pytest.approx(expected[f"shape_{name}"], rel=0.005), (order, sides, name)


def test_unequal_spacing_turns_with_the_volume() -> None:
    region = _region(2, spacing_mm=(3.0, 1.0, 0.5))
    settings = _settings(weightingNorm="euclidean")
    expected = _values(region, settings)
    for order, sides in LAYINGS[1::7]:
        _assert_equal(_values(_laid(region, order, sides), settings), expected, but=(*IN_A_PLANE, *OF_THE_MESH))


def test_slices_may_lie_across_any_axis() -> None:
    region = _region(3)
    expected = _textures(_values(region, _settings(force2D=True, force2Ddimension=0)))
    for order, sides in LAYINGS[::5]:
        settings = _settings(force2D=True, force2Ddimension=order.index(0))
        _assert_equal(_textures(_values(_laid(region, order, sides), settings)), expected)
    in_space = _textures(_values(region, _settings()))
    assert in_space["glcm_Contrast"] != pytest.approx(expected["glcm_Contrast"])


@pytest.mark.parametrize("shift", [25, -1000, 12_500])
def test_a_shift_by_whole_bins_moves_first_order_and_no_texture(shift: int) -> None:
    region = _region(4)
    moved = Region(region.values + np.int16(shift), region.mask, region.spacing_mm, region.mask)
    before, after = _values(region, _settings(binWidth=25)), _values(moved, _settings(binWidth=25))
    _assert_equal(_textures(after), _textures(before))
    for name in ABOUT_THE_SPREAD:
        assert after[f"firstorder_{name}"] == pytest.approx(before[f"firstorder_{name}"], abs=1e-9), name
    for name in ABOUT_THE_PLACE:
        assert after[f"firstorder_{name}"] == pytest.approx(before[f"firstorder_{name}"] + shift), name


def test_a_shift_by_part_of_a_bin_changes_the_levels() -> None:
    region = _region(4)
    moved = Region(region.values + np.int16(10), region.mask, region.spacing_mm, region.mask)
    before, after = _values(region, _settings(binWidth=25)), _values(moved, _settings(binWidth=25))
    assert after["glcm_Contrast"] != pytest.approx(before["glcm_Contrast"])


def test_a_fixed_number_of_bins_forgets_the_grey_scale() -> None:
    region = _region(5)
    rescaled = Region(region.values.astype(float) * 4 - 96, region.mask, region.spacing_mm, region.mask)
    before, after = _values(region, _settings(binCount=16)), _values(rescaled, _settings(binCount=16))
    _assert_equal(_textures(after), _textures(before))


def test_larger_voxels_change_lengths_only() -> None:
    region = _region(6)
    larger = Region(region.values, region.mask, (3.0, 3.0, 3.0), region.mask)
    before, after = _values(region, _settings()), _values(larger, _settings())
    _assert_equal(_textures(after), _textures(before))
    powers = {"MeshVolume": 3, "VoxelVolume": 3, "SurfaceArea": 2, "SurfaceVolumeRatio": -1, "Maximum3DDiameter": 1,
              "MajorAxisLength": 1, "Sphericity": 0, "Elongation": 0}  # fmt: skip
    for name, power in powers.items():
        assert after[f"shape_{name}"] == pytest.approx(before[f"shape_{name}"] * 2**power), name


def test_a_wider_box_around_the_region_changes_nothing() -> None:
    region = _region(7)
    border = ((3, 0), (1, 2), (0, 4))
    values, mask = np.pad(region.values, border, constant_values=999), np.pad(region.mask, border)
    for settings in (_settings(), _settings(force2D=True, distances=[1, 3])):
        wider = _values(Region(values, mask, region.spacing_mm, region.mask), settings)
        _assert_equal(wider, _values(region, settings))


def test_a_batch_gives_what_its_regions_give_one_by_one() -> None:
    shapes = [(7, 9, 8), (1, 5, 6), (3, 3, 3), (12, 2, 7), (7, 9, 8), (1, 1, 9), (2, 1, 2)]
    regions = [_region(k, shape) for k, shape in enumerate(shapes)]
    for settings in (_settings(), _settings(force2D=True, force2Ddimension=1), _settings(weightingNorm="infinity")):
        together = feature_table(regions, settings)
        for region, row in zip(regions, together.values, strict=True):
            alone = feature_table([region], settings)
            np.testing.assert_allclose(row, alone.values[0], rtol=1e-9, atol=1e-9)
        backwards = feature_table(regions[::-1], settings)
        np.testing.assert_allclose(backwards.values[::-1], together.values, rtol=1e-9, atol=1e-9)


def test_labels_are_names_only() -> None:
    rng = np.random.default_rng(8)
    image = sitk.GetImageFromArray(rng.integers(0, 300, (9, 10, 11)).astype(np.int16))
    labels = rng.integers(0, 4, (9, 10, 11)).astype(np.uint8)
    renamed = np.array([0, 7, 255, 2], np.uint8)
    first, second = sitk.GetImageFromArray(labels), sitk.GetImageFromArray(renamed[labels])
    for label in (1, 2, 3):
        before = extract(image, first, label=label)
        after = extract(image, second, label=int(renamed[label]))
        assert dict(after) == dict(before)
