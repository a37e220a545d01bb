"""Where each frame of a DICOM SEG lies and to which segment it belongs: its functional groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deepradiomics.errors import GeometryError, MaskError
from deepradiomics.images.masks.dicom_file import numbers, required

_SAME_DIRECTION = 1e-3  # largest difference of direction cosines: rounding in the headers
_SAME_SPACING = 1e-3  # relative


@dataclass(frozen=True)
class Frame:
    """A frame: its place in the pixel data, its segment's number (None in a label map), its first pixel (LPS, mm)."""

    index: int
    segment: int | None
    position_mm: tuple[float, float, float]


@dataclass(frozen=True)
class Plane:
    """What all frames share.

    Attributes
    ----------
    axes
        (3, 3): columns are the unit directions of columns (x), rows (y) and the normal, LPS.
    pixel_mm
        Distance of pixels along x and y.
    slice_mm, thickness_mm
        SpacingBetweenSlices and SliceThickness; 0 where the file does not say.
    """

    axes: np.ndarray
    pixel_mm: tuple[float, float]
    slice_mm: float
    thickness_mm: float


def frame_plane(dataset: Any, where: str) -> Plane:
    """Directions and spacings of the frames.

    Raises:
        MaskError: they are missing or not finite.
        GeometryError: they differ between frames, or are no directions.
    """
    groups = _Groups(dataset, where)
    cosines = groups.each("PlaneOrientationSequence", "ImageOrientationPatient", 6)
    pixel = groups.each("PixelMeasuresSequence", "PixelSpacing", 2)
    if np.abs(cosines - cosines[0]).max() > _SAME_DIRECTION:
        raise GeometryError(f"{where}: its frames do not share one orientation. Export one orientation at a time.")
    if pixel.min() <= 0:
        raise GeometryError(f"{where}: expected a PixelSpacing above 0, got {pixel.min(axis=0).tolist()}.")
    if np.abs(pixel / pixel[0] - 1).max() > _SAME_SPACING:
        raise GeometryError(f"{where}: its frames do not share one PixelSpacing. Export one grid at a time.")
    return Plane(
        plane_axes(cosines[0], where),
        (float(pixel[0, 1]), float(pixel[0, 0])),
        groups.optional("PixelMeasuresSequence", "SpacingBetweenSlices"),
        groups.optional("PixelMeasuresSequence", "SliceThickness"),
    )


def plane_axes(cosines: np.ndarray, where: str) -> np.ndarray:
    """(3, 3): the directions of columns, rows and the normal, from ImageOrientationPatient; rounding is taken out.

    Raises:
        GeometryError: they are not two unit vectors at right angles.
    """
    axes = np.stack([cosines[:3], cosines[3:], np.cross(cosines[:3], cosines[3:])], axis=1)
    if np.abs(axes.T @ axes - np.eye(3)).max() > 2 * _SAME_DIRECTION:
        raise GeometryError(
            f"{where}: expected an ImageOrientationPatient of two unit vectors at right angles, got {cosines.tolist()}."
        )
    u, _, v = np.linalg.svd(axes)  # the nearest rotation
    return np.asarray(u @ v)


def frames_of(dataset: Any, plane: Plane, where: str, *, labelled: bool) -> list[Frame]:
    """The frames in the order of the pixel data; ``labelled``: of a label map, whose frames belong to all segments.

    Raises:
        MaskError: a frame lacks its position or its segment, or there are none.
    """
    groups = _Groups(dataset, where)
    positions = groups.each("PlanePositionSequence", "ImagePositionPatient", 3)
    segments: list[int | None] = [None] * len(positions)
    if not labelled:
        named = groups.each("SegmentIdentificationSequence", "ReferencedSegmentNumber", 1)
        segments = [int(number) for number in named[:, 0]]
    return [
        Frame(index, segment, tuple(position))  # type: ignore[arg-type]
        for index, (segment, position) in enumerate(zip(segments, positions.tolist(), strict=True))
    ]


class _Groups:
    """The functional groups: what a frame says, else what all share."""

    def __init__(self, dataset: Any, where: str) -> None:
        self.where = where
        self.frames = list(required(dataset, "PerFrameFunctionalGroupsSequence", where))
        shared = dataset.get("SharedFunctionalGroupsSequence")
        self.shared = shared[0] if shared else None
        count = int(dataset.get("NumberOfFrames", 0) or 0)
        if count != len(self.frames):
            raise MaskError(
                f"{where}: NumberOfFrames is {count}, but its PerFrameFunctionalGroupsSequence describes "
                f"{len(self.frames)} frames."
            )

    def each(self, sequence: str, name: str, count: int) -> np.ndarray:
        """(frames, count): an attribute of every frame."""
        shared = self._item(self.shared, sequence)
        general = numbers(shared, name, count, self.where) if shared is not None and name in shared else None
        rows = []
        for index, group in enumerate(self.frames):
            item = self._item(group, sequence)
            if item is not None and name in item:
                rows.append(numbers(item, name, count, f"{self.where}, frame {index + 1}"))
            elif general is not None:
                rows.append(general)
            else:
                raise MaskError(
                    f"{self.where}: frame {index + 1} has no {name} ({sequence}), neither of its own nor one that all "
                    "frames share. Export it again."
                )
        return np.array(rows)

    def optional(self, sequence: str, name: str) -> float:
        """A positive number that all frames share; 0 where it is missing or differs."""
        values = set()
        for group in [self.shared, *self.frames]:
            item = self._item(group, sequence)
            if item is not None and item.get(name) is not None:
                values.add(abs(float(item.get(name))))
        value = values.pop() if len(values) == 1 else 0.0
        return value if np.isfinite(value) else 0.0

    @staticmethod
    def _item(group: Any, sequence: str) -> Any:
        items = group.get(sequence) if group is not None else None
        return items[0] if items else None
