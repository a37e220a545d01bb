"""Kept cases: only what this run asks for is gathered, a changed file is noticed, and no two runs share an output."""

import json
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deepradiomics.cohort.regions.kept import kept_case, read_case, write_case
from deepradiomics.errors import InputError
from deepradiomics.files.lock import held
from deepradiomics.files.parts import token
from Testing.cli import material
from Testing.cli.radiomics.extract_cohort import run_manifest, write_cohort


def test_a_digit_changed_by_hand_is_computed_anew_with_a_note(tmp_path: Path) -> None:
    manifest = write_cohort(tmp_path)
    assert run_manifest(manifest, tmp_path / "f.csv").code == 0
    written, file = (tmp_path / "f.csv").read_bytes(), tmp_path / "f-cases" / "k1.json"
    value = json.loads(file.read_text("utf-8"))["labels"]["1"]["features"]["original_shape_Sphericity"]
    file.write_text(file.read_text("utf-8").replace(repr(value), repr(round(value + 0.3, 3))), encoding="utf-8")
    found = run_manifest(manifest, tmp_path / "f.csv")
    assert found.result["computed"] == 1
    assert "k1.json: the kept result was changed since it was written" in found.err
    assert (tmp_path / "f.csv").read_bytes() == written
    notes = {case["id"]: case["notes"] for case in json.loads((tmp_path / "f.json").read_text("utf-8"))["cases"]}
    assert any("computed anew" in note for note in notes["k1"])


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document.pop("labels"),
        lambda document: document.update(labels=7),
        lambda document: document.update(warnings=None),
        lambda document: document.pop("sha256"),
    ],
    ids=["no labels", "labels of another type", "warnings of another type", "no checksum"],
)
def test_a_kept_result_of_another_form_is_computed_anew_and_stops_nothing(tmp_path: Path, damage: object) -> None:
    manifest = write_cohort(tmp_path)
    assert run_manifest(manifest, tmp_path / "f.csv").code == 0
    file = tmp_path / "f-cases" / "k1.json"
    document = json.loads(file.read_text("utf-8"))
    damage(document)  # type: ignore[operator]
    file.write_text(json.dumps(document), encoding="utf-8")
    found = run_manifest(manifest, tmp_path / "f.csv")
    assert found.code == 0
    assert found.result["computed"] == 1


def test_results_of_other_settings_are_never_gathered(tmp_path: Path) -> None:
    case = {"key": "a", "id": "k0", "view": "image", "labels": {}, "skipped": {}, "notes": []}
    write_case(tmp_path / "k0.json", case)
    assert read_case(tmp_path / "k0.json", "a")["id"] == "k0"
    with pytest.raises(InputError, match="of another image, mask or setting"):
        read_case(tmp_path / "k0.json", "b")
    assert kept_case(tmp_path / "k1.json") == ({}, "")


def test_gathering_refuses_what_another_run_has_written_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepradiomics.cohort.regions import cases as region_cases

    manifest, compute = write_cohort(tmp_path), region_cases.extract_regions

    def interrupted(*given: object, **options: object) -> object:
        outcomes = compute(*given, **options)  # type: ignore[arg-type]
        document = read_case(outcomes[1].file)  # type: ignore[arg-type]
        write_case(outcomes[1].file, document | {"key": "of binWidth 5"})  # type: ignore[arg-type]
        return outcomes

    monkeypatch.setattr(region_cases, "extract_regions", interrupted)
    found = run_manifest(manifest, tmp_path / "f.csv")
    assert found.code == 2
    assert "k1.json: this kept result is of another image" in found.events[-1]["message"]
    assert not (tmp_path / "f.csv").exists()


def test_a_second_run_on_the_same_output_is_told(tmp_path: Path) -> None:
    manifest = write_cohort(tmp_path)
    holder = (
        "import sys, time; from pathlib import Path; from deepradiomics.files.lock import held\n"
        "with held(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)\n"
    )
    words = [sys.executable, "-c", holder, str(tmp_path / "f-cases")]
    other = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        found = run_manifest(manifest, tmp_path / "f.csv")
        message = found.events[-1]["message"]
        assert found.code == 2
        assert f"another run is writing there now (process {other.pid} on {platform.node()})" in message
        assert not (tmp_path / "f.csv").exists()
    finally:
        other.kill()
        other.wait()
        if other.stdout is not None:
            other.stdout.close()
    deadline = time.monotonic() + 10
    while (found := run_manifest(manifest, tmp_path / "f.csv")).code and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found.code == 0, "the lock of a killed run is no lock"


def test_part_files_of_a_killed_run_are_removed_by_the_next(tmp_path: Path) -> None:
    manifest = write_cohort(tmp_path)
    (tmp_path / "f-cases").mkdir()
    words = [sys.executable, "-c", "from deepradiomics.files.parts import token; print(token())"]
    gone = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    left = [tmp_path / "f-cases" / f".k0.{gone}.part.json", tmp_path / f".f.{gone}.part.csv"]
    others = [tmp_path / f".g.{token()}.part.csv", tmp_path / ".f.mine.csv"]  # of a living process, and the user's
    for path in (*left, *others):
        path.write_text("half", encoding="utf-8")
    assert run_manifest(manifest, tmp_path / "f.csv").code == 0
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in others)
    assert {path.name for path in (tmp_path / "f-cases").iterdir()} == {"k0.json", "k1.json", "k2.json"}


def test_two_results_that_would_share_a_file_are_refused_before_anything_is_computed(tmp_path: Path) -> None:
    material.image(tmp_path / "i.nrrd")
    material.mask(tmp_path / "m.nrrd")
    rows: list[dict[str, object]] = [
        {"id": "a", "view_t2.x": "i.nrrd", "mask": "m.nrrd"},
        {"id": "a.t2", "view_x": "i.nrrd", "mask": "m.nrrd"},
    ]
    manifest = material.manifest(tmp_path, rows, ["id", "view_t2.x", "view_x", "mask"])
    found = run_manifest(manifest, tmp_path / "f.csv")
    assert found.code == 2
    assert "would share the file a.t2.x.json" in found.events[-1]["message"]
    assert not (tmp_path / "f-cases").exists()


def test_a_folder_that_is_held_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with held(tmp_path / "cases"), pytest.raises(InputError, match="another run"), held(tmp_path / "cases"):
            pass
    assert not (tmp_path / "cases").exists()
