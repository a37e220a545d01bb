"""Points on a sphere and the functions on it that LBP3D needs: a subdivided icosahedron, spherical harmonics."""

from itertools import pairwise

import numpy as np
import scipy  # which loads its parts when they are first used

_FACES = (
    (0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11), (1, 5, 9), (5, 11, 4), (11, 10, 2), (10, 7, 6),
    (7, 1, 8), (3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8), (3, 8, 9), (4, 9, 5), (2, 4, 11), (6, 2, 10), (8, 6, 7),
    (9, 8, 1),
)  # fmt: skip


def icosphere(subdivision: int, radius: float) -> np.ndarray:
    """Return the (10 · 4^subdivision + 2, 3) vertices of a sphere made from an icosahedron.

    Each edge is halved, and its middle moved outwards onto the sphere, as often as ``subdivision`` says.
    """
    short, long = 0.5257311121191336, 0.85065080835204
    vertices = np.array(
        [(-short, long, 0), (short, long, 0), (-short, -long, 0), (short, -long, 0),
         (0, -short, long), (0, short, long), (0, -short, -long), (0, short, -long),
         (long, 0, -short), (long, 0, short), (-long, 0, -short), (-long, 0, short)]
    )  # fmt: skip
    faces = list(_FACES)
    for _ in range(subdivision):
        sides = {tuple(sorted(edge)) for face in faces for edge in pairwise((*face, face[0]))}
        edges = sorted(sides, key=lambda edge: edge[::-1])  # trimesh's order, for the same rounding of sums
        middle = {edge: len(vertices) + k for k, edge in enumerate(edges)}
        halved = []
        for a, b, c in faces:
            d, e, f = (middle[min(edge), max(edge)] for edge in ((a, b), (b, c), (c, a)))
            halved += [(a, d, f), (d, b, e), (f, e, c), (d, e, f)]
        faces = halved
        middles = vertices[np.array(edges)].mean(axis=1)
        vertices = _onto_sphere(np.concatenate([vertices, middles]), radius)
    return vertices if subdivision else _onto_sphere(vertices, radius)


def _onto_sphere(points: np.ndarray, radius: float) -> np.ndarray:
    length = np.sqrt(np.dot(points**2, [1, 1, 1]))
    return points + points / length[:, None] * (radius - length)[:, None]


def spherical_harmonic(degree: int, order: int, azimuth: np.ndarray, polar: np.ndarray) -> np.ndarray:
    """Return Y of this degree and order (-degree … degree), complex128, with Condon and Shortley's phase.

    The polar angle enters by its cosine alone (its sine is taken as positive whatever the sign of the angle). It is
    SciPy's own function, for the same rounding as its other users, under the name it has since 1.15 or had before.
    """
    if hasattr(scipy.special, "sph_harm_y"):
        return scipy.special.sph_harm_y(degree, order, polar, azimuth)
    return scipy.special.sph_harm(order, degree, azimuth, polar)
