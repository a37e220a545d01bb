"""Where the brain lies in a head CT, roughly: the largest soft-tissue body that is thicker than a centimetre.

Good enough to centre a crop and to look at the grey levels inside the skull; it is no skull stripping.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepradiomics.images import Geometry, Volume
from deepradiomics.prepare.components import components

SOFT_HU = (-15.0, 130.0)  # fluid, brain and blood, with noise
STEP_MM = 2.5  # distance of the voxels that the search looks at, about
_THICKNESS_MM = 5.0  # what is thinner than twice this (scalp, muscles, optic nerves) falls off
_MINIMUM_ML = 50.0


@dataclass(frozen=True, eq=False)
class Brain:
    """The brain on a coarse grid.

    Args:
        region: bool (z, y, x).
        voxels: grey levels there, smoothed a little.
        geometry: of both; its axes are the CT's own.
    """

    region: np.ndarray
    voxels: np.ndarray
    geometry: Geometry

    def points_mm(self) -> np.ndarray:
        """(n, 3): voxel centres of the brain, LPS."""
        return self.geometry.index_to_physical(np.argwhere(self.region)[:, ::-1])


def find_brain(volume: Volume) -> Brain | None:
    """Find the brain in a head CT in HU; None where no soft tissue is as thick as a brain.

    Soft tissue, eroded by 5 mm so that scalp, orbits and neck come apart; the largest part, grown back by 5 mm.
    """
    from scipy import ndimage

    voxels, geometry = _coarse(volume)
    sampling = geometry.spacing_mm[::-1]
    voxels = ndimage.gaussian_filter(voxels, [0.6 * min(1.0, STEP_MM / step) for step in sampling])
    soft = (voxels > SOFT_HU[0]) & (voxels < SOFT_HU[1])
    if not soft.any():
        return None
    core = soft if soft.all() else ndimage.distance_transform_edt(soft, sampling) > _THICKNESS_MM
    parts, counts = components(core)
    if not len(counts):
        return None
    near = ndimage.distance_transform_edt(parts != 1, sampling) <= _THICKNESS_MM + 1e-6
    region = near & soft
    if region.sum() * float(np.prod(geometry.spacing_mm)) / 1000 < _MINIMUM_ML:
        return None
    return Brain(region, voxels, geometry)


def _coarse(volume: Volume) -> tuple[np.ndarray, Geometry]:
    """The voxels of a volume about STEP_MM apart, float32, and their grid."""
    grid = volume.geometry
    steps = [max(1, round(STEP_MM / spacing)) for spacing in grid.spacing_mm]  # (x, y, z)
    voxels = volume.voxels[:: steps[2], :: steps[1], :: steps[0]].astype(np.float32)
    spacing = tuple(step * size_mm for step, size_mm in zip(steps, grid.spacing_mm, strict=True))
    return voxels, Geometry(voxels.shape[::-1], spacing, grid.origin_mm, grid.direction)  # type: ignore[arg-type]
