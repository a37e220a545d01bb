"""Volume and Mask: a voxel array that never travels without its geometry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.segment import Segment
from deepradiomics.public import one_line


def _frozen(array: np.ndarray, geometry: Geometry, what: str) -> np.ndarray:
    array = np.asarray(array)
    if array.shape != geometry.shape:
        raise GeometryError(f"{what}: expected an array (z, y, x) of shape {geometry.shape}, got {array.shape}.")
    view = array.view()
    view.setflags(write=False)
    return view


def whole_labels(values: np.ndarray, what: str) -> np.ndarray:
    """Return floating-point labels of a mask as whole numbers, to the last digit.

    Args:
        values: the labels.
        what: how messages call the mask.

    Raises:
        MaskError: fractions, NaN, or numbers so large that their type no longer tells neighbours apart.
    """
    if not (np.isfinite(values).all() and (values == np.rint(values)).all()):
        raise MaskError(
            f"{what}: labels must be whole numbers, got fractions or NaN. "
            "Is this a grey-level image? Threshold it first."
        )
    largest = float(np.abs(values).max(initial=0))
    if largest > 2 ** (np.finfo(values.dtype).nmant + 1):
        raise MaskError(
            f"{what}: label {largest:.17g} is too large to be exact in {values.dtype}, so labels may have merged. "
            "Number the labels anew, or store them as integers."
        )
    return values.astype(np.int64 if largest > np.iinfo(np.int32).max else np.int32)


@one_line
@dataclass(frozen=True, eq=False)
class Volume:
    """A grey-level image (z, y, x) and where it lies.

    Args:
        voxels: real numbers (z, y, x); kept as a read-only view, not copied.
        geometry: the grid in LPS.
        name: what a person calls it.
        source: the file or series it came from, without a patient's identifiers.
        notes: what was assumed or done on the way, one sentence each.
        frame_of_reference: UID of the patient's space that it lies in, for comparison only; never written. Empty:
            unknown.

    Raises:
        GeometryError: array and geometry differ in shape.
        InputError: the voxels are not real numbers.
    """

    voxels: np.ndarray
    geometry: Geometry
    name: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    frame_of_reference: str = ""

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


@one_line
@dataclass(frozen=True, eq=False, init=False)
class Mask:
    """Integer labels (z, y, x) and where they lie; 0 is background.

    Segments may overlap: a voxel of ``labels`` then carries the last of its segments, and ``covered`` holds the whole
    region of each segment of which other segments hide a part. Ask :meth:`region` for a label, never ``labels``.

    Args:
        labels: integers (z, y, x); kept as a read-only view, not copied.
        geometry: the grid in LPS.
        name: what a person calls it.
        source: the file it came from, without a patient's identifiers.
        segments: what is known of a label: a Segment, or its name alone.
        covered: bool (z, y, x): the whole region of each label that others cover in part.
        notes: what was assumed or done on the way, one sentence each.
        frame_of_reference: UID of the space that it was drawn in, for comparison only; never written. Empty: unknown.

    Raises:
        GeometryError: array and geometry differ in shape.
        MaskError: the labels are not whole numbers.
    """

    labels: np.ndarray
    geometry: Geometry
    name: str = ""
    source: str = ""
    segments: Mapping[int, Segment] = field(default_factory=dict)
    covered: Mapping[int, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    frame_of_reference: str = ""

    def __init__(
        self,
        labels: np.ndarray,
        geometry: Geometry,
        name: str = "",
        source: str = "",
        segments: Mapping[int, Segment | str] | None = None,
        covered: Mapping[int, np.ndarray] | None = None,
        notes: tuple[str, ...] = (),
        frame_of_reference: str = "",
    ) -> None:
        labels = np.asarray(labels)
        called = f"Mask {name or source}".strip()
        if labels.dtype.kind == "b":
            labels = labels.astype(np.uint8)
        if labels.dtype.kind == "f":
            labels = whole_labels(labels, called)
        if labels.dtype.kind not in "iu":
            raise MaskError(f"{called}: expected integer labels, got dtype {labels.dtype}.")
        named = {
            int(label): Segment(segment) if isinstance(segment, str) else segment
            for label, segment in (segments or {}).items()
        }
        regions = {
            int(label): _frozen(np.asarray(region, bool), geometry, f"{called}, segment {label}")
            for label, region in (covered or {}).items()
        }
        fields = {
            "labels": _frozen(labels, geometry, called),
            "geometry": geometry,
            "name": name,
            "source": source,
            "segments": named,
            "covered": regions,
            "notes": tuple(notes),
            "frame_of_reference": frame_of_reference,
        }
        for attribute, value in fields.items():
            object.__setattr__(self, attribute, value)

    @property
    def called(self) -> str:
        """What messages call it."""
        return f"Mask {self.name or self.source}".strip()

    @property
    def segment_names(self) -> dict[int, str]:
        """The name of each label that has one."""
        return {label: segment.name for label, segment in self.segments.items() if segment.name}

    @cached_property
    def _present(self) -> tuple[int, ...]:
        visible = {int(value) for value in np.unique(self.labels) if value != 0}
        return tuple(sorted(visible | {label for label, region in self.covered.items() if region.any()}))

    def labels_present(self) -> tuple[int, ...]:
        """Return the non-zero labels in ascending order."""
        return self._present

    def region(self, label: int = 1) -> np.ndarray:
        """Return the voxels of ``label``, bool (z, y, x), also those that other segments cover.

        Raises:
            MaskError: no voxel has this label; the message lists those that are there.
        """
        region = self.covered.get(label)
        where = self.labels == label if region is None else region
        if label == 0 or not where.any():
            there = ", ".join(map(str, self.labels_present())) or "none: the mask is empty"
            raise MaskError(f"{self.called}: no voxel has label {label}; labels present: {there}.")
        return where

    def union(self) -> np.ndarray:
        """Return where any label is, bool (z, y, x)."""
        return self.labels != 0
