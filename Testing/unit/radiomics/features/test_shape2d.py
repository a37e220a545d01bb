"""Outline, area, diameter and axes of flat regions: worked by hand, by symmetry, and against PyRadiomics."""

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import read_mask
from deepradiomics.radiomics.features.shape2d import outline, shape2d_features

UNIT = (1.0, 1.0, 1.0)


def _disc(radius: float) -> np.ndarray:
    n = int(radius) + 1
    y, x = np.mgrid[-n : n + 1, -n : n + 1]
    return (y**2 + x**2 <= radius**2)[None]


def test_a_single_pixel_is_a_diamond() -> None:
    f = shape2d_features(np.ones((1, 1, 1), bool), (5.0, 2.0, 1.0), 0)
    assert f["MeshSurface"] == pytest.approx(1.0)  # half of 2 mm × 1 mm
    assert f["PixelSurface"] == 2
    assert f["Perimeter"] == pytest.approx(4 * np.hypot(1, 0.5))
    assert f["MaximumDiameter"] == pytest.approx(2)
    assert f["MajorAxisLength"] == f["MinorAxisLength"] == 0
    assert np.isnan(f["Elongation"])


def test_a_rectangle_loses_its_four_corners() -> None:
    # 3 × 4 pixels of 2 mm × 1 mm: 6 mm × 4 mm, each corner a right triangle with legs 1 mm and 0.5 mm
    f = shape2d_features(np.ones((1, 3, 4), bool), (9.0, 2.0, 1.0), 0)
    assert f["MeshSurface"] == pytest.approx(6 * 4 - 4 * 0.25)
    assert f["Perimeter"] == pytest.approx(2 * (6 - 2) + 2 * (4 - 1) + 4 * np.hypot(1, 0.5))
    assert f["MaximumDiameter"] == pytest.approx(max(np.hypot(6, 3), np.hypot(4, 4)))
    assert f["MajorAxisLength"] == pytest.approx(4 * np.sqrt(8 / 3))  # centres at -2, 0, 2 mm
    assert f["MinorAxisLength"] == pytest.approx(4 * np.sqrt(1.25))  # centres at -1.5 ... 1.5 mm
    assert f["Elongation"] == pytest.approx(np.sqrt(1.25 / (8 / 3)))


def test_pixels_that_touch_at_a_corner_keep_outlines_of_their_own() -> None:
    apart, touching = np.eye(3, dtype=bool)[::2][:, [0, 2]], np.eye(2, dtype=bool)
    assert outline(touching, (1.0, 1.0)) == pytest.approx(outline(apart, (1.0, 1.0)))
    assert outline(touching, (1.0, 1.0)) == pytest.approx((2 * 4 * np.sqrt(0.5), 2 * 0.5))


def test_the_outline_of_a_hole_counts() -> None:
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    length, area = outline(ring, (1.0, 1.0))
    assert area == pytest.approx(9 - 4 / 8 - 0.5)
    assert length == pytest.approx(4 * 2 + 4 * np.sqrt(0.5) + 4 * np.sqrt(0.5))


def test_a_disc_is_round() -> None:
    f = shape2d_features(_disc(20.3), UNIT, 0)
    assert f["MeshSurface"] == pytest.approx(np.pi * 20.3**2, rel=0.01)
    assert f["MaximumDiameter"] == pytest.approx(41, abs=1)
    assert f["Elongation"] == pytest.approx(1)
    assert 0.9 < f["Sphericity"] < 1
    assert f["SphericalDisproportion"] == pytest.approx(1 / f["Sphericity"])
    assert f["PerimeterSurfaceRatio"] == pytest.approx(f["Perimeter"] / f["MeshSurface"])


@pytest.mark.parametrize("axis", [1, 2])
def test_the_plane_may_lie_across_any_axis_and_anywhere_in_the_box(axis: int) -> None:
    rng = np.random.default_rng(axis)
    mask = np.pad(rng.random((1, 6, 8)) < 0.6, ((2, 1), (0, 0), (0, 0)))
    expected = shape2d_features(mask, (5.0, 2.0, 0.7), 0)
    order = [1, 2]
    order.insert(axis, 0)
    spacing = tuple(np.array([5.0, 2.0, 0.7])[order])
    assert shape2d_features(mask.transpose(order), spacing, axis) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("mask", "axis", "message"),
    [
        (np.ones((2, 3, 3), bool), 0, r"spans 2 slices along z \(force2Ddimension 0\), expected one"),
        (np.ones((1, 3, 4), bool), 2, "spans 4 slices along x"),
        (np.zeros((1, 3, 4), bool), 0, "empty"),
        (np.ones((1, 3, 4), bool), 3, r"must be 0 \(z\), 1 \(y\) or 2 \(x\), got 3"),
    ],
)
def test_what_is_not_one_slice_is_refused(mask: np.ndarray, axis: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        shape2d_features(mask, UNIT, axis)


def _pyradiomics(mask: np.ndarray, spacing_mm: tuple[float, float, float], axis: int) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        radiomics = pytest.importorskip("radiomics")
        import SimpleITK as sitk
        from radiomics import shape2D

        radiomics.setVerbosity(60)
        image = sitk.GetImageFromArray(mask.astype(np.uint8))
        image.SetSpacing(spacing_mm[::-1])
        family = shape2D.RadiomicsShape2D(image, image, force2D=True, force2Ddimension=axis)
        for name in family.featureNames:
            family.enableFeatureByName(name)
        return {name: float(value) for name, value in family.execute().items()}


def test_random_masks_have_the_values_that_pyradiomics_gives() -> None:
    rng = np.random.default_rng(1)
    for k in range(300):
        axis = int(rng.integers(3))
        shape = rng.integers(1, 14, 3)
        shape[axis] = 1
        mask = rng.random(shape) < rng.choice([0.1, 0.3, 0.5, 0.8, 1])
        mask.flat[0] = True
        spacing = tuple(rng.uniform(0.3, 4, 3))
        ours, theirs = shape2d_features(mask, spacing, axis), _pyradiomics(mask, spacing, axis)
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-6, nan_ok=True), k  # axes of a line are noise about zero


@pytest.mark.parametrize("case", ["brain1", "brain2", "breast1"])
def test_published_values_of_a_slice_are_met(case: str, data_dir: Path) -> None:
    folder = data_dir / "pyradiomics"
    with (folder / "baseline" / "baseline_shape2D.csv").open(newline="", encoding="utf-8") as file:
        published = {row["featureName"]: row[f"{case}_shape2D"] for row in csv.DictReader(file)}
    box = [int(v) for v in published["diagnostics_Mask-corrected_BoundingBox"].strip("()").split(",")]
    labels = read_mask(folder / f"{case}_label.nrrd")
    mask = labels.labels[box[2] : box[2] + 1] == 1
    assert mask.sum() == int(published["diagnostics_Mask-corrected_VoxelNum"])
    found = shape2d_features(mask, tuple(labels.geometry.spacing_mm[::-1]), 0)
    expected = {k.rpartition("_")[2]: float(v) for k, v in published.items() if k.startswith("original_shape2D_")}
    assert len(expected) == 9
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-6), name
