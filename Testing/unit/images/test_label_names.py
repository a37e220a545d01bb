"""Names of labels from JSON, tables and colour tables."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Code, Geometry, Mask, Segment, read_mask, write_mask
from deepradiomics.images.label_names import read_label_names, with_label_names

ITK_SNAP = """################################################
# ITK-SnAP Label Description File
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "left kidney"
    2     0  255    0      0.5  1  1    "spleen, upper part"
"""


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.json", '{"1": "left kidney", "2": "spleen"}'),
        ("a.json", '{"background": 0, "left kidney": 1, "spleen": 2}'),
        ("dataset.json", '{"name": "x", "labels": {"background": 0, "left kidney": 1, "spleen": 2}}'),
        ("dataset1.json", '{"labels": {"0": "background", "1": "left kidney", "2": "spleen"}}'),
        ("total.json", '{"total": {"1": "left kidney", "2": "spleen"}}'),
        ("a.csv", "label,name\n1,left kidney\n2,spleen\n"),
        ("a.csv", "1,left kidney\n2,spleen\n"),
        ("a.csv", "name;label\nleft kidney;1\nspleen;2\n"),
        ("a.csv", "Index,TotalSegmentator name,TA2 name\n1,left kidney,ren\n2,spleen,lien\n"),
        ("a.tsv", "LabelValue\tName\n1\tleft kidney\n2\tspleen\n"),
        ("a.txt", "\ufeff1 left kidney\n2: spleen\n"),
        ("a.ctbl", "# a colour table\n0 background 0 0 0 0\n1 left kidney 185 102 83 255\n2 spleen 157 108 162 255\n"),
    ],
)
def test_every_form_gives_the_same_names(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    names = read_label_names(tmp_path / file)
    assert {label: segment.name for label, segment in names.items()} == {1: "left kidney", 2: "spleen"}


def test_colour_tables_bring_their_colours(tmp_path: Path) -> None:
    (tmp_path / "snap.txt").write_text(ITK_SNAP)
    assert read_label_names(tmp_path / "snap.txt") == {
        1: Segment("left kidney", (1, 0, 0)), 2: Segment("spleen, upper part", (0, 1, 0)),
    }  # fmt: skip
    (tmp_path / "s.csv").write_text("LabelValue,Name,Color_R,Color_G,Color_B,Color_A\n7,liver,255,0,51,255\n")
    assert read_label_names(tmp_path / "s.csv") == {7: Segment("liver", (1, 0, 0.2))}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("a.json", '{"1": "a", "1": "b"}', "'1' stands there twice"),
        ("a.json", '{"a": 1, "b": 1}', "label 1 has two names, 'a' and 'b'"),
        ("a.json", '{"a": [1, 2]}', "A name stands for one label"),
        ("a.json", '{"a": true}', "A name stands for one label"),
        ("a.json", '["a", "b"]', "got list"),
        ("a.json", '{"total": {"1": "a"}, "body": {"1": "b"}}', r"several lists of names \(total, body\)"),
        ("a.json", "{" * 100_000, "no list of label names"),
        ("a.json", '{"x": {"1": "a"', "no list of label names"),
        ("a.csv", "label,colour\n1,red\n", "no column of the table is the name"),
        ("a.csv", "label,name\n1.5,a\n", "whole number from 0 on, got '1.5'"),
        ("a.csv", "label,name\n-1,a\n", "whole number from 0 on, got '-1'"),
        ("a.csv", "label,name\n1\n", "a label and a name in each row"),
        ("a.csv", 'label,name\n1,"a\n', "could not be read"),
        ("a.csv", "", "no label has a name"),
        ("a.txt", "spleen\n", "line 1: expected a label and its name"),
    ],
)
def test_what_is_no_list_of_names_is_refused(tmp_path: Path, file: str, text: str, message: str) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(InputError, match=message):
        read_label_names(tmp_path / file)


def test_a_missing_file_and_another_encoding_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be read"):
        read_label_names(tmp_path / "missing.json")
    (tmp_path / "latin.csv").write_bytes("1,Hüfte\n".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_label_names(tmp_path / "latin.csv")


def nifti(path: Path, table: bytes) -> Path:
    """A NIfTI-1 label map of 1, 2, 5 with a header extension, as nibabel or TotalSegmentator write one."""
    plain = write_mask(Mask(np.array([[[1, 2, 5]]], np.uint8), Geometry((3, 1, 1))), path.with_name("plain.nii"))
    stored = bytearray(plain.read_bytes())
    table += b" " * (-(len(table) + 8) % 16)
    stored[348:352] = b"\1\0\0\0"
    struct.pack_into("<f", stored, 108, 352 + 8 + len(table))
    content = bytes(stored[:352]) + struct.pack("<2i", 8 + len(table), 0) + table + bytes(stored[352:])
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path


LABEL_TABLE = b"""<?xml version="1.0"?> <CaretExtension><LabelTable>
<Label Key="0" Red="0" Green="0" Blue="0" Alpha="0"><![CDATA[???]]></Label>
<Label Key="1" Red="0.0" Green="1.0" Blue="0.5" Alpha="1"><![CDATA[spleen]]></Label>
<Label Key="5" Red="9" Green="1.0" Blue="0.5" Alpha="1">liver &amp; more</Label></LabelTable></CaretExtension>"""


@pytest.mark.parametrize("file", ["m.nii", "m.nii.gz"])
def test_a_nifti_label_map_brings_its_own_table_of_names(tmp_path: Path, file: str) -> None:
    mask = read_mask(nifti(tmp_path / file, LABEL_TABLE))
    assert mask.segments == {1: Segment("spleen", (0, 1, 0.5)), 5: Segment("liver & more")}
    assert mask.labels.ravel().tolist() == [1, 2, 5]


@pytest.mark.parametrize("table", [b"", b"<CaretExtension>", b"\xff" * 900, LABEL_TABLE.replace(b'"5"', b'"1"')])
def test_a_table_that_says_nothing_clear_names_nothing(tmp_path: Path, table: bytes) -> None:
    assert read_mask(nifti(tmp_path / "m.nii", table)).segments == {}


def test_totalsegmentator_s_own_file_brings_its_names(data_dir: Path) -> None:
    file = data_dir / "totalsegmentator" / "example_seg.nii.gz"
    if not file.is_file():
        pytest.skip("no segmentation of TotalSegmentator in the test data")
    names = read_mask(file).segment_names
    assert names[1] == "spleen"
    assert names[5] == "liver"
    assert len(names) > 100


def test_a_mask_takes_the_names_keeps_its_terms_and_tells_what_has_none() -> None:
    labels = np.array([[[1, 2, 5]]], np.uint8)
    tissue = Code("85756007", "SCT", "Tissue")
    mask = Mask(labels, Geometry((3, 1, 1)), "m", segments={1: Segment("old", (0, 0, 1), type=tissue)})
    named = with_label_names(mask, {1: "new", 2: Segment("two", (1, 0, 0)), 9: "absent"})
    assert named.segments[1] == Segment("new", (0, 0, 1), type=tissue)
    assert named.segment_names == {1: "new", 2: "two", 9: "absent"}
    assert named.labels_present() == (1, 2, 5)
    assert named.notes == ("Mask m: the list of names has none for labels 5.",)
