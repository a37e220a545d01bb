"""Geometry equals the headers, is straightened, or is refused by name: it is never made up."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images import ReadOptions, read_volume
from Testing.reference.dicom.dicom_series_generator import item
from Testing.reference.dicom.small_dicom import CT, NM, ROOT, enhanced, image, save_all, write_slices

XA, CR, SC, US = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("12.1", "1", "7", "6.1"))
RTIMAGE, RTDOSE = "1.2.840.10008.5.1.4.1.1.481.1", "1.2.840.10008.5.1.4.1.1.481.2"


@pytest.mark.parametrize("sop", [CT, NM, XA, CR, SC])
def test_spacing_and_origin_are_the_headers_whatever_the_kind_of_object(tmp_path: Path, sop: str) -> None:
    grid = read_volume(write_slices(tmp_path / "series", range(4), sop=sop)).geometry
    assert grid.spacing_mm == (0.5, 0.75, 3.0)
    assert grid.origin_mm == (0, 0, 0)
    assert np.array_equal(grid.axes, np.eye(3))


def test_slices_are_ordered_by_position_not_by_name_or_number(tmp_path: Path) -> None:
    heights = [6.0, 0.0, 9.0, 3.0]
    datasets = [image(n, int(height), height=height) for n, height in enumerate(heights)]
    volume = read_volume(save_all(tmp_path / "series", datasets))
    assert volume.voxels[:, 0, 0].tolist() == [0, 3, 6, 9]
    assert volume.geometry.origin_mm == (0, 0, 0)


@pytest.mark.parametrize("name", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_a_place_that_no_slice_or_one_slice_lacks_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(GeometryError, match=f"none of the 4 slices has {name}"):
        read_volume(write_slices(tmp_path / "all", range(4), **{name: None}))
    datasets = [image(k, **({name: None} if k == 2 else {})) for k in range(4)]
    with pytest.raises(GeometryError, match=rf"1 of 4 slices have no {name}: 002\.dcm"):
        read_volume(save_all(tmp_path / "one", datasets))


def test_the_detectors_spacing_does_not_stand_for_the_patients(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "series", range(4), PixelSpacing=None, ImagerPixelSpacing=["0.1", "0.1"])
    with pytest.raises(GeometryError, match="measured at the detector"):
        read_volume(folder)


@pytest.mark.parametrize(("header", "distance"), [("SliceThickness", 3.0), ("SpacingBetweenSlices", 2.5)])
def test_a_header_stands_in_for_missing_positions_only_where_asked(
    tmp_path: Path, header: Any, distance: float
) -> None:
    datasets = [image(k, k, ImagePositionPatient=None, SpacingBetweenSlices="2.5") for k in range(4)]
    volume = read_volume(save_all(tmp_path / "series", datasets[::-1]), options=ReadOptions(slice_spacing=header))
    assert volume.geometry.spacing_mm[2] == distance
    assert volume.voxels[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert f"{distance:g} mm apart ({header})" in volume.notes[0]
    assert "assumptions" in volume.notes[0]


def test_a_header_cannot_stand_in_where_numbers_leave_gaps_or_it_differs(tmp_path: Path) -> None:
    options = ReadOptions(slice_spacing="SliceThickness")
    gap = [image(k, ImagePositionPatient=None) for k in (0, 1, 3)]
    with pytest.raises(GeometryError, match="leaves gaps"):
        read_volume(save_all(tmp_path / "gap", gap), options=options)
    other = [image(k, ImagePositionPatient=None, SliceThickness=str(3 + k)) for k in range(3)]
    with pytest.raises(GeometryError, match="SliceThickness cannot stand in"):
        read_volume(save_all(tmp_path / "other", other), options=options)
    partly = [image(k, **({"ImagePositionPatient": None} if k == 1 else {})) for k in range(3)]
    with pytest.raises(GeometryError, match=r"1 of 3 slices have no ImagePositionPatient: 001\.dcm"):
        read_volume(save_all(tmp_path / "partly", partly), options=options)


def test_a_single_slice_is_refused_unless_its_thickness_is_taken(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "series", [7])
    with pytest.raises(GeometryError, match="single slice has no neighbour"):
        read_volume(folder)
    volume = read_volume(folder, options=ReadOptions(slice_spacing="SliceThickness"))
    assert volume.geometry.spacing_mm == (0.5, 0.75, 3.0)
    assert "A single slice" in volume.notes[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"PixelSpacing": ["0.8", "0.5"]}, "PixelSpacing changes"),
        ({"ImageOrientationPatient": ["0", "1", "0", "-1", "0", "0"]}, "do not share one orientation"),
        ({"ImagePositionPatient": ["1", "0", "6"]}, "beside the others"),
        ({"ImagePositionPatient": ["0", "0", "7"]}, "missing or unevenly spaced"),
        ({"FrameOfReferenceUID": "1.2.3"}, "2 frames of reference"),
        ({"FrameOfReferenceUID": None}, "2 frames of reference"),
    ],
)
def test_one_slice_that_lies_otherwise_is_refused(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    datasets = [image(k, **(change if k == 2 else {})) for k in range(5)]
    with pytest.raises(GeometryError, match=words):
        read_volume(save_all(tmp_path / "series", datasets))


def test_the_frame_of_reference_goes_with_the_volume(tmp_path: Path) -> None:
    volume = read_volume(write_slices(tmp_path / "series", range(3)))
    assert volume.frame_of_reference == f"{ROOT}.3"


def test_directions_off_by_rounding_become_the_nearest_rotation_with_a_note(tmp_path: Path) -> None:
    cosines = ["0.9998", "0", "0", "0", "0.9998", "0"]
    volume = read_volume(write_slices(tmp_path / "series", range(3), ImageOrientationPatient=cosines))
    assert np.allclose(volume.geometry.axes, np.eye(3), atol=1e-9)
    assert "nearest directions" in volume.notes[0]
    with pytest.raises(GeometryError, match="no two directions at right angles"):
        slanted = ["1", "0", "0", "0.01", "1", "0"]
        read_volume(write_slices(tmp_path / "slanted", range(3), ImageOrientationPatient=slanted))


def test_a_tilted_multi_frame_object_is_put_straight(tmp_path: Path) -> None:
    frames = [{"value": 100, "height": 0.0} for _ in range(5)]
    dataset = enhanced(frames)
    for k, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        group.PlanePositionSequence = item(ImagePositionPatient=["0", f"{k:g}", f"{3 * k:g}"])
    volume = read_volume(save_all(tmp_path / "series", [dataset]))
    assert volume.geometry.spacing_mm == pytest.approx((0.5, 0.75, 3))
    assert "tilted by 18.4°" in volume.notes[-1]


def test_a_slip_that_is_less_than_a_tilt_is_told(tmp_path: Path) -> None:
    datasets = [image(k, ImagePositionPatient=["0", f"{0.01 * k:g}", f"{3 * k:g}"]) for k in range(20)]
    volume = read_volume(save_all(tmp_path / "series", datasets))
    assert volume.geometry.size == (8, 6, 20)
    assert "slip sideways by 0.19 mm" in volume.notes[0]


def test_a_mosaic_is_refused_by_name(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "series", range(3), ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"])
    with pytest.raises(InputError, match="a mosaic"):
        read_volume(folder)


def test_a_contradicting_distance_and_missing_numbers_are_told(tmp_path: Path) -> None:
    datasets = [image(k, SpacingBetweenSlices="1.5", InstanceNumber=k + 1 + (k > 2), ImagesInAcquisition="7")
                for k in range(6)]  # fmt: skip
    notes = " ".join(read_volume(save_all(tmp_path / "series", datasets)).notes)
    assert "SpacingBetweenSlices says 1.5 mm" in notes
    assert "leaves out 1" in notes
    assert "promises 7 images" in notes


@pytest.mark.parametrize(("sign", "first"), [(1, 0.0), (-1, -9.0)])
def test_nuclear_slices_lie_behind_the_first_or_before_it_by_the_sign_of_their_distance(
    tmp_path: Path, sign: int, first: float
) -> None:
    pixels = np.stack([np.full((6, 8), value, np.uint16) for value in (10, 20, 30, 40)])
    dataset = image(0, pixels, sop=NM, NumberOfFrames=4, ImagePositionPatient=None, ImageOrientationPatient=None,
                    ImageType=["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"], SliceVector=[1, 2, 3, 4],
                    SpacingBetweenSlices=f"{3 * sign}")  # fmt: skip
    dataset.DetectorInformationSequence = item(
        ImagePositionPatient=["0", "0", "0"], ImageOrientationPatient=["1", "0", "0", "0", "1", "0"]
    )
    volume = read_volume(save_all(tmp_path / "series", [dataset]))
    assert volume.voxels[:, 0, 0].tolist() == [10, 20, 30, 40][::sign]
    assert volume.geometry.origin_mm == (0, 0, first)
    assert volume.geometry.spacing_mm == (0.5, 0.75, 3)


def test_nuclear_projections_are_refused_by_name(tmp_path: Path) -> None:
    pixels = np.ones((4, 6, 8), np.uint16)
    dataset = image(0, pixels, sop=NM, NumberOfFrames=4, ImageType=["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"])
    with pytest.raises(InputError, match="no reconstructed slices"):
        read_volume(save_all(tmp_path / "series", [dataset]))


@pytest.mark.parametrize("sop", [XA, US, SC])
def test_frames_without_a_place_of_their_own_are_refused(tmp_path: Path, sop: str) -> None:
    dataset = image(0, np.ones((4, 6, 8), np.uint16), sop=sop, NumberOfFrames=4, Modality="XA")
    with pytest.raises(InputError, match="no place of their own"):
        read_volume(save_all(tmp_path / "series", [dataset]))


def test_an_rt_image_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="RT image"):
        read_volume(write_slices(tmp_path / "series", [1, 2], sop=RTIMAGE, Modality="RTIMAGE"))


def test_a_dose_is_read_with_its_scaling_and_offsets(tmp_path: Path) -> None:
    pixels = np.stack([np.full((6, 8), value, np.uint32) for value in (1, 2, 3)])
    dataset = image(0, pixels, height=-20, sop=RTDOSE, Modality="RTDOSE", NumberOfFrames=3, DoseGridScaling="0.001",
                    GridFrameOffsetVector=["0", "2.5", "5"])  # fmt: skip
    volume = read_volume(save_all(tmp_path / "series", [dataset]))
    assert volume.voxels[:, 0, 0] == pytest.approx([0.001, 0.002, 0.003])
    assert volume.geometry.origin_mm == (0, 0, -20)
    assert volume.geometry.spacing_mm == (0.5, 0.75, 2.5)
    save_all(tmp_path / "series", [image(k, 9, uid=50 + k, SeriesInstanceUID=f"{ROOT}.8") for k in range(3)], first=5)
    assert np.unique(read_volume(tmp_path / "series").voxels).tolist() == [
        9
    ]  # the dose beside images is no second series
    assert read_volume(tmp_path / "series" / "000.dcm").voxels.max() == pytest.approx(0.003)


@pytest.mark.parametrize("distance", [0.625, 1 / 3, 1.25 / 3])
def test_positions_of_two_decimals_are_even(tmp_path: Path, distance: float) -> None:
    datasets = [image(k, 100, height=round(distance * k, 2)) for k in range(20)]
    volume = read_volume(save_all(tmp_path / "series", datasets))
    assert volume.notes == ()
    assert volume.geometry.spacing_mm[2] == pytest.approx(distance, abs=1e-3)


def test_distances_that_differ_by_more_than_rounding_are_told_or_refused(tmp_path: Path) -> None:
    told = [image(k, 100, height=0.5 * k + 0.008 * (k % 2)) for k in range(10)]
    assert "distances range from 0.492 to 0.508" in read_volume(save_all(tmp_path / "told", told)).notes[0]
    refused = [image(k, 100, height=0.5 * k + 0.02 * (k % 2)) for k in range(10)]
    with pytest.raises(GeometryError, match=r"distances range from 0\.480 to 0\.520"):
        read_volume(save_all(tmp_path / "refused", refused))


def test_a_whole_header_that_a_maker_repeats_in_a_private_group_is_not_the_frames_own(tmp_path: Path) -> None:
    frames = [{"value": 100 * (k + 1), "height": 3 * k} for k in range(4)]
    dataset = enhanced(frames)
    dataset.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence = item(
        RescaleSlope="2", RescaleIntercept="-10", RescaleType="US"
    )
    for group in dataset.PerFrameFunctionalGroupsSequence:
        group.add_new(0x20050014, "LO", "Philips MR Imaging DD 005")
        group.add_new(0x2005140F, "SQ", item(RescaleSlope="7", RescaleIntercept="9", PixelSpacing=["9", "9"],
                                             ImageOrientationPatient=["0", "1", "0", "0", "0", "1"]))  # fmt: skip
    volume = read_volume(save_all(tmp_path / "series", [dataset]))
    assert volume.geometry.spacing_mm == (0.5, 0.75, 3.0)
    assert np.array_equal(volume.geometry.axes, np.eye(3))
    assert volume.voxels[:, 0, 0].tolist() == [190, 390, 590, 790]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_tilted_series_keeps_its_frame_of_reference(tmp_path: Path, sign: int) -> None:
    datasets = [image(k, 100, ImagePositionPatient=["0", f"{sign * 0.6 * k:g}", str(3 * k)]) for k in range(6)]
    volume = read_volume(save_all(tmp_path / "series", datasets))
    assert volume.frame_of_reference == f"{ROOT}.3"
    assert "tilted" in volume.notes[-1]


@pytest.mark.parametrize("content", [["0"] * 6, ["1", "0", "0", "0.1", "1", "0"], ["2", "0", "0", "0", "2", "0"]])
def test_directions_that_are_none_are_named_even_where_one_slice_has_them(tmp_path: Path, content: list[str]) -> None:
    datasets = [image(k, 100, **({"ImageOrientationPatient": content} if k == 2 else {})) for k in range(4)]
    with pytest.raises(GeometryError, match=r"002\.dcm: ImageOrientationPatient holds no two directions"):
        read_volume(save_all(tmp_path / "series", datasets))
