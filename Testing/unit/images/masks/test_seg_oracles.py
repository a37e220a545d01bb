"""SEG files written by highdicom, read by us and by dcmqi: equal voxel by voxel, in the patient's space."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import GeometryError
from deepradiomics.images import Code, Geometry, Mask, Volume, mask_from_sitk, read_mask, write_mask
from deepradiomics.prepare.resample import resample_mask
from Testing.unit.images.masks.seg_material import FRAME, base, ds, random_geometry, random_region, save

hd = pytest.importorskip("highdicom", reason="highdicom is not installed")
DCMQI = Path(sys.executable).with_name("segimage2itkimage")


def source_images(geometry: Geometry) -> list[Any]:
    """A CT series of zeros on a grid."""
    first = base("1.2.840.10008.5.1.4.1.1.2", "CT")
    images = []
    for k in range(geometry.size[2]):
        image = base("1.2.840.10008.5.1.4.1.1.2", "CT")
        image.StudyInstanceUID, image.SeriesInstanceUID = first.StudyInstanceUID, first.SeriesInstanceUID
        image.PatientBirthDate = image.PatientSex = image.StudyID = image.AccessionNumber = (
            image.ReferringPhysicianName
        ) = ""
        image.StudyDate, image.StudyTime, image.InstanceNumber, image.SeriesNumber = "20200101", "120000", k + 1, 1
        image.Rows, image.Columns, image.SamplesPerPixel = geometry.size[1], geometry.size[0], 1
        image.PhotometricInterpretation, image.PixelRepresentation = "MONOCHROME2", 0
        image.BitsAllocated = image.BitsStored = 16
        image.HighBit = 15
        image.ImageOrientationPatient = ds([*geometry.axes[:, 0], *geometry.axes[:, 1]])
        image.ImagePositionPatient = ds(geometry.index_to_physical((0, 0, k)))
        image.PixelSpacing = ds([geometry.spacing_mm[1], geometry.spacing_mm[0]])
        image.SliceThickness = ds(geometry.spacing_mm[2])[0]
        image.PixelData = bytes(2 * image.Rows * image.Columns)
        images.append(image)
    return images


def written_by_highdicom(
    path: Path, regions: dict[int, np.ndarray], geometry: Geometry, kind: str, *, empty: bool, syntax: str | None = None
) -> Path:
    """One plane of booleans (or fractions) for each segment; numbers are 1, 2, … as highdicom demands."""
    from highdicom.sr.coding import CodedConcept
    from pydicom.uid import ExplicitVRLittleEndian, RLELossless

    described = [
        hd.seg.SegmentDescription(
            segment_number=number, segment_label=f"part {number}",
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
            segmented_property_category=CodedConcept("85756007", "SCT", "Tissue"),
            segmented_property_type=CodedConcept("108369006", "SCT", "Neoplasm"),
            display_color=hd.color.CIELabColor.from_rgb(200, 30 * number, 60),
        )
        for number in regions
    ]  # fmt: skip
    pixels: np.ndarray = np.stack([regions[number] for number in regions], axis=-1)
    if kind == "LABELMAP":
        pixels = np.max(pixels * np.array(list(regions)), axis=-1).astype(np.uint8)
    written = hd.seg.Segmentation(
        source_images=source_images(geometry), pixel_array=pixels,
        segmentation_type=kind, segment_descriptions=described, series_instance_uid=hd.UID(), series_number=2,
        sop_instance_uid=hd.UID(), instance_number=1, manufacturer="none", manufacturer_model_name="none",
        software_versions="1", device_serial_number="1", omit_empty_frames=not empty,
        transfer_syntax_uid=RLELossless if syntax == "RLE" else ExplicitVRLittleEndian,
    )  # fmt: skip
    written.save_as(path)
    return path


def random_seg(path: Path, seed: int) -> tuple[Geometry, dict[int, np.ndarray]]:
    rng = np.random.default_rng(seed)
    geometry = random_geometry(rng)
    kind = ("BINARY", "FRACTIONAL", "LABELMAP")[seed % 3]
    regions = {number: random_region(rng, geometry) for number in range(1, int(rng.integers(2, 5)))}
    if kind == "LABELMAP":
        top = np.max([region * number for number, region in regions.items()], axis=0)
        regions = {number: top == number for number in regions}
    stored: dict[int, np.ndarray] = {number: region.astype(np.uint8) for number, region in regions.items()}
    if kind == "FRACTIONAL":
        stored = {
            n: np.where(r, rng.uniform(0.51, 1, r.shape), rng.uniform(0, 0.49, r.shape)) for n, r in regions.items()
        }
    syntax = "RLE" if kind != "BINARY" and rng.random() < 0.5 else None
    written_by_highdicom(path, stored, geometry, kind, empty=bool(rng.random() < 0.3), syntax=syntax)
    return geometry, {number: region for number, region in regions.items() if region.any()}


def check_against_highdicom(tmp_path: Path, seeds: range) -> None:
    for seed in seeds:
        path = tmp_path / "seg.dcm"
        geometry, regions = random_seg(path, seed)
        image = Volume(np.zeros(geometry.shape), geometry, frame_of_reference=FRAME)
        mask = read_mask(path, reference=image)
        assert mask.geometry == geometry, seed
        assert mask.labels_present() == tuple(regions), seed
        assert mask.segments[1].name == "part 1", seed
        assert mask.segments[1].colour == pytest.approx((200 / 255, 30 / 255, 60 / 255), abs=0.01), seed
        for number, region in regions.items():
            assert np.array_equal(mask.region(number), region), (seed, number)
        try:
            alone = read_mask(path)
        except GeometryError as error:  # of one slice, and highdicom gives no distance of slices
            assert "single slice" in str(error), seed
            continue
        back = resample_mask(alone, geometry)
        assert all(np.array_equal(back.region(number), region) for number, region in regions.items()), seed


def test_what_highdicom_writes_is_read_voxel_by_voxel(tmp_path: Path) -> None:
    check_against_highdicom(tmp_path, range(18))


@pytest.mark.slow
def test_much_that_highdicom_writes_is_read_voxel_by_voxel(tmp_path: Path) -> None:
    check_against_highdicom(tmp_path, range(18, 500))


def check_against_dcmqi(tmp_path: Path, seeds: range) -> int:
    compared = 0
    for seed in seeds:
        path, out = tmp_path / f"{seed}.dcm", tmp_path / str(seed)
        geometry, regions = random_seg(path, 3 * seed)  # binary: dcmqi reads no label maps, and fractions its own way
        out.mkdir()
        run = subprocess.run(
            [DCMQI, "--inputDICOM", path, "--outputDirectory", out, "--outputType", "nrrd", "--prefix", "x"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == 0, (seed, run.stdout[-500:], run.stderr[-500:])
        mask = read_mask(path, reference=Volume(np.zeros(geometry.shape), geometry, frame_of_reference=FRAME))
        for number, region in regions.items():
            theirs: Mask = resample_mask(mask_from_sitk(sitk.ReadImage(str(out / f"x-{number}.nrrd"))), geometry)
            assert np.array_equal(theirs.union(), region), (seed, number)
            assert np.array_equal(mask.region(number), region), (seed, number)
            compared += 1
    return compared


@pytest.mark.skipif(not DCMQI.exists(), reason="dcmqi is not installed")
def test_dcmqi_reads_the_same_voxels(tmp_path: Path) -> None:
    assert check_against_dcmqi(tmp_path, range(3)) >= 3


@pytest.mark.slow
@pytest.mark.skipif(not DCMQI.exists(), reason="dcmqi is not installed")
def test_dcmqi_reads_the_same_voxels_of_many(tmp_path: Path) -> None:
    assert check_against_dcmqi(tmp_path, range(3, 103)) >= 100


@pytest.mark.skipif(not DCMQI.exists(), reason="dcmqi is not installed")
@pytest.mark.parametrize("sparse", [False, True])
def test_what_dcmqi_writes_is_read_voxel_by_voxel(tmp_path: Path, sparse: bool) -> None:
    rng = np.random.default_rng(int(sparse))
    geometry = random_geometry(rng)
    regions = {1: random_region(rng, geometry), 2: random_region(rng, geometry)}  # they overlap
    (tmp_path / "ct").mkdir()
    for k, image in enumerate(source_images(geometry)):
        save(image, tmp_path / "ct" / f"{k}.dcm")
    maps = [
        write_mask(Mask(region.astype(np.uint8), geometry), tmp_path / f"{n}.nii.gz") for n, region in regions.items()
    ]
    term = {"CodeValue": "85756007", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Tissue"}
    attributes = {
        "labelID": 1, "SegmentDescription": "d", "SegmentAlgorithmType": "MANUAL",
        "SegmentedPropertyCategoryCodeSequence": term, "SegmentedPropertyTypeCodeSequence": term,
    }  # fmt: skip
    colours = [[200, 30, 60], [10, 220, 250]]
    described = [
        [attributes | {"SegmentLabel": f"part {n}", "recommendedDisplayRGBValue": colour}]
        for n, colour in enumerate(colours, start=1)
    ]
    (tmp_path / "meta.json").write_text(json.dumps({"ContentCreatorName": "x", "segmentAttributes": described}))
    command = [
        DCMQI.with_name("itkimage2segimage"), "--inputDICOMDirectory", tmp_path / "ct", "--inputImageList",
        ",".join(map(str, maps)), "--inputMetadata", tmp_path / "meta.json", "--outputDICOM", tmp_path / "seg.dcm",
    ]  # fmt: skip
    run = subprocess.run([*command, *(["--skip"] if sparse else [])], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-1000:] + run.stderr[-1000:]
    mask = read_mask(tmp_path / "seg.dcm", reference=Volume(np.zeros(geometry.shape), geometry))
    assert mask.geometry == geometry
    assert mask.segment_names == {1: "part 1", 2: "part 2"}
    for number, region in regions.items():
        assert np.array_equal(mask.region(number), region)
        colour = np.array(colours[number - 1]) / 255
        assert mask.segments[number].colour == pytest.approx(colour.tolist(), abs=0.01)
    assert mask.segments[1].type == Code("85756007", "SCT", "Tissue")
