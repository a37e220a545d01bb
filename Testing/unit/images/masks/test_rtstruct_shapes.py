"""Smooth shapes drawn as contours on random oblique grids: Dice >= 0.99, features as far apart as voxels."""

from pathlib import Path

import numpy as np
import pytest

from deepradiomics.images import Geometry, Mask, Volume, read_mask
from Testing.unit.images.masks.rtstruct_material import rtstruct_dataset
from Testing.unit.images.masks.seg_material import FRAME, random_geometry, save


def drawn_ellipsoid(rng: np.random.Generator, grid: Geometry) -> tuple[np.ndarray, list[np.ndarray]]:
    """The voxels whose centres lie in an ellipsoid, and its outlines on the slices, rounded to 0.01 mm as planning
    systems write them."""
    size = np.array(grid.size)
    centre, radius = rng.uniform(0.45, 0.55, 3) * (size - 1), rng.uniform(0.28, 0.4, 3) * size
    z, y, x = np.ogrid[tuple(slice(0, n) for n in grid.shape)]
    region = sum(((axis - c) / r) ** 2 for axis, c, r in zip((x, y, z), centre, radius, strict=True)) < 1
    angle = np.linspace(0, 2 * np.pi, int(rng.integers(80, 200)), endpoint=False)
    contours = []
    for k in range(size[2]):
        left = 1 - ((k - centre[2]) / radius[2]) ** 2
        if left > 0:
            column = centre[0] + radius[0] * np.sqrt(left) * np.cos(angle)
            row = centre[1] + radius[1] * np.sqrt(left) * np.sin(angle)
            contours.append(grid.index_to_physical(np.stack([column, row, np.full(len(angle), k)], axis=1)).round(2))
    return np.asarray(region), contours


def read_shape(folder: Path, seed: int) -> tuple[Volume, np.ndarray, Mask]:
    rng = np.random.default_rng(seed)
    grid = random_geometry(rng, 20, 36)
    region, contours = drawn_ellipsoid(rng, grid)
    image = Volume(rng.normal(100, 30, grid.shape).astype(np.float32), grid, "CT", frame_of_reference=FRAME)
    path = save(rtstruct_dataset({1: contours}), folder / "rtstruct.dcm")
    return image, region, read_mask(path, reference=image)


def check_shapes(folder: Path, seeds: range) -> list[float]:
    dice = []
    for seed in seeds:
        _, region, mask = read_shape(folder, seed)
        both = 2 * (region & mask.union()).sum() / (region.sum() + mask.union().sum())
        assert both >= 0.99, (seed, both)
        dice.append(float(both))
    return dice


def test_smooth_shapes_have_a_dice_of_at_least_0_99(tmp_path: Path) -> None:
    assert len(check_shapes(tmp_path, range(12))) == 12


@pytest.mark.slow
def test_many_smooth_shapes_have_a_dice_of_at_least_0_99(tmp_path: Path) -> None:
    dice = check_shapes(tmp_path, range(12, 300))
    print(f"Dice of {len(dice)} shapes: lowest {min(dice):.4f}, mean {np.mean(dice):.5f}")


@pytest.mark.parametrize("seed", range(3))
def test_features_differ_by_what_the_voxels_that_differ_explain(tmp_path: Path, seed: int) -> None:
    """Energy and volume differ by just the voxels that only one of the two regions has; the mean by no more than these
    can move it."""
    from deepradiomics import extract

    image, region, mask = read_shape(tmp_path, 1000 + seed)
    drawn = Mask(region.astype(np.uint8), image.geometry)
    ours, truth = (dict(extract(image, m, "fingerprint-107", label=1)) for m in (mask, drawn))
    more, less = mask.union() & ~region, region & ~mask.union()
    voxel_mm3 = float(np.prod(image.geometry.spacing_mm))
    values = image.voxels.astype(float)
    energy = "original_firstorder_Energy"
    assert ours[energy] - truth[energy] == pytest.approx(
        (values[more] ** 2).sum() - (values[less] ** 2).sum(), abs=1e-6 * truth[energy]
    )
    volume = "original_shape_VoxelVolume"
    assert ours[volume] - truth[volume] == pytest.approx((int(more.sum()) - int(less.sum())) * voxel_mm3, abs=1e-6)
    mean = "original_firstorder_Mean"
    share = (more.sum() + less.sum()) / min(region.sum(), mask.union().sum())
    assert abs(ours[mean] - truth[mean]) <= share * np.ptp(values)
    if not more.any() and not less.any():
        assert ours == truth
