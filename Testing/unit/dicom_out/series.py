"""Small DICOM series written by pydicom, with a patient in their headers who may appear nowhere else."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT, MR, PET, ENHANCED_MR = (f"1.2.840.10008.5.1.4.1.1.{ending}" for ending in ("2", "4", "128", "4.1"))
MODALITIES = {CT: "CT", MR: "MR", PET: "PT", ENHANCED_MR: "MR"}
PATIENT = {
    "PatientName": "Müller^Änne",
    "PatientID": "ID-4711-SECRET",
    "AccessionNumber": "ACC-0815",
    "StudyID": "ST77",
}
"""What must stand in the DICOM files that are written, and nowhere else."""

ORIENTATION = ("0.8", "0.6", "0", "-0.6", "0.8", "0")  # turned about z
SPACING = ("0.75", "0.5")  # rows, columns
DISTANCE = 2.5


def save(ds: Dataset, path: Path) -> None:
    """Write a DICOM file, with pydicom 2.4 and 3."""
    if pydicom.__version__.startswith("2."):
        ds.is_little_endian, ds.is_implicit_VR = True, False
        pydicom.dcmwrite(path, ds, write_like_original=False)
    else:
        pydicom.dcmwrite(path, ds, enforce_file_format=True)


def phantom(shape: tuple[int, int, int] = (12, 20, 24), seed: int = 0) -> np.ndarray:
    """Grey values (z, y, x), int16."""
    return np.random.default_rng(seed).integers(-50, 200, shape).astype(np.int16)


def regions(shape: tuple[int, int, int] = (12, 20, 24)) -> dict[int, np.ndarray]:
    """Two regions that overlap, neither of which reaches the first or the last slice."""
    core, rim = np.zeros(shape, bool), np.zeros(shape, bool)
    core[3:8, 4:12, 5:14] = True
    rim[6:10, 8:16, 10:20] = True
    return {1: core, 2: rim}


def position(k: int) -> list[str]:
    """Of slice k, along the normal of ORIENTATION."""
    return ["-12.5", "7.25", f"{30 + DISTANCE * k:g}"]


def header(sop: str, uids: tuple[str, str, str], **tags: Any) -> Dataset:
    """A dataset without pixels; a tag of None is removed."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = sop
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.SeriesInstanceUID, ds.StudyInstanceUID, ds.FrameOfReferenceUID = uids
    for name, content in PATIENT.items():
        setattr(ds, name, content)
    ds.PatientBirthDate, ds.PatientSex = "19500203", "F"
    ds.StudyDate, ds.StudyTime, ds.ReferringPhysicianName = "20200101", "120000", "Haus^Gregor"
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber, ds.Manufacturer = MODALITIES[sop], 3, 1, "Scanner AG"
    ds.PositionReferenceIndicator, ds.BodyPartExamined = "", "HEAD"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 1
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    for name, content in tags.items():
        if content is None:
            if name in ds:
                delattr(ds, name)
        else:
            setattr(ds, name, content)
    return ds


def write_series(folder: Path, voxels: np.ndarray, *, sop: str = CT, order: Any = None, **tags: Any) -> list[Path]:
    """Write a series of one file per slice, the slices numbered in ``order``; callable tags are given the slice."""
    folder.mkdir(parents=True, exist_ok=True)
    uids = (generate_uid(), generate_uid(), generate_uid())
    paths = []
    for place, k in enumerate(range(len(voxels)) if order is None else order):
        own = {name: content(k) if callable(content) else content for name, content in tags.items()}
        own = {
            "ImagePositionPatient": position(k), "ImageOrientationPatient": list(ORIENTATION),
            "PixelSpacing": list(SPACING), "SliceThickness": f"{DISTANCE}", "InstanceNumber": place + 1,
        } | own  # fmt: skip
        ds = header(sop, uids, **own)
        ds.Rows, ds.Columns, ds.PixelData = *voxels.shape[1:], voxels[k].tobytes()
        paths.append(folder / f"{place:03d}.dcm")
        save(ds, paths[-1])
    return paths


def write_enhanced(folder: Path, voxels: np.ndarray, order: list[int], heights: list[int] | None = None) -> Path:
    """Write one multi-frame file; frame i holds plane ``order[i]`` and lies at slice ``heights[order[i]]``."""
    ds = header(ENHANCED_MR, (generate_uid(), generate_uid(), generate_uid()))
    plane, measures, shared, value = Dataset(), Dataset(), Dataset(), Dataset()
    plane.ImageOrientationPatient = list(ORIENTATION)
    measures.PixelSpacing, measures.SliceThickness = list(SPACING), f"{DISTANCE}"
    value.RescaleSlope, value.RescaleIntercept, value.RescaleType = "1", "0", "US"
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([plane]), Sequence([measures])
    shared.PixelValueTransformationSequence = Sequence([value])
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for k in order:
        place, content, group = Dataset(), Dataset(), Dataset()
        height = k if heights is None else heights[k]
        place.ImagePositionPatient = position(height)
        content.DimensionIndexValues, content.StackID, content.InStackPositionNumber = [height + 1], "1", height + 1
        group.PlanePositionSequence, group.FrameContentSequence = Sequence([place]), Sequence([content])
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence, ds.NumberOfFrames = Sequence(groups), len(groups)
    ds.Rows, ds.Columns = voxels.shape[1:]
    ds.PixelData = np.stack([voxels[k] for k in order]).tobytes()
    folder.mkdir(parents=True, exist_ok=True)
    save(ds, folder / "multiframe.dcm")
    return folder / "multiframe.dcm"


def write_volume_as_series(folder: Path, voxels: np.ndarray, affine: np.ndarray) -> list[Path]:
    """Write whole HU (z, y, x) as a CT series on any grid (4 × 4: index x, y, z to LPS), without a shear."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    axes = affine[:3, :3] / spacing
    return write_series(
        folder,
        voxels.astype(np.int16),
        ImagePositionPatient=lambda k: [f"{value:.8g}" for value in affine[:3, 3] + k * affine[:3, 2]],
        ImageOrientationPatient=[f"{value:.8g}" for value in axes[:, :2].T.ravel()],
        PixelSpacing=[f"{spacing[1]:.8g}", f"{spacing[0]:.8g}"],
        SliceThickness=f"{spacing[2]:.8g}",
    )
