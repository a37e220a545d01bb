"""A SEG holds the regions as they were drawn, on the slices that they were drawn on, and says who drew them."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from deepradiomics.dicom_out import LEARNED, Drawn, drawn_in, read_source, write_segmentation
from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Geometry, Mask, Segment, Volume
from Testing.unit.dicom_out.conftest import CORE, Written
from Testing.unit.dicom_out.series import DISTANCE, ORIENTATION, PATIENT, phantom, write_enhanced

hd = pytest.importorskip("highdicom", reason="highdicom is not installed: nothing writes DICOM")


def read(path: Path) -> "hd.seg.Segmentation":
    return hd.seg.segread(path)


def segment_of(path: Path, number: int, volume: Volume) -> np.ndarray:
    """A segment on the volume's grid, by highdicom's own geometry: bool (z, y, x)."""
    part = read(path).get_volume(segment_numbers=[number])
    found = np.zeros(volume.voxels.shape, bool)
    corners = np.argwhere(part.array[..., 0])
    places = corners @ part.affine[:3, :3].T + part.affine[:3, 3]
    index = np.rint(volume.geometry.physical_to_index(places)).astype(int)
    found[tuple(index.T[::-1])] = True
    return found


@pytest.mark.parametrize("label", [1, 2])
def test_the_voxels_of_each_overlapping_segment_are_those_of_the_mask(written: Written, label: int) -> None:
    found = segment_of(written.folder / "segmentation.dcm", label, written.volume)
    np.testing.assert_array_equal(found, written.mask.region(label))
    assert read(written.folder / "segmentation.dcm").SegmentsOverlap == "YES"


def test_name_colour_and_terms_are_kept_and_what_is_unknown_is_tissue(written: Written) -> None:
    core, rim = read(written.folder / "segmentation.dcm").SegmentSequence
    assert (core.SegmentLabel, core.SegmentNumber, rim.SegmentLabel) == (CORE.name, 1, "rim")
    assert core.segmented_property_type.value == "108369006"
    assert core.segmented_property_category.value == "49755003"
    colour = hd.color.CIELabColor.from_dicom_value(list(core.RecommendedDisplayCIELabValue)).to_rgb(clip=True)
    np.testing.assert_allclose(colour, (255, 0, 0), atol=2)
    assert rim.segmented_property_type.meaning == "Tissue"
    assert "RecommendedDisplayCIELabValue" not in rim
    assert any("Label 2 (rim)" in note and "Tissue" in note for note in written.notes)
    assert core.SegmentAlgorithmType == "MANUAL"
    assert any("Label 1" in note and "MANUAL" in note for note in written.notes)


def test_frames_are_stored_where_something_is_and_refer_to_the_slice_under_them(written: Written) -> None:
    segmentation = read(written.folder / "segmentation.dcm")
    slices = {str(dcmread(path).SOPInstanceUID): path for path in written.series.iterdir()}
    assert segmentation.NumberOfFrames == 5 + 4
    for group in segmentation.PerFrameFunctionalGroupsSequence:
        [derivation] = group.DerivationImageSequence
        [source] = derivation.SourceImageSequence
        under = dcmread(slices[source.ReferencedSOPInstanceUID])
        position = group.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(np.array(position, float), np.array(under.ImagePositionPatient, float))
    orientation = segmentation.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient
    np.testing.assert_allclose(np.array(orientation, float), np.array(ORIENTATION, float))
    referenced = segmentation.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert {item.ReferencedSOPInstanceUID for item in referenced} == set(slices)


def test_patient_and_study_are_the_series_and_uids_are_fresh(written: Written) -> None:
    source = dcmread(next(written.series.iterdir()))
    for name in ("segmentation.dcm", "measurements.dcm"):
        found = dcmread(written.folder / name)
        assert found.SpecificCharacterSet == "ISO_IR 192"
        for keyword, content in PATIENT.items():
            assert str(found[keyword].value) == content
        for keyword in ("StudyInstanceUID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"):
            assert found[keyword].value == source[keyword].value
        assert found.SeriesInstanceUID != source.SeriesInstanceUID
        assert found.SOPInstanceUID not in {dcmread(path).SOPInstanceUID for path in written.series.iterdir()}
        assert (found.Manufacturer, found.ManufacturerModelName) == ("DeepRadiomics", "deepradiomics")
        assert found.SeriesNumber == 300 + (1 if name.startswith("seg") else 2)
    assert read(written.folder / "segmentation.dcm").FrameOfReferenceUID == source.FrameOfReferenceUID


def test_labels_with_gaps_become_consecutive_segments_that_say_their_label(written: Written, tmp_path: Path) -> None:
    labels = np.array([0, 7, 300], np.int32)[written.mask.labels]
    mask = Mask(labels, written.volume.geometry, segments={7: "a", 300: "b"})
    made = write_segmentation(mask, written.source, tmp_path / "seg.dcm")
    assert made.numbers == {7: 1, 300: 2}
    assert [item.SegmentDescription for item in read(tmp_path / "seg.dcm").SegmentSequence] == [
        "Label 7 of the mask", "Label 300 of the mask",
    ]  # fmt: skip
    np.testing.assert_array_equal(segment_of(tmp_path / "seg.dcm", 2, written.volume), labels == 300)


@pytest.mark.parametrize("turned", ["mirrored", "cropped", "permuted"])
def test_a_mask_on_the_series_own_voxels_is_taken_whatever_its_axes(
    written: Written, tmp_path: Path, turned: str
) -> None:
    grid, region = written.volume.geometry, written.mask.region(1)
    affine = grid.affine.copy()
    if turned == "cropped":
        other, geometry = region[2:9, 3:14, 4:20], grid.crop((4, 3, 2), (16, 11, 7))
    elif turned == "mirrored":
        affine[:3, 3] = grid.index_to_physical((grid.size[0] - 1, 0, grid.size[2] - 1))
        affine[:3, [0, 2]] *= -1
        other, geometry = region[::-1, :, ::-1], Geometry.from_affine(affine, grid.size)
    else:
        affine[:3, :3] = affine[:3, [2, 0, 1]]
        other, geometry = region.transpose(1, 2, 0), Geometry.from_affine(affine, (grid.size[2], *grid.size[:2]))
    write_segmentation(Mask(other.astype(np.uint8), geometry), written.source, tmp_path / "seg.dcm")
    np.testing.assert_array_equal(segment_of(tmp_path / "seg.dcm", 1, written.volume), region)


def test_a_mask_between_the_series_voxels_is_refused(written: Written, tmp_path: Path) -> None:
    grid = written.volume.geometry
    half = Geometry(grid.size, grid.spacing_mm, tuple(grid.index_to_physical((0.5, 0, 0))), grid.direction)
    finer = grid.resized((grid.size[0] * 2, grid.size[1], grid.size[2]))
    for geometry, labels in ((half, written.mask.labels), (finer, np.repeat(written.mask.labels, 2, axis=2))):
        with pytest.raises(GeometryError, match="label 1: it lies on another grid"):
            write_segmentation(Mask(labels, geometry, "mask"), written.source, tmp_path / "seg.dcm")
    assert not list(tmp_path.iterdir())


def test_a_region_that_reaches_beyond_the_series_is_refused(written: Written, tmp_path: Path) -> None:
    grid = written.volume.geometry
    origin = tuple(grid.index_to_physical((0, 0, 6)))
    aside = Geometry(grid.size, grid.spacing_mm, origin, grid.direction)
    with pytest.raises(GeometryError, match="outside the DICOM series"):
        write_segmentation(Mask(written.mask.labels, aside, "mask"), written.source, tmp_path / "seg.dcm")


def test_an_existing_file_is_not_replaced_and_an_empty_mask_is_refused(written: Written, tmp_path: Path) -> None:
    (tmp_path / "seg.dcm").write_text("somebody's")
    with pytest.raises(InputError, match="exists"):
        write_segmentation(written.mask, written.source, tmp_path / "seg.dcm")
    assert (tmp_path / "seg.dcm").read_text() == "somebody's"
    empty = Mask(np.zeros(written.volume.voxels.shape, np.uint8), written.volume.geometry)
    with pytest.raises(MaskError, match="empty"):
        write_segmentation(empty, written.source, tmp_path / "other.dcm")


def test_an_algorithm_is_named_and_found_again(written: Written, tmp_path: Path) -> None:
    drawn = {1: Drawn("AUTOMATIC", "DeepRadiomics segmenter", "1.2", LEARNED), 2: Drawn("SEMIAUTOMATIC", "Grow")}
    write_segmentation(written.mask, written.source, tmp_path / "seg.dcm", drawn=drawn)
    first, second = read(tmp_path / "seg.dcm").SegmentSequence
    assert (first.SegmentAlgorithmType, first.SegmentAlgorithmName) == ("AUTOMATIC", "DeepRadiomics segmenter")
    assert first.SegmentationAlgorithmIdentificationSequence[0].AlgorithmVersion == "1.2"
    assert (second.SegmentAlgorithmType, second.SegmentAlgorithmName) == ("SEMIAUTOMATIC", "Grow")
    assert drawn_in(tmp_path / "seg.dcm") == drawn
    assert drawn_in(written.series) == {}
    with pytest.raises(InputError, match="algorithm's name"):
        Drawn("AUTOMATIC")


@pytest.mark.parametrize("order", [list(range(6)), [0, 2, 4, 1, 3, 5], [5, 4, 3, 2, 1, 0]])
def test_a_multi_frame_source_is_referred_to_by_frame(tmp_path: Path, order: list[int]) -> None:
    voxels = phantom((6, 20, 24))
    path = write_enhanced(tmp_path / "mr", voxels, order)
    volume = volume_of(voxels)
    mask = Mask(small_labels(voxels.shape), volume.geometry)
    write_segmentation(mask, read_source(path, volume), tmp_path / "seg.dcm")
    np.testing.assert_array_equal(segment_of(tmp_path / "seg.dcm", 1, volume), mask.region(1))
    for group in read(tmp_path / "seg.dcm").PerFrameFunctionalGroupsSequence:
        frame = int(group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber)
        height = float(group.PlanePositionSequence[0].ImagePositionPatient[2])
        assert order[frame - 1] == round((height - 30) / DISTANCE)


def test_of_a_multi_frame_source_with_two_stacks_the_frames_that_were_read_are_meant(tmp_path: Path) -> None:
    voxels = phantom((12, 20, 24))  # planes 0 to 5 one stack, 6 to 11 the other at the same heights
    path = write_enhanced(tmp_path / "mr", voxels, list(range(12)), [0, 1, 2, 3, 4, 5] * 2)
    volume = volume_of(voxels[6:])
    mask = Mask(small_labels(volume.voxels.shape), volume.geometry)
    source = read_source(path, volume)
    assert source.frames == (6, 7, 8, 9, 10, 11)
    write_segmentation(mask, source, tmp_path / "seg.dcm")
    np.testing.assert_array_equal(segment_of(tmp_path / "seg.dcm", 1, volume), mask.region(1))
    frames = {
        int(group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber)
        for group in read(tmp_path / "seg.dcm").PerFrameFunctionalGroupsSequence
    }
    assert frames == {9, 10}


def test_a_long_name_is_cut_and_told(written: Written, tmp_path: Path) -> None:
    name = "tumour\\" + "x" * 80
    mask = Mask(written.mask.labels, written.volume.geometry, segments={1: Segment(name), 2: Segment("rim")})
    made = write_segmentation(mask, written.source, tmp_path / "seg.dcm")
    label = read(tmp_path / "seg.dcm").SegmentSequence[0].SegmentLabel
    assert len(label) == 64
    assert label.startswith("tumour x")
    assert any("its name is stored as" in note for note in made.notes)


def volume_of(voxels: np.ndarray) -> Volume:
    """What a reader gives of :func:`series.write_enhanced`."""
    axes = np.array([float(value) for value in ORIENTATION]).reshape(2, 3)
    direction = np.stack([axes[0], axes[1], np.cross(axes[0], axes[1])], axis=1)
    grid = Geometry(voxels.shape[::-1], (0.5, 0.75, DISTANCE), (-12.5, 7.25, 30.0), tuple(direction.ravel()))
    return Volume(voxels, grid, "MR")


def small_labels(shape: tuple[int, ...]) -> np.ndarray:
    labels = np.zeros(shape, np.uint8)
    labels[2:4, 4:12, 5:14] = 1
    return labels
