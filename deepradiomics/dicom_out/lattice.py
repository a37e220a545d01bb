"""on_grid: the voxels of a region on another grid, where both grids have the same voxels (cropped, turned, mirrored).

Nothing is interpolated: a region that lies between the voxels of the other grid is refused.
"""

import numpy as np

from deepradiomics.errors import GeometryError
from deepradiomics.images import Geometry

_OFF_VOXEL = 0.01  # part of a voxel by which centres may differ: rounding in headers


def on_grid(region: np.ndarray, region_grid: Geometry, grid: Geometry, called: str) -> np.ndarray:
    """Return the region, bool (z, y, x), on ``grid``.

    Args:
        region: bool (z, y, x) on ``region_grid``.
        region_grid: where it lies.
        grid: the grid wanted.
        called: what messages call the region.

    Raises:
        GeometryError: the grids' voxels do not coincide, or the region reaches beyond ``grid``.
    """
    if region_grid.is_close(grid):
        return region
    step = grid.inverse_affine @ region_grid.affine  # index of the region's grid to index of the grid
    turn, shift = np.rint(step[:3, :3]), np.rint(step[:3, 3])
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * (np.array(region_grid.size) - 1)
    off = np.abs(corners @ (step[:3, :3] - turn).T + (step[:3, 3] - shift)).max()
    if off > _OFF_VOXEL or not (np.abs(turn).sum(axis=0) == 1).all() or abs(round(np.linalg.det(turn))) != 1:
        raise GeometryError(
            f"{called}: it lies on another grid than the DICOM series (their voxels do not coincide), and a DICOM SEG "
            "of it would hold another region than the one that was measured. Resample the mask onto the series first."
        )
    inside = np.argwhere(region)[:, ::-1]  # (voxels, 3): x, y, z
    moved = np.rint(inside @ turn.T + shift).astype(int)
    beyond = ((moved < 0) | (moved >= np.array(grid.size))).any(axis=1)
    if beyond.any():
        raise GeometryError(
            f"{called}: {int(beyond.sum())} of its {len(moved)} voxels lie outside the DICOM series. Cut the mask to "
            "the series first."
        )
    covered = np.zeros(grid.shape, bool)
    covered[tuple(moved.T[::-1])] = True
    return covered
