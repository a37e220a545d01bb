"""Mutants of DICOM series: headers changed in one slice or all, files cut, doubled or missing."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from Testing.reference.border.bytes import NUMBERS, cut, flipped, lengthened
from Testing.reference.border.images import product, same
from Testing.reference.border.mutant import Mutant
from Testing.slicer.runs.dicom_database import write_ct

TAGS = (
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "RescaleSlope",
    "RescaleIntercept", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "SamplesPerPixel", "PhotometricInterpretation", "InstanceNumber", "SOPClassUID", "SeriesInstanceUID",
    "FrameOfReferenceUID", "Modality", "EchoTime", "AcquisitionNumber", "NumberOfFrames", "SpacingBetweenSlices",
    "GantryDetectorTilt", "PixelPaddingValue", "ImageType", "DiffusionBValue", "PixelData", "SOPInstanceUID",
)  # fmt: skip
HARMLESS = ("InstanceNumber", "SliceThickness", "Modality", "PixelPaddingValue")


def mutant(rng: np.random.Generator, folder: Path) -> Mutant:
    """A CT series of eight slices, broken in one way."""
    write_ct(folder, "Nobody", "1.2.3", int(rng.integers(1, 9)))
    place = next(path.parent for path in folder.rglob("*.dcm"))
    files = sorted(place.glob("*.dcm"), key=lambda file: float(pydicom.dcmread(file).ImagePositionPatient[2]))
    intact = product(place)[0]
    field, must_refuse = broken(files, rng)
    return Mutant(
        "dicom series", field, lambda: product(place), intact, same, lambda: plain_reading(place), must_refuse
    )


def broken(files: list[Path], rng: np.random.Generator) -> tuple[str, bool]:
    """Break the series in one way; says which, and whether it cannot be right any more."""
    way = ("bytes", "missing", "double", "tag", "tag", "tag", "tag", "tag")[int(rng.integers(0, 8))]
    file = files[int(rng.integers(0, len(files)))]
    if way == "bytes":
        data = file.read_bytes()
        kind = int(rng.integers(0, 3))
        if kind == 2:
            file.write_bytes(lengthened(data, rng))
            return "lengthened", False
        file.write_bytes(cut(data, rng) if kind == 0 else flipped(data, rng, 0, len(data) - 24 * 24 * 2 - 12))
        return ("cut", "header bytes")[kind], False
    if way == "missing":
        middle = files[int(rng.integers(1, len(files) - 1))]
        middle.unlink()
        return "a slice in the middle is missing", True
    if way == "double":
        ds = pydicom.dcmread(file)
        if rng.random() < 0.5:
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
            ds.PixelData = bytes(reversed(ds.PixelData))
            save(ds, file.with_name("again.dcm"))
            return "two images at one position of eight", True
        save(ds, file.with_name("again.dcm"))
        return "a file twice", False
    name = TAGS[int(rng.integers(0, len(TAGS)))]
    everywhere = bool(rng.random() < 0.4)
    value = NUMBERS[int(rng.integers(0, len(NUMBERS)))]
    remove = bool(rng.random() < 0.35)
    for target in files if everywhere else [file]:
        ds = pydicom.dcmread(target)
        try:
            change(ds, name, value, remove, rng)
            save(ds, target)
        except Exception:  # what no program could have written: the header goes instead
            remove, ds = True, pydicom.dcmread(target)
            change(ds, name, value, True, rng)
            save(ds, target)
    what = "removed" if remove else f"= {value!r}"
    return f"{name} {what} in {'all slices' if everywhere else 'one slice'}", False


def change(ds: Any, name: str, value: str, remove: bool, rng: np.random.Generator) -> None:
    """Remove a header or write a text into it, as it may stand in a damaged file."""
    if remove:
        if name in ds:
            delattr(ds, name)
        return
    if name == "PixelData":
        ds.PixelData = ds.PixelData[: 2 * int(rng.integers(0, len(ds.PixelData) // 2))]
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tag = pydicom.datadict.tag_for_keyword(name)
        vr = pydicom.datadict.dictionary_VR(tag)
        if vr in ("US", "SS", "UL"):
            try:
                ds[tag] = pydicom.DataElement(tag, vr, int(value) & 0xFFFF)
            except ValueError:
                ds[tag] = pydicom.DataElement(tag, vr, int(rng.integers(0, 40)))
        elif vr == "FD":
            try:
                ds[tag] = pydicom.DataElement(tag, vr, float(value))
            except ValueError:
                ds[tag] = pydicom.DataElement(tag, vr, float("nan"))
        else:
            multiple = ds[tag].VM if tag in ds else 1
            texts = [str(part) for part in ds[tag].value] if multiple > 1 else [value]
            texts[int(rng.integers(0, len(texts)))] = value
            raw = "\\".join(texts).encode("ascii", "replace")
            raw += b" " * (len(raw) % 2)
            ds[tag] = pydicom.dataelem.RawDataElement(pydicom.tag.Tag(tag), vr, len(raw), raw, 0, False, True)


def save(ds: Any, file: Path) -> None:
    """Write what is there, valid or not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if pydicom.__version_info__[0] >= "3":
            ds.save_as(file, enforce_file_format=False)
        else:
            ds.save_as(file, write_like_original=True)


def plain_reading(place: Path) -> Any:
    """What the headers say, read slice by slice in the simplest way."""
    slices = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for file in sorted(place.glob("*.dcm")):
            ds = pydicom.dcmread(file)
            orientation = np.array([float(v) for v in ds.ImageOrientationPatient]).reshape(2, 3)
            normal = np.cross(*orientation)
            position = np.array([float(v) for v in ds.ImagePositionPatient])
            voxels = ds.pixel_array.astype(np.float64) * float(ds.get("RescaleSlope", 1) or 1) + float(
                ds.get("RescaleIntercept", 0) or 0
            )
            rows, columns = (float(v) for v in ds.PixelSpacing)
            slices.append(
                (
                    float(normal @ position),
                    str(ds.SOPInstanceUID),
                    position,
                    orientation,
                    normal,
                    (columns, rows),
                    voxels,
                )
            )
    slices = sorted({entry[1]: entry for entry in slices}.values(), key=lambda entry: entry[0])
    heights = np.array([entry[0] for entry in slices])
    _, _, origin, orientation, normal, spacing, _ = slices[0]
    if any(not np.allclose(entry[3], orientation, atol=1e-4) or entry[5] != spacing for entry in slices):
        raise ValueError("not one grid")
    if np.ptp(np.diff(heights)) > 1e-2:
        raise ValueError("uneven")
    lateral = np.array([entry[2] for entry in slices]) - origin
    if np.abs(lateral @ orientation.T).max() > 1e-2:
        raise ValueError("slices aside")
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (
        orientation[0] * spacing[0],
        orientation[1] * spacing[1],
        normal * np.diff(heights).mean(),
    )
    affine[:3, 3] = origin
    return np.stack([entry[6] for entry in slices]), affine
