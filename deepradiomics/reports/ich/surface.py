"""The surface of a region as a picture: triangles by marching cubes, drawn in parallel projection with light and shade.

    mask ─► isotropic field, smoothed ─► triangles at the level 0.5 ─► painter's order ─► one picture per direction

The smoothing takes the stairs of thick slices away. It is for the eye only: volumes are counted in voxels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.images import Geometry
from deepradiomics.radiomics.features.mesh import configurations, triangles
from deepradiomics.reports.slices import letters

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# What lies to the right and on top of a picture, in LPS; the viewer looks along their cross product, away from them.
VIEWS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "from the front": ((1, 0, 0), (0, 0, 1)),
    "from the patient's left": ((0, 1, 0), (0, 0, 1)),
    "from below": ((1, 0, 0), (0, -1, 0)),
}
_CELLS = 44  # along the longest side: enough for the eye, and some thousand triangles
_AMBIENT = 0.42
SCALE_BAR_MM = 20.0


def surface(region: np.ndarray, geometry: Geometry, cells: int = _CELLS) -> np.ndarray:
    """Triangles (t, 3 vertices, 3) in LPS millimetres of a region's surface, facing outwards.

    Args:
        region: bool (z, y, x); empty gives no triangle.
        geometry: of its grid.
        cells: steps along the longest side of the region.
    """
    from scipy.ndimage import gaussian_filter, map_coordinates

    where = np.argwhere(region)
    if not len(where):
        return np.zeros((0, 3, 3))
    low, high = where.min(axis=0), where.max(axis=0) + 1
    spacing = np.array(geometry.spacing_mm[::-1])  # z, y, x
    field = np.pad(region[tuple(map(slice, low, high))].astype(np.float32), 1)
    step = max(float(((high - low) * spacing).max()) / cells, 0.5 * float(spacing.min()))
    extent = (np.array(field.shape) - 1) * spacing  # from the first voxel's centre to the last one's
    count = np.ceil(extent / step).astype(int) + 1
    grids = [np.arange(n) * step / s for n, s in zip(count, spacing, strict=True)]
    fine = map_coordinates(field, np.meshgrid(*grids, indexing="ij"), order=1, mode="constant")
    fine = gaussian_filter(np.pad(fine, 2), 0.45 * np.maximum(spacing, step) / step)
    if fine.max() <= 0.5:  # so small or thin that smoothing would wash it away
        fine = np.pad(map_coordinates(field, np.meshgrid(*grids, indexing="ij"), order=1), 2)
    level = min(0.5, 0.9 * float(fine.max()))
    corners = marching_cubes(fine, level)  # (t, 3, 3) z, y, x in fine cells
    index = (corners - 2) * step / spacing - 1 + low
    placed = geometry.index_to_physical(index[..., ::-1])
    return placed if _volume(placed) >= 0 else placed[:, ::-1]


def marching_cubes(field: np.ndarray, level: float) -> np.ndarray:
    """Triangles (t, 3, 3), z, y, x in voxels, where a field (z, y, x) crosses a level; vertices lie between voxels.

    The engine's table of configurations; each vertex slides along its edge to where the level lies.
    """
    padded = np.pad(field, 1).astype(float)
    cubes = configurations(field >= level)
    parts = []
    for kind in np.unique(cubes[(cubes > 0) & (cubes < 255)]):
        where = np.argwhere(cubes == kind)  # (c, 3)
        middle = where[:, None, None, :] + triangles()[kind]  # (c, t, 3 vertices, 3)
        a, b = np.floor(middle).astype(int), np.ceil(middle).astype(int)
        low, high = padded[tuple(np.moveaxis(a, -1, 0))], padded[tuple(np.moveaxis(b, -1, 0))]
        share = np.clip((level - low) / np.where(high == low, 1, high - low), 0, 1)
        parts.append((a + share[..., None] * (b - a)).reshape(-1, 3, 3))
    return np.concatenate(parts) - 1 if parts else np.zeros((0, 3, 3))


def draw_surfaces(
    ax: Axes, surfaces: Sequence[tuple[np.ndarray, str]], view: str, reach: tuple[np.ndarray, np.ndarray]
) -> None:
    """Draw surfaces (triangles, colour), each upon those before it, seen from one of :data:`VIEWS`, with a 20 mm bar.

    What encloses another surface goes first: it is then seen around and behind it, as if its near side were of glass.

    Args:
        ax: where.
        surfaces: triangles in LPS, facing outwards.
        view: the direction.
        reach: lowest and highest LPS corner that the picture must hold.
    """
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgb

    right, up = (np.array(direction, float) for direction in VIEWS[view])
    towards = np.cross(right, up)  # the viewer
    light = 0.75 * towards + 0.55 * up - 0.35 * right
    light /= np.linalg.norm(light)
    for faces, colour in surfaces:
        normal = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
        length = np.linalg.norm(normal, axis=1)
        visible = (normal @ towards > 0) & (length > 0)
        shown, normal = faces[visible], normal[visible] / length[visible, None]
        order = np.argsort((shown @ towards).mean(axis=1), kind="stable")
        shade = _AMBIENT + (1 - _AMBIENT) * np.clip(normal @ light, 0, 1)[order]
        flat = np.stack([shown @ right, shown @ up], axis=-1)[order]  # (t, 3, 2)
        rgb = np.clip(np.array(to_rgb(colour)) * shade[:, None], 0, 1)
        triangles_2d: Any = flat  # an array is drawn twice as quickly as the list that the annotation asks for
        ax.add_collection(PolyCollection(triangles_2d, facecolors=rgb, edgecolors=rgb, linewidths=0.3))
    corners = np.array([[reach[i][0], reach[j][1], reach[k][2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    across, along = corners @ right, corners @ up
    ax.set(xlim=(across.min(), across.max()), ylim=(along.min(), along.max()), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_color("#BBBBBB")
    ax.set_title(f"seen {view}", fontsize=9)
    bar = across.min() + 0.04 * np.ptp(across) + np.array([0, SCALE_BAR_MM])
    ax.plot(bar, [along.min() + 0.04 * np.ptp(along)] * 2, color="black", linewidth=2, solid_capstyle="butt")
    for direction, x, y, sideways, upright in (
        (-right, 0.02, 0.5, "left", "center"),
        (right, 0.98, 0.5, "right", "center"),
        (up, 0.5, 0.98, "center", "top"),
        (-up, 0.5, 0.02, "center", "bottom"),
    ):
        ax.text(x, y, letters(direction), transform=ax.transAxes, fontsize=9, fontweight="bold", color="#444444",
                ha=sideways, va=upright)  # fmt: skip


def _volume(faces: np.ndarray) -> float:
    """Volume enclosed by triangles that face outwards; negative when they face inwards."""
    return float(np.einsum("ti,ti->", faces[:, 0], np.cross(faces[:, 1], faces[:, 2])) / 6)
