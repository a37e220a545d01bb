"""Several images at a position: sorted into whole stacks by what tells them apart, chosen, or refused with a list."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images import ReadOptions, read_volume
from Testing.reference.dicom.dicom_series_generator import item
from Testing.reference.dicom.small_dicom import enhanced, image, save_all, write_stacks


def levels(folder: Path, stack: str | None = None) -> tuple[list[int], tuple[str, ...]]:
    """The values that the volume holds, and its notes."""
    volume = read_volume(folder, options=ReadOptions(stack=stack))
    assert volume.geometry.spacing_mm == (0.5, 0.75, 3.0)
    assert volume.geometry.origin_mm == (0, 0, 0)
    return np.unique(volume.voxels).tolist(), volume.notes


SIEMENS = {0x00190010: ("LO", "SIEMENS MR HEADER")}
GE = {0x00430010: ("LO", "GEMS_PARM_01")}
PHILIPS = {0x20010010: ("LO", "Philips Imaging DD 001")}


@pytest.mark.parametrize(
    ("first", "second", "stack"),
    [
        ({"DiffusionBValue": 0.0}, {"DiffusionBValue": 1000.0}, "b=1000"),
        ({"private": SIEMENS | {0x0019100C: ("IS", "0")}}, {"private": SIEMENS | {0x0019100C: ("IS", "800")}}, "b=800"),
        ({"private": GE | {0x00431039: ("IS", ["0", "8"])}},
         {"private": GE | {0x00431039: ("IS", ["1000000700", "8"])}}, "b=700"),
        ({"private": PHILIPS | {0x20011003: ("FL", 0.0)}}, {"private": PHILIPS | {0x20011003: ("FL", 50.0)}}, "b=50"),
        ({"private": {0x00190011: ("LO", "SIEMENS MR HEADER"), 0x0019110C: ("IS", "0")}},
         {"private": {0x00190011: ("LO", "SIEMENS MR HEADER"), 0x0019110C: ("IS", "800")}}, "b=800"),
        ({"private": {0x200100EE: ("LO", "Philips Imaging DD 001"), 0x2001EE03: ("FL", 0.0)}},
         {"private": {0x200100EE: ("LO", "Philips Imaging DD 001"), 0x2001EE03: ("FL", 50.0)}}, "b=50"),
        ({"TemporalPositionIdentifier": 1}, {"TemporalPositionIdentifier": 2}, "temporal=2"),
        ({"InversionTime": "100"}, {"InversionTime": "900"}, "inversion=900"),
        ({"TriggerTime": "0"}, {"TriggerTime": "40.5"}, "trigger=40.5"),
        ({"FlipAngle": "3"}, {"FlipAngle": "15"}, "flip=15"),
        ({"KVP": "80"}, {"KVP": "140"}, "kvp=140"),
        ({"ConvolutionKernel": "B30f"}, {"ConvolutionKernel": "B70f"}, "kernel=b70F"),
        ({"ConvolutionKernel": "Lung sharp"}, {"ConvolutionKernel": "Soft tissue"}, "kernel=soft tissue"),
        ({"ImageType": ["DERIVED", "PRIMARY", "F"]}, {"ImageType": ["DERIVED", "PRIMARY", "W"]}, "type=W"),
        ({"ImageType": ["DERIVED", "PRIMARY", "IN_PHASE"]}, {"ImageType": ["DERIVED", "PRIMARY", "OPP_PHASE"]}, "2"),
        ({"FrameReferenceTime": "30000"}, {"FrameReferenceTime": "90000"}, "frame-time=90000"),
    ],
)  # fmt: skip
def test_stacks_are_refused_with_a_list_and_chosen_by_words_or_number(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], stack: str
) -> None:
    folder = write_stacks(tmp_path / "series", [first, second])
    with pytest.raises(GeometryError, match=r"2 images at each position.*1: .*\(4 images\); 2: .*\(4 images\)"):
        read_volume(folder)
    values, notes = levels(folder, stack)
    assert values == [200]
    assert "as asked" in notes[0]
    assert "Secret" not in str(notes)
    assert levels(folder, "1")[0] == [100]


@pytest.mark.parametrize(
    ("first", "second", "kept", "word"),
    [
        ({"EchoTime": "12"}, {"EchoTime": "6"}, 200, "shortest echo (TE 6.0 ms)"),
        ({"EchoNumbers": "2"}, {"EchoNumbers": "1"}, 200, "first echo"),
        ({"AcquisitionNumber": "4"}, {"AcquisitionNumber": "3"}, 200, "first acquisition"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "P"]}, {"ImageType": ["ORIGINAL", "PRIMARY", "M"]}, 200, "magnitude"),
        ({"ImageType": ["DERIVED", "SECONDARY"]}, {"ImageType": ["ORIGINAL", "PRIMARY"]}, 200, "original"),
    ],
)
def test_the_stack_that_is_plainly_meant_is_read_and_noted(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], kept: int, word: str
) -> None:
    values, notes = levels(write_stacks(tmp_path / "series", [first, second]))
    assert values == [kept]
    assert word in notes[0]
    assert "2 images at each position" in notes[0]


def test_an_original_of_another_b_value_is_not_plainly_meant(tmp_path: Path) -> None:
    first = {"ImageType": ["ORIGINAL", "PRIMARY"], "DiffusionBValue": 0.0}
    second = {"ImageType": ["DERIVED", "PRIMARY"], "DiffusionBValue": 1000.0}
    with pytest.raises(GeometryError, match="none is plainly the one meant"):
        read_volume(write_stacks(tmp_path / "series", [first, second]))


def test_two_traits_make_four_stacks(tmp_path: Path) -> None:
    stacks = [{"EchoTime": te, "DiffusionBValue": b} for te in ("5", "9") for b in (0.0, 500.0)]
    folder = write_stacks(tmp_path / "series", stacks)
    assert levels(folder, "b=500 te=5")[0] == [200]
    assert levels(folder, "te=9,b=0")[0] == [300]
    with pytest.raises(InputError, match="2 stacks are called so"):
        read_volume(folder, options=ReadOptions(stack="b=500"))


def test_gradient_directions_and_a_repeated_b_zero_are_whole_stacks(tmp_path: Path) -> None:
    stacks: list[dict[str, Any]] = [{"DiffusionBValue": 0.0}]
    stacks += [{"DiffusionBValue": 700.0, "DiffusionGradientOrientation": d} for d in ([1.0, 0, 0], [0, 1.0, 0])]
    folder = write_stacks(tmp_path / "series", stacks)
    assert levels(folder, "b=0")[0] == [100]
    assert levels(folder, "direction=0\\1\\0")[0] == [300]


def test_a_clock_that_runs_through_one_stack_before_the_next_tells_them_apart(tmp_path: Path) -> None:
    datasets = [image(k, 100 * (n + 1), uid=4 * n + k + 1, AcquisitionTime=f"1200{10 * n + k:02d}", InstanceNumber=1)
                for n in range(3) for k in range(4)]  # fmt: skip
    folder = save_all(tmp_path / "series", datasets[::-1])
    assert [levels(folder, str(n + 1))[0] for n in range(3)] == [[100], [200], [300]]
    with pytest.raises(GeometryError, match="3 images at each position"):
        read_volume(folder)


def test_stacks_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    folder = write_stacks(tmp_path / "series", [{"InstanceNumber": 1}, {"InstanceNumber": 1}])
    for stack in (None, "1"):
        with pytest.raises(GeometryError, match="nothing in the headers tells them apart"):
            read_volume(folder, options=ReadOptions(stack=stack))


def test_times_that_interleave_never_make_slices_of_two(tmp_path: Path) -> None:
    times = [[0, 3, 4, 7], [1, 2, 5, 6]]  # at each position one is earlier, but not always of the same stack
    datasets = [image(k, 100 * (n + 1), uid=4 * n + k + 1, AcquisitionTime=f"12000{times[n][k]}", InstanceNumber=1)
                for n in range(2) for k in range(4)]  # fmt: skip
    with pytest.raises(GeometryError, match="nothing in the headers tells them apart"):
        read_volume(save_all(tmp_path / "series", datasets))


def test_two_stacks_between_each_others_slices_are_not_one(tmp_path: Path) -> None:
    datasets = [image(k, 100, uid=k + 1, DiffusionBValue=500.0 * (k % 2)) for k in range(6)]
    with pytest.raises(GeometryError, match=r"differ in b \(0, 500\)"):
        read_volume(save_all(tmp_path / "series", datasets))


def test_stacks_of_unequal_numbers_are_refused(tmp_path: Path) -> None:
    datasets = [image(k, 100, uid=9 * n + k + 1, EchoTime=str(n + 5)) for n in range(2) for k in range(4 + n)]
    with pytest.raises(GeometryError, match="more images than others"):
        read_volume(save_all(tmp_path / "series", datasets))


def test_localisers_in_another_direction_are_listed(tmp_path: Path) -> None:
    sagittal = [image(k, 300, uid=20 + k, ImageOrientationPatient=["0", "1", "0", "0", "0", "-1"],
                      ImagePositionPatient=[str(3 * k), "0", "0"]) for k in range(3)]  # fmt: skip
    folder = save_all(tmp_path / "series", [*[image(k, 100) for k in range(4)], *sagittal])
    with pytest.raises(GeometryError, match=r"do not share one orientation.*4 images.*3 images"):
        read_volume(folder)
    assert levels(folder, "1")[0] == [100]


@pytest.mark.parametrize("wanted", ["3", "0", "b", "c=1", "b=7", "b=x"])
def test_a_stack_that_is_not_there_is_refused_with_the_list(tmp_path: Path, wanted: str) -> None:
    folder = write_stacks(tmp_path / "series", [{"DiffusionBValue": 0.0}, {"DiffusionBValue": 1000.0}])
    with pytest.raises(InputError, match=r"1: b=0 \(4 images\); 2: b=1000 \(4 images\)"):
        read_volume(folder, options=ReadOptions(stack=wanted))


def test_a_single_stack_answers_to_its_own_words_only(tmp_path: Path) -> None:
    folder = write_stacks(tmp_path / "series", [{"DiffusionBValue": 1000.0}])
    assert levels(folder, "b=1000") == ([100], ())
    assert levels(folder, "1") == ([100], ())
    with pytest.raises(InputError, match="no stack is called so"):
        read_volume(folder, options=ReadOptions(stack="b=0"))


def test_frames_of_a_multi_frame_object_are_sorted_by_their_groups(tmp_path: Path) -> None:
    frames = [{"value": 100 * (n + 1), "height": 3 * k, "MRDiffusionSequence": item(DiffusionBValue=400.0 * n)}
              for k in (2, 0, 3, 1) for n in range(2)]  # fmt: skip
    folder = save_all(tmp_path / "series", [enhanced(frames)])
    with pytest.raises(GeometryError, match=r"1: b=0 \(4 images\); 2: b=400"):
        read_volume(folder)
    assert levels(folder, "b=400")[0] == [200]


def test_stacks_of_a_multi_frame_object_that_only_their_stack_id_tells_apart(tmp_path: Path) -> None:
    frames = [{"value": 100 * n, "height": 3 * k, "FrameContentSequence": item(StackID=str(n), InStackPositionNumber=k)}
              for n in (1, 2) for k in range(3)]  # fmt: skip
    folder = save_all(tmp_path / "series", [enhanced(frames)])
    assert levels(folder, "stack=2")[0] == [200]


def test_several_multi_frame_files_of_one_series_are_put_together(tmp_path: Path) -> None:
    parts = [enhanced([{"value": 100, "height": 6 * k + 3 * n} for k in range(3)], uid=n + 1) for n in range(2)]
    volume = read_volume(save_all(tmp_path / "series", parts))
    assert volume.geometry.size == (8, 6, 6)
    assert volume.geometry.spacing_mm[2] == 3
