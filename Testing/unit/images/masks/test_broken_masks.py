"""SEG and RTSTRUCT files that are damaged, cut short or made to harm: refused in words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry, Volume, read_mask
from Testing.unit.images.masks.rtstruct_material import polygon, rtstruct_dataset
from Testing.unit.images.masks.seg_material import FRAME, save, seg_dataset, without

GRID = Geometry((7, 5, 9), (0.8, 1.3, 2.5), (-7.0, 8.0, 9.0))
IMAGE = Volume(np.zeros(GRID.shape, np.int16), GRID, "CT", frame_of_reference=FRAME)
TRIANGLE = [(0.5, 0.5), (5.5, 0.5), (3.0, 4.0)]


def seg() -> Any:
    region = np.zeros(GRID.shape, bool)
    region[2:6, 1:4, 1:5] = True
    return seg_dataset({1: region, 2: ~region}, GRID)


def fractions() -> Any:
    return seg_dataset({1: np.full(GRID.shape, 100)}, GRID, kind="FRACTIONAL", largest=100)


def label_map() -> Any:
    return seg_dataset({0: np.full(GRID.shape, 3)}, GRID, kind="LABELMAP")


def rtstruct() -> Any:
    return rtstruct_dataset({1: [polygon(GRID, k, TRIANGLE) for k in range(4)], 2: []})


def set_to(name: str, value: Any, *place: Any) -> Callable[[Any], None]:
    """A change of an attribute: of the dataset, or of items along ``place`` (sequence, index, sequence, index…)."""

    def change(dataset: Any) -> None:
        item = dataset
        for sequence, index in zip(place[::2], place[1::2], strict=True):
            item = getattr(item, sequence)[index]
        if value is None:
            delattr(item, name)
        else:
            setattr(item, name, value)

    return change


FRAMES, SHARED = "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"
POSITION = (FRAMES, 1, "PlanePositionSequence", 0)
PLANE, MEASURES = (SHARED, 0, "PlaneOrientationSequence", 0), (SHARED, 0, "PixelMeasuresSequence", 0)
CONTOUR = ("ROIContourSequence", 0, "ContourSequence", 1)


@pytest.mark.parametrize(
    ("make", "change", "message"),
    [
        (seg, set_to("NumberOfFrames", 3), "NumberOfFrames is 3, but .* describes 13 frames"),
        (seg, set_to("PixelData", b"\1\2"), r"are 57 bytes, but its pixel data has 2\. It is cut short"),
        (seg, set_to("PixelData", b"\1" * 100), "57 bytes, but its pixel data has 100"),
        (seg, set_to("PixelData", None), "PixelData is missing"),
        (seg, set_to("Rows", 0), "0 rows"),
        (seg, set_to("Rows", None), "Rows is missing"),
        (seg, set_to("Columns", 65535), "bytes, but its pixel data has 58"),
        (seg, set_to("BitsAllocated", 32), "32 bits"),
        (seg, set_to("SamplesPerPixel", 3), "3 samples"),
        (seg, set_to("SegmentationType", "PAINTED"), "got PAINTED"),
        (seg, set_to("SegmentationType", None), "got none"),
        (seg, set_to("SegmentSequence", None), "SegmentSequence is missing"),
        (seg, set_to("SegmentNumber", None, "SegmentSequence", 0), "SegmentNumber is missing"),
        (seg, set_to("SegmentNumber", 2, "SegmentSequence", 0), "two segments have the number 2"),
        (seg, set_to("SegmentNumber", 7, "SegmentSequence", 0), "frames belong to segment 1"),
        (seg, set_to(FRAMES, None), "PerFrameFunctionalGroupsSequence is missing"),
        (seg, set_to(SHARED, None), "has no ImageOrientationPatient"),
        (seg, set_to("PlanePositionSequence", None, FRAMES, 2), "frame 3 has no ImagePositionPatient"),
        (seg, set_to("SegmentIdentificationSequence", None, FRAMES, 2), "frame 3 has no ReferencedSegmentNumber"),
        (seg, set_to("ImagePositionPatient", ["0", "1e300", "0"], *POSITION), "slip sideways|more than a mask"),
        (seg, set_to("ImagePositionPatient", ["-7", "8", "1e9"], *POSITION), "uneven distances|more than a mask"),
        (seg, set_to("ImagePositionPatient", ["0", "1"], *POSITION), "expected 3 finite numbers"),
        (seg, set_to("ImageOrientationPatient", ["1", "0", "0", "1", "0", "0"], *PLANE), "two unit vectors"),
        (seg, set_to("ImageOrientationPatient", ["2", "0", "0", "0", "2", "0"], *PLANE), "two unit vectors"),
        (seg, set_to("PixelSpacing", ["0", "1"], *MEASURES), "PixelSpacing above 0"),
        (seg, set_to("PixelSpacing", None, *MEASURES), "has no PixelSpacing"),
        (seg, set_to("TotalPixelMatrixRows", 5000), "tiled"),
        (seg, set_to("DimensionOrganizationType", "TILED_FULL"), "tiled"),
        (fractions, set_to("MaximumFractionalValue", None), "MaximumFractionalValue is missing"),
        (fractions, set_to("MaximumFractionalValue", 0), "does not fit its 8 bits"),
        (fractions, set_to("MaximumFractionalValue", 50), "holds 100, above the largest value 50"),
        (label_map, set_to("SegmentNumber", 4, "SegmentSequence", 0), "holds the value 3, which its SegmentSequence"),
        (label_map, set_to("SegmentationType", "BINARY"), "label map segmentation whose SegmentationType is BINARY"),
        (rtstruct, set_to("StructureSetROISequence", None), "StructureSetROISequence is missing"),
        (rtstruct, set_to("ROINumber", None, "StructureSetROISequence", 0), "ROINumber is missing"),
        (rtstruct, set_to("ROINumber", 2, "StructureSetROISequence", 0), "two ROIs have the number 2"),
        (rtstruct, set_to("ReferencedROINumber", 2, "ROIContourSequence", 0), "contours of ROI 2 stand there twice"),
        (rtstruct, set_to("ReferencedROINumber", 9, "ROIContourSequence", 0), "contours of ROI 9, which its"),
        (rtstruct, set_to("ContourData", None, *CONTOUR), "got 0 numbers"),
        (rtstruct, set_to("ContourData", ["1", "2", "3", "4"], *CONTOUR), "got 4 numbers"),
        (rtstruct, set_to("NumberOfContourPoints", 500, *CONTOUR), "500 points are promised, 3 are there"),
        (rtstruct, set_to("ContourData", ["1", "2", "9", "1", "2", "14", "1", "3", "9"], *CONTOUR), "reaches over 2"),
        (rtstruct, set_to("ContourData", ["1", "2", "9", "1e12", "2", "9", "1", "3", "9"], *CONTOUR), "no place in a"),
    ],
)
def test_a_broken_file_is_refused_in_words(
    tmp_path: Path, make: Callable[[], Any], change: Callable[[Any], None], message: str
) -> None:
    dataset = make()
    change(dataset)
    path = save(dataset, tmp_path / "mask.dcm")
    with pytest.raises(InputError, match=message) as error:
        read_mask(path, reference=IMAGE)
    assert "mask.dcm" in str(error.value)
    assert "Phantom" not in str(error.value)


@pytest.mark.parametrize("text", [b"NaN", b"inf", b"1,5", b"abc"])
def test_contours_that_are_no_numbers_are_refused(tmp_path: Path, text: bytes) -> None:
    path = save(rtstruct(), tmp_path / "mask.dcm")
    stored = path.read_bytes()
    at = stored.index(b"\x06\x30\x50\x00DS") + 8
    path.write_bytes(stored[:at] + text + stored[at + len(text) :])
    with pytest.raises(InputError, match=r"mask\.dcm"):
        read_mask(path, reference=IMAGE)


@pytest.mark.parametrize("make", [seg, fractions, label_map, rtstruct])
def test_files_cut_short_and_with_flipped_bytes_are_read_right_or_refused(
    tmp_path: Path, make: Callable[[], Any]
) -> None:
    """What is accepted has the image's grid; anything but our own errors fails the test."""
    stored = save(make(), tmp_path / "mask.dcm").read_bytes()
    rng = np.random.default_rng(7)
    for n in range(60):
        mutant = bytearray(stored)
        if n % 3 == 0:
            del mutant[int(rng.integers(140, len(stored))) :]
        else:
            for place in rng.integers(140, len(stored), 3).tolist():
                mutant[place] = int(rng.integers(256))
        (tmp_path / "mutant.dcm").write_bytes(mutant)
        try:
            mask = read_mask(tmp_path / "mutant.dcm", reference=IMAGE)
        except InputError:
            continue
        assert mask.labels.shape == mask.geometry.shape


def test_missing_segments_descriptions_do_not_lose_the_region(tmp_path: Path) -> None:
    names = ["SegmentLabel", "SegmentedPropertyCategoryCodeSequence", "SegmentedPropertyTypeCodeSequence"]
    path = save(without(seg(), names), tmp_path / "mask.dcm")
    mask = read_mask(path, reference=IMAGE)
    assert mask.labels_present() == (1, 2)
    assert mask.segment_names == {}
    assert mask.segments[1].type is None


@pytest.mark.parametrize(
    ("sop_class", "message"),
    [("1.2.840.10008.5.1.4.1.1.66.5", "surface segmentation"), ("1.2.840.10008.5.1.4.1.1.481.2", "an RT dose")],
)
def test_other_objects_are_refused_by_name(tmp_path: Path, sop_class: str, message: str) -> None:
    dataset = seg()
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = sop_class
    with pytest.raises(InputError, match=message):
        read_mask(save(dataset, tmp_path / "mask.dcm"), reference=IMAGE)
