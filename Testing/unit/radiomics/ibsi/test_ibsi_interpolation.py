"""IBSI's interpolation: where the new grid lies, and what values stand on it."""

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry
from deepradiomics.radiomics.ibsi.interpolation import axis_matrix, interpolated, interpolated_roi, kind_of, new_grid


def test_the_manuals_example_four_voxels_of_3_mm_become_six_of_2_mm_around_the_same_centre() -> None:
    old = Geometry((4, 4, 1), (3, 3, 3), (10, 20, 30))
    new = new_grid(old, (2, 2, 0))
    assert new.size == (6, 6, 1)
    assert new.spacing_mm == (2, 2, 3)
    assert new.centre_mm == pytest.approx(old.centre_mm)
    assert new.origin_mm == pytest.approx((10 - 0.5, 20 - 0.5, 30))


def test_a_fractional_size_is_rounded_up_but_rounding_noise_is_not() -> None:
    assert new_grid(Geometry((9, 9, 60), (1, 1, 3.0)), (2, 2, 2)).size == (5, 5, 90)
    assert new_grid(Geometry((10, 10, 10), (0.1, 0.1, 0.3)), (0.2, 0.2, 0.1)).size == (5, 5, 30)


def test_an_oblique_grid_keeps_its_centre_and_directions() -> None:
    c, s = np.cos(0.3), np.sin(0.3)
    old = Geometry((7, 5, 3), (1.1, 0.9, 4), (3, -2, 8), (c, -s, 0, s, c, 0, 0, 0, 1))
    new = new_grid(old, (1, 1, 1))
    assert new.centre_mm == pytest.approx(old.centre_mm)
    assert new.direction == old.direction


def test_linear_interpolation_between_two_voxels_is_their_mean_and_edges_are_continued() -> None:
    matrix = axis_matrix(2, 3.0, 3, 2.0, "linear")  # places -0.1667, 0.5, 1.1667
    assert matrix @ [10.0, 20.0] == pytest.approx([10, 15, 20])


@pytest.mark.parametrize("kind", ["nearest", "linear", "cubic"])
def test_a_constant_image_stays_constant(kind: str) -> None:
    old = Geometry((6, 5, 4), (1.0, 1.3, 2.9))
    new = new_grid(old, (0.7, 0.7, 0.7))
    assert interpolated(np.full(old.shape, 7.0), old, new, kind) == pytest.approx(7.0)  # type: ignore[arg-type]


def test_linear_and_cubic_keep_a_straight_slope_away_from_the_edges() -> None:
    old = Geometry((30, 1, 1), (2.0, 1, 1))
    new = new_grid(old, (1, 1, 1))
    x = old.index_to_physical(np.stack([np.arange(30), np.zeros(30), np.zeros(30)], 1))[:, 0]
    x_new = new.index_to_physical(np.stack([np.arange(60), np.zeros(60), np.zeros(60)], 1))[:, 0]
    for kind in ("linear", "cubic"):
        found = interpolated(x.reshape(1, 1, 30), old, new, kind).ravel()  # type: ignore[arg-type]
        assert found[20:-20] == pytest.approx(x_new[20:-20], abs=1e-5)


def test_interpolation_by_matrices_equals_scipy_in_three_dimensions() -> None:
    from scipy.ndimage import map_coordinates

    old = Geometry((9, 8, 7), (1.0, 1.2, 3.0))
    new = new_grid(old, (0.8, 1.0, 1.5))
    voxels = np.random.default_rng(1).normal(size=old.shape)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in new.shape), indexing="ij"), -1)[..., ::-1]
    places = old.physical_to_index(new.index_to_physical(index))[..., ::-1]
    for kind, order in (("linear", 1), ("cubic", 3)):
        expected = map_coordinates(voxels, np.moveaxis(places, -1, 0), order=order, mode="nearest")
        assert interpolated(voxels, old, new, kind) == pytest.approx(expected, abs=1e-9)  # type: ignore[arg-type]


def test_an_interpolator_that_ibsi_does_not_describe_is_refused_with_the_choice() -> None:
    assert kind_of("sitkBSpline") == "cubic"
    assert kind_of(2) == "linear"
    with pytest.raises(InputError, match=r"sitkLanczosWindowedSinc.*sitkLinear"):
        kind_of("sitkLanczosWindowedSinc")


@pytest.mark.parametrize("seed", range(5))
def test_the_roi_is_the_interpolated_mask_of_at_least_one_half_though_only_its_box_is_worked_on(seed: int) -> None:
    rng = np.random.default_rng(seed)
    old = Geometry((11, 10, 9), (1.0, 1.2, 3.0))
    new = new_grid(old, tuple(rng.choice([0.7, 1.5, 2.0, 3.1], 3)))
    inside = np.zeros(old.shape, bool)
    low, high = rng.integers(0, 4, 3), rng.integers(6, 10, 3)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    inside[box] = rng.random(inside[box].shape) < 0.6
    whole = interpolated(inside, old, new, "linear").round(6) >= 0.5
    assert np.array_equal(interpolated_roi(inside, old, new, "cubic", 0.5), whole)
    assert whole.any()
    nearest = interpolated(inside, old, new, "nearest") >= 0.5
    assert np.array_equal(interpolated_roi(inside, old, new, "nearest", 0.5), nearest)
