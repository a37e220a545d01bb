"""The surface of a haematoma encloses its volume, lies where the patient has it, and is seen the right way round."""

from __future__ import annotations

import numpy as np
import pytest

from deepradiomics.images import Geometry
from deepradiomics.reports.ich.surface import VIEWS, draw_surfaces, marching_cubes, surface
from deepradiomics.reports.slices import letters

_TILT = 0.3
TILTED = Geometry(
    (40, 36, 16), (1.2, 1.2, 4.0), (-30.0, 15.0, 70.0),
    (1, 0, 0, 0, np.cos(_TILT), -np.sin(_TILT), 0, np.sin(_TILT), np.cos(_TILT)),
)  # fmt: skip
MIRRORED = Geometry((40, 36, 16), (1.2, 1.2, 4.0), (30.0, 15.0, 70.0), (-1, 0, 0, 0, -1, 0, 0, 0, 1))


def _ball(geometry: Geometry, radius_mm: float = 13.0) -> np.ndarray:
    z, y, x = np.indices(geometry.shape)
    points = geometry.index_to_physical(np.stack([x, y, z], -1))
    return np.linalg.norm(points - np.array(geometry.centre_mm), axis=-1) < radius_mm


def _volume(triangles: np.ndarray) -> float:
    """Sum of signed tetrahedra, each by its determinant."""
    return float(np.linalg.det(triangles).sum() / 6)


@pytest.mark.parametrize("geometry", [TILTED, MIRRORED])
def test_the_surface_encloses_the_volume_and_faces_outwards_on_any_grid(geometry: Geometry) -> None:
    region = _ball(geometry)
    found = surface(region, geometry)
    expected = region.sum() * np.prod(geometry.spacing_mm)
    assert _volume(found - np.array(geometry.centre_mm)) == pytest.approx(expected, rel=0.06)
    # every corner within a voxel of the ball's surface
    distance = np.linalg.norm(found.reshape(-1, 3) - np.array(geometry.centre_mm), axis=1)
    assert abs(distance - 13.0).max() < 4.0
    assert distance.mean() == pytest.approx(13.0, abs=0.6)


def test_every_edge_of_the_surface_belongs_to_two_triangles() -> None:
    found = np.round(marching_cubes(np.pad(_ball(TILTED), 1).astype(float), 0.5), 6)
    corners = {tuple(corner): i for i, corner in enumerate(np.unique(found.reshape(-1, 3), axis=0).tolist())}
    edges: dict[frozenset[int], int] = {}
    for triangle in found.tolist():
        a, b, c = (corners[tuple(corner)] for corner in triangle)
        for edge in ((a, b), (b, c), (c, a)):
            edges[frozenset(edge)] = edges.get(frozenset(edge), 0) + 1
    assert edges
    assert set(edges.values()) == {2}


def test_marching_cubes_agree_with_an_independent_implementation_on_a_smooth_field() -> None:
    measure = pytest.importorskip("skimage.measure")
    z, y, x = np.indices((24, 22, 26)).astype(float)
    field = 9.0 - np.sqrt((z - 11.3) ** 2 + (y - 10.7) ** 2 + (x - 12.2) ** 2)
    found = marching_cubes(field, 0.0)
    vertices, faces, _, _ = measure.marching_cubes(field, 0.0)
    theirs = vertices.astype(float)
    assert abs(_volume(found)) == pytest.approx(abs(_volume(theirs[faces])), rel=2e-3)
    ours = np.unique(np.round(found.reshape(-1, 3), 6), axis=0)
    assert len(ours) == len(theirs)
    nearest = np.linalg.norm(ours[:, None] - theirs[None], axis=-1).min(axis=1)
    assert nearest.max() < 2e-5  # every vertex is one of theirs, which are single precision


def test_a_single_voxel_and_a_single_slice_have_a_surface_and_nothing_has_none() -> None:
    region = np.zeros(TILTED.shape, bool)
    assert surface(region, TILTED).shape == (0, 3, 3)
    region[8, 18, 20] = True
    assert len(surface(region, TILTED)) > 0
    region[8, 10:20, 10:20] = True
    assert len(surface(region, TILTED)) > 0


def test_the_views_are_those_of_a_radiologist() -> None:
    seen = {name: tuple(letters(np.array(one, float)) for one in sides) for name, sides in VIEWS.items()}
    assert seen["from the front"] == ("L", "S")  # as a coronal slice: the patient's left at the right
    assert seen["from the patient's left"] == ("P", "S")  # as a sagittal slice
    assert seen["from below"] == ("L", "A")  # as an axial slice
    viewer = {name: letters(np.cross(*(np.array(one, float) for one in sides))) for name, sides in VIEWS.items()}
    assert viewer == {"from the front": "A", "from the patient's left": "L", "from below": "I"}


def test_what_lies_nearer_to_the_viewer_is_painted_last_and_what_faces_away_is_not() -> None:
    pytest.importorskip("matplotlib")
    from deepradiomics.reports.canvas import new_figure

    def triangle(y: float, wide: float) -> np.ndarray:
        return np.array([[0, y, 0], [wide, y, 0], [0, y, wide]], float)

    near, far = triangle(-50, 10), triangle(50, 20)  # anterior is −y; both face the viewer in front
    figure = new_figure(3, 3)
    ax = figure.subplots()
    reach = np.full(3, -60.0), np.full(3, 60.0)
    draw_surfaces(ax, [(np.array([near, far, triangle(0, 30)[::-1]]), "red")], "from the front", reach)
    [drawn] = ax.collections
    assert [path.vertices[:, 0].max() for path in drawn.get_paths()] == [20, 10]
    assert sorted(ax.get_xlim()) == [-60, 60]
