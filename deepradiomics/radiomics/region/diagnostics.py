"""PyRadiomics' ``diagnostics_*`` entries: what an image and a mask were at each step of the preparation."""

import hashlib
from typing import Any

import numpy as np

from deepradiomics.images import Geometry, Volume
from deepradiomics.radiomics.region.inputs import Inputs
from deepradiomics.radiomics.settings.settings import Settings


class Told:
    """The entries of one label, told step by step; nothing is computed where the settings ask for none."""

    def __init__(self, inputs: Inputs, settings: Settings) -> None:
        self.entries: dict[str, Any] = {}
        self._inputs = inputs
        self._wanted = settings.additional_info or settings.numeric_diagnostics

    def of_original(self, inside: np.ndarray) -> None:
        """Add image and mask as they were read; the image's part is computed once for all labels."""
        if not self._wanted:
            return
        cache, mask = self._inputs.cache, self._inputs.mask
        if "image" not in cache:
            cache["mask hash"] = _hash(mask.labels.astype(np.uint32, copy=False))
            cache["image"] = image_entries(self._inputs.original, "original", self._inputs.dimensions)
        drawn = _hash(inside.astype(np.uint32)) if mask.covered else cache["mask hash"]  # of the region: others hide it
        self.entries |= {**cache["image"], "diagnostics_Mask-original_Hash": drawn}
        self.of_step("original", inside, mask.geometry)

    def of_step(self, step: str, inside: np.ndarray, grid: Geometry, volume: Volume | None = None) -> None:
        """Add what a step has made of the mask, and of the image where it changes it."""
        if not self._wanted:
            return
        if step == "interpolated" and volume is not None:
            self.entries |= image_entries(volume, step, self._inputs.dimensions)
        self.entries |= mask_entries(volume, inside, grid, step, self._inputs.dimensions)


def image_entries(volume: Volume, stage: str, dimensions: int = 3) -> dict[str, Any]:
    """Return the entries about an image: spacing, size, and mean, minimum and maximum of all its voxels."""
    voxels, start = volume.voxels, f"diagnostics_Image-{stage}_"
    values: dict[str, Any] = {}
    if stage == "original":
        stored = voxels.astype(np.uint8) if voxels.dtype.kind == "b" else voxels
        values = {"Hash": _hash(stored)}
        values["Dimensionality"] = f"{dimensions}D"
    values["Spacing"] = volume.geometry.spacing_mm[:dimensions]
    values["Size"] = volume.geometry.size[:dimensions]
    values["Mean"] = float(np.mean(voxels, dtype=float))
    values["Minimum"] = float(voxels.min())
    values["Maximum"] = float(voxels.max())
    return {start + name: value for name, value in values.items()}


def mask_entries(
    volume: Volume | None, inside: np.ndarray, geometry: Geometry, stage: str, dimensions: int = 3
) -> dict[str, Any]:
    """Return the entries about an ROI; with an image on its grid also the grey values inside.

    Args:
        volume: the image, or None where it may lie on another grid.
        inside: bool (z, y, x), not empty.
        geometry: the mask's grid.
        stage: ``original``, ``interpolated``, ``corrected`` or ``resegmented``.
        dimensions: of the image.
    """
    from scipy.ndimage import label

    sides = [np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    lower = np.array([side[0] for side in sides])
    box = tuple(slice(side[0], side[-1] + 1) for side in sides)
    cut = inside[box]
    centre = (np.argwhere(cut).mean(axis=0) + lower)[::-1]  # (x, y, z)
    entries: dict[str, Any] = {
        "Spacing": geometry.spacing_mm[:dimensions],
        "Size": geometry.size[:dimensions],
        "BoundingBox": (*_whole(lower[::-1][:dimensions]), *_whole(cut.shape[::-1][:dimensions])),
        "VoxelNum": int(np.count_nonzero(cut)),
        "VolumeNum": int(label(cut, np.ones((3, 3, 3)))[1]),
        "CenterOfMassIndex": tuple(float(v) for v in centre[:dimensions]),
        "CenterOfMass": tuple(float(v) for v in geometry.index_to_physical(centre)[:dimensions]),
    }
    if volume is not None:
        values = volume.voxels[box][cut].astype(float)
        entries |= {"Mean": float(values.mean()), "Minimum": float(values.min()), "Maximum": float(values.max())}
    return {f"diagnostics_Mask-{stage}_{name}": value for name, value in entries.items()}


def _whole(values: Any) -> tuple[int, ...]:
    return tuple(int(v) for v in values)


def _hash(array: np.ndarray) -> str:
    """SHA-1 of the voxels, as SimpleITK's Hash computes it."""
    return hashlib.sha1(np.ascontiguousarray(array).data, usedforsecurity=False).hexdigest()
