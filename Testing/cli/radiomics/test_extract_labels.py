"""One rule for labels: a single one needs no name, of several one is named, and a parameter file means its own."""

import csv
import json
from pathlib import Path

import pytest

from Testing.cli import material, noted
from Testing.cli.run_cli import run_cli

MEAN = "featureClass: {firstorder: [Mean]}\n"


def _table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _pair(folder: Path, kind: str) -> tuple[Path, Path]:
    return material.image(folder / "image.nrrd"), material.mask(folder / "mask.nrrd", kind)


@pytest.mark.parametrize("options", [[], ["--params", "fingerprint-107"]], ids=["no parameters", "a preset"])
def test_several_labels_and_none_named_are_refused_with_the_list(tmp_path: Path, options: list[str]) -> None:
    image, mask = _pair(tmp_path, "two")
    for command, output in (("extract", tmp_path / "out" / "f.csv"), ("maps", tmp_path / "out")):
        found = run_cli([command, image, mask, "-o", output, *options])
        assert found.code == 2
        assert "it has 2 labels: 1, 2" in found.err
        assert "--label" in found.err
    assert not (tmp_path / "out").exists()


def test_a_case_of_a_manifest_with_several_labels_fails_alone_unless_its_row_names_one(tmp_path: Path) -> None:
    for name in "abc":
        material.image(tmp_path / f"{name}.nrrd")
    material.mask(tmp_path / "two.nrrd", "two")
    material.mask(tmp_path / "one.nrrd", "label-7")
    rows: list[dict[str, object]] = [
        {"id": "a", "image": "a.nrrd", "mask": "two.nrrd"},
        {"id": "b", "image": "b.nrrd", "mask": "two.nrrd", "label": 2},
        {"id": "c", "image": "c.nrrd", "mask": "one.nrrd"},
    ]
    manifest = material.manifest(tmp_path, rows, ["id", "image", "mask", "label"])
    found = run_cli(["extract", "--manifest", manifest, "-o", tmp_path / "f.csv", "--allow-failures", "--json"])
    assert [(row["id"], row["label"]) for row in _table(tmp_path / "f.csv")] == [("b", "2"), ("c", "7")]
    assert "it has 2 labels" in found.result["failed"]["a"]


def test_the_only_label_is_taken_and_a_note_tells_which(tmp_path: Path) -> None:
    image, mask = _pair(tmp_path, "label-7")
    found = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv"])
    assert found.code == 0
    assert "its only label was taken, 7" in found.err
    assert {row["label"] for row in _table(tmp_path / "f.csv")} == {"7"}
    assert any("only label" in note for note in json.loads((tmp_path / "f.json").read_text("utf-8"))["notes"])


def test_a_parameter_file_that_is_silent_means_label_one_and_a_note_says_so(tmp_path: Path) -> None:
    image, mask = _pair(tmp_path, "two")
    silent = material.params(tmp_path / "silent.yaml", MEAN)
    found = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--params", silent])
    assert found.code == 0
    assert "label 1 was taken of 1, 2" in found.err
    naming = material.params(tmp_path / "naming.yaml", MEAN + "setting: {label: 2}\n")
    found = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--params", naming])
    assert found.code == 0
    assert "Note" not in found.err
    assert [row["label"] for row in _table(tmp_path / "f.csv")] == ["2"]
    other = material.mask(tmp_path / "seven.nrrd", "label-7")
    found = run_cli(["extract", image, other, "-o", tmp_path / "g.csv", "--params", silent])
    assert found.code == 2
    assert "no voxel has label 1; labels present: 7" in found.err


def test_an_option_goes_before_the_parameters(tmp_path: Path) -> None:
    image, mask = _pair(tmp_path, "two")
    naming = material.params(tmp_path / "p.yaml", MEAN + "setting: {label: 2}\n")
    assert run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--params", naming, "--label", 1]).code == 0
    assert [row["label"] for row in _table(tmp_path / "f.csv")] == ["1"]


def test_a_segment_is_named_and_keeps_the_voxels_that_another_covers(tmp_path: Path) -> None:
    image = material.image(tmp_path / "image.nrrd")
    mask = noted.overlapping(tmp_path / "two.seg.nrrd", image)
    voxels = {}
    for name in ("Alpha", "Beta"):
        assert run_cli(["extract", image, mask, "-o", tmp_path / "f.json", "--segment", name]).code == 0
        [region] = json.loads((tmp_path / "f.json").read_text("utf-8"))["labels"].values()
        voxels[region["name"]] = region["diagnostics"]["roi"]["voxels"]
    assert voxels == {"Alpha": 144, "Beta": 240}
    found = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--segment", "Alpa"])
    assert found.code == 2
    assert "Did you mean 'Alpha'?" in found.err
    words = ["maps", image, mask, "-o", tmp_path / "maps", "--features", "firstorder_Mean"]
    assert run_cli([*words, "--segment", "Beta"]).code == 0
    assert json.loads((tmp_path / "maps" / "maps.json").read_text("utf-8"))["segment"] == "Beta"


def test_every_table_holds_names_numbers_colours_and_terms_of_segments(tmp_path: Path) -> None:
    image = material.image(tmp_path / "image.nrrd")
    mask = noted.overlapping(tmp_path / "two.seg.nrrd", image)
    assert run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--all-labels"]).code == 0
    rows: list[dict[str, object]] = [{"id": "a", "image": image.name, "mask": mask.name}]
    manifest = material.manifest(tmp_path, rows, ["id", "image", "mask"])
    assert run_cli(["extract", "--manifest", manifest, "-o", tmp_path / "g.csv", "--all-labels"]).code == 0
    for path in (tmp_path / "f.csv", tmp_path / "g.csv"):
        known = {row["name"]: row for row in _table(path)}
        assert list(known) == ["Alpha", "Beta"]
        assert [row["segment_number"] for row in known.values()] == ["1", "1"], "their label values in two layers"
        assert known["Alpha"]["segment_colour"] == "#ff8000"
        assert known["Beta"]["segment_colour"] == "#0000ff"
        assert known["Beta"]["segment_type"] == "SCT^79654002^Edema"
        assert known["Alpha"]["segment_category"] == "SCT^49755003^Morphologically Altered Structure"
    region = json.loads((tmp_path / "f.json").read_text("utf-8"))["labels"]["1"]
    assert region["segment"]["type"] == {"value": "4147007", "scheme": "SCT", "meaning": "Mass"}


def test_names_of_labels_come_from_a_file(tmp_path: Path) -> None:
    image, mask = _pair(tmp_path, "two")
    names = tmp_path / "names.json"
    names.write_text('{"1": "core", "2": "rim"}', encoding="utf-8")
    words = ["extract", image, mask, "-o", tmp_path / "f.csv", "--label-names", names]
    assert run_cli([*words, "--segment", "rim"]).code == 0
    assert {(row["label"], row["name"]) for row in _table(tmp_path / "f.csv")} == {("2", "rim")}
    found = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--label-names", tmp_path / "none.json"])
    assert found.code == 2
    assert "--label-names" in found.err


def test_colours_of_a_colour_table_come_into_every_table(tmp_path: Path) -> None:
    image, mask = _pair(tmp_path, "two")
    names = tmp_path / "names.ctbl"
    names.write_text("1 core 255 128 0 255\n2 rim 0 0 255 255\n", encoding="utf-8")
    rows: list[dict[str, object]] = [{"id": "a", "image": image.name, "mask": mask.name}]
    manifest = material.manifest(tmp_path, rows, ["id", "image", "mask"])
    words = ["-o", tmp_path / "f.csv", "--label-names", names, "--all-labels"]
    for source in ([image, mask], [image, mask, "--wide"], ["--manifest", manifest]):
        assert run_cli(["extract", *source, *words]).code == 0
        assert {(row["name"], row["segment_colour"]) for row in _table(tmp_path / "f.csv")} == {
            ("core", "#ff8000"), ("rim", "#0000ff"),
        }  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [["--label", 1, "--segment", "a"], ["--segment", "a", "--all-labels"], ["--label", 1, "--all-labels"]],
)
def test_two_ways_of_naming_a_region_are_refused(tmp_path: Path, options: list[object]) -> None:
    image, mask = _pair(tmp_path, "two")
    found = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", *options])
    assert found.code == 2
    assert "give one of them" in found.err
