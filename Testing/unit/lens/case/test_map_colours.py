"""Colours span the region's interior: neither a wild voxel nor the capsule decides them."""

from __future__ import annotations

import numpy as np
import pytest

from deepradiomics.lens.case.colours import colour_range, signed_range


def capsule(kernel_radius: int = 1, edge: float = 1000.0) -> np.ndarray:
    """A ball of values 40 to 60 whose windows on the border see another tissue; NaN outside."""
    z, y, x = np.indices((24, 24, 24)) - 11.5
    distance = np.sqrt(z**2 + y**2 + x**2)
    values = np.random.default_rng(0).uniform(40, 60, distance.shape)
    values[distance > 10 - kernel_radius] = edge
    values[distance > 10] = np.nan
    return values


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_the_capsule_does_not_decide_the_colours(radius: int) -> None:
    values = capsule(radius)
    low, high = colour_range(values, radius)
    assert 39 < low < 45
    assert 55 < high < 61
    assert np.nanpercentile(values, 99) == 1000  # over the whole region it would


def test_a_region_without_an_interior_is_taken_whole() -> None:
    thin = np.full((1, 12, 12), np.nan)
    thin[0, 1:-1, 1:-1] = np.arange(100.0).reshape(10, 10)
    assert colour_range(thin) == pytest.approx((0.99, 98.01))


def test_as_much_border_is_left_out_as_the_region_allows() -> None:
    values = np.full((9, 14, 14), np.nan)
    values[1:-1, 1:-1, 1:-1] = 500.0
    values[2:-2, 2:-2, 2:-2] = 7.0  # 500 voxels of 1,008; two voxels in, 192; three, 36
    values[3:-3, 3:-3, 3:-3] = np.linspace(1, 2, 192).reshape(3, 8, 8)
    assert colour_range(values, 1)[1] == pytest.approx(2, abs=0.05)
    assert colour_range(values, 2)[1] == pytest.approx(2, abs=0.05)  # 36 voxels would be too few


def test_ends_are_apart_even_where_all_values_are_equal_and_without_values() -> None:
    assert colour_range(np.full((3, 3, 3), 4.0)) == (2.0, 6.0)
    assert colour_range(np.zeros((3, 3, 3))) == (-0.5, 0.5)
    assert colour_range(np.full((3, 3, 3), np.nan)) == (0.0, 1.0)


def test_both_signs_run_from_as_far_below_0_as_above() -> None:
    assert signed_range(-2.0, 5.0) == (-5.0, 5.0)
    assert signed_range(0.0, 5.0) is None
