"""Small DICOM series for the tests: slices of 6 × 8 pixels, 0.5 (x) × 0.75 (y) × 3 mm, each told by its changes."""

from collections.abc import Sequence as SequenceOf
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from Testing.reference.dicom import dicom_files
from Testing.reference.dicom.dicom_series_generator import item

ROOT = "1.2.826.0.1.3680043.2.1125.5"
CT, MR, PT = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("2", "4", "128"))
ENHANCED_MR, NM = "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.20"
STEP = 3.0


def image(number: int, value: Any = 100, height: float | None = None, **tags: Any) -> Dataset:
    """One slice at ``height`` mm (``number`` × 3 by default); a tag of None is left out, others are set."""
    dataset = dicom_files.new_dataset(tags.pop("sop", MR), f"{ROOT}.4.{tags.pop('uid', number)}")
    syntax = tags.pop("syntax", "explicit")
    pixels = np.asarray(value) if isinstance(value, np.ndarray) else np.full((6, 8), value, np.uint16)
    frames = pixels if pixels.ndim == 3 else pixels[None]
    bits = frames.dtype.itemsize * 8
    defaults: dict[str, Any] = {
        "SeriesInstanceUID": f"{ROOT}.1", "StudyInstanceUID": f"{ROOT}.2", "FrameOfReferenceUID": f"{ROOT}.3",
        "PatientName": "Secret^Name", "PatientID": "S1", "Modality": "MR", "InstanceNumber": number + 1,
        "Rows": frames.shape[1], "Columns": frames.shape[2], "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1,
        "PixelRepresentation": int(frames.dtype.kind == "i"), "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "PixelSpacing": ["0.75", "0.5"], "SliceThickness": "3",
        "ImagePositionPatient": ["0", "0", f"{STEP * number if height is None else height:g}"],
    }  # fmt: skip
    private = tags.pop("private", {})
    for name, content in (defaults | tags).items():
        if content is not None:
            setattr(dataset, name, content)
    for tag, (vr, content) in private.items():
        dataset.add_new(tag, vr, content)
    dicom_files.put_pixels(dataset, frames, syntax)
    return dataset


def save_all(folder: Path, datasets: SequenceOf[Dataset], first: int = 0) -> Path:
    """Write objects as the files of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, dataset in enumerate(datasets, first):
        dicom_files.save(dataset, folder / f"{number:03d}.dcm")
    return folder


def write_slices(folder: Path, values: SequenceOf[Any], **tags: Any) -> Path:
    """Write one slice for each value, all with the same tags."""
    return save_all(folder, [image(number, value, **tags) for number, value in enumerate(values)])


def write_stacks(folder: Path, stacks: SequenceOf[dict[str, Any]], count: int = 4) -> Path:
    """Write several whole stacks of one series; all pixels of stack n are 100 × (n + 1)."""
    datasets = []
    for n, tags in enumerate(stacks):
        for k in range(count):
            number = tags.get("InstanceNumber", n * count + k + 1)
            changes = {name: content for name, content in tags.items() if name != "InstanceNumber"}
            datasets.append(image(k, 100 * (n + 1), uid=n * count + k + 1, InstanceNumber=number, **changes))
    order = np.random.default_rng(0).permutation(len(datasets))
    return save_all(folder, [datasets[n] for n in order])


def enhanced(frames: SequenceOf[dict[str, Any]], sop: str = ENHANCED_MR, **tags: Any) -> Dataset:
    """One multi-frame object; each frame is told by its ``value``, ``height`` and the items of further groups."""
    pixels = np.stack([np.full((6, 8), frame["value"], np.uint16) for frame in frames])
    places = dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"))
    dataset = image(0, pixels, sop=sop, NumberOfFrames=len(frames), **(places | tags))
    shared = Dataset()
    shared.PlaneOrientationSequence = item(ImageOrientationPatient=["1", "0", "0", "0", "1", "0"])
    shared.PixelMeasuresSequence = item(PixelSpacing=["0.75", "0.5"], SliceThickness="3")
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for frame in frames:
        group = Dataset()
        group.PlanePositionSequence = item(ImagePositionPatient=["0", "0", f"{frame['height']:g}"])
        for name, content in frame.items():
            if name.endswith("Sequence"):
                setattr(group, name, content)
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    return dataset
