"""DICOM SEG files written by pydicom alone, so that every choice of a writer can be made; and random regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from deepradiomics.images import Geometry

FRAME = "1.2.826.0.1.3680043.8.498.1"
NEOPLASM, TISSUE = ("108369006", "SCT", "Neoplasm"), ("85756007", "SCT", "Tissue")


def random_geometry(rng: np.random.Generator, smallest: int = 5, largest: int = 19) -> Geometry:
    """A grid of random size, spacing, place and direction, as headers with nine digits hold it."""
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    if np.linalg.det(turn) < 0:
        turn[:, 2] *= -1
    size = rng.integers(smallest, largest, 3).tolist()
    spacing, origin = rng.uniform(0.4, 3.0, 3).round(4), rng.uniform(-200, 200, 3).round(4)
    return Geometry(tuple(size), tuple(spacing), tuple(origin), tuple(turn.ravel()))


def random_region(rng: np.random.Generator, geometry: Geometry) -> np.ndarray:
    """An ellipsoid of random place and size, bool (z, y, x), of at least one voxel."""
    size = np.array(geometry.size)
    centre, radius = rng.uniform(0.2, 0.8, 3) * (size - 1), rng.uniform(0.15, 0.45, 3) * size
    z, y, x = np.ogrid[tuple(slice(0, n) for n in geometry.shape)]
    region = sum(((axis - c) / r) ** 2 for axis, c, r in zip((x, y, z), centre, radius, strict=True)) <= 1
    region[tuple(np.rint(centre[::-1]).astype(int))] = True
    return np.asarray(region)


def ds(values: Any) -> list[str]:
    """Numbers as DICOM's decimal strings."""
    return [f"{float(value):.10g}" for value in np.ravel(values)]


def code(value: str, scheme: str, meaning: str) -> Items:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Items([item])


def base(sop_class: str, modality: str) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientName, dataset.PatientID, dataset.Modality = "Test^Phantom", "T1", modality
    dataset.FrameOfReferenceUID = FRAME
    return dataset


def seg_dataset(
    regions: Mapping[int, np.ndarray],
    geometry: Geometry,
    *,
    kind: str = "BINARY",
    bits: int | None = None,
    order: np.random.Generator | None = None,
    sparse: bool = True,
    between: float | None = None,
    largest: int = 255,
) -> Dataset:
    """A SEG of stored values (z, y, x) by segment number; of a label map, the one array under the key 0.

    Frames lie in the order of segments and slices, or in a random one; ``sparse``: only those with content.
    """
    labelled = kind == "LABELMAP"
    dataset = base("1.2.840.10008.5.1.4.1.1.66.7" if labelled else "1.2.840.10008.5.1.4.1.1.66.4", "SEG")
    dataset.SegmentationType = kind
    if kind == "FRACTIONAL":
        dataset.SegmentationFractionalType, dataset.MaximumFractionalValue = "PROBABILITY", largest
    numbers = sorted(set(np.unique(regions[0]).tolist()) - {0}) if labelled else sorted(regions)
    dataset.SegmentSequence = Items([segment_item(number) for number in numbers])
    frames = [
        (number, k)
        for number in sorted(regions)
        for k in range(geometry.size[2])
        if regions[number][k].any() or not sparse
    ]
    if order is not None:
        order.shuffle(frames)
    dataset.PerFrameFunctionalGroupsSequence = Items(
        [frame_item(geometry, None if labelled else number, k) for number, k in frames]
    )
    dataset.SharedFunctionalGroupsSequence = Items([shared_item(geometry, between)])
    pixels = np.stack([regions[number][k] for number, k in frames])
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    bits = bits or {"BINARY": 1, "FRACTIONAL": 8, "LABELMAP": 8}[kind]
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    set_pixels(dataset, pixels)
    return dataset


def set_pixels(dataset: Dataset, pixels: np.ndarray) -> None:
    bits = dataset.BitsAllocated
    stored = (
        np.packbits(pixels.astype(bool).ravel(), bitorder="little").tobytes()
        if bits == 1
        else pixels.astype(f"<u{bits // 8}").tobytes()
    )
    dataset.PixelData = stored + b"\0" * (len(stored) % 2)
    dataset["PixelData"].VR = "OB" if bits <= 8 else "OW"


def segment_item(number: int) -> Dataset:
    item = Dataset()
    item.SegmentNumber, item.SegmentLabel, item.SegmentAlgorithmType = number, f"Segment {number}", "MANUAL"
    item.SegmentedPropertyCategoryCodeSequence = code(*TISSUE)
    item.SegmentedPropertyTypeCodeSequence = code(*NEOPLASM)
    return item


def frame_item(geometry: Geometry, number: int | None, k: int) -> Dataset:
    item, position = Dataset(), Dataset()
    position.ImagePositionPatient = ds(geometry.index_to_physical((0, 0, k)))
    item.PlanePositionSequence = Items([position])
    if number is not None:
        segment = Dataset()
        segment.ReferencedSegmentNumber = number
        item.SegmentIdentificationSequence = Items([segment])
    return item


def shared_item(geometry: Geometry, between: float | None = None) -> Dataset:
    item, plane, measures = Dataset(), Dataset(), Dataset()
    plane.ImageOrientationPatient = ds([*geometry.axes[:, 0], *geometry.axes[:, 1]])
    measures.PixelSpacing = ds([geometry.spacing_mm[1], geometry.spacing_mm[0]])
    measures.SliceThickness = ds(geometry.spacing_mm[2])[0]
    if between is not None:
        measures.SpacingBetweenSlices = ds(between)[0]
    item.PlaneOrientationSequence, item.PixelMeasuresSequence = Items([plane]), Items([measures])
    return item


def save(dataset: Dataset, path: Path, *, implicit: bool = False, big: bool = False) -> Path:
    """Write a dataset as a DICOM file, by pydicom 2.4 or 3."""
    from pydicom import __version_info__, uid

    syntax = uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRBigEndian if big else None
    if syntax is not None:
        dataset.file_meta.TransferSyntaxUID = syntax
    if int(__version_info__[0]) > 2:
        dataset.save_as(path, enforce_file_format=True)
    else:
        dataset.is_implicit_VR, dataset.is_little_endian = implicit, not big
        dataset.save_as(path, write_like_original=False)
    return path


def without(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """Remove attributes wherever they stand."""
    for name in names:
        if name in dataset:
            delattr(dataset, name)
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                without(item, names)
    return dataset
