"""``extract`` writes what the engine computes, in three kinds of table, without names from the files' headers."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from Testing.cli import material
from Testing.cli.run_cli import run_cli


def _table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_table_holds_the_engines_values(tmp_path: Path) -> None:
    from deepradiomics import extract

    image, mask = material.image(tmp_path / "image.nrrd"), material.mask(tmp_path / "mask.nrrd")
    found = run_cli(["extract", image, mask, "-o", tmp_path / "out" / "features.csv", "--json"])
    assert found.code == 0, found.out
    rows, expected = _table(tmp_path / "out" / "features.csv"), extract(image, mask)
    assert list(rows[0]) == ["label", "feature", "family", "value"]
    assert {row["feature"]: float(row["value"]) for row in rows} == dict(expected)
    assert len(rows) == 107
    assert {row["label"] for row in rows} == {"1"}
    assert found.result["files"] == [str(tmp_path / "out" / name) for name in ("features.csv", "features.json")]


def test_the_json_beside_it_holds_settings_diagnostics_and_provenance(tmp_path: Path) -> None:
    image, mask = material.image(tmp_path / "image.nrrd"), material.mask(tmp_path / "mask.nrrd")
    assert run_cli(["extract", image, mask, "-o", tmp_path / "f.json", "--params", "paper-110"]).code == 0
    document = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert document["kind"] == "features"
    assert len(document["labels"]["1"]["features"]) == 110
    assert document["labels"]["1"]["diagnostics"]
    assert document["settings"]
    assert document["provenance"]["image"]["file"] == "image.nrrd"
    assert len(document["provenance"]["image"]["sha256"]) == 64
    assert "medical device" in document["disclaimer"]
    assert str(tmp_path) not in (tmp_path / "f.json").read_text(encoding="utf-8")


def test_all_labels_are_listed_one_after_the_other(tmp_path: Path) -> None:
    image, mask = material.image(tmp_path / "image.nrrd"), material.mask(tmp_path / "mask.nrrd", "two")
    assert run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--all-labels"]).code == 0
    labels = [row["label"] for row in _table(tmp_path / "f.csv")]
    assert labels == ["1"] * 107 + ["2"] * 107


def test_a_label_that_cannot_be_used_is_left_out_and_named(tmp_path: Path) -> None:
    image, mask = material.image(tmp_path / "image.nrrd"), material.mask(tmp_path / "mask.nrrd", "two-and-a-voxel")
    found = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--all-labels"])
    assert found.code == 0
    assert "label 9 is left out" in found.err
    assert {row["label"] for row in _table(tmp_path / "f.csv")} == {"1"}
    assert list(json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))["skipped"]) == ["9"]


def test_parquet_holds_the_same_table(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    image, mask = material.image(tmp_path / "image.nrrd"), material.mask(tmp_path / "mask.nrrd")
    for name in ("f.csv", "f.parquet"):
        assert run_cli(["extract", image, mask, "-o", tmp_path / name]).code == 0
    columns = parquet.read_table(tmp_path / "f.parquet").to_pydict()
    rows = _table(tmp_path / "f.csv")
    assert columns["feature"] == [row["feature"] for row in rows]
    assert columns["value"] == [float(row["value"]) for row in rows]


def test_a_dicom_folders_name_stays_out_of_the_result(tmp_path: Path) -> None:
    import SimpleITK as sitk

    folder = tmp_path / "DOE^JANE"
    folder.mkdir()
    volume = sitk.ReadImage(str(material.image(tmp_path / "image.nrrd")))
    series = sitk.Cast(volume, sitk.sitkInt16)
    for number in range(series.GetDepth()):
        one = series[:, :, number]
        place = series.TransformIndexToPhysicalPoint((0, 0, number))
        for key, value in {
            "0010|0010": "DOE^JANE",
            "0020|000e": "1.2.3",
            "0020|000d": "1.2",
            "0008|0060": "MR",
            "0020|0032": "\\".join(map(str, place)),
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0020|0013": str(number),
        }.items():
            one.SetMetaData(key, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"DOE_{number:03d}.dcm"))
        writer.Execute(one)
    mask = material.mask(tmp_path / "mask.nrrd")
    for source in (folder, folder / "DOE_003.dcm"):
        output = tmp_path / "out"
        found = run_cli(["extract", source, mask, "-o", output / "features.csv", "--json"])
        assert found.code == 0, found.out
        written = "".join(path.read_text(encoding="utf-8") for path in output.iterdir())
        assert "DOE" not in written
        shutil.rmtree(output)


def test_the_ibsi_standard_gives_ibsis_names_and_values(tmp_path: Path) -> None:
    from deepradiomics import extract

    image, mask = material.image(tmp_path / "image.nrrd"), material.mask(tmp_path / "mask.nrrd")
    assert run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--standard", "ibsi"]).code == 0
    rows = _table(tmp_path / "f.csv")
    expected = extract(image, mask, standard="ibsi")
    assert {row["feature"]: float(row["value"]) for row in rows} == pytest.approx(dict(expected), nan_ok=True)
    families = {row["feature"]: row["family"] for row in rows}
    assert families["original_glcm_JointEnergy_3D_averaged"] == "glcm"


@pytest.mark.parametrize(("preset", "count"), [("lens", 837), ("paper-1693", 1693)])
def test_presets_with_filters_are_written_whole(tmp_path: Path, preset: str, count: int) -> None:
    image, mask = material.image(tmp_path / "image.nrrd"), material.mask(tmp_path / "mask.nrrd")
    options = ["--params", preset, "--threads", "1", "--max-memory-gb", "0.5"]
    assert run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", *options]).code == 0
    rows = _table(tmp_path / "f.csv")
    assert len(rows) == count
    assert len({row["feature"] for row in rows}) == count
    known = {"firstorder", "shape", "glcm", "gldm", "glrlm", "glszm", "ngtdm", "diagnostics"}
    assert {row["family"] for row in rows} <= known


def test_threads_and_memory_change_no_number(tmp_path: Path) -> None:
    image, mask = material.image(tmp_path / "image.nrrd"), material.mask(tmp_path / "mask.nrrd", "two")
    words = ["extract", image, mask, "--all-labels", "--params", "lens"]
    assert run_cli([*words, "-o", tmp_path / "a.csv", "--threads", "1"]).code == 0
    assert run_cli([*words, "-o", tmp_path / "b.csv", "--threads", "3", "--max-memory-gb", "0.01"]).code == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize("content", ['{"mine": 1}', "[1]", "no json"])
def test_somebody_elses_json_beside_the_table_is_not_overwritten(tmp_path: Path, content: str) -> None:
    image, mask = material.image(tmp_path / "image.nrrd"), material.mask(tmp_path / "mask.nrrd")
    (tmp_path / "f.json").write_text(content, encoding="utf-8")
    found = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--json"])
    assert found.code == 2
    assert "f.json" in found.events[-1]["message"]
    assert (tmp_path / "f.json").read_text(encoding="utf-8") == content
    assert not (tmp_path / "f.csv").exists()


def test_our_own_json_beside_the_table_is_replaced(tmp_path: Path) -> None:
    image, mask = material.image(tmp_path / "image.nrrd"), material.mask(tmp_path / "mask.nrrd", "two")
    for name, label in (("f.csv", 1), ("f.csv", 2), ("f.json", 1), ("f.csv", 2)):
        assert run_cli(["extract", image, mask, "-o", tmp_path / name, "--label", label]).code == 0
        assert list(json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))["labels"]) == [str(label)]


def test_many_labels_are_summed_up_in_a_line_and_like_warnings_told_once(tmp_path: Path) -> None:
    import numpy as np
    import SimpleITK as sitk

    image, mask = material.image(tmp_path / "image.nrrd"), material.mask(tmp_path / "mask.nrrd", "two")
    read = sitk.ReadImage(str(mask))
    labels = sitk.GetArrayFromImage(read)
    labels[0, 0, 0], labels[0, 0, 5], labels[0, 5, 0] = 11, 12, 13  # one voxel each: left out
    again = sitk.GetImageFromArray(labels.astype(np.uint8))
    again.CopyInformation(read)
    sitk.WriteImage(again, str(mask))
    found = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--all-labels"])
    assert found.code == 0
    assert "2 labels (1-2): 107 features each" in found.out
    left_out = [line for line in found.err.splitlines() if "is left out" in line]
    assert len(left_out) == 1
    assert "label 11" in left_out[0]
    assert left_out[0].endswith("(and 2 more like it)")
    assert list(json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))["skipped"]) == ["11", "12", "13"]
