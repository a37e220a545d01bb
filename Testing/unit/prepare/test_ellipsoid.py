"""The ellipsoid drawn where no one drew an organ: its volume, its place, its axes, whatever the grid's directions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Geometry
from deepradiomics.prepare.head.ellipsoid import central_ellipsoid

OBLIQUE = (0.98006658, 0.0, 0.19866933, 0.0, 1.0, 0.0, -0.19866933, 0.0, 0.98006658)  # turned by 0.2 about y
SAGITTAL = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)  # x index to posterior, y index to inferior, z index to left


@pytest.mark.parametrize("direction", [(1, 0, 0, 0, 1, 0, 0, 0, 1), OBLIQUE, SAGITTAL])
def test_it_has_the_volume_the_centre_and_the_extent_of_an_ellipsoid_along_the_patients_axes(direction):
    grid = Geometry((90, 90, 90), (0.8, 0.8, 0.9), (-20.0, 13.0, 100.0), direction)
    mask = central_ellipsoid(grid, (50, 40, 30))
    points = grid.index_to_physical(np.argwhere(mask.labels)[:, ::-1])
    volume = len(points) * math.prod(grid.spacing_mm)
    assert volume == pytest.approx(math.pi / 6 * 50 * 40 * 30, rel=0.01)
    np.testing.assert_allclose(points.mean(axis=0), grid.centre_mm, atol=1e-6)
    np.testing.assert_allclose(np.ptp(points, axis=0), (50, 40, 30), atol=1.9)


def test_by_hand_on_three_voxels_a_side():
    assert central_ellipsoid(Geometry((3, 3, 3)), (2, 2, 2)).labels[1].tolist() == [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    assert central_ellipsoid(Geometry((3, 3, 3)), (2.9, 2.9, 1)).labels.sum() == 9  # a disc with its corners


def test_the_default_is_as_large_as_a_prostate_and_says_that_no_reader_drew_it():
    mask = central_ellipsoid(Geometry((64, 64, 64)))
    assert mask.labels.sum() / 1000 == pytest.approx(47.1, abs=0.3)  # mL
    assert "not a reader's contour" in mask.source
    assert mask.labels_present() == (1,)


@pytest.mark.parametrize("axes", [(50, 40), (50, 0, 40), (50, math.nan, 40)])
def test_impossible_lengths_are_refused(axes):
    with pytest.raises(InputError, match="axes_mm: expected three positive lengths"):
        central_ellipsoid(Geometry((8, 8, 8)), axes)


def test_a_grid_too_coarse_for_it_is_refused():
    with pytest.raises(MaskError, match="holds no voxel"):
        central_ellipsoid(Geometry((2, 2, 2), (100.0, 100.0, 100.0)))
