"""A real head CT as the stage for synthetic haematomas: where its brain is, and its grey levels at any points.

The head's own frame has its origin in the middle of the skull's inner space and the axes of LPS. The brain is found
as soft tissue (−10 to 100 HU) that is wide open: what hangs on it by gaps narrower than about 1 cm is not it.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_fill_holes, distance_transform_edt, gaussian_filter, label, map_coordinates

from deepradiomics.errors import InputError
from deepradiomics.images import Volume
from deepradiomics.phantoms.ich.head import AIR_HU, INNER_MM, Field, Points

_SOFT_HU = (-10.0, 100.0)
_OPEN_MM = 5.0
_LEAST_ML = 400.0


class RealHead:
    """A head CT in HU, without a haemorrhage.

    Raises:
        InputError: no brain is found in it.
    """

    def __init__(self, ct: Volume) -> None:
        self._ct = ct
        self._voxels = np.asarray(ct.voxels, np.float32)
        self._brain_mm = _brain(self._voxels, ct)
        inside = np.argwhere(self._brain_mm < 0)
        low, high = inside.min(axis=0)[::-1], inside.max(axis=0)[::-1]
        self.middle_mm = ct.geometry.index_to_physical((low + high) / 2)
        half = (high - low) / 2 * np.abs(ct.geometry.axes @ np.diag(ct.geometry.spacing_mm)).max(axis=0)
        # Haematomas keep their places relative to the brain: x and y are scaled, z is cut off where the scan ends.
        self.scale = (float(half[0] / INNER_MM[0]), float(half[1] / INNER_MM[1]), 1.0)

    def place(self, centre_mm: tuple[float, float, float]) -> tuple[float, float, float]:
        """A place of the model head in this one: moved inwards where it is too near to the skull or outside."""
        place = np.array(centre_mm) * np.array(self.scale)
        for share in np.linspace(1, 0, 21):
            x, y, z = (float(v) for v in share * place)
            point = (np.array([x], np.float32), np.array([y], np.float32), np.array([z], np.float32))
            if self.brain_distance(point)[0] < -9:
                break
        return x, y, z

    def brain_distance(self, p: Points) -> Field:
        """Signed distance (mm) to the brain's surface at points of the head's frame, negative inside."""
        return self._sample(self._brain_mm, p, 30.0)

    def outer_distance(self, p: Points) -> Field:
        """Negative everywhere: all of the picture is drawn."""
        return np.full(np.broadcast_shapes(*(v.shape for v in p)), -1, np.float32)

    def paint(self, p: Points, edge_mm: float, inner: Points) -> Field:
        """Hounsfield units at the points; ``inner`` is where they lay before a haematoma pushed them."""
        return self._sample(self._voxels, inner, AIR_HU)

    def _sample(self, array: Field, p: Points, outside: float) -> Field:
        matrix = self._ct.geometry.inverse_affine
        start = matrix[:3, :3] @ self.middle_mm + matrix[:3, 3]
        index = [
            sum(np.float32(matrix[row, axis]) * p[axis] for axis in range(3)) + np.float32(start[row])
            for row in (2, 1, 0)
        ]
        flat = np.stack([v.ravel() for v in np.broadcast_arrays(*index)])
        values = map_coordinates(array, flat, order=1, cval=outside, output=np.float32)
        return np.asarray(values.reshape(np.broadcast_shapes(*(v.shape for v in index))), np.float32)


def _brain(voxels: Field, ct: Volume) -> Field:
    """Signed distance (mm) to the brain's surface, (z, y, x), negative inside."""
    spacing = ct.geometry.spacing_mm[::-1]
    smooth = gaussian_filter(voxels, [0.8 / s for s in spacing])
    soft = (smooth > _SOFT_HU[0]) & (smooth < _SOFT_HU[1])
    parts, count = label(distance_transform_edt(soft, spacing) > _OPEN_MM)
    if count:
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        core = parts == sizes.argmax()
        brain = binary_fill_holes(distance_transform_edt(~core, spacing) <= _OPEN_MM)  # calcified choroid plexus
        if brain.sum() * np.prod(spacing) / 1000 >= _LEAST_ML:
            outside, inside = distance_transform_edt(~brain, spacing), distance_transform_edt(brain, spacing)
            return (outside - inside).astype(np.float32)
    raise InputError(
        f"head {ct.name or ct.source}: no brain was found in it. Expected a head CT in Hounsfield units, with at least "
        f"{_LEAST_ML:.0f} mL of brain between {_SOFT_HU[0]:.0f} and {_SOFT_HU[1]:.0f} HU."
    )
