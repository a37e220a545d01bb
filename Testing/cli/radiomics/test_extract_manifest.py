"""``extract --manifest``: one table for many cases; what is done is kept, what fails is named and stops nothing."""

import json
from pathlib import Path

import pytest

from Testing.cli import material
from Testing.cli.radiomics.extract_cohort import run_manifest, table_of, write_cohort
from Testing.cli.run_cli import run_cli


def test_each_case_has_the_values_that_the_engine_gives_it_alone(tmp_path: Path) -> None:
    from deepradiomics import extract

    manifest = write_cohort(tmp_path)
    assert run_manifest(manifest, tmp_path / "out" / "f.csv").code == 0
    rows = table_of(tmp_path / "out" / "f.csv")
    assert [row["id"] for row in rows] == ["k0", "k1", "k2"]
    assert len(rows[0]) == 4 + 107
    for row in rows:
        alone = extract(tmp_path / f"{row['id']}.nrrd", tmp_path / f"{row['id']}_mask.nrrd")
        assert {name: float(row[name]) for name in alone} == dict(alone)


def test_a_second_run_computes_nothing_and_writes_the_same_table(tmp_path: Path) -> None:
    manifest = write_cohort(tmp_path)
    first = run_manifest(manifest, tmp_path / "f.csv")
    written = (tmp_path / "f.csv").read_bytes()
    second = run_manifest(manifest, tmp_path / "f.csv")
    assert (first.result["computed"], second.result["computed"]) == (3, 0)
    assert (tmp_path / "f.csv").read_bytes() == written


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: material.image(folder / "k1.nrrd", seed=77),
        lambda folder: material.mask(folder / "k1_mask.nrrd", "l-shape"),
        lambda folder: (folder / "f-cases" / "k1.json").write_text('{"half": ', encoding="utf-8"),
    ],
    ids=["other voxels", "other region", "damaged result"],
)
def test_only_what_changed_is_computed_again(tmp_path: Path, change: object) -> None:
    manifest = write_cohort(tmp_path)
    run_manifest(manifest, tmp_path / "f.csv")
    change(tmp_path)  # type: ignore[operator]
    found = run_manifest(manifest, tmp_path / "f.csv")
    assert found.code == 0
    assert found.result["computed"] == 1
    status = {case["id"]: case["status"] for case in json.loads((tmp_path / "f.json").read_text("utf-8"))["cases"]}
    assert status == {"k0": "kept", "k1": "done", "k2": "kept"}


def test_other_settings_are_computed_again(tmp_path: Path) -> None:
    manifest = write_cohort(tmp_path, 2)
    run_manifest(manifest, tmp_path / "f.csv")
    found = run_manifest(manifest, tmp_path / "f.csv", "--params", "paper-110")
    assert found.result["computed"] == 2
    assert len(table_of(tmp_path / "f.csv")[0]) == 4 + 110


def test_a_failing_case_is_named_and_does_not_stop_the_others(tmp_path: Path) -> None:
    manifest = write_cohort(tmp_path, 3, ("box", "empty", "other-grid"))
    found = run_manifest(manifest, tmp_path / "f.csv")
    assert found.code == 1
    assert [row["id"] for row in table_of(tmp_path / "f.csv")] == ["k0"]
    failed = found.result["failed"]
    assert "Case k1: mask" in found.err
    assert "Case k2: mask" in found.err
    assert set(failed) == {"k1", "k2"}
    assert "empty" in failed["k1"]
    assert "grid" in failed["k2"]
    assert any(event["event"] == "error" and event["exit_code"] == 1 for event in found.events)
    cases = json.loads((tmp_path / "f.json").read_text("utf-8"))["cases"]
    assert [case["status"] for case in cases] == ["done", "failed", "failed"]


def test_allowed_failures_are_told_and_no_error(tmp_path: Path) -> None:
    manifest = write_cohort(tmp_path, 3, ("box", "empty", "other-grid"))
    found = run_manifest(manifest, tmp_path / "f.csv", "--allow-failures")
    assert found.code == 0
    assert set(found.result["failed"]) == {"k1", "k2"}
    assert "Case k1: mask" in found.err
    assert not [event for event in found.events if event["event"] == "error"]
    assert [row["id"] for row in table_of(tmp_path / "f.csv")] == ["k0"]


def test_all_labels_give_a_row_each(tmp_path: Path) -> None:
    manifest = write_cohort(tmp_path, 2, ("two", "box"))
    assert run_manifest(manifest, tmp_path / "f.csv", "--all-labels").code == 0
    assert [(row["id"], row["label"]) for row in table_of(tmp_path / "f.csv")] == [
        ("k0", "1"),
        ("k0", "2"),
        ("k1", "1"),
    ]


def test_views_of_a_case_have_a_row_each(tmp_path: Path) -> None:
    material.image(tmp_path / "t2.nrrd", seed=1)
    material.image(tmp_path / "adc.nrrd", seed=2)
    material.mask(tmp_path / "mask.nrrd")
    row: dict[str, object] = {"id": "p1", "view_t2": "t2.nrrd", "view_adc": "adc.nrrd", "mask": "mask.nrrd"}
    manifest = material.manifest(tmp_path, [row], ["id", "view_t2", "view_adc", "mask"])
    assert run_manifest(manifest, tmp_path / "f.csv").code == 0
    rows = table_of(tmp_path / "f.csv")
    assert [(one["id"], one["view"]) for one in rows] == [("p1", "t2"), ("p1", "adc")]
    assert rows[0]["original_firstorder_Mean"] != rows[1]["original_firstorder_Mean"]


def test_parquet_and_json_hold_the_same_regions(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    manifest = write_cohort(tmp_path, 2)
    for name in ("f.csv", "f.parquet", "g.json"):
        assert run_manifest(manifest, tmp_path / name).code == 0
    rows = table_of(tmp_path / "f.csv")
    columns = parquet.read_table(tmp_path / "f.parquet").to_pydict()
    regions = json.loads((tmp_path / "g.json").read_text("utf-8"))["regions"]
    for name in ("original_glcm_Contrast", "original_shape_Sphericity"):
        values = [float(row[name]) for row in rows]
        assert columns[name] == values == [region["features"][name] for region in regions]


def test_two_workers_give_the_numbers_of_one(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    manifest = write_cohort(tmp_path, 2)
    assert run_manifest(manifest, tmp_path / "one.csv").code == 0
    assert run_manifest(manifest, tmp_path / "two.csv", "--workers", 2).code == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepradiomics.cli.session import Session

    manifest = write_cohort(tmp_path)
    report = Session.progress

    def stop_after_one(self: Session, fraction: float, message: str) -> None:
        report(self, fraction, message)
        if message.startswith("k0"):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Session, "progress", stop_after_one)
        assert run_manifest(manifest, tmp_path / "f.csv").code == 130
    assert not (tmp_path / "f.csv").exists()
    assert (tmp_path / "f-cases" / "k0.json").is_file()
    assert run_manifest(manifest, tmp_path / "f.csv").result["computed"] == 2


def test_a_missing_file_or_an_empty_cell_fails_its_case_alone(tmp_path: Path) -> None:
    manifest = write_cohort(tmp_path, 1)
    lines = ["k1,gone.nrrd,k0_mask.nrrd", "k2,k0.nrrd,", "k3,,k0_mask.nrrd"]
    manifest.write_text(manifest.read_text("utf-8") + "\n".join(lines) + "\n", encoding="utf-8")
    found = run_manifest(manifest, tmp_path / "f.csv")
    assert found.code == 1
    assert [row["id"] for row in table_of(tmp_path / "f.csv")] == ["k0"]
    failed = found.result["failed"]
    assert "gone.nrrd" in failed["k1"]
    assert "column mask" in failed["k2"]
    assert "column image" in failed["k3"]
    told = run_cli(["extract", "--manifest", manifest, "-o", tmp_path / "f.csv"])
    assert told.code == 1
    assert "1 of 4 cases" in told.out
    assert "not in the table: k1, k2, k3" in told.out


def test_a_label_column_says_which_region_is_a_cases(tmp_path: Path) -> None:
    from deepradiomics import extract

    manifest = write_cohort(tmp_path, 3, ("two",))
    lines = manifest.read_text("utf-8").splitlines()
    text = "\n".join([lines[0] + ",Label", lines[1] + ",2.0", lines[2] + ",", lines[3] + ",1"])
    manifest.write_text(text, encoding="utf-8")
    for options, expected in ((["--label", "1"], ["2", "1", "1"]), (["--all-labels"], ["2", "1", "2", "1"])):
        assert run_manifest(manifest, tmp_path / "f.csv", *options).code == 0
        rows = table_of(tmp_path / "f.csv")
        assert [row["label"] for row in rows] == expected
        alone = extract(tmp_path / "k0.nrrd", tmp_path / "k0_mask.nrrd", label=2)
        assert {name: float(rows[0][name]) for name in alone} == dict(alone)


def test_further_columns_come_along_and_capitals_do_not_matter(tmp_path: Path) -> None:
    manifest = write_cohort(tmp_path, 2)
    lines = manifest.read_text("utf-8").splitlines()
    text = "\n".join(["ID,Image,Mask,site,age,name", lines[1] + ",Ulm,61,x", lines[2] + ",,70,y"])
    manifest.write_text(text, encoding="utf-8")
    assert run_manifest(manifest, tmp_path / "f.csv").code == 0
    rows = table_of(tmp_path / "f.csv")
    assert [(row["id"], row["site"], row["age"], row["manifest_name"]) for row in rows] == [
        ("k0", "Ulm", "61", "x"),
        ("k1", "", "70", "y"),
    ]
    assert run_manifest(manifest, tmp_path / "g.json").code == 0
    regions = json.loads((tmp_path / "g.json").read_text("utf-8"))["regions"]
    assert regions[0]["manifest"] == {"site": "Ulm", "age": "61", "name": "x"}


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("id,image,maks", "no column 'mask', which names each case's label map; it has: id, image, maks"),
        ("id,image,mask,labl", "did you mean 'label'"),
        ("id,image,mask,ID", "the column 'id' is there 2 times"),
        ("id,picture,mask", "no image column"),
        ("id,image,region", "no column 'mask'"),
        ("id,image,mask,label", "Case a, column label: expected a whole number"),
    ],
)
def test_a_column_that_would_be_lost_or_misread_is_refused(tmp_path: Path, header: str, says: str) -> None:
    cells = ",".join(["a", "a.nrrd", "m.nrrd", "liver"][: len(header.split(","))])
    (tmp_path / "m.csv").write_text(f"{header}\n{cells}\n", encoding="utf-8")
    found = run_manifest(tmp_path / "m.csv", tmp_path / "f.csv")
    assert found.code == 2
    assert says in found.events[-1]["message"]
