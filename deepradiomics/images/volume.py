"""Volume and Mask: a voxel array that never travels without its geometry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images.geometry import Geometry


def _frozen(array: np.ndarray, geometry: Geometry, what: str) -> np.ndarray:
    array = np.asarray(array)
    if array.shape != geometry.shape:
        raise GeometryError(f"{what}: expected an array (z, y, x) of shape {geometry.shape}, got {array.shape}.")
    view = array.view()
    view.setflags(write=False)
    return view


@dataclass(frozen=True, eq=False)
class Volume:
    """A grey-level image (z, y, x) and where it lies.

    Args:
        voxels: real numbers (z, y, x); kept as a read-only view, not copied.
        geometry: the grid in LPS.
        name: what a person calls it.
        source: the file or series it came from, without a patient's identifiers.
        notes: what was assumed or done on the way, one sentence each.

    Raises:
        GeometryError: array and geometry differ in shape.
        InputError: the voxels are not real numbers.
    """

    voxels: np.ndarray
    geometry: Geometry
    name: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        voxels = _frozen(self.voxels, self.geometry, f"Volume {self.name or self.source}".strip())
        if voxels.dtype.kind not in "fiub":
            label = f"Volume {self.name or self.source}".strip()
            raise InputError(f"{label}: expected real numbers, got dtype {voxels.dtype}.")
        object.__setattr__(self, "voxels", voxels)

    def require_finite(self) -> "Volume":
        """Return self, or raise InputError when a voxel is NaN or infinite."""
        if self.voxels.dtype.kind == "f":
            bad = int(self.voxels.size - np.isfinite(self.voxels).sum())
            if bad:
                label = self.name or self.source or "image"
                raise InputError(
                    f"{label}: {bad} of {self.voxels.size} voxels are NaN or infinite. "
                    "Replace them (for example by the background value) before analysis."
                )
        return self


@dataclass(frozen=True, eq=False)
class Mask:
    """Integer labels (z, y, x) and where they lie; 0 is background.

    Args:
        labels: integers (z, y, x); kept as a read-only view, not copied.
        geometry: the grid in LPS.
        name: what a person calls it.
        source: the file it came from.
        segment_names: name for a label, where known.

    Raises:
        GeometryError: array and geometry differ in shape.
        MaskError: the labels are not whole numbers.
    """

    labels: np.ndarray
    geometry: Geometry
    name: str = ""
    source: str = ""
    segment_names: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        labels = np.asarray(self.labels)
        if labels.dtype.kind == "b":
            labels = labels.astype(np.uint8)
        if labels.dtype.kind == "f":
            if not (np.isfinite(labels).all() and (labels == np.rint(labels)).all()):
                raise MaskError(
                    f"{self._called}: labels must be whole numbers, got fractions or NaN. "
                    "Is this a grey-level image? Threshold it first."
                )
            labels = labels.astype(np.int32)
        if labels.dtype.kind not in "iu":
            raise MaskError(f"{self._called}: expected integer labels, got dtype {labels.dtype}.")
        object.__setattr__(self, "labels", _frozen(labels, self.geometry, self._called))

    @property
    def _called(self) -> str:
        """What messages call it."""
        return f"Mask {self.name or self.source}".strip()

    @cached_property
    def _present(self) -> tuple[int, ...]:
        return tuple(int(v) for v in np.unique(self.labels) if v != 0)

    def labels_present(self) -> tuple[int, ...]:
        """Return the non-zero labels in ascending order."""
        return self._present

    def region(self, label: int = 1) -> np.ndarray:
        """Return where the mask equals ``label``, bool (z, y, x).

        Raises:
            MaskError: no voxel has this label; the message lists those that are there.
        """
        where = self.labels == label
        if label == 0 or not where.any():
            there = ", ".join(map(str, self.labels_present())) or "none: the mask is empty"
            raise MaskError(f"{self._called}: no voxel has label {label}; labels present: {there}.")
        return where
