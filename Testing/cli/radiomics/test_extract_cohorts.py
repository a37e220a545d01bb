"""The synthetic cohorts of all three methods are given to ``extract --manifest`` as they are; formulas are texts."""

import csv
from pathlib import Path

import pytest

from deepradiomics.files.tables import read_csv
from Testing.cli import material
from Testing.cli.run_cli import run_cli

FIRST_ORDER = "featureClass: {firstorder: [Mean]}\n"


@pytest.fixture
def params(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text(FIRST_ORDER, encoding="utf-8")
    return tmp_path / "params.yaml"


@pytest.mark.parametrize(
    ("phantom", "rows", "carried"),
    [
        ("knee", {("axial", "axial"), ("coronal", "coronal"), ("sagittal", "sagittal")}, "label_acl"),
        ("prostate", {(view, "gland") for view in ("t2", "highb", "adc")}, "value_volume_ml"),
        ("ich", {("image", ""), ("followup", "followup")}, "value_mrs"),
    ],
)
def test_a_synthetic_cohort_is_extracted_as_it_is(
    tmp_path: Path, params: Path, phantom: str, rows: set[tuple[str, str]], carried: str
) -> None:
    assert run_cli(["phantom", phantom, "--cases", 1, "--seed", 3, "-o", tmp_path / "cohort"]).code == 0
    table = tmp_path / "out" / "f.csv"
    done = run_cli(["extract", "--manifest", tmp_path / "cohort" / "manifest.csv", "-o", table, "--params", params])
    assert done.code == 0, done.err
    written = read_csv(table)
    assert rows <= {(row["view"], row["region"]) for row in written.rows}
    assert carried in written.columns
    assert all(float(row["original_firstorder_Mean"]) for row in written.rows)


def test_ids_and_columns_that_are_formulas_are_texts_in_the_table_and_back(tmp_path: Path, params: Path) -> None:
    material.image(tmp_path / "a.nrrd")
    material.mask(tmp_path / "m.nrrd")
    rows: list[dict[str, object]] = [
        {"id": "=1+1", "image": "a.nrrd", "mask": "m.nrrd", "@site": "+x", "change": "-1.5"}
    ]
    manifest = material.manifest(tmp_path, rows, ["id", "image", "mask", "@site", "change"])
    table = tmp_path / "f.csv"
    done = run_cli(["extract", "--manifest", manifest, "-o", table, "--params", params])
    assert done.code == 0, done.err
    with open(table, encoding="utf-8", newline="") as stream:
        header, cells = csv.reader(stream)
    assert "'@site" in header
    assert "'=1+1" in cells
    assert "'+x" in cells
    assert "-1.5" in cells
    assert not [cell for cell in (*header, *cells) if cell[:1] in "=+@\t" and cell]
    row = read_csv(table).rows[0]
    assert (row["id"], row["@site"], row["change"]) == ("=1+1", "+x", "-1.5")


def test_nothing_is_written_outside_the_output_whatever_a_column_is_called(tmp_path: Path) -> None:
    inner = tmp_path / "deep" / "er"
    material.image(inner / "a.nrrd")
    material.mask(inner / "m.nrrd")
    victim = tmp_path / "victim.json"
    victim.write_text("mine", encoding="utf-8")
    before = sorted(path for path in tmp_path.rglob("*"))
    rows: list[dict[str, object]] = [
        {"id": "a", "view_../../../victim": "a.nrrd", "view_b": "a.nrrd", "mask": "m.nrrd"}
    ]
    manifest = material.manifest(inner, rows, ["id", "view_../../../victim", "view_b", "mask"])
    done = run_cli(["extract", "--manifest", manifest, "-o", inner / "t.csv"])
    assert done.code == 2
    assert "cannot be a file name" in done.err
    assert victim.read_text(encoding="utf-8") == "mine"
    assert sorted(path for path in tmp_path.rglob("*")) == sorted([*before, manifest])
