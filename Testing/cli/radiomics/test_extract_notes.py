"""What was assumed or done while an image was read reaches the user: on screen, in every JSON, in Python."""

import csv
import json
from pathlib import Path

import pytest

from Testing.cli import material, noted
from Testing.cli.run_cli import run_cli

PARAMS = "featureClass: {firstorder: [Mean]}\nsetting: {label: 1}\n"


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A DICOM series that is read with a note, and a mask of it."""
    folder = tmp_path_factory.mktemp("noted")
    image = noted.tilted_series(folder / "DOE_JANE")
    return image, noted.region_of(image, folder / "mask.nrrd")


def _notes(path: Path) -> list[str]:
    return json.loads(path.read_text(encoding="utf-8"))["notes"]


def _table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _mentions(texts: list[str]) -> bool:
    return any(noted.NOTE in text for text in texts)


def test_extract_tells_it_on_screen_in_the_result_and_in_the_json(series: tuple[Path, Path], tmp_path: Path) -> None:
    params = material.params(tmp_path / "p.yaml", PARAMS)
    words = ["extract", *series, "-o", tmp_path / "f.csv", "--params", params]
    assert "Note: " in (shown := run_cli(words).err)
    assert noted.NOTE in shown
    assert _mentions(run_cli([*words, "--json"]).result["notes"])
    assert _mentions(_notes(tmp_path / "f.json"))


def test_a_manifest_tells_it_on_the_screen_in_each_kept_case_and_in_the_tables_json(
    series: tuple[Path, Path], tmp_path: Path
) -> None:
    params = material.params(tmp_path / "p.yaml", PARAMS)
    rows: list[dict[str, object]] = [{"id": name, "image": series[0], "mask": series[1]} for name in ("a", "b")]
    manifest = material.manifest(tmp_path, rows, ["id", "image", "mask"])
    words = ["extract", "--manifest", manifest, "-o", tmp_path / "f.csv", "--params", params, "--json"]
    for _ in range(2):  # computed, then kept
        found = run_cli(words)
        assert _mentions(found.result["notes"])
        assert "(and 1 other case)" in found.err
        cases = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))["cases"]
        assert all(_mentions(case["notes"]) for case in cases)
        assert len(cases) == 2
    for name in ("a", "b"):
        assert _mentions(_notes(tmp_path / "f-cases" / f"{name}.json"))


def test_maps_tell_it_on_screen_in_the_result_and_in_the_json(series: tuple[Path, Path], tmp_path: Path) -> None:
    words = ["maps", *series, "-o", tmp_path / "maps", "--features", "firstorder_Mean"]
    assert noted.NOTE in run_cli(words).err
    assert _mentions(run_cli([*words, "--json"]).result["notes"])
    assert _mentions(_notes(tmp_path / "maps" / "maps.json"))


def test_register_tells_it_of_either_image(series: tuple[Path, Path], tmp_path: Path) -> None:
    words = ["register", series[0], series[0], "-o", tmp_path / "out", "--transform", "rigid", "--json"]
    found = run_cli(words)
    assert found.code == 0, found.out
    for notes in (found.result["notes"], _notes(tmp_path / "out" / "registration.json")):
        assert any(note.startswith("FIXED: ") and noted.NOTE in note for note in notes)
        assert any(note.startswith("MOVING: ") and noted.NOTE in note for note in notes)


def test_python_tells_it_in_the_features_the_labels_and_the_maps(series: tuple[Path, Path]) -> None:
    from deepradiomics import extract, extract_labels, extract_many, feature_maps

    params = {"featureClass": {"firstorder": ["Mean"]}, "setting": {"label": 1}}
    assert _mentions(list(extract(*series, params).notes))
    assert _mentions(list(extract_labels(*series, params).notes))
    assert _mentions(list(extract_many([series], params)[0].notes))
    assert _mentions(list(feature_maps(*series, "firstorder_Mean", params=params).notes))


def test_nothing_identifying_is_written(series: tuple[Path, Path], tmp_path: Path) -> None:
    assert run_cli(["extract", *series, "-o", tmp_path / "f.csv", "--wide"]).code == 0
    text = "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    assert not any(word in text for word in ("Doe", "DOE", "4711", str(tmp_path)))


def test_scanner_columns_come_from_dicom_on_request_in_every_table(series: tuple[Path, Path], tmp_path: Path) -> None:
    words = ["extract", *series, "-o", tmp_path / "f.csv"]
    assert run_cli(words).code == 0
    assert "manufacturer" not in (tmp_path / "f.csv").read_text("utf-8")
    for options in ([], ["--wide"]):
        assert run_cli([*words, "--scanner", *options]).code == 0
        rows = _table(tmp_path / "f.csv")
        assert all(row["manufacturer"] == "Example Systems" and row["convolution_kernel"] == "B30f" for row in rows)
        assert {float(row["kvp_kv"]) for row in rows} == {120.0}
        assert {row["echo_time_ms"] for row in rows} == {""}
        assert json.loads((tmp_path / "f.json").read_text("utf-8"))["scanner"]["slice_thickness_mm"] == 4


def test_of_other_formats_scanner_columns_are_empty_with_one_note(series: tuple[Path, Path], tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"id": "dicom", "image": series[0], "mask": series[1]}]
    for name in ("a", "b"):
        image, mask = material.image(tmp_path / f"{name}.nrrd"), material.mask(tmp_path / f"{name}_mask.nrrd")
        rows.append({"id": name, "image": image, "mask": mask})
    manifest = material.manifest(tmp_path, rows, ["id", "image", "mask"])
    found = run_cli(["extract", "--manifest", manifest, "-o", tmp_path / "f.csv", "--scanner"])
    assert found.code == 0, found.err
    assert [row["manufacturer"] for row in _table(tmp_path / "f.csv")] == ["Example Systems", "", ""]
    assert found.err.count("no DICOM that tells its scanner") == 1
