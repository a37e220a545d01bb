"""The DICOM instances that an image was read from, slice by slice: what a SEG and a report refer to.

Files are matched by where they lie, and by their voxels where several lie at one place; nothing is taken on trust.
"""

import os
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from deepradiomics.dicom_out.header import completed
from deepradiomics.dicom_out.matching import Slot, compared, matched
from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images import Geometry, Volume
from deepradiomics.images.dicom import is_dicom
from deepradiomics.images.dicom.elements import PYDICOM_ERRORS, quiet_pydicom

PathLike = str | os.PathLike[str]

_NOT_IMAGES = (
    "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
    "1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation
    "1.2.840.10008.5.1.4.1.1.481.2",  # RT Dose
    "1.2.840.10008.5.1.4.1.1.30",  # Parametric Map
)


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """The instances behind a volume.

    Args:
        images: headers without pixels, made complete: one a slice, in the volume's order; or the one of a multi-frame
            instance, which then describes the frames of these slices alone, in the volume's order.
        frames: of a multi-frame instance the frame (from 0) of each slice of the volume; else empty.
        geometry: the volume's grid.
        notes: what was left out of the headers, one sentence each.
    """

    images: tuple[Dataset, ...]
    frames: tuple[int, ...]
    geometry: Geometry
    notes: tuple[str, ...] = ()

    @property
    def modality(self) -> str:
        """CT, MR, PT, …"""
        return str(self.images[0].get("Modality", ""))


def read_source(path: PathLike | Sequence[PathLike], volume: Volume, *, same_voxels: bool = False) -> SourceSeries:
    """Find the DICOM instances that ``volume`` was read from.

    Args:
        path: what was read: a folder, a file of the series, or the files themselves.
        volume: the image as it was read from there.
        same_voxels: compare all voxels with the stored ones: an image that was read long ago may have been changed.

    Raises:
        InputError: there is no DICOM image, it has no study, series or frame of reference, or its voxels are others.
        GeometryError: the volume's slices are not those of the files: they were straightened or resampled.
    """
    with quiet_pydicom():
        return _read(path, volume, same_voxels)


def _read(path: PathLike | Sequence[PathLike], volume: Volume, same_voxels: bool) -> SourceSeries:
    files, wanted = _files(path)
    headers = [header for header in map(_header, files) if header is not None and _is_image(header, wanted)]
    if not headers:
        raise InputError(
            f"{_called(path)}: no DICOM image is here. DICOM can be written of images that were read from DICOM only."
        )
    slots = matched(headers, volume)
    images = [slot.place.header for slot in slots]
    if len({image.SeriesInstanceUID for image in images}) > 1:
        raise GeometryError(f"{_called(path)}: the slices of the image lie in several DICOM series.")
    first = images[0]
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
        if not first.get(keyword):
            raise InputError(f"{_called(path)}: the series has no {keyword}, so nothing can refer to it.")
    unlike, unread = compared(slots, volume) if same_voxels else (0, 0)
    if unlike:
        raise InputError(
            f"{volume.name or 'image'}: {unlike} of its {len(slots)} slices have other grey values than the DICOM "
            "files: the image was changed after it was read. Compute on the image as it is stored."
        )
    frames = _frames(slots, path)
    complete = [completed(image) for image in ([_of_frames(first, frames)] if frames else images)]
    notes = tuple(dict.fromkeys(note for _, more in complete for note in more))
    if unread:
        notes += (f"{unread} of {len(slots)} slices are compressed and were not compared with their DICOM files.",)
    return SourceSeries(tuple(header for header, _ in complete), frames, volume.geometry, notes)


def _frames(slots: Sequence[Slot], path: Any) -> tuple[int, ...]:
    frames = [slot.place.frame for slot in slots]
    if all(frame is None for frame in frames):
        return ()
    if any(frame is None for frame in frames) or len({slot.place.header.SOPInstanceUID for slot in slots}) > 1:
        raise GeometryError(
            f"{_called(path)}: the slices of the image lie in several multi-frame files, and a DICOM SEG refers to one."
        )
    return tuple(int(frame) for frame in frames if frame is not None)


def _of_frames(header: Dataset, frames: Sequence[int]) -> Dataset:
    """A multi-frame header of some of its frames: what others hold (another b-value at the same place) is no source."""
    part = copy(header)
    part.PerFrameFunctionalGroupsSequence = [header.PerFrameFunctionalGroupsSequence[frame] for frame in frames]
    part.NumberOfFrames = len(frames)
    return part


def _files(path: PathLike | Sequence[PathLike]) -> tuple[list[Path], str]:
    """The files to look at, and the series that they must be of (empty: any)."""
    if not isinstance(path, str | os.PathLike):
        return [Path(file) for file in path], ""
    path = Path(path)
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.is_file()), ""
    header = _header(path) if path.is_file() else None
    if header is None:
        return [], ""
    return sorted(file for file in path.parent.iterdir() if file.is_file()), str(header.get("SeriesInstanceUID", ""))


def _header(path: Path) -> Dataset | None:
    try:
        if not is_dicom(path):
            return None
        header = dcmread(path, stop_before_pixels=True, force=True)
    except (InvalidDicomError, OSError, *PYDICOM_ERRORS):
        return None  # whatever it is, no slice of ours
    header.filename = str(path)
    return header


def _is_image(header: Dataset, series: str) -> bool:
    rows = header.get("Rows") and header.get("Columns")
    return (
        bool(rows)
        and header.get("SOPClassUID") not in _NOT_IMAGES
        and header.get("SeriesInstanceUID", "") in ((series,) if series else (header.get("SeriesInstanceUID", ""),))
    )


def _called(path: PathLike | Iterable[PathLike]) -> str:
    return str(path) if isinstance(path, str | os.PathLike) else "DICOM files"


__all__ = ["SourceSeries", "read_source"]
