"""Slicer's segmentations: every layer, name, colour and term is read, and what is written is read again."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Code, Geometry, Mask, Segment, read_mask, write_mask

COS, SIN = np.cos(0.3), np.sin(0.3)
GRID = Geometry((9, 8, 7), (1.0, 1.2, 2.5), (-10.0, -12.0, -16.0), (COS, -SIN, 0, SIN, COS, 0, 0, 0, 1))
ODD = 'Über; =1+1 "x" | ü, 日本'


def boxes() -> tuple[np.ndarray, np.ndarray]:
    first, second = np.zeros(GRID.shape, np.uint8), np.zeros(GRID.shape, np.uint8)
    first[1:4, 1:5, 1:5] = 1
    second[3:6, 3:7, 3:8] = 1
    return first, second


def written(path: Path, array: np.ndarray, **header: str) -> Path:
    """``array`` (z, y, x), (z, y, x, layer) as components, or (layer, z, y, x) as a fourth axis of ``list`` kind."""
    components = array.ndim == 4 and array.shape[:3] == GRID.shape
    image = sitk.GetImageFromArray(array, isVector=components)
    if image.GetDimension() == 3:
        image.SetSpacing(GRID.spacing_mm)
        image.SetOrigin(GRID.origin_mm)
        image.SetDirection(GRID.direction)
    for key, text in header.items():
        image.SetMetaData(key, text)
    sitk.WriteImage(image, str(path), True)
    return path


def test_layers_that_use_one_label_value_get_labels_of_their_own(tmp_path: Path) -> None:
    path = written(
        tmp_path / "two.seg.nrrd", np.stack(boxes(), -1),
        Segment0_Name="Alpha", Segment0_Layer="0", Segment0_LabelValue="1", Segment0_Color="1 0.5 0",
        Segment1_Name="Beta", Segment1_Layer="1", Segment1_LabelValue="1",
        Segment0_Tags="Segmentation.Status:completed|TerminologyEntry:any~SCT^85756007^Tissue~SCT^41216001^Prostate~^^|",
    )  # fmt: skip
    mask = read_mask(path)
    assert mask.geometry.is_close(GRID)
    assert mask.labels_present() == (1, 2)
    for label, region in zip((1, 2), boxes(), strict=True):
        assert np.array_equal(mask.region(label), region == 1)
    assert mask.segments[1] == Segment(
        "Alpha", (1, 0.5, 0), Code("85756007", "SCT", "Tissue"), Code("41216001", "SCT", "Prostate")
    )
    assert mask.segments[2] == Segment("Beta", number=1)
    assert mask.notes == ("Segments of different layers share a label value; new labels were given: Beta 1 -> 2.",)


def test_layers_along_the_fourth_axis_and_files_of_slicer_4(tmp_path: Path) -> None:
    header = {f"Segment{n}_{key}": text for n in (0, 1) for key, text in (("ID", f"s{n}"), ("Name", f"name {n}"))}
    mask = read_mask(written(tmp_path / "list.seg.nrrd", np.stack(boxes()), **header))
    assert [int(mask.region(label).sum()) for label in (1, 2)] == [48, 60]
    assert mask.segment_names == {1: "name 0", 2: "name 1"}


def test_more_than_nine_segments_share_a_layer(tmp_path: Path) -> None:
    array = np.zeros(GRID.shape, np.uint16)
    array.ravel()[:12] = np.arange(300, 312)
    header = {f"Segment{n}_LabelValue": str(300 + n) for n in range(12)}
    header |= {f"Segment{n}_Name": f"part {n}" for n in range(12)} | {f"Segment{n}_Layer": "0" for n in range(12)}
    mask = read_mask(written(tmp_path / "many.seg.nrrd", array, **header))
    assert mask.segment_names == {300 + n: f"part {n}" for n in range(12)}
    assert mask.labels_present() == tuple(range(300, 312))


def test_values_that_no_segment_describes_stay_and_get_a_label(tmp_path: Path) -> None:
    first, second = boxes()
    second[second == 1] = 2
    second[0, 0, 0] = 1
    header = {"Segment0_Name": "a", "Segment0_LabelValue": "1", "Segment0_Layer": "0"}
    mask = read_mask(written(tmp_path / "more.seg.nrrd", np.stack([first, second], -1), **header))
    assert mask.labels_present() == (1, 2, 3)
    assert mask.region(3).sum() == 1
    assert mask.region(2).sum() == 60
    assert mask.notes == ("Value 1 of layer 1, which no segment describes, has label 3 here.",)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"Segment0_LabelValue": "1", "Segment0_Layer": "5"}, "lies in layer 5, but the file has 2"),
        ({"Segment0_LabelValue": "one", "Segment0_Layer": "0"}, "LabelValue: expected a whole number, got 'one'"),
        ({"Segment0_Name": "a", "Segment0_Layer": "0"}, "its LabelValue is missing"),
        (
            {"Segment0_LabelValue": "1", "Segmentation_MasterRepresentation": "Fractional labelmap"},
            "a fractional segmentation",
        ),
    ],
)
def test_headers_that_contradict_the_layers_are_refused(tmp_path: Path, header: dict[str, str], message: str) -> None:
    path = written(tmp_path / "bad.seg.nrrd", np.stack(boxes(), -1), **header)
    with pytest.raises(MaskError, match=message):
        read_mask(path)


def test_a_colour_image_is_still_no_mask(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 components"):
        read_mask(written(tmp_path / "colour.nrrd", np.stack(boxes(), -1)))


def test_names_cannot_steer_a_terminal_or_break_a_line(tmp_path: Path) -> None:
    path = written(tmp_path / "n.seg.nrrd", boxes()[0], Segment0_Name="plain", Segment0_LabelValue="1")
    path.write_bytes(path.read_bytes().replace(b":=plain", b":=H\xfcfte\\nzwei \x1b[31m"))
    assert read_mask(path).segment_names == {1: "Hüfte zwei  [31m"}


def overlapping() -> Mask:
    first, second = (box == 1 for box in boxes())
    labels = np.where(second, 4, first).astype(np.uint8)
    tissue, prostate = Code("85756007", "SCT", "Tissue ~ of | any ^ kind"), Code("41216001", "SCT", "Prostate")
    segments = {1: Segment(ODD, (1, 0.5, 0.25), tissue, prostate), 4: Segment("b"), 7: Segment("empty", (0, 0, 1))}
    return Mask(labels, GRID, segments=segments, covered={1: first})


def test_overlapping_segments_survive_writing_with_names_colours_and_terms(tmp_path: Path) -> None:
    mask = overlapping()
    again = read_mask(write_mask(mask, tmp_path / "o.seg.nrrd"))
    assert again.geometry.is_close(GRID)
    assert again.labels_present() == (1, 4)
    assert not again.notes
    assert all(np.array_equal(again.region(label), mask.region(label)) for label in (1, 4))
    plain = Code("85756007", "SCT", "Tissue   of   any   kind")  # Slicer's separators cannot stand in its entry
    assert again.segments == {**mask.segments, 1: Segment(ODD, (1, 0.5, 0.25), plain, mask.segments[1].type)}


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".mha"])
def test_other_formats_refuse_overlaps_rather_than_lose_a_layer(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InputError, match=r"segments of this mask overlap.*Write it as \.seg\.nrrd"):
        write_mask(overlapping(), tmp_path / f"o{suffix}")
    assert not any(tmp_path.iterdir())
