"""The manifest's checks, each with the message a user would read, and its round trip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort import ManifestRow, load_case, mrnet_manifest, read_manifest, write_manifest
from deepradiomics.cohort.manifest import Manifest
from deepradiomics.errors import InputError, ManifestError
from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_volume


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four cases with a sagittal image each; the images' content does not matter to a manifest."""
    for n in range(4):
        (tmp_path / f"{n}.nii.gz").write_bytes(b"")
    return tmp_path


def write(folder: Path, text: str, name: str = "manifest.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


GOOD = "id,sagittal,label_acl\na,0.nii.gz,0\nb,1.nii.gz,0\nc,2.nii.gz,1\nd,3.nii.gz,1\n"


def test_a_manifest_is_read_with_paths_relative_to_its_folder(folder):
    manifest = read_manifest(write(folder, GOOD))
    assert manifest.ids == ("a", "b", "c", "d")
    assert manifest.tasks == ("acl",)
    assert manifest.views == ("sagittal",)
    assert manifest.rows[1].views["sagittal"] == folder / "1.nii.gz"
    assert manifest.labels("acl") == [0, 0, 1, 1]
    assert manifest.class_counts("acl") == {0: 2, 1: 2}
    assert manifest.n_classes("acl") == 2


def test_spreadsheets_manners_are_understood(folder):
    text = "\ufeff" + GOOD.replace(",1\n", ",1.0\n").replace("\n", "\r\n") + "\r\n,,\r\n"
    assert read_manifest(write(folder, text)).labels("acl") == [0, 0, 1, 1]


def test_tasks_can_be_chosen_and_put_in_order(folder):
    text = "id,sagittal,label_x,label_y\na,0.nii.gz,0,1\nb,1.nii.gz,0,1\nc,2.nii.gz,1,0\nd,3.nii.gz,1,0\n"
    path = write(folder, text)
    assert read_manifest(path, tasks=["y", "x"]).tasks == ("y", "x")
    assert read_manifest(path, tasks=["y"]).rows[0].labels == {"y": 1}
    with pytest.raises(ManifestError, match=r"no column label_z; its tasks are: x, y"):
        read_manifest(path, tasks=["z"])


def test_labels_may_be_absent_where_they_are_not_needed(folder):
    manifest = read_manifest(write(folder, "id,sagittal,label_acl\na,0.nii.gz,\n"), need_labels=False)
    assert manifest.rows[0].labels == {}
    assert read_manifest(write(folder, "id,sagittal\na,0.nii.gz\n"), need_labels=False).tasks == ()


def test_other_views_masks_and_splits_round_trip_and_the_folder_can_be_moved(folder, tmp_path_factory):
    (folder / "sub").mkdir()
    (folder / "sub" / "m.nii.gz").write_bytes(b"")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "far.nii.gz"
    elsewhere.write_bytes(b"")
    rows = (
        ManifestRow("a", {"dwi": folder / "0.nii.gz"}, folder / "sub" / "m.nii.gz", {"t": 0}, "train"),
        ManifestRow("b", {"dwi": elsewhere, "axial": folder / "1.nii.gz"}, None, {"t": 1}, None),
    )
    path = write_manifest(Manifest(rows, ("axial", "dwi"), ("t",)), folder / "manifest.csv")
    text = path.read_text(encoding="utf-8")
    assert text.splitlines()[0] == "id,axial,view_dwi,mask,split,label_t"
    assert "sub/m.nii.gz" in text
    assert str(folder) not in text.replace(elsewhere.as_posix(), "")
    again = read_manifest(path, need_labels=False)
    assert [row.split for row in again.rows] == ["train", None]
    assert again.rows[0].mask == folder / "sub" / "m.nii.gz"
    assert again.rows[1].views == {"axial": folder / "1.nii.gz", "dwi": elsewhere}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("sagittal", "sagital"), r"unknown column 'sagital'; did you mean 'sagittal'\?"),
        (GOOD.replace("label_acl", "acl"), r"unknown column 'acl'; a label is called 'label_acl'"),
        (GOOD.replace("label_acl", "sagittal"), r"the column 'sagittal' is there 2 times"),
        (GOOD.replace("label_acl", "view_sagittal"), r"a view has two columns"),
        (GOOD.replace("id,", "mask,"), r"no column 'id'"),
        ("id,label_acl\na,0\n", r"no image column"),
        ("id,sagittal\na,0.nii.gz\n", r"no label columns"),
        (GOOD.replace("b,", "a,"), r"Column id: id a more than once"),
        (GOOD.replace("b,", "A,"), r"Column id: ids A, a more than once"),
        (GOOD.replace("b,", "x/y,"), r"Case id 'x/y' cannot be a file name"),
        (GOOD.replace("sagittal", "View_T2"), r"unknown column 'View_T2'; did you mean 'view_t2'"),
        (GOOD.replace("label_acl", "LABEL_ACL"), r"unknown column 'LABEL_ACL'; did you mean 'label_acl'"),
        (GOOD.replace("sagittal", "view_"), r"column 'view_' lacks a name after its '_', such as view_t2"),
        (GOOD.replace("b,1", ",1"), r"Line 3 of the manifest has no id"),
        (GOOD.replace("1.nii.gz", ""), r"Case b names no image"),
        (GOOD.replace("b,1.nii.gz,0", "b,1.nii.gz,"), r"Column label_acl: no label for case b"),
        (GOOD.replace("b,1.nii.gz,0", "b,1.nii.gz,yes"), r"Case b, column label_acl: expected a class .* 'yes'"),
        (GOOD.replace("b,1.nii.gz,0", "b,1.nii.gz,-1"), r"Case b, column label_acl: expected a class .* '-1'"),
        (GOOD.replace("b,1.nii.gz,0", "b,1.nii.gz,0.5"), r"Case b, column label_acl: expected a class .* '0.5'"),
        (GOOD.replace("b,1.nii.gz", "b,gone.nii.gz"), r"case b, column sagittal: .*gone.nii.gz"),
        (GOOD.replace("d,3.nii.gz,1", "d,3.nii.gz,0"), r"Column label_acl: class 1 has one case only \(case c\)"),
        (GOOD.replace(",1\n", ",0\n"), r"Column label_acl: all 4 cases are of class 0"),
        (GOOD.replace("a,0.nii.gz,0", "a,0.nii.gz"), r"line 2: expected 3 cells, got 2"),
        ("id,sagittal,label_acl\n", r"holds no cases"),
        ("", r"is empty"),
        ("id,sagittal,split,label_t\na,0.nii.gz,val,0\n", r"Case a, column split: expected train, .* got 'val'"),
    ],
)
def test_bad_manifests_are_refused_naming_case_and_column(folder, text, message):
    with pytest.raises(ManifestError, match=message):
        read_manifest(write(folder, text))


def test_a_missing_or_unreadable_manifest_is_said_so(tmp_path):
    with pytest.raises(ManifestError, match="does not exist"):
        read_manifest(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00id")
    with pytest.raises(ManifestError, match="not a readable UTF-8 CSV"):
        read_manifest(tmp_path / "bytes.csv")
    with pytest.raises(ManifestError, match="this is a folder; name the CSV file"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.csv").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ManifestError, match=r"this is a folder; did you mean .*manifest\.csv"):
        read_manifest(tmp_path)


def test_many_absent_files_give_one_short_message(tmp_path):
    lines = "".join(f"c{n},{n}.nii.gz,{n % 2}\n" for n in range(40))
    with pytest.raises(ManifestError, match=r"40 files do not exist") as caught:
        read_manifest(write(tmp_path, "id,axial,label_t\n" + lines))
    assert len(str(caught.value).splitlines()) == 7


def test_asking_for_an_unknown_task_or_an_empty_split_is_refused(folder):
    manifest = read_manifest(write(folder, GOOD))
    with pytest.raises(ManifestError, match="no task 'pcl'; it has: acl"):
        manifest.labels("pcl")
    with pytest.raises(ManifestError, match=r"No case .* in the split 'train'"):
        manifest.subset("train")


def test_load_case_reads_views_and_mask_and_names_the_case_in_errors(tmp_path):
    grid = Geometry((4, 3, 2))
    write_volume(Volume(np.arange(24, dtype=np.float32).reshape(2, 3, 4), grid), tmp_path / "v.nii.gz")
    write_mask(Mask(np.ones((2, 3, 4), np.uint8), grid), tmp_path / "m.nii.gz")
    case = load_case(ManifestRow("a", {"axial": tmp_path / "v.nii.gz"}, tmp_path / "m.nii.gz"))
    assert case.id == "a"
    assert case.views["axial"].voxels.shape == (2, 3, 4)
    assert case.mask is not None
    assert case.mask.labels_present() == (1,)
    (tmp_path / "bad.nii.gz").write_bytes(b"not an image")
    with pytest.raises(InputError, match=r"Case a, column axial: .*bad.nii.gz"):
        load_case(ManifestRow("a", {"axial": tmp_path / "bad.nii.gz"}))
    with pytest.raises(InputError, match=r"Case a, column mask: .*bad.nii.gz"):
        load_case(ManifestRow("a", {"axial": tmp_path / "v.nii.gz"}, tmp_path / "bad.nii.gz"))
    nan = Volume(np.full((2, 3, 4), np.nan, np.float32), grid)
    write_volume(nan, tmp_path / "nan.nrrd")  # NIfTI readers turn NaN into 0
    with pytest.raises(InputError, match=r"Case a, column axial: .*24 of 24 voxels are NaN"):
        load_case(ManifestRow("a", {"axial": tmp_path / "nan.nrrd"}))


@pytest.fixture
def mrnet(tmp_path: Path) -> Path:
    for part, first in (("train", 0), ("valid", 1130)):
        for plane in ("axial", "coronal", "sagittal"):
            (tmp_path / part / plane).mkdir(parents=True)
            for n in range(first, first + 3):
                np.save(tmp_path / part / plane / f"{n:04d}.npy", np.full((5, 8, 8), n % 256, np.uint8))
        for k, name in enumerate(("abnormal", "acl", "meniscus")):
            lines = "".join(f"{n:04d},{(n + k) % 2}\n" for n in range(first, first + 3))
            (tmp_path / f"{part}-{name}.csv").write_text(lines, encoding="utf-8")
    return tmp_path


def test_mrnets_folder_becomes_a_manifest_with_its_valid_cases_as_test(mrnet):
    manifest = mrnet_manifest(mrnet)
    assert manifest.ids == ("0000", "0001", "0002", "1130", "1131", "1132")
    assert manifest.tasks == ("abnormality", "acl", "meniscus")
    assert [row.split for row in manifest.rows] == [None] * 3 + ["test"] * 3
    assert manifest.rows[1].labels == {"abnormality": 1, "acl": 0, "meniscus": 1}
    case = load_case(manifest.rows[3])
    assert set(case.views) == {"axial", "coronal", "sagittal"}
    assert case.views["coronal"].voxels.shape == (5, 8, 8)
    assert read_manifest(write_manifest(manifest, mrnet / "manifest.csv")).ids == manifest.ids


def test_mrnets_gaps_are_named(mrnet, tmp_path_factory):
    (mrnet / "train" / "coronal" / "0001.npy").unlink()
    with pytest.raises(ManifestError, match=r"Case 0001, view coronal"):
        mrnet_manifest(mrnet)
    np.save(mrnet / "train" / "coronal" / "0001.npy", np.zeros((5, 8, 8)))
    (mrnet / "train-acl.csv").write_text("0000,1\n0002,1\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"Case 0001: no label in train-acl.csv"):
        mrnet_manifest(mrnet)
    (mrnet / "train-acl.csv").write_text("id;label\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"expected lines such as '0000,1'"):
        mrnet_manifest(mrnet)
    with pytest.raises(ManifestError, match="is no MRNet folder"):
        mrnet_manifest(tmp_path_factory.mktemp("empty"))


def test_a_manifest_separated_by_semicolons_is_told_so(folder):
    with pytest.raises(ManifestError, match="separated by commas, not semicolons"):
        read_manifest(write(folder, GOOD.replace(",", ";")))
