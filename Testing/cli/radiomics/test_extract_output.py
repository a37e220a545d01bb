"""One case written wide like a cohort, and tables on standard output with nothing else there."""

import csv
import io
import json
from pathlib import Path

from Testing.cli import material
from Testing.cli.run_cli import run_cli


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_single_case_is_written_wide_as_the_manifest_writes_it(tmp_path: Path) -> None:
    image, mask = material.image(tmp_path / "k0.nrrd"), material.mask(tmp_path / "mask.nrrd", "two")
    rows: list[dict[str, object]] = [{"id": "k0", "image": image.name, "mask": mask.name}]
    manifest = material.manifest(tmp_path, rows, ["id", "image", "mask"])
    assert run_cli(["extract", image, mask, "-o", tmp_path / "one.csv", "--all-labels", "--wide"]).code == 0
    assert run_cli(["extract", "--manifest", manifest, "-o", tmp_path / "all.csv", "--all-labels"]).code == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "all.csv").read_bytes()
    assert json.loads((tmp_path / "one.json").read_text("utf-8"))["labels"]["2"]["features"]


def test_a_table_on_standard_output_stands_there_alone(tmp_path: Path) -> None:
    image, mask = material.image(tmp_path / "k0.nrrd"), material.mask(tmp_path / "mask.nrrd")
    before = set(tmp_path.iterdir())
    for options in ([], ["--wide"]):
        assert run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", *options]).code == 0
        found = run_cli(["extract", image, mask, "-o", "-", *options])
        assert found.code == 0
        assert found.out == (tmp_path / "f.csv").read_text("utf-8")
        assert "107 features" in found.err
        assert "only label" in found.err
        for name in ("f.csv", "f.json"):
            (tmp_path / name).unlink()
    assert set(tmp_path.iterdir()) == before


def test_a_manifests_table_on_standard_output_leaves_nothing_behind(tmp_path: Path) -> None:
    image, mask = material.image(tmp_path / "k0.nrrd"), material.mask(tmp_path / "mask.nrrd")
    rows: list[dict[str, object]] = [{"id": name, "image": image.name, "mask": mask.name} for name in "ab"]
    manifest = material.manifest(tmp_path, rows, ["id", "image", "mask"])
    before = set(tmp_path.iterdir())
    found = run_cli(["extract", "--manifest", manifest, "-o", "-"])
    assert found.code == 0
    assert [row["id"] for row in _rows(found.out)] == ["a", "b"]
    assert "2 of 2 cases (2 computed now)" in found.err
    assert set(tmp_path.iterdir()) == before


def test_json_lines_and_a_table_cannot_share_standard_output(tmp_path: Path) -> None:
    image, mask = material.image(tmp_path / "k0.nrrd"), material.mask(tmp_path / "mask.nrrd")
    found = run_cli(["extract", image, mask, "-o", "-", "--json"])
    assert found.code == 2
    assert "both write to standard output" in found.events[-1]["message"]


def test_the_list_of_features_is_a_table_where_one_is_asked_for(tmp_path: Path) -> None:
    found = run_cli(["features", "list", "--params", "fingerprint-107", "-o", "-"])
    rows = _rows(found.out)
    assert found.code == 0
    assert len(rows) == 107
    assert rows[0]["feature"].startswith("original_")
    assert run_cli(["features", "list", "--params", "fingerprint-107", "-o", tmp_path / "l.csv"]).code == 0
    assert (tmp_path / "l.csv").read_text("utf-8") == found.out
    refused = run_cli(["features", "list", "-o", tmp_path / "l.json"])
    assert refused.code == 2
    assert "--json gives JSON" in refused.err
