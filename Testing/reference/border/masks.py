"""Mutants of masks: label maps, Slicer's layers, DICOM SEG and RTSTRUCT. What counts is where each segment lies."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk

from Testing.reference.border import dicom, images
from Testing.reference.border.bytes import NUMBERS, cut, flipped, lengthened, line_mutated
from Testing.reference.border.mutant import Mutant
from Testing.slicer.runs.dicom_database import SIDE, SPACING, THICKNESS, write_ct, write_rtstruct

CORE, RIM = (slice(2, 5), slice(4, 10), slice(4, 12)), (slice(5, 7), slice(12, 18), slice(12, 18))
OVER = (slice(3, 6), slice(6, 14), slice(6, 14))  # lies over a part of the core
KINDS = ("labels nii.gz", "labels nrrd", "labels mha", "layers", "SEG", "RTSTRUCT")
ANY = ("FrameOfReferenceUID", "SOPClassUID", "Modality", "SeriesInstanceUID")
SEG_TAGS = (
    *ANY, "NumberOfFrames", "Rows", "Columns", "BitsAllocated", "SegmentationType", "SegmentNumber", "SegmentLabel",
    "ReferencedSegmentNumber", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "SegmentSequence", "SegmentIdentificationSequence", "PlanePositionSequence", "PerFrameFunctionalGroupsSequence",
    "SharedFunctionalGroupsSequence", "DimensionIndexValues", "RecommendedDisplayCIELabValue", "PixelData",
    "MaximumFractionalValue", "ReferencedSeriesSequence",
)  # fmt: skip
RT_TAGS = (
    *ANY, "ROINumber", "ROIName", "ReferencedROINumber", "ContourData", "ContourGeometricType", "NumberOfContourPoints",
    "ContourSequence", "StructureSetROISequence", "ROIContourSequence", "ContourImageSequence", "ROIDisplayColor",
    "ReferencedFrameOfReferenceUID", "ReferencedFrameOfReferenceSequence", "RTROIObservationsSequence",
)  # fmt: skip


def mutant(rng: np.random.Generator, folder: Path) -> Mutant:
    """A mask with the image it was drawn on; the mask is broken in one way."""
    kind = KINDS[int(rng.integers(0, len(KINDS)))]
    _, source = write_ct(folder, "Nobody", "1.2.3", 3)
    reference = next(path.parent for path in folder.rglob("*.dcm"))
    path = write(kind, folder / "mask", source)
    read = lambda: product(path, reference)  # noqa: E731
    intact = read()[0]
    if kind in ("SEG", "RTSTRUCT"):
        field = object_broken(path, SEG_TAGS if kind == "SEG" else RT_TAGS, rng)
    elif kind == "layers":
        field = layers_broken(path, rng)
    else:
        field = images.broken(path, kind.split()[1], rng)
    independent = {"SEG": seg_reading, "layers": layers_reading}.get(kind, labels_reading)
    return Mutant(f"mask {kind}", field, read, intact, same, None if kind == "RTSTRUCT" else lambda: independent(path))


def write(kind: str, folder: Path, source: list[Any]) -> Path:
    """An intact mask: core, rim and (but in label maps) a segment that overlaps the core."""
    folder.mkdir()
    boxes = {"core": CORE, "rim": RIM} | ({} if kind.startswith("labels") else {"over": OVER})
    regions = {name: np.zeros((len(source), SIDE, SIDE), np.uint8) for name in boxes}
    for name, box in boxes.items():
        regions[name][box] = 1
    if kind == "RTSTRUCT":
        write_rtstruct(folder, source, boxes)
        return next(folder.rglob("*.dcm"))
    if kind == "SEG":
        return _write_seg(folder / "seg.dcm", source, regions)
    if kind == "layers":
        content = sitk.GetImageFromArray(
            np.stack([regions["core"] + 2 * regions["rim"], regions["over"]], -1), isVector=True
        )
        for number, (name, layer, value) in enumerate((("core", 0, 1), ("rim", 0, 2), ("over", 1, 1))):
            for key, text in (("Name", name), ("Layer", layer), ("LabelValue", value), ("ID", f"S{number}")):
                content.SetMetaData(f"Segment{number}_{key}", str(text))
        path = folder / "mask.seg.nrrd"
        _placed(content, source)
        sitk.WriteImage(content, str(path), True)
        return path
    content = sitk.GetImageFromArray(regions["core"] + 2 * regions["rim"])
    _placed(content, source)
    return images.write(folder, kind.split()[1], content, "mask")


def _placed(content: sitk.Image, source: list[Any]) -> None:
    content.SetSpacing((SPACING, SPACING, THICKNESS))
    content.SetOrigin([float(value) for value in source[0].ImagePositionPatient])


def _write_seg(path: Path, source: list[Any], regions: dict[str, np.ndarray]) -> Path:
    import highdicom as hd
    from highdicom.sr.coding import CodedConcept

    described = [
        hd.seg.SegmentDescription(
            segment_number=number, segment_label=name, algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
            segmented_property_category=CodedConcept("49755003", "SCT", "Morphologically abnormal structure"),
            segmented_property_type=CodedConcept("108369006", "SCT", "Neoplasm"),
        )
        for number, name in enumerate(regions, start=1)
    ]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hd.seg.Segmentation(
            source_images=source, pixel_array=np.stack(list(regions.values()), -1),
            segmentation_type=hd.seg.SegmentationTypeValues.BINARY, segment_descriptions=described,
            series_instance_uid=hd.UID(), series_number=2, sop_instance_uid=hd.UID(), instance_number=1,
            manufacturer="none", manufacturer_model_name="none", software_versions="1", device_serial_number="1",
        ).save_as(path)  # fmt: skip
    return path


def object_broken(path: Path, names: tuple[str, ...], rng: np.random.Generator) -> str:
    """Break a SEG or RTSTRUCT: bytes, or one header wherever in its sequences."""
    if rng.random() < 0.2:
        data = path.read_bytes()
        way = int(rng.integers(0, 3))
        path.write_bytes((cut(data, rng), flipped(data, rng, 0, len(data)), lengthened(data, rng))[way])
        return ("cut", "bytes", "lengthened")[way]
    ds = pydicom.dcmread(path)
    name = names[int(rng.integers(0, len(names)))]
    places = [item for item in _items(ds) if name in item]
    if not places:
        delattr(ds, "SOPInstanceUID")
        dicom.save(ds, path)
        return "SOPInstanceUID removed"
    item = places[int(rng.integers(0, len(places)))]
    sequence = isinstance(item[name].value, pydicom.sequence.Sequence)
    remove = bool(rng.random() < 0.4)
    value = NUMBERS[int(rng.integers(0, len(NUMBERS)))]
    if sequence and not remove and len(item[name].value):
        del item[name].value[int(rng.integers(0, len(item[name].value)))]
        dicom.save(ds, path)
        return f"an item of {name} removed"
    try:
        dicom.change(item, name, value, remove or sequence, rng)
        dicom.save(ds, path)
    except Exception:  # what no program could have written
        remove, ds = True, pydicom.dcmread(path)
        dicom.change(next(item for item in _items(ds) if name in item), name, value, True, rng)
        dicom.save(ds, path)
    return f"{name} {'removed' if remove or sequence else f'= {value!r}'}"


def _items(ds: Any) -> list[Any]:
    """A dataset and all items of its sequences."""
    below = [item for element in ds if element.VR == "SQ" for item in element.value]
    return [ds, *(deeper for item in below for deeper in _items(item))]


def layers_broken(path: Path, rng: np.random.Generator) -> str:
    """Break a ``.seg.nrrd``: its header's lines, or bytes."""
    data = path.read_bytes()
    split = data.index(b"\n\n")
    if rng.random() < 0.25:
        way = int(rng.integers(0, 3))
        path.write_bytes((cut(data, rng), flipped(data, rng, split + 12, len(data)), lengthened(data, rng))[way])
        return ("cut", "compressed bytes", "lengthened")[way]
    text, name = line_mutated(data[:split].decode("latin-1"), rng)
    path.write_bytes(text.encode("utf-8", "replace") + data[split:])
    return f"line {name!r}"


def product(path: Path, reference: Path) -> tuple[Any, tuple[str, ...]]:
    """Where each segment lies as the product reads it, and its notes."""
    from deepradiomics.images import read_mask, read_volume
    from deepradiomics.images.pairing import check_pair

    image = read_volume(reference)
    mask = read_mask(path, reference=image)
    notes = (*mask.notes, *check_pair(image, mask))
    names = mask.segment_names
    places = {
        names.get(label, str(label)): place(mask.region(label), mask.geometry.affine) for label in mask.labels_present()
    }
    return places, tuple(notes)


def place(region: np.ndarray, affine: np.ndarray) -> tuple[float, ...]:
    """Voxels, their volume and their centre (LPS mm)."""
    index = np.argwhere(region)[:, ::-1].mean(axis=0)
    volume = abs(float(np.linalg.det(affine[:3, :3])))
    return (float(region.sum()), volume * float(region.sum()), *(affine[:3, :3] @ index + affine[:3, 3]).tolist())


def same(one: Any, other: Any) -> bool:
    """Equal names, voxels, volumes and centres."""
    return set(one) == set(other) and all(np.allclose(one[name], other[name], rtol=1e-5, atol=1e-3) for name in one)


def labels_reading(path: Path) -> Any:
    """A label map by nibabel or SimpleITK."""
    voxels, affine = images.nibabel_reading(path) if ".nii" in path.name else images.sitk_reading(path)
    return {str(int(label)): place(voxels == label, affine) for label in np.unique(voxels) if label != 0}


def layers_reading(path: Path) -> Any:
    """Layers and names by SimpleITK."""
    content = sitk.ReadImage(str(path))
    voxels, affine = images.sitk_reading(path)
    voxels = voxels[..., None] if voxels.ndim == 3 else voxels
    keys = content.GetMetaDataKeys()
    places, taken = {}, set()
    for number in range(20):
        if f"Segment{number}_LabelValue" not in keys:
            continue
        layer = int(content.GetMetaData(f"Segment{number}_Layer")) if f"Segment{number}_Layer" in keys else 0
        value = int(content.GetMetaData(f"Segment{number}_LabelValue"))
        name = content.GetMetaData(f"Segment{number}_Name") if f"Segment{number}_Name" in keys else str(value)
        taken.add((layer, value))
        region = voxels[..., layer] == value
        if region.any():
            places[name] = place(region, affine)
    for layer in range(voxels.shape[-1]):
        for value in np.unique(voxels[..., layer]):
            if value != 0 and (layer, int(value)) not in taken:
                places[str(int(value))] = place(voxels[..., layer] == value, affine)
    return places


def seg_reading(path: Path) -> Any:
    """A SEG by its headers in the simplest way: each frame's pixels at its position."""
    ds = pydicom.dcmread(path)
    if ds.SOPClassUID != "1.2.840.10008.5.1.4.1.1.66.4" or ds.get("FrameOfReferenceUID") is None:
        raise ValueError("not a SEG in a known space")
    pixels = ds.pixel_array.reshape(-1, ds.Rows, ds.Columns)
    names = {int(item.SegmentNumber): str(item.SegmentLabel) for item in ds.SegmentSequence}
    shared = ds.SharedFunctionalGroupsSequence[0]
    spacing = [float(value) for value in shared.PixelMeasuresSequence[0].PixelSpacing]
    points: dict[str, list[np.ndarray]] = {}
    for frame, group in zip(pixels, ds.PerFrameFunctionalGroupsSequence, strict=True):
        number = int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        origin = np.array([float(value) for value in group.PlanePositionSequence[0].ImagePositionPatient])
        rows, columns = np.nonzero(frame)
        steps = np.stack([columns * spacing[1], rows * spacing[0], np.zeros(len(rows))], axis=1)
        points.setdefault(names[number], []).append(origin + steps)
    cell = spacing[0] * spacing[1] * THICKNESS
    stacked = {name: np.concatenate(parts) for name, parts in points.items()}
    return {name: (len(p), len(p) * cell, *p.mean(axis=0)) for name, p in stacked.items() if len(p)}
