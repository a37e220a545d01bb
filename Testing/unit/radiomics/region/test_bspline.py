"""Our B-spline resampling gives ITK's values, or leaves the work to ITK where rounding noise decides."""

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("numba")

from deepradiomics.radiomics.region import resampling
from deepradiomics.radiomics.region.bspline import resample_axes

OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def _image(shape: tuple[int, int, int], kind: Any, seed: int = 0) -> sitk.Image:
    values = np.random.default_rng(seed).normal(100, 60, shape).clip(0, 250).astype(kind)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((0.7, 0.9, 2.5))
    image.SetOrigin((-17.0, 3.5, 80.1))
    image.SetDirection(OBLIQUE)
    return image


def _grid(image: sitk.Image, origin: tuple[float, ...], spacing: tuple[float, ...], size: tuple[int, ...]) -> Any:
    grid = sitk.ResampleImageFilter()
    grid.SetInterpolator(sitk.sitkBSpline)
    grid.SetOutputDirection(image.GetDirection())
    grid.SetOutputOrigin(image.TransformContinuousIndexToPhysicalPoint(origin))
    grid.SetOutputSpacing(spacing)
    grid.SetSize(size)
    grid.SetOutputPixelType(image.GetPixelID())
    return grid


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int16, np.uint8])
@pytest.mark.parametrize(
    ("origin", "spacing", "size"),
    [((-0.3, -0.2, -0.4), (1.0, 1.0, 1.0), (60, 55, 40)), ((50.3, 42.1, 3.3), (0.45, 1.3, 0.9), (20, 18, 16))],
    ids=["all of it", "a part"],
)
def test_values_are_those_of_itk(kind: Any, origin: Any, spacing: Any, size: Any) -> None:
    image = _image((17, 70, 110), kind)
    grid = _grid(image, origin, spacing, size)
    ours = resampling._fast_bspline(image, grid, 2)
    theirs = grid.Execute(image)
    assert ours is not None
    assert ours.GetPixelID() == theirs.GetPixelID()
    assert (ours.GetSize(), ours.GetOrigin(), ours.GetDirection()) == (
        theirs.GetSize(), theirs.GetOrigin(), theirs.GetDirection(),
    )  # fmt: skip
    tolerance = {"f8": 1e-10, "f4": 1e-4}.get(np.dtype(kind).str[1:], 0)
    np.testing.assert_allclose(sitk.GetArrayFromImage(ours), sitk.GetArrayFromImage(theirs), rtol=0, atol=tolerance)


def test_short_lines_are_mirrored_as_itk_does() -> None:
    image = _image((4, 5, 6), np.float64)
    grid = _grid(image, (-0.3, -0.3, -0.3), (0.3, 0.4, 1.0), (12, 11, 9))
    ours = resampling._fast_bspline(image, grid, 1)
    np.testing.assert_allclose(sitk.GetArrayFromImage(ours), sitk.GetArrayFromImage(grid.Execute(image)), atol=1e-10)


def test_points_beyond_the_image_are_zero() -> None:
    image = _image((8, 9, 10), np.float64)
    grid = _grid(image, (-3.3, 2.2, 1.1), (1.0, 1.0, 1.0), (20, 3, 3))
    ours = sitk.GetArrayFromImage(resampling._fast_bspline(image, grid, 1))
    np.testing.assert_allclose(ours, sitk.GetArrayFromImage(grid.Execute(image)), atol=1e-10)
    assert (ours[:, :, 0] == 0).all()
    away = _grid(image, (40.3, 2.2, 1.1), (1.0, 1.0, 1.0), (4, 3, 3))
    assert (sitk.GetArrayFromImage(resampling._fast_bspline(image, away, 1)) == 0).all()


def test_whole_numbers_at_the_old_voxels_are_left_to_itk() -> None:
    voxels = np.random.default_rng(0).integers(0, 99, (9, 9, 9)).astype(np.int16)
    three = np.full(3, 3)
    assert resample_axes(voxels, np.full(3, 2.0), np.full(3, 1 / 3), three) is None
    assert resample_axes(voxels.astype(float), np.full(3, 2.0), np.full(3, 1 / 3), three) is not None


def test_a_point_on_the_images_outer_face_is_left_to_itk() -> None:
    assert resample_axes(np.ones((9, 9, 9)), np.full(3, -0.5), np.ones(3), np.full(3, 4)) is None


def test_other_axes_and_other_interpolators_are_left_to_itk() -> None:
    image = _image((8, 9, 10), np.float64)
    turned = _grid(image, (1.1, 1.1, 1.1), (1.0, 1.0, 1.0), (4, 4, 4))
    turned.SetOutputDirection((1, 0, 0, 0, 1, 0, 0, 0, 1))
    assert resampling._fast_bspline(image, turned, 1) is None
    linear = _grid(image, (1.1, 1.1, 1.1), (1.0, 1.0, 1.0), (4, 4, 4))
    linear.SetInterpolator(sitk.sitkLinear)
    assert resampling._fast_bspline(image, linear, 1) is None


def test_threads_change_no_value() -> None:
    voxels = np.random.default_rng(0).normal(size=(30, 40, 50))
    job = (np.array([2.1, 3.2, 4.3]), np.array([0.8, 1.1, 0.9]), np.array([30, 32, 40]))
    one, four = (resample_axes(voxels, *job, threads) for threads in (1, 4))
    np.testing.assert_array_equal(one, four)
