"""The triangle mesh of a mask's surface: its area, its volume, and its vertices.

Marching cubes (Lorensen and Cline, Comput Graph 21 (1987) 163) at the level 0.5: every vertex is the middle of an edge
between a voxel inside and one outside. A cube of eight voxel centres is a configuration from 0 to 255:

         e0
    0 --------- 1          corner c adds 2**c to the configuration when it lies inside
    |\\          |\\         z runs from corners 0-3 to 4-7, y from 0 to 3, x from 0 to 1
  e8| \\ e3      | \\ e1     edges: e0 01, e1 12, e2 23, e3 30, e4 45, e5 56, e6 67, e7 74,
    |  3 --------- 2              e8 04, e9 15, e10 26, e11 37
    4 -|------- 5  |
     \\ |         \\ |      configuration 255 - k has the triangles of k, turned inside out
       7 --------- 6

Area and volume depend on each configuration's count and summed position only, so no triangle is ever built.
"""

import json
from functools import cache
from importlib.resources import files

import numpy as np

CORNERS = np.array(
    [(0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0)]
)  # (z, y, x)
EDGES = ((0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7))


@cache
def triangles() -> tuple[np.ndarray, ...]:
    """Return the triangles (T, 3 vertices, 3 coordinates z, y, x) of each of the 256 configurations, in its cube."""
    text = files("deepradiomics.radiomics.features").joinpath("mesh_triangles.json").read_text(encoding="utf-8")
    middles = np.array([(CORNERS[a] + CORNERS[b]) / 2 for a, b in EDGES])
    half = [middles[[int(e, 16) for e in row]].reshape(-1, 3, 3) for row in json.loads(text)["triangles"]]
    return (*half, *(t[:, ::-1] for t in reversed(half)))


@cache
def _per_configuration() -> tuple[np.ndarray, np.ndarray]:
    """Six-fold volume (256,) of each configuration seen from the cube's origin, and its sum of normals (256, 3)."""
    volume = np.array([np.linalg.det(t).sum() if len(t) else 0.0 for t in triangles()])
    normal = np.array(
        [
            (np.cross(t[:, 0], t[:, 1]) + np.cross(t[:, 1], t[:, 2]) + np.cross(t[:, 2], t[:, 0])).sum(axis=0)
            if len(t)
            else np.zeros(3)
            for t in triangles()
        ]
    )
    return np.rint(volume * 8) / 8, np.rint(normal * 4) / 4  # exact: vertices lie on half voxels


def configurations(mask: np.ndarray) -> np.ndarray:
    """Return the configuration of every cube of a mask padded by one voxel: (z, y, x) -> (z + 1, y + 1, x + 1)."""
    padded = np.pad(mask, 1).astype(np.uint8)
    size = [n - 1 for n in padded.shape]
    result = np.zeros(size, np.uint8)
    for c, corner in enumerate(CORNERS):
        result |= padded[tuple(slice(o, o + n) for o, n in zip(corner, size, strict=True))] << c
    return result


def area_and_volume(mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> tuple[float, float]:
    """Return the surface area (mm²) and the enclosed volume (mm³) of a mask's mesh.

    Args:
        mask: bool (z, y, x).
        spacing_mm: voxel spacing (z, y, x).
    """
    cubes = configurations(mask)
    surface = (cubes > 0) & (cubes < 255)
    kind = cubes[surface]
    position = np.argwhere(surface)  # (cubes, 3)
    counts = np.bincount(kind, minlength=256)
    summed = np.stack([np.bincount(kind, position[:, axis], 256) for axis in range(3)], axis=1)  # (256, 3)
    return area_and_volume_of(counts, summed, spacing_mm)


def area_and_volume_of(
    counts: np.ndarray, summed: np.ndarray, spacing_mm: tuple[float, float, float]
) -> tuple[float, float]:
    """Return area (mm²) and volume (mm³) from each configuration's count (256,) and summed position (256, 3)."""
    own_volume, normal = _per_configuration()
    volume = (own_volume @ counts + (normal * summed).sum()) / 6 * np.prod(spacing_mm)
    return float(_areas(tuple(spacing_mm)) @ counts), float(volume)


@cache
def _areas(spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Area (256,) of each configuration's triangles."""
    scaled = [t * np.array(spacing_mm) for t in triangles()]
    return np.array([np.linalg.norm(np.cross(t[:, 0] - t[:, 2], t[:, 1] - t[:, 2]), axis=1).sum() / 2 for t in scaled])


def vertices(mask: np.ndarray) -> np.ndarray:
    """Return the mesh's vertices (V, 3) as doubled voxel coordinates (z, y, x): odd where between two voxels."""
    padded = np.pad(mask, 1).view(np.int8)
    places = []
    for axis in range(3):
        edge = np.argwhere(np.diff(padded, axis=axis)) * 2
        edge[:, axis] += 1
        places.append(edge)
    return np.concatenate(places)
