"""Where a feature map lies: voxel by voxel on the volume it was computed on, following that volume's transform.

A map's own file says where it lies in the world at the time of the computation. In the scene it is put below the
volume's parent transform, so that it moves with the anatomy, also when the transform was changed meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deepradiomics.images import Geometry
from deepradiomics.scene.nodes.placement import ijk_to_ras, matrix_of, placement, world_matrix

SAME_VOXEL = 1e-3  # voxels; what a file's rounding may move


@dataclass(frozen=True, eq=False)
class ReferencePlace:
    """A volume's place when a computation began.

    Attributes
    ----------
    index_to_local
        (4, 4) voxel index (x, y, z, 1) → the volume's local RAS.
    local_to_world
        (4, 4) local RAS → world RAS.
    """

    index_to_local: np.ndarray
    local_to_world: np.ndarray


def reference_place(volume: Any) -> ReferencePlace | None:
    """The place of a volume node; None where its voxels had to be resampled to the world (shear, non-linear)."""
    if not placement(volume).exact:
        return None
    return ReferencePlace(ijk_to_ras(volume), world_matrix(volume))


def put_in_place(node: Any, geometry: Geometry, volume: Any | None, place: ReferencePlace | None) -> None:
    """Place a map's node: below the volume's transform where it can follow it, else at its own place in the world."""
    if volume is None or place is None:
        node.SetIJKToRASMatrix(matrix_of(geometry.ijk_to_ras))
        return
    node.SetIJKToRASMatrix(matrix_of(index_to_local(geometry, place)))
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())


def index_to_local(geometry: Geometry, place: ReferencePlace) -> np.ndarray:
    """(4, 4) of a map (index → local RAS of the volume); exactly the volume's own voxels where the map lies on them."""
    local = np.linalg.inv(place.local_to_world) @ geometry.ijk_to_ras
    on_volume = np.linalg.inv(place.index_to_local) @ local  # index of the map → index of the volume
    start = np.rint(on_volume[:3, 3])
    corner = np.array([*geometry.size, 1.0])
    same = np.eye(4)
    same[:3, 3] = start
    if np.abs((on_volume - same) @ corner).max() < SAME_VOXEL and np.abs(on_volume[:3, 3] - start).max() < SAME_VOXEL:
        return place.index_to_local @ same
    return local


__all__ = ["ReferencePlace", "index_to_local", "put_in_place", "reference_place"]
