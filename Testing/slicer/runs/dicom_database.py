"""A stand-in for `slicer.dicomDatabase`, over real DICOM files: it knows what ctkDICOMDatabase knows of them.

As there, patients have numbers of their own, lists are tuples of texts, and a header that is absent is an empty
text. Files lie as Slicer copies them: a folder per study, in it a folder per series.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT, RTSTRUCT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.481.3"
SIDE, SPACING, THICKNESS = 24, 0.8, 2.5
WHOLE_FILE = {"enforce_file_format": True} if pydicom.__version_info__[0] >= "3" else {"write_like_original": False}


class FakeDatabase:
    """Patients, studies and series of the files below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.isOpen = folder, True

    def _headers(self) -> list[tuple[str, Any]]:
        return [
            (str(file), pydicom.dcmread(file, stop_before_pixels=True)) for file in sorted(self.folder.rglob("*.dcm"))
        ]

    def patients(self) -> tuple[str, ...]:
        names = dict.fromkeys(str(header.PatientID) for _, header in self._headers())
        return tuple(str(number) for number in range(1, len(names) + 1))

    def studiesForPatient(self, patient: str) -> tuple[str, ...]:
        names = list(dict.fromkeys(str(header.PatientID) for _, header in self._headers()))
        name = names[int(patient) - 1]
        return tuple(dict.fromkeys(str(h.StudyInstanceUID) for _, h in self._headers() if h.PatientID == name))

    def seriesForStudy(self, study: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(h.SeriesInstanceUID) for _, h in self._headers() if h.StudyInstanceUID == study))

    def filesForSeries(self, series: str, hits: int = -1) -> tuple[str, ...]:
        files = tuple(file for file, header in self._headers() if header.SeriesInstanceUID == series)
        return files[:hits] if hits > 0 else files

    def fileValue(self, file: str, tag: str) -> str:
        header = pydicom.dcmread(file, stop_before_pixels=True)
        value = header.get(tuple(int(part, 16) for part in tag.split(",")))
        return "" if value is None else str(value.value)


def base(modality: str, sop: str, patient: str, study: str, number: int) -> Dataset:
    """What every object has."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = sop
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = f"Nobody^{patient}", f"ID-{patient}", "", ""
    ds.StudyInstanceUID, ds.StudyDate, ds.StudyTime, ds.StudyID = study, "20200101", "120000", ""
    ds.AccessionNumber, ds.ReferringPhysicianName = "", ""
    ds.Modality, ds.SeriesNumber, ds.SeriesDescription = modality, number, f"{modality} of a test"
    ds.Manufacturer, ds.ManufacturerModelName = "Nobody's scanners", "Model 1"
    return ds


def write_ct(
    folder: Path, patient: str, study: str, number: int = 2, slices: int = 8
) -> tuple[np.ndarray, list[Dataset]]:
    """A CT series of noise; returns voxels (z, y, x) in HU and the headers."""
    voxels = np.random.default_rng(number).integers(-50, 250, (slices, SIDE, SIDE)).astype(np.int16)
    series, frame, written = generate_uid(), generate_uid(), []
    place = folder / study / series
    place.mkdir(parents=True)
    for k, plane in enumerate(voxels):
        ds = base("CT", CT, patient, study, number)
        ds.SeriesInstanceUID, ds.FrameOfReferenceUID, ds.InstanceNumber = series, frame, k + 1
        ds.ImageOrientationPatient, ds.PixelSpacing = ["1", "0", "0", "0", "1", "0"], [str(SPACING)] * 2
        ds.SliceThickness, ds.ImagePositionPatient = str(THICKNESS), ["-5", "-7", str(k * THICKNESS)]
        ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = SIDE, SIDE, 1, "MONOCHROME2"
        ds.BitsAllocated = ds.BitsStored = 16
        ds.HighBit, ds.PixelRepresentation, ds.RescaleSlope, ds.RescaleIntercept = 15, 1, "1", "0"
        ds.KVP = "120"
        ds.PixelData = plane.tobytes()
        ds.save_as(place / f"{ds.SOPInstanceUID}.dcm", **WHOLE_FILE)
        written.append(ds)
    return voxels, written


def write_rtstruct(
    folder: Path, source: list[Dataset], regions: dict[str, tuple[slice, slice, slice]], number: int = 9
) -> None:
    """Boxes (z, y, x) as closed contours half a voxel around their voxels."""
    first = source[0]
    ds = base("RTSTRUCT", RTSTRUCT, str(first.PatientName).split("^")[1], first.StudyInstanceUID, number)
    ds.SeriesInstanceUID, ds.StructureSetLabel, ds.FrameOfReferenceUID = (
        generate_uid(),
        "test",
        first.FrameOfReferenceUID,
    )
    ds.StructureSetDate, ds.StructureSetTime = "20200102", "120000"
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = first.SeriesInstanceUID
    series.ContourImageSequence = Sequence([_reference(image) for image in source])
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", first.StudyInstanceUID
    study.RTReferencedSeriesSequence = Sequence([series])
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = first.FrameOfReferenceUID, Sequence([study])
    ds.ReferencedFrameOfReferenceSequence = Sequence([frame])
    rois, contours, observations = [], [], []
    for roi_number, (name, box) in enumerate(regions.items(), start=1):
        roi, contour, observation = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ROIGenerationAlgorithm = roi_number, name, "MANUAL"
        roi.ReferencedFrameOfReferenceUID = first.FrameOfReferenceUID
        contour.ReferencedROINumber, contour.ROIDisplayColor = roi_number, ["255", "0", "0"]
        contour.ContourSequence = Sequence([_contour(source[k], box) for k in range(box[0].start, box[0].stop)])
        observation.ObservationNumber, observation.ReferencedROINumber = roi_number, roi_number
        observation.RTROIInterpretedType, observation.ROIInterpreter = "", ""
        rois.append(roi), contours.append(contour), observations.append(observation)
    ds.StructureSetROISequence, ds.ROIContourSequence = Sequence(rois), Sequence(contours)
    ds.RTROIObservationsSequence = Sequence(observations)
    place = folder / ds.StudyInstanceUID / ds.SeriesInstanceUID
    place.mkdir(parents=True)
    ds.save_as(place / f"{ds.SOPInstanceUID}.dcm", **WHOLE_FILE)


def _reference(image: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    return item


def _contour(image: Dataset, box: tuple[slice, slice, slice]) -> Dataset:
    x0, y0, z = (float(value) for value in image.ImagePositionPatient)
    left, right = (x0 + (edge - 0.5) * SPACING for edge in (box[2].start, box[2].stop))
    top, bottom = (y0 + (edge - 0.5) * SPACING for edge in (box[1].start, box[1].stop))
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    item = Dataset()
    item.ContourImageSequence = Sequence([_reference(image)])
    item.ContourGeometricType, item.NumberOfContourPoints = "CLOSED_PLANAR", len(corners)
    item.ContourData = [f"{value:.4f}" for x, y in corners for value in (x, y, z)]
    return item
