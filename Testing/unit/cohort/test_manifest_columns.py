"""The columns and cells of a manifest: one schema, names that can be files, tables read strictly."""

from dataclasses import replace
from pathlib import Path

import pytest

from deepradiomics.cohort import Manifest, ManifestRow, read_manifest, read_region_manifest, write_manifest
from deepradiomics.cohort.roi import reading_of
from deepradiomics.errors import ManifestError
from deepradiomics.images.reading import Reading

LONG = "x" * 251


def write(folder: Path, text: str | bytes) -> Path:
    for name in "abcm":
        (folder / f"{name}.nii").write_bytes(b"")
    path = folder / "manifest.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path: Path, reader: str) -> Manifest:
    return read_region_manifest(path) if reader == "regions" else read_manifest(path, need_labels=False)


@pytest.mark.parametrize("reader", ["method", "regions"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,image,mask\nCON,a.nii,m.nii\n", r"Case id 'CON' cannot be a file name: Windows keeps it for a device"),
        ("id,image,mask\nnul.txt,a.nii,m.nii\n", r"Case id 'nul\.txt' cannot be a file name"),
        ("id,image,mask\ntrail.,a.nii,m.nii\n", r"Case id 'trail\.' cannot be a file name: it ends with a dot"),
        (f"id,image,mask\n{LONG},a.nii,m.nii\n", r"Case id 'x{40}'… cannot be a file name: it is 251 bytes long"),
        ('id,image,mask\n"a\nb",a.nii,m.nii\n', r"Case id 'a\\nb' cannot be a file name"),
        ("id,image,mask\na\u0301,a.nii,m.nii\n\u00e1,a.nii,m.nii\n", r"Column id: ids .* more than once"),
        ("id,view_../x,mask\na,a.nii,m.nii\n", r"column view_\.\./x: the name '\.\./x' cannot be a file name"),
        ("id,image,mask_../x\na,a.nii,m.nii\n", r"column mask_\.\./x: the name '\.\./x' cannot be a file name"),
        ("id,image,mask,label_a/b\na,a.nii,m.nii,1\n", r"column label_a/b: the name 'a/b' cannot be a file name"),
        ("id,image,mask,value_nul\na,a.nii,m.nii,1\n", r"column value_nul: the name 'nul' cannot be a file name"),
        (f"id,view_{LONG},mask\na,a.nii,m.nii\n", r"the name 'x{40}'… cannot be a file name: it is 251 bytes"),
        ("id,view_T2,view_t2,mask\na,a.nii,b.nii,m.nii\n", r"columns view_<name>: 'T2' and 't2' would share a file"),
        ("id,image,mask_Mask\na,a.nii,m.nii\n", r"the column 'mask_Mask' cannot be used, for the ROI"),
        ("id,image,mask,\na,a.nii,m.nii,1\n", r"column 4, after 'mask', has no name; name it, or remove it"),
        ('id,image,mask\na,"a.nii,m.nii\nb,b.nii,m.nii\n', r"line 2: a quotation mark is opened and never closed"),
        (
            'id,image,mask\na,"a.nii\nb.nii",m.nii\n',
            r"Case a, column image: the cell 'a\.nii\\nb\.nii' holds a line br",
        ),
        ("id;image;mask\na;a.nii;m.nii\n", r"separated by commas, not semicolons or tabs"),
        ("id\timage\tmask\na\ta.nii\tm.nii\n", r"separated by commas, not semicolons or tabs"),
        (
            "id,image,mask\na,a.nii,m.nii\n".encode("utf-16"),
            r"this manifest is not a readable UTF-8 CSV file \(it is UTF",
        ),
        ("id,image,mask\nM\u00fc,a.nii,m.nii\n".encode("latin-1"), r"line 2: .*byte 0xfc is none of UTF-8"),
        (b"id,image,mask\na,a.nii\x00,m.nii\n", r"line 2: .*it holds a NUL byte"),
        ("id,image,mask,view_\na,a.nii,m.nii,\n", r"column 'view_' lacks a name after its '_'"),
    ],
)
def test_a_manifest_that_no_one_could_use_is_refused_when_it_is_read(
    tmp_path: Path, text: str | bytes, message: str, reader: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        read(write(tmp_path, text), reader)


@pytest.mark.parametrize("reader", ["method", "regions"])
def test_every_reader_takes_the_columns_of_all_methods(tmp_path: Path, reader: str) -> None:
    text = (
        "id,patient,image,view_followup,mask,mask_followup,split,label_grade,value_mrs,sex,site,encoder,autoencoder\n"
        "a,p,a.nii,b.nii,m.nii,m.nii,train,1,-1.5,F,B,,\n"
    )
    manifest = read(write(tmp_path, text), reader)
    assert manifest.views == ("image", "followup")
    assert manifest.rois == ("followup",)
    assert manifest.rows[0].more["sex"] == "F"


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        (
            "value_ml",
            '"1,5"',
            r"expected a number \(with a point\).* got '1,5'\. Write the decimal comma as a point: 1\.5",
        ),
        ("value_ml", "1_5", r"column value_ml: expected a number"),
        ("value_ml", "nan", r"column value_ml: expected a number"),
        ("label_x", "1_0", r"column label_x: expected a class number"),
        ("label", "1", r"column 'label' says which part of a mask is the region, but there is no column mask"),
        ("segment", "core", r"column 'segment' says which part of a mask is the region, but there is no column mask"),
    ],
)
def test_numbers_are_read_as_people_write_them(tmp_path: Path, column: str, cell: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read(write(tmp_path, f"id,image,{column}\na,a.nii,{cell}\n"), "method")


@pytest.mark.parametrize("reader", ["method", "regions"])
@pytest.mark.parametrize("column", ["mask", "mask_gland"])
def test_a_row_of_every_manifest_may_name_its_label_or_segment(tmp_path: Path, reader: str, column: str) -> None:
    text = f"id,image,{column},label,segment\na,a.nii,m.nii,2.0,\nb,b.nii,m.nii,,core\nc,c.nii,m.nii,,\n"
    rows = read(write(tmp_path, text), reader).rows
    assert [(row.region, row.segment) for row in rows] == [(2, None), (None, "core"), (None, None)]
    run = Reading(all_labels=True)
    assert [reading_of(replace(row, reading=run)).described for row in rows] == [
        "label 2", "segment 'core'", "all labels together",
    ]  # fmt: skip


@pytest.mark.parametrize("reader", ["method", "regions"])
@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("2,core", r"Case a, columns label and segment: got '2' and 'core'; both say which region is meant"),
        (
            "0,",
            r"Case a, column label: expected a whole number above 0.* got '0'.*a class to learn is called label_<task>",
        ),
        ("1_0,", r"Case a, column label: .*got '1_0'"),
        ("core,", r"Case a, column label: .*got 'core'"),
        ("1.5,", r"Case a, column label: .*got '1.5'"),
    ],
)
def test_a_row_that_names_its_region_twice_or_by_no_label_is_refused(
    tmp_path: Path, reader: str, cells: str, message: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        read(write(tmp_path, f"id,image,mask,label,segment\na,a.nii,m.nii,{cells}\n"), reader)


def test_what_a_row_names_is_written_again(tmp_path: Path) -> None:
    write(tmp_path, "")
    text = "id,image,mask,label,segment\na,a.nii,m.nii,2,\nb,b.nii,m.nii,,core\n"
    first = read_manifest(write(tmp_path, text), need_labels=False)
    path = write_manifest(first, tmp_path / "again.csv")
    assert path.read_text(encoding="utf-8") == text
    plain = write_manifest(replace(first, rows=(replace(first.rows[0], region=None),)), tmp_path / "plain.csv")
    assert plain.read_text(encoding="utf-8") == "id,image,mask\na,a.nii,m.nii\n"


def test_names_given_in_memory_are_checked_as_those_of_a_file() -> None:
    row = ManifestRow("a", {"t2": Path("a.nii")})
    for arguments, message in (
        ((ManifestRow("a/b", {"t2": Path("a.nii")}), ("t2",)), "Case id 'a/b' cannot be a file name"),
        ((ManifestRow("a", {"../t2": Path("a.nii")}), ("../t2",)), r"the name '\.\./t2' cannot be a file name"),
        ((row, ("t2", "T2")), "would share a file"),
    ):
        with pytest.raises(ManifestError, match=message):
            Manifest((arguments[0],), arguments[1], ())


def test_a_formula_in_a_manifest_comes_back_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, "")
    (tmp_path / "=a.nii").write_bytes(b"")
    row = ManifestRow("=1+1", {"image": tmp_path / "=a.nii"}, values={"change": -1.5})
    path = write_manifest(Manifest((row,), ("image",), (), value_names=("change",)), tmp_path / "out.csv")
    assert path.read_text(encoding="utf-8") == "id,image,value_change\n'=1+1,'=a.nii,-1.5\n"
    again = read_manifest(path, need_labels=False).rows[0]
    assert (again.id, again.views, dict(again.values)) == (row.id, row.views, {"change": -1.5})
