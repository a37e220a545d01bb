"""Mesh, diameters and axes: cubes worked by hand, balls, symmetries."""

import numpy as np
import pytest

from deepradiomics.radiomics.features import diameters
from deepradiomics.radiomics.features.diameters import largest_distances
from deepradiomics.radiomics.features.mesh import area_and_volume, configurations, triangles, vertices
from deepradiomics.radiomics.features.shape import principal_variances, shape_features

UNIT = (1.0, 1.0, 1.0)


def _ball(radius: float) -> np.ndarray:
    n = int(radius) + 1
    z, y, x = np.mgrid[-n : n + 1, -n : n + 1, -n : n + 1]
    return z**2 + y**2 + x**2 <= radius**2


def test_a_single_voxel_is_an_octahedron() -> None:
    area, volume = area_and_volume(np.ones((1, 1, 1), bool), UNIT)
    assert area == pytest.approx(np.sqrt(3))  # eight triangles with edges √½
    assert volume == pytest.approx(1 / 6)


def test_a_block_loses_its_corners_and_edges() -> None:
    # n³ voxels: the cube of edge n - 1 between centres, half a voxel on each face, bevelled edges and corners
    n = 4
    area, volume = area_and_volume(np.ones((n, n, n), bool), UNIT)
    m = n - 1
    assert volume == pytest.approx(m**3 + 6 * m**2 / 2 + 12 * m / 8 + 1 / 6)
    assert area == pytest.approx(6 * m**2 + 12 * m * np.sqrt(0.5) + np.sqrt(3))


def test_every_configuration_and_its_complement_have_the_same_triangles_turned_round() -> None:
    table = triangles()
    assert len(table) == 256
    assert len(table[0]) == len(table[255]) == 0
    for k in range(128):
        np.testing.assert_array_equal(table[k], table[255 - k][:, ::-1])
    assert max(len(t) for t in table) <= 5


def test_configurations_count_each_corner() -> None:
    cubes = configurations(np.ones((1, 1, 1), bool))
    assert sorted(cubes.ravel().tolist()) == [1, 2, 4, 8, 16, 32, 64, 128]


def test_volume_and_area_scale_with_spacing() -> None:
    mask = _ball(4.3)
    area, volume = area_and_volume(mask, UNIT)
    doubled_area, doubled_volume = area_and_volume(mask, (2.0, 2.0, 2.0))
    assert doubled_volume == pytest.approx(8 * volume)
    assert doubled_area == pytest.approx(4 * area)
    assert area_and_volume(mask, (2.0, 1.0, 1.0))[1] == pytest.approx(2 * volume)


def test_a_ball_is_round() -> None:
    radius = 12.2
    f = shape_features(_ball(radius), UNIT)
    assert f["MeshVolume"] == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.02)
    assert f["Maximum3DDiameter"] == pytest.approx(2 * radius, abs=1)  # half a voxel at each end
    assert f["Elongation"] == pytest.approx(1)
    assert f["Flatness"] == pytest.approx(1)
    assert 0.9 < f["Sphericity"] <= 1
    assert f["SphericalDisproportion"] == pytest.approx(1 / f["Sphericity"])
    assert f["Compactness2"] == pytest.approx(f["Sphericity"] ** 3)


def test_shape_follows_the_region_when_axes_are_swapped() -> None:
    rng = np.random.default_rng(2)
    mask = rng.random((5, 7, 6)) < 0.6
    f, g = shape_features(mask, (3.0, 1.0, 2.0)), shape_features(mask.transpose(2, 1, 0), (2.0, 1.0, 3.0))
    swapped = {"Maximum2DDiameterSlice": "Maximum2DDiameterRow", "Maximum2DDiameterRow": "Maximum2DDiameterSlice"}
    for name in set(f) - {"MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity", "SphericalDisproportion",
                          "Compactness1", "Compactness2"}:  # fmt: skip
        assert g[swapped.get(name, name)] == pytest.approx(f[name]), name


def test_diameters_are_those_of_all_pairs() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        mask = rng.random(rng.integers(1, 7, 3)) < 0.5
        mask.flat[0] = True
        spacing = tuple(rng.uniform(0.5, 3, 3))
        points = vertices(mask)
        gap = points[:, None] - points[None]
        squared = ((gap * np.array(spacing) / 2) ** 2).sum(axis=2)
        expected = [np.sqrt(squared[gap[..., axis] == 0].max()) for axis in range(3)]
        np.testing.assert_allclose(largest_distances(points, spacing), [*expected, np.sqrt(squared.max())])


def test_diameters_need_no_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    points = vertices(_ball(3.2))
    fast = largest_distances(points, (1.0, 2.0, 1.5))
    monkeypatch.setattr("deepradiomics.kernels.available", lambda: False)
    monkeypatch.setattr(diameters, "_READY", {})
    np.testing.assert_array_equal(largest_distances(points, (1.0, 2.0, 1.5)), fast)


def test_axes_of_a_box_are_those_of_its_voxel_centres() -> None:
    least, minor, major = principal_variances(np.ones((2, 4, 6), bool), (1.0, 1.0, 2.0))
    assert (least, minor) == (pytest.approx(0.25), pytest.approx(1.25))
    assert major == pytest.approx(4 * 35 / 12)


def test_a_flat_region_has_no_thickness() -> None:
    f = shape_features(np.ones((1, 5, 5), bool), UNIT)
    assert f["Flatness"] == f["LeastAxisLength"] == 0
