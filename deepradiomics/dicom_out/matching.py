"""Which file, or which frame of a file, each slice of a volume was read from."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import Dataset

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images import Volume
from deepradiomics.images.dicom.elements import PYDICOM_ERRORS
from deepradiomics.images.dicom.frames import frames_of
from deepradiomics.images.dicom.headers import read_header
from deepradiomics.images.dicom.values import assemble, layouts_of

_TURNED = 2e-3  # direction cosines may differ by so much: rounding in headers, within a series
_OFF = 0.05  # part of a voxel (or of the slice distance) by which a slice may lie elsewhere


@dataclass(frozen=True, eq=False)
class Place:
    """A stored plane and where it lies.

    Args:
        header: of its instance, without pixels.
        frame: number of its frame, from 0; None for an instance of one plane.
        position: centre of its first voxel, LPS millimetres.
        orientation: (6,): directions of its rows and columns.
        spacing: between rows, between columns, millimetres.
    """

    header: Dataset
    frame: int | None
    position: np.ndarray
    orientation: np.ndarray
    spacing: np.ndarray


@dataclass(frozen=True, eq=False)
class Slot:
    """A slice of the volume (number from 0) and the stored plane that it was read from."""

    number: int
    place: Place


def matched(headers: Sequence[Dataset], volume: Volume) -> list[Slot]:
    """Return the stored plane of each slice of the volume, in its order.

    Raises:
        InputError: a multi-frame file does not say where its frames lie.
        GeometryError: a slice has no plane at its place, or several and none or more than one of its voxels.
    """
    by_slice: dict[int, list[Place]] = defaultdict(list)
    places: set[tuple[str, int | None]] = set()
    for header in headers:
        for place in _places(header):
            name = (str(header.get("SOPInstanceUID", "")), place.frame)
            number = _slice_of(place, volume)
            if number is not None and name not in places:
                places.add(name)
                by_slice[number].append(place)
    count = volume.geometry.shape[0]
    missing = count - len(by_slice)
    if missing:
        raise GeometryError(
            f"{volume.name or 'image'}: {missing} of its {count} slices do not lie where a slice of the DICOM series "
            "lies: the image was straightened (a tilted gantry), resampled, or is of another series. DICOM is written "
            "on the stored slices only."
        )
    return [Slot(number, _only(by_slice[number], number, volume)) for number in range(count)]


def compared(slots: Sequence[Slot], volume: Volume) -> tuple[int, int]:
    """How many slices have other voxels than the stored ones, and how many could not be decoded to compare them."""
    unlike = unread = 0
    for slot in slots:
        stored = _voxels(slot.place)
        if stored is None:
            unread += 1
        elif not np.allclose(stored, volume.voxels[slot.number], rtol=1e-5, atol=1e-6):
            unlike += 1
    return unlike, unread


def _places(header: Dataset) -> Iterator[Place]:
    if "PerFrameFunctionalGroupsSequence" in header:
        yield from _frames(header)
    elif int(header.get("NumberOfFrames") or 1) > 1:
        raise InputError(
            "DICOM is not written for multi-frame files whose frames have no position of their own (such as nuclear "
            "medicine, angiography, ultrasound)."
        )
    elif all(header.get(word) for word in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")):
        yield Place(
            header,
            None,
            *(
                np.array(header[word].value, float)
                for word in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
            ),
        )


def _frames(header: Dataset) -> Iterator[Place]:
    shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    for frame, group in enumerate(header.PerFrameFunctionalGroupsSequence):
        position = _of(group, shared, "PlanePositionSequence", "ImagePositionPatient")
        orientation = _of(group, shared, "PlaneOrientationSequence", "ImageOrientationPatient")
        spacing = _of(group, shared, "PixelMeasuresSequence", "PixelSpacing")
        if position is not None and orientation is not None and spacing is not None:
            yield Place(header, frame, position, orientation, spacing)


def _of(group: Dataset, shared: Dataset, sequence: str, keyword: str) -> np.ndarray | None:
    for functional in (group, shared):
        item = (functional.get(sequence) or [Dataset()])[0]
        if item.get(keyword):
            return np.array(item.get(keyword), float)
    return None


def _slice_of(place: Place, volume: Volume) -> int | None:
    """The slice of the volume that lies where the plane lies."""
    grid = volume.geometry
    size = (int(place.header.Columns), int(place.header.Rows))
    axes = np.concatenate([grid.axes[:, 0], grid.axes[:, 1]])
    if size != grid.size[:2] or np.abs(place.orientation - axes).max() > _TURNED:
        return None
    if not np.allclose(place.spacing[::-1], grid.spacing_mm[:2], rtol=1e-3):
        return None
    index = grid.physical_to_index(place.position)
    number = round(float(index[2]))
    if np.abs(index - (0, 0, number)).max() > _OFF or not 0 <= number < grid.size[2]:
        return None
    return number


def _only(places: list[Place], number: int, volume: Volume) -> Place:
    """Of several planes at one place (echoes, b-values) the one whose voxels the volume has."""
    if len(places) == 1:
        return places[0]
    same = [place for place in places if _has_voxels(place, volume.voxels[number])]
    if len(same) != 1:
        raise GeometryError(
            f"{volume.name or 'image'}: {len(places)} stored images lie at slice {number}, and {len(same)} of them "
            "have its voxels, so that it is not clear which was read. Put the images wanted into a folder of their own."
        )
    return same[0]


def _has_voxels(place: Place, voxels: np.ndarray) -> bool:
    stored = _voxels(place)
    return stored is not None and bool(np.array_equal(stored, voxels))


def _voxels(place: Place) -> np.ndarray | None:
    """The voxels of a plane as our own reader gives them; None where it cannot decode them."""
    try:
        header = read_header(Path(place.header.filename))
        if header is None:
            return None
        frame = frames_of(header)[place.frame or 0]
        voxels, _ = assemble([frame], layouts_of([frame]))
    except (InputError, OSError, *PYDICOM_ERRORS):
        return None
    return voxels[0]
