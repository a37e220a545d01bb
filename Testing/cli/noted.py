"""A DICOM series that is read with a note (a tilted gantry), with its region; and segmentations with names."""

from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from deepradiomics.images import Mask, read_volume, write_mask

NOTE = "tilt"  # a word of the note


def tilted_series(folder: Path) -> Path:
    """Fourteen slices of a ball in noise, scanned with a gantry tilted by 15 degrees."""
    folder.mkdir(parents=True)
    series, study, frame = (generate_uid() for _ in range(3))
    angle, count, size = np.radians(15.0), 14, 32
    column = np.array([0.0, np.cos(angle), np.sin(angle)])
    for k in range(count):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.SeriesInstanceUID, dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = series, study, frame
        dataset.PatientName, dataset.PatientID, dataset.Modality = "Doe^Jane", "4711", "CT"
        dataset.Manufacturer, dataset.ConvolutionKernel, dataset.KVP = "Example Systems", "B30f", "120"
        dataset.SeriesNumber, dataset.InstanceNumber = 1, k + 1
        dataset.Rows = dataset.Columns = size
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit, dataset.PixelRepresentation = 15, 1
        dataset.RescaleSlope, dataset.RescaleIntercept = "1", "0"
        dataset.PixelSpacing, dataset.SliceThickness = ["2", "2"], "4"
        dataset.ImageOrientationPatient = ["1", "0", "0", *(f"{value:.8f}" for value in column)]
        dataset.ImagePositionPatient = ["0", "0", f"{4 * k}"]
        noise = np.random.default_rng(k).normal(100, 40, (size, size))
        dataset.PixelData = noise.astype(np.int16).tobytes()
        pydicom.dcmwrite(folder / f"{k:03d}.dcm", dataset, **_as_file())
    return folder


def region_of(image: Path, path: Path) -> Path:
    """A box in the middle of an image, as label 1, on the image's own grid."""
    geometry = read_volume(image).geometry
    labels = np.zeros(geometry.shape, np.uint8)
    middle = tuple(slice(n // 2 - 3, n // 2 + 3) for n in geometry.shape)
    labels[middle] = 1
    write_mask(Mask(labels, geometry), path)
    return path


def overlapping(path: Path, like: Path) -> Path:
    """A Slicer segmentation of two layers: Alpha of 144 voxels and Beta of 240, which overlap in 16."""
    image = sitk.ReadImage(str(like))
    alpha, beta = (np.zeros(image.GetSize()[::-1], np.uint8) for _ in range(2))
    alpha[2:6, 2:8, 2:8] = 1
    beta[4:9, 6:12, 6:14] = 1
    layers = sitk.GetImageFromArray(np.stack([alpha, beta], -1), isVector=True)
    layers.CopyInformation(image)
    for number, (name, colour, code) in enumerate(
        [("Alpha", "1 0.5 0", "SCT^4147007^Mass"), ("Beta", "0 0 1", "SCT^79654002^Edema")]
    ):
        category = "SCT^49755003^Morphologically Altered Structure"
        for key, text in {
            "ID": f"Segment_{number + 1}", "Name": name, "Color": colour, "Layer": str(number), "LabelValue": "1",
            "Tags": f"TerminologyEntry:Segmentation category and type~{category}~{code}~^^~Anatomic codes~^^~^^|",
        }.items():  # fmt: skip
            layers.SetMetaData(f"Segment{number}_{key}", text)
    sitk.WriteImage(layers, str(path), True)
    return path


def _as_file() -> dict[str, bool]:
    """pydicom 3 writes a file with its preamble by another word than pydicom 2."""
    return {"enforce_file_format": True} if pydicom.__version__.startswith("3") else {"write_like_original": False}
