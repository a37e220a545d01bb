"""A series whose slices come from two stacks in turn, one image at each position: refused, or told; never silent."""

from pathlib import Path
from typing import Any

import pytest

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images import ReadOptions, read_volume
from Testing.reference.dicom.dicom_series_generator import item
from Testing.reference.dicom.small_dicom import CT, PT, enhanced, image, save_all, write_slices, write_stacks


def in_turn(folder: Path, name: str, contents: tuple[Any, Any], **tags: Any) -> Path:
    """Six slices at different positions, with the first content and the second in turn."""
    return save_all(folder, [image(k, 100, **(tags | {name: contents[k % 2]})) for k in range(6)])


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("ImageType", (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"])),
        ("ImageType", (["DERIVED", "PRIMARY", "DIXON", "WATER"], ["DERIVED", "PRIMARY", "DIXON", "FAT"])),
        ("ImageType", (["DERIVED", "PRIMARY", "IP"], ["DERIVED", "PRIMARY", "OP"])),
        ("ImageType", (["ORIGINAL", "PRIMARY", "DIFFUSION"], ["DERIVED", "PRIMARY", "ADC"])),
        ("TemporalPositionIdentifier", (1, 2)),
        ("NominalPercentageOfCardiacPhase", (30.0, 70.0)),
        ("FlipAngle", ("3", "15")),
        ("DiffusionGradientOrientation", ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])),
        ("PatientPosition", ("HFS", "FFS")),
        ("PatientID", ("one", "another")),
        ("RescaleType", ("HU", "US")),
    ],
)
def test_slices_of_two_stacks_in_turn_are_refused(tmp_path: Path, name: str, contents: tuple[Any, Any]) -> None:
    with pytest.raises(GeometryError, match=r"differ in .* do not make up one stack") as refusal:
        read_volume(in_turn(tmp_path / "series", name, contents))
    assert "another" not in str(refusal.value)  # who was scanned is told to nobody
    assert read_volume(in_turn(tmp_path / "alike", name, (contents[0], contents[0]))).notes == ()


@pytest.mark.parametrize(
    ("name", "contents", "words"),
    [
        ("ImageType", (["ORIGINAL", "PRIMARY", "AXIAL", "A"], ["ORIGINAL", "PRIMARY", "AXIAL", "B"]), "image type"),
        ("SequenceName", ("*ep_b0", "*ep_b1000t"), "sequence"),
        ("FilterType", ("HEAD", "BODY"), "filter"),
        ("RepetitionTime", ("500", "3000"), "tr"),
        ("TriggerTime", ("20", "500"), "trigger"),
    ],
)
def test_what_slices_of_one_stack_may_differ_in_is_told(
    tmp_path: Path, name: str, contents: tuple[Any, Any], words: str
) -> None:
    notes = read_volume(in_turn(tmp_path / "series", name, contents)).notes
    assert len(notes) == 1
    assert f"differ in {'their ' * (words == 'image type')}{words}" in notes[0]


def test_frames_of_two_kinds_in_turn_are_refused(tmp_path: Path) -> None:
    kinds = [item(FrameType=["ORIGINAL", "PRIMARY", "VOLUME", word]) for word in ("WATER", "FAT")]
    frames = [{"value": 100, "height": 3 * k, "MRImageFrameTypeSequence": kinds[k % 2]} for k in range(4)]
    with pytest.raises(GeometryError, match=r"differ in type .*FAT, .*WATER"):
        read_volume(save_all(tmp_path / "series", [enhanced(frames)]))


def test_a_temporal_position_that_counts_slices_is_told(tmp_path: Path) -> None:
    datasets = [image(k, 100, TemporalPositionIdentifier=k + 1) for k in range(4)]
    assert "temporal position of its own" in read_volume(save_all(tmp_path / "series", datasets)).notes[0]


@pytest.mark.parametrize(
    "tags",
    [
        {"sop": CT, "Modality": "CT", "KVP": "120", "ConvolutionKernel": "B30f", "RescaleType": "HU",
         "RescaleSlope": "1", "RescaleIntercept": "-1024", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]},
        {"EchoTime": "90", "RepetitionTime": "4000", "FlipAngle": "90", "SequenceName": "*tse2d1_15", "EchoNumbers": 1,
         "SpacingBetweenSlices": "3", "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"]},
        {"sop": PT, "Modality": "PT", "Units": "BQML", "RescaleSlope": "0.5", "RescaleIntercept": "0"},
    ],
)  # fmt: skip
def test_an_ordinary_series_has_no_note(tmp_path: Path, tags: dict[str, Any]) -> None:
    folder = write_slices(tmp_path / "series", range(5), **tags)
    for name in ("DICOMDIR", ".DS_Store", "Thumbs.db"):
        (folder / name).write_bytes(b"furniture")
    assert read_volume(folder).notes == ()


def test_b_values_that_only_the_name_of_the_sequence_tells_are_stacks(tmp_path: Path) -> None:
    folder = write_stacks(tmp_path / "series", [{"SequenceName": "*ep_b0"}, {"SequenceName": "*ep_b1000t"}])
    volume = read_volume(folder, options=ReadOptions(stack="sequence=*ep_b1000t"))
    assert set(volume.voxels.ravel().tolist()) == {200}
    with pytest.raises(GeometryError, match="2 images at each position"):
        read_volume(folder)


def test_stacks_whose_positions_are_rounded_differently_are_told_apart(tmp_path: Path) -> None:
    datasets = [
        image(k, 100 * (n + 1), uid=9 * n + k + 1, height=3 * k + 0.008 * n, DiffusionBValue=800.0 * n)
        for n in range(2)
        for k in range(4)
    ]
    folder = save_all(tmp_path / "series", datasets)
    volume = read_volume(folder, options=ReadOptions(stack="b=800"))
    assert set(volume.voxels.ravel().tolist()) == {200}
    assert volume.geometry.spacing_mm[2] == pytest.approx(3)


def test_a_localiser_of_another_frame_of_reference_does_not_keep_from_the_stack_that_is_named(tmp_path: Path) -> None:
    scout = image(9, 7, ImageOrientationPatient=["0", "1", "0", "0", "0", "-1"], FrameOfReferenceUID="1.2.3")
    folder = save_all(tmp_path / "series", [*[image(k, 100) for k in range(4)], scout])
    volume = read_volume(folder, options=ReadOptions(stack="1"))
    assert set(volume.voxels.ravel().tolist()) == {100}
    assert volume.frame_of_reference not in ("", "1.2.3")


@pytest.mark.parametrize("heights", [(0, 3, 30, 33), (0, 3, 3, 6), (0, 6, 3, 9)])
def test_parallel_stacks_that_a_multi_frame_object_names_are_chosen(tmp_path: Path, heights: tuple[int, ...]) -> None:
    frames = [
        {"value": 100 * (1 + k // 2), "height": height, "FrameContentSequence": item(StackID=str(1 + k // 2))}
        for k, height in enumerate(heights)
    ]
    folder = save_all(tmp_path / "series", [enhanced(frames)])
    with pytest.raises(GeometryError, match=r"holds 2 stacks at different places.*stack=1 \(2 images\)"):
        read_volume(folder)
    volume = read_volume(folder, options=ReadOptions(stack="stack=2"))
    assert set(volume.voxels.ravel().tolist()) == {200}
    assert volume.geometry.origin_mm[2] == heights[2]


def test_a_divided_object_is_whole_or_refused(tmp_path: Path) -> None:
    parts = [
        enhanced([{"value": 100, "height": 6 * n + 3 * k} for k in range(2)], uid=n + 1, ConcatenationUID="1.2.3",
                 InConcatenationNumber=n + 1, InConcatenationTotalNumber=3) for n in range(3)
    ]  # fmt: skip
    assert read_volume(save_all(tmp_path / "whole", parts)).geometry.size[2] == 6
    with pytest.raises(InputError, match=r"divided into 3 files .*, 2 of them are there"):
        read_volume(save_all(tmp_path / "part", parts[:2]))
