"""A grid lies in the patient where its numbers say."""

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import GeometryError
from deepradiomics.images import Geometry


def oblique() -> Geometry:
    a, b = np.deg2rad(20), np.deg2rad(-35)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    rz = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return Geometry((7, 5, 4), (0.5, 1.5, 3.0), (10.0, -20.0, 30.0), tuple((rz @ rx).ravel()))


def test_indices_map_to_the_points_that_simpleitk_gives() -> None:
    g = oblique()
    image = sitk.Image(g.size, sitk.sitkUInt8)
    image.SetSpacing(g.spacing_mm)
    image.SetOrigin(g.origin_mm)
    image.SetDirection(g.direction)
    for index in [(0, 0, 0), (6, 4, 3), (2.5, 1.25, 0.5)]:
        expected = image.TransformContinuousIndexToPhysicalPoint(index)
        assert g.index_to_physical(index) == pytest.approx(expected, abs=1e-9)
        assert g.physical_to_index(expected) == pytest.approx(index, abs=1e-9)


def test_resizing_keeps_the_outer_edges() -> None:
    g = oblique()
    assert np.allclose(g.resized((14, 3, 9)).corners_mm(), g.corners_mm())


def test_a_crop_keeps_each_voxel_where_it_was() -> None:
    g = oblique()
    crop = g.crop((2, 1, 1), (3, 3, 2))
    assert np.allclose(crop.index_to_physical((1, 1, 1)), g.index_to_physical((3, 2, 2)))


def test_affine_and_dictionary_round_trips_give_the_same_grid() -> None:
    g = oblique()
    assert Geometry.from_affine(g.affine, g.size).is_close(g, 1e-9)
    assert Geometry.from_dict(g.to_dict()) == g


def test_ras_is_lps_with_two_signs_turned() -> None:
    g = oblique()
    ras = g.ijk_to_ras @ np.array([1, 2, 3, 1])
    assert ras[:3] == pytest.approx(g.index_to_physical((1, 2, 3)) * [-1, -1, 1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": (0, 1, 1)}, "at least one voxel"),
        ({"spacing_mm": (1, 0, 1)}, "positive"),
        ({"origin_mm": (float("nan"), 0, 0)}, "finite"),
        ({"direction": (1, 0.5, 0, 0, 1, 0, 0, 0, 1)}, "orthonormal"),
    ],
)
def test_impossible_grids_are_refused_in_words(change: dict, words: str) -> None:
    with pytest.raises(GeometryError, match=words):
        Geometry(**({"size": (2, 2, 2)} | change))
