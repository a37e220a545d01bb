"""Random DICOM series whose truth the generator keeps: voxels (z, y, x) and affine (index to LPS), by its own sums.

The truth comes from the decimal strings as written, and from the integers as stored; nothing of the reader is used.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from Testing.reference.dicom import dicom_files

_ROOT = "1.2.826.0.1.3680043.2.1125.12"
_CLASSES = {
    "CT": ("1.2.840.10008.5.1.4.1.1.2", "CT"),
    "MR": ("1.2.840.10008.5.1.4.1.1.4", "MR"),
    "PT": ("1.2.840.10008.5.1.4.1.1.128", "PT"),
    "NM": ("1.2.840.10008.5.1.4.1.1.20", "NM"),
    "XA": ("1.2.840.10008.5.1.4.1.1.12.1", "XA"),
    "SC": ("1.2.840.10008.5.1.4.1.1.7", "OT"),
    "CR": ("1.2.840.10008.5.1.4.1.1.1", "CR"),
    "enhanced CT": ("1.2.840.10008.5.1.4.1.1.2.1", "CT"),
    "enhanced MR": ("1.2.840.10008.5.1.4.1.1.4.1", "MR"),
    "enhanced PET": ("1.2.840.10008.5.1.4.1.1.130", "PT"),
    "NM slices": ("1.2.840.10008.5.1.4.1.1.20", "NM"),
}
MULTI_FRAME = ("enhanced CT", "enhanced MR", "enhanced PET", "NM slices")


@dataclass
class Series:
    """A series before it is written: its objects, and the truth of the volume that they make up.

    Args:
        kind: of object.
        syntax: transfer syntax.
        stored: (z, y, x) as stored, in the order of positions.
        voxels: (z, y, x): stored × slope + intercept.
        affine: (4, 4): index (x, y, z) to LPS.
        datasets: as they are to be written, in the order of their names.
        plan: what was drawn, for messages.
    """

    kind: str
    syntax: str
    stored: np.ndarray
    voxels: np.ndarray
    affine: np.ndarray
    datasets: list[Dataset]
    plan: dict[str, Any] = field(default_factory=dict)

    @property
    def multiple(self) -> bool:
        """One file holds all frames."""
        return self.kind in MULTI_FRAME

    def write(self, folder: Path) -> Path:
        """Write the files into a new folder."""
        folder.mkdir(parents=True)
        for number, dataset in enumerate(self.datasets):
            dicom_files.save(dataset, folder / f"I{number:04d}.dcm")
        return folder


def decimal(value: float, digits: int = 10) -> str:
    """A decimal string of at most 16 characters."""
    text = f"{value:.{digits}g}"
    while len(text) > 16:
        digits -= 1
        text = f"{value:.{digits}g}"
    return text


def random_series(rng: np.random.Generator) -> Series:
    """Draw one intact series."""
    kind = str(rng.choice([*_CLASSES, "CT", "CT", "MR", "MR", "PT"]))
    syntax = str(rng.choice([*dicom_files.writable(), "explicit", "implicit"]))
    shape = tuple(int(n) for n in rng.integers((5, 16, 16), (9, 25, 25)))
    bits = _bits(rng, syntax)
    stored = _stored(rng, shape, bits)
    slopes = _slopes(rng, kind, shape[0])
    grid = _grid(rng, shape)
    numbers = np.array([[float(a), float(b)] for a, b in slopes])
    voxels = stored.astype(float) * numbers[:, :1, None] + numbers[:, 1:, None]
    order = rng.permutation(shape[0])
    series = Series(kind, syntax, stored, voxels, _affine(grid, shape[0]), [],
                    {"bits": bits, "slopes": slopes, "order": order.tolist(), "grid": grid})  # fmt: skip
    (_multi_frame if series.multiple else _single_frames)(rng, series, order)
    return series


def _bits(rng: np.random.Generator, syntax: str) -> dict[str, int]:
    """Allocated, stored, signed; high is stored − 1."""
    depths = {"JPEG lossless": [16]}  # GDCM's writer fails on an odd number of bytes
    allocated = int(rng.choice(depths.get(syntax, [8, 16, 16] if syntax in dicom_files.PACKED else [8, 16, 16, 32])))
    signed = int(rng.integers(2)) if allocated > 8 else 0
    stored = int(rng.choice({8: [8], 16: [16, 16, 12, 10], 32: [32]}[allocated]))
    return {"allocated": allocated, "stored": stored, "signed": signed}


def _stored(rng: np.random.Generator, shape: tuple[int, ...], bits: dict[str, int]) -> np.ndarray:
    low, high = (-(1 << bits["stored"] - 1), 1 << bits["stored"] - 1) if bits["signed"] else (0, 1 << bits["stored"])
    kind = np.dtype(f"{'i' if bits['signed'] else 'u'}{bits['allocated'] // 8}")
    if rng.integers(3) == 0:  # flat slices, which compress to almost nothing
        return np.repeat(rng.integers(low, high, (shape[0], 1, 1)), shape[1] * shape[2]).reshape(shape).astype(kind)
    return rng.integers(low, high, shape).astype(kind)


def _slopes(rng: np.random.Generator, kind: str, count: int) -> list[tuple[str, str]]:
    style = str(rng.choice(["none", "whole", "each whole", "fraction", "each fraction", "negative", "large"]))
    if style == "none" or kind == "NM slices":
        return [("1", "0")] * count
    if style == "whole":
        return [("1", "-1024")] * count
    if style == "each whole":
        return [(str(int(a)), str(int(b))) for a, b in rng.integers((1, -2000), (5, 2000), (count, 2))]
    if style == "each fraction":
        return [(decimal(a, 8), decimal(b, 6)) for a, b in rng.uniform((0.001, -9), (3, 9), (count, 2))]
    return [{"fraction": ("0.25", "-0.5"), "negative": ("-1", "100"), "large": ("3", "70000")}[style]] * count


def _grid(rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
    """Strings of spacing, orientation and position, as they are written; the normal completes a right-handed system."""
    if rng.integers(3) == 0:
        rotation = np.array([np.eye(3), [[0, 0, 1], [1, 0, 0], [0, 1, 0]], [[-1, 0, 0], [0, 1, 0], [0, 0, -1]]])[
            rng.integers(3)
        ]
    else:
        rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        rotation = rotation * np.sign(np.linalg.det(rotation))
    cosines = [decimal(v) for v in (*rotation[:, 0], *rotation[:, 1])]
    spacing = [decimal(v, 6) for v in rng.uniform(0.2, 3, 2)]  # of rows (y), of columns (x)
    step, origin = float(decimal(rng.uniform(0.5, 6), 6)), rng.uniform(-300, 300, 3)
    positions = [[decimal(v) for v in origin + rotation[:, 2] * step * k] for k in range(shape[0])]
    return {"cosines": cosines, "spacing": spacing, "step": step, "positions": positions}


def _affine(grid: dict[str, Any], count: int) -> np.ndarray:
    cosines = np.array(grid["cosines"], float)
    first, last = (np.array(grid["positions"][n], float) for n in (0, -1))
    affine = np.eye(4)
    affine[:3, 0] = cosines[:3] * float(grid["spacing"][1])
    affine[:3, 1] = cosines[3:] * float(grid["spacing"][0])
    affine[:3, 2] = (last - first) / (count - 1)
    affine[:3, 3] = first
    return affine


def _identity(series: Series, dataset: Dataset, number: int) -> None:
    dataset.SeriesInstanceUID, dataset.StudyInstanceUID = f"{_ROOT}.1", f"{_ROOT}.2"
    dataset.FrameOfReferenceUID, dataset.Modality = f"{_ROOT}.3", _CLASSES[series.kind][1]
    dataset.PatientName, dataset.PatientID, dataset.InstanceNumber = "Secret^Name", "S1", number
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    bits = series.plan["bits"]
    dataset.Rows, dataset.Columns = series.stored.shape[1:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored = bits["allocated"], bits["stored"]
    dataset.HighBit, dataset.PixelRepresentation = bits["stored"] - 1, bits["signed"]


def _raw(series: Series) -> np.ndarray:
    """What goes into the file: unused high bits 0, as the standard asks for values without overlays."""
    bits = series.plan["bits"]
    if bits["stored"] == bits["allocated"]:
        return series.stored
    mask = (1 << bits["stored"]) - 1
    return (series.stored.astype(np.int64) & mask).astype(f"u{bits['allocated'] // 8}")


def _single_frames(rng: np.random.Generator, series: Series, order: np.ndarray) -> None:
    raw, grid = _raw(series), series.plan["grid"]
    ascending = bool(rng.integers(2))
    for name, k in enumerate(order):
        dataset = dicom_files.new_dataset(_CLASSES[series.kind][0], f"{_ROOT}.4.{name + 1}")
        _identity(series, dataset, int(k) + 1 if ascending else len(order) - int(k))
        dataset.ImagePositionPatient, dataset.ImageOrientationPatient = grid["positions"][k], grid["cosines"]
        dataset.PixelSpacing, dataset.SliceThickness = grid["spacing"], decimal(grid["step"])
        slope, intercept = series.plan["slopes"][k]
        if (slope, intercept) != ("1", "0") or rng.integers(2):
            dataset.RescaleSlope, dataset.RescaleIntercept = slope, intercept
        dicom_files.put_pixels(dataset, raw[k][None], series.syntax)
        series.datasets.append(dataset)


def _multi_frame(rng: np.random.Generator, series: Series, order: np.ndarray) -> None:
    dataset = dicom_files.new_dataset(_CLASSES[series.kind][0], f"{_ROOT}.4.1")
    _identity(series, dataset, 1)
    dataset.NumberOfFrames = len(order)
    (_nuclear if series.kind == "NM slices" else _groups)(rng, series, dataset, order)
    dicom_files.put_pixels(dataset, _raw(series)[order], series.syntax)
    series.datasets.append(dataset)


def item(**attributes: Any) -> Sequence:
    """A sequence of one item."""
    dataset = Dataset()
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return Sequence([dataset])


def _groups(rng: np.random.Generator, series: Series, dataset: Dataset, order: np.ndarray) -> None:
    grid, slopes = series.plan["grid"], series.plan["slopes"]
    measures = item(PixelSpacing=grid["spacing"], SliceThickness=decimal(grid["step"]))
    plane, together = item(ImageOrientationPatient=grid["cosines"]), bool(rng.integers(2))
    shared = Dataset()
    if together:
        shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = measures, plane
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for k in order:
        group = Dataset()
        if not together:
            group.PixelMeasuresSequence, group.PlaneOrientationSequence = measures, plane
        group.PlanePositionSequence = item(ImagePositionPatient=grid["positions"][k])
        group.FrameContentSequence = item(
            StackID="1", InStackPositionNumber=int(k) + 1, DimensionIndexValues=[int(k) + 1]
        )
        group.PixelValueTransformationSequence = item(
            RescaleSlope=slopes[k][0], RescaleIntercept=slopes[k][1], RescaleType="US"
        )
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)


def _nuclear(rng: np.random.Generator, series: Series, dataset: Dataset, order: np.ndarray) -> None:
    """NM reconstructed slices: the place of the first, their distance, and which frame is which slice."""
    grid = series.plan["grid"]
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    dataset.DetectorInformationSequence = item(
        ImagePositionPatient=grid["positions"][0], ImageOrientationPatient=grid["cosines"]
    )
    dataset.PixelSpacing, dataset.SpacingBetweenSlices = grid["spacing"], decimal(grid["step"])
    dataset.SliceVector = [int(k) + 1 for k in order]
