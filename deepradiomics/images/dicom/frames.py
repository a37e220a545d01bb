"""Frames: the one form that slices of single files and of multi-frame files are brought into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from deepradiomics.errors import InputError
from deepradiomics.images.dicom.elements import integer, items, number, numbers, text, texts
from deepradiomics.images.dicom.folder import RTDOSE
from deepradiomics.images.dicom.headers import Header

_NM, _RTIMAGE = "1.2.840.10008.5.1.4.1.1.20", "1.2.840.10008.5.1.4.1.1.481.1"


@dataclass(slots=True, eq=False)
class Frame:
    """One slice of one file, with what its headers say of its place and its values.

    Args:
        header: its file.
        index: which of the file's frames, counted from 0.
        datasets: where its attributes stand, the most particular first: its functional groups, the shared ones, the
            file.
        position: centre of the first pixel, LPS mm, or None.
        orientation: directions of rows and columns, six numbers, or None.
        spacing: distance of rows and of columns (y, x), mm, or None.
        slope, intercept: value = stored × slope + intercept.
        rescaled: the headers hold slope or intercept.
    """

    header: Header
    index: int
    datasets: tuple[Dataset, ...]
    position: np.ndarray | None
    orientation: np.ndarray | None
    spacing: tuple[float, float] | None
    slope: float = 1.0
    intercept: float = 0.0
    rescaled: bool = False

    def texts(self, keyword: str) -> tuple[str, ...]:
        """Return a text attribute, from the most particular place that has it."""
        return next((values for dataset in self.datasets if (values := texts(dataset, keyword))), ())

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """Return the numbers of an attribute, from the most particular place that has it."""
        return next((values for dataset in self.datasets if (values := numbers(dataset, keyword))), ())

    def number(self, keyword: str) -> float | None:
        """Return the first number of an attribute, or None."""
        values = self.numbers(keyword)
        return values[0] if values else None

    @property
    def file(self) -> str:
        """What errors call it."""
        return self.header.path.name + (f", frame {self.index + 1}" if self.multiple else "")

    @property
    def multiple(self) -> bool:
        """Its file holds several frames."""
        return integer(self.header.dataset, "NumberOfFrames") not in (None, 1)


def frames_of(header: Header) -> list[Frame]:
    """Return the frames of a file in the order they are stored.

    Raises:
        InputError: a kind of object whose frames have no place, or functional groups that do not fit the frames.
    """
    dataset = header.dataset
    count = integer(dataset, "NumberOfFrames") or 1
    if header.sop_class == _RTIMAGE:
        raise InputError("this is an RT image, a projection of the beam, not a slice. Name a series of slices.")
    if "PerFrameFunctionalGroupsSequence" in dataset or "SharedFunctionalGroupsSequence" in dataset:
        return _functional(header, count)
    if header.sop_class == RTDOSE:
        return _dose(header, count)
    if header.sop_class == _NM and (count > 1 or "DetectorInformationSequence" in dataset):
        return _nuclear(header, count)
    if count > 1:
        modality = text(dataset, "Modality") or "unknown"
        raise InputError(
            f"its {count} frames have no place of their own (modality {modality}: pictures in time, projections or "
            "screen captures). Name a series of slices, or an enhanced multi-frame object."
        )
    if "MOSAIC" in texts(dataset, "ImageType"):
        raise InputError(
            "a mosaic: many slices side by side in one picture, which is not read. Export it slice by slice."
        )
    transformed = items(dataset, "PixelValueTransformationSequence")  # of enhanced objects, kept when they were split
    return [_frame(header, 0, (dataset,), [dataset, *transformed])]


def _frame(header: Header, index: int, datasets: tuple[Dataset, ...], places: list[Dataset]) -> Frame:
    position = _first(places, "ImagePositionPatient", 3)
    orientation = _first(places, "ImageOrientationPatient", 6)
    spacing = _first(places, "PixelSpacing", 2)
    slope, intercept = _first(places, "RescaleSlope", None), _first(places, "RescaleIntercept", None)
    if slope and slope[0] == 0:
        raise InputError("its RescaleSlope is 0, so that all voxels would have one value.")
    return Frame(
        header,
        index,
        datasets,
        np.array(position) if position else None,
        np.array(orientation) if orientation else None,
        (spacing[0], spacing[1]) if spacing else None,
        slope[0] if slope else 1.0,
        intercept[0] if intercept else 0.0,
        bool(slope or intercept),
    )


def _first(places: list[Dataset], keyword: str, count: int | None) -> tuple[float, ...]:
    return next((values for place in places if (values := numbers(place, keyword, count))), ())


def _functional(header: Header, count: int) -> list[Frame]:
    """Enhanced multi-frame: attributes stand in groups for each frame and in groups that all frames share."""
    dataset = header.dataset
    groups = items(dataset, "PerFrameFunctionalGroupsSequence")
    shared_groups = items(dataset, "SharedFunctionalGroupsSequence")
    shared = (*_nested(shared_groups), *shared_groups)
    if groups and len(groups) != count:
        raise InputError(f"{count} frames are promised, {len(groups)} are described. Export the object again.")
    if not groups and count > 1:
        raise InputError(f"its {count} frames are not described one by one. Export the object again.")
    frames = []
    for index in range(count):
        specific = (*_nested([groups[index]]), groups[index]) if groups else ()
        places = [*specific, *shared]
        frame = _frame(header, index, (*places, dataset), places)
        if frame.position is None and count == 1:
            frame = _frame(header, index, (*places, dataset), [*places, dataset])
        if not frame.rescaled and (
            "RescaleSlope" in dataset or "RescaleIntercept" in dataset
        ):  # where it should not be
            whole_file = _frame(header, index, (), [dataset])
            frame.slope, frame.intercept, frame.rescaled = whole_file.slope, whole_file.intercept, True
        frames.append(frame)
    return frames


def _nested(groups: list[Dataset], depth: int = 4) -> Iterator[Dataset]:
    """The items of all sequences of a functional group; not of private ones, or those that refer to other objects."""
    for group in groups:
        for tag in group.keys():  # noqa: SIM118 - a Dataset iterates over converted elements
            value = group[tag].value if _is_sequence(group, tag) else None
            if value:
                yield from value
                if depth:
                    yield from _nested(list(value), depth - 1)


def _is_sequence(group: Dataset, tag: BaseTag) -> bool:
    if int(tag) in _REFERENCES or tag.is_private:  # Philips repeats a whole header in a private one
        return False
    element = group.get_item(tag)
    return element is not None and (element.VR == "SQ" or (element.VR is None and group[tag].VR == "SQ"))


# Derivation Image, Referenced Image, Real World Value Mapping, Frame VOI LUT, Source Image: they speak of other images
# or of display.
_REFERENCES = {0x00089124, 0x00081140, 0x00409096, 0x00289132, 0x00082112}


_NM_VECTORS = (
    "EnergyWindowVector",
    "DetectorVector",
    "PhaseVector",
    "RotationVector",
    "RRIntervalVector",
    "TimeSlotVector",
    "AngularViewVector",
    "TimeSliceVector",
)


def _nuclear(header: Header, count: int) -> list[Frame]:
    """NM: one place for the object; reconstructed slices lie behind it, SpacingBetweenSlices apart (PS3.3 C.8.4.15)."""
    dataset = header.dataset
    kind = texts(dataset, "ImageType")
    if count > 1 and not (len(kind) > 2 and kind[2].endswith("TOMO") and kind[2].startswith("RECON")):
        raise InputError(
            f"an NM object of {count} frames that are no reconstructed slices (image type "
            f"{kind[2] if len(kind) > 2 else 'unknown'}). Name the reconstructed series."
        )
    places = [*items(dataset, "DetectorInformationSequence")[:1], dataset]
    base = _frame(header, 0, (dataset,), places)
    if count == 1:
        return [base]
    slices = numbers(dataset, "SliceVector")
    for vector in _NM_VECTORS:
        if len(set(numbers(dataset, vector))) > 1:
            raise InputError(f"an NM object that holds several stacks ({vector}). Export one stack per series.")
    if sorted(slices) != [float(k + 1) for k in range(count)]:
        raise InputError(f"an NM object whose SliceVector does not count its {count} slices.")
    distance = number(dataset, "SpacingBetweenSlices")
    if base.position is None or base.orientation is None or not distance:
        raise InputError(
            "an NM object without position, orientation or SpacingBetweenSlices: its slices have no place."
        )
    normal = np.cross(base.orientation[:3], base.orientation[3:])
    return [_moved(base, k, normal * distance * (slices[k] - 1)) for k in range(count)]


def _dose(header: Header, count: int) -> list[Frame]:
    """RTDOSE: planes at offsets from the first; dose = stored × DoseGridScaling (PS3.3 C.8.8.3)."""
    dataset = header.dataset
    scaling = number(dataset, "DoseGridScaling")
    if not scaling:
        raise InputError("a dose without DoseGridScaling: its values have no unit.")
    base = _frame(header, 0, (dataset,), [dataset])
    base.slope, base.intercept, base.rescaled = scaling, 0.0, True
    if count == 1:
        return [base]
    offsets = numbers(dataset, "GridFrameOffsetVector")
    if len(offsets) != count or base.position is None or base.orientation is None:
        raise InputError(f"a dose whose {count} planes have no place (GridFrameOffsetVector, position, orientation).")
    normal = np.cross(base.orientation[:3], base.orientation[3:])
    start = 0.0
    if offsets[0] != 0:  # the offsets are z coordinates of the patient, which only axial planes may have
        if abs(abs(normal[2]) - 1) > 1e-4 or abs(offsets[0] - base.position[2]) > 1e-3:
            raise InputError("a dose whose GridFrameOffsetVector neither begins with 0 nor with its position.")
        start, normal = offsets[0], np.array([0.0, 0.0, 1.0])
    return [_moved(base, k, normal * (offsets[k] - start)) for k in range(count)]


def _moved(base: Frame, index: int, by_mm: np.ndarray) -> Frame:
    assert base.position is not None
    return replace(base, index=index, position=base.position + by_mm)
