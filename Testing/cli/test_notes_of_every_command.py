"""What was assumed on reading an image reaches the user of every command: on the screen and in the files of the result.

Here each image that is read carries the same note, as one with a rounded header or a gap between slices does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deepradiomics.images import Volume, reading
from Testing.cli import material
from Testing.cli.ich import ich_material as ich
from Testing.cli.run_cli import Finished, run_cli
from Testing.unit.lens import ball_cohort, lens_material

pytest.importorskip("torch")
pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")

NOTE = "directions off by 0.0001 were read as the nearest rotation"


@pytest.fixture(autouse=True)
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every image that a command reads carries the note."""
    plain = reading.read_volume

    def read(*words: Any, **options: Any) -> Volume:
        volume = plain(*words, **options)
        return replace(volume, notes=(*volume.notes, NOTE))

    monkeypatch.setattr(reading, "read_volume", read)
    yield


def _told(done: Finished, *files: Path) -> None:
    """The note stands on the screen and in these files."""
    assert done.code == 0, done.out + done.err
    assert NOTE in done.err, done.err
    for file in files:
        assert NOTE in file.read_text(encoding="utf-8"), file.name


def test_fingerprint_apply_tells_it_in_prediction_and_report(bundle: Path, tmp_path: Path) -> None:
    image = material.image(tmp_path / "k.nii.gz")
    mask = material.mask(tmp_path / "m.nii.gz")
    words = ["fingerprint", "apply", bundle, "--no-scene"]
    done = run_cli([*words, "--view", f"sagittal={image}", "--mask", mask, "-o", tmp_path / "o"])
    _told(done, tmp_path / "o" / "prediction.json", tmp_path / "o" / "report.html")
    assert "its only label was taken, 1" in done.err
    material.manifest(tmp_path / "c", [{"id": "a"}, {"id": "b"}], ["id", "sagittal"])
    batch = run_cli([*words, "--manifest", tmp_path / "c" / "manifest.csv", "-o", tmp_path / "batch"])
    _told(batch, tmp_path / "batch" / "a" / "prediction.json")
    assert batch.err.count(NOTE) == 1
    assert "and 1 other case" in batch.err


def test_ich_volume_and_segment_tell_it(tmp_path: Path) -> None:
    place = ich.place()
    volume = run_cli(["ich", "volume", place / "mask.nii.gz", "--json"])
    assert volume.code == 0
    assert any("its only label was taken, 1" in text for text in volume.result["notes"])
    words = ["segment", place / "ct.nii.gz", "--segmenter", ich.network("segmenter"), "--device", "cpu"]
    _told(run_cli([*words, "-o", tmp_path / "m.nii.gz"]))
    assert NOTE in run_cli([*words, "-o", tmp_path / "m.nii.gz", "--json"]).result["notes"]


def test_ich_expansion_tells_it_of_both_scans(tmp_path: Path) -> None:
    place = ich.place()
    masks = ["--baseline-mask", place / "mask.nii.gz", "--followup-mask", place / "later_mask.nii.gz"]
    words = ["ich", "expansion", place / "ct.nii.gz", place / "later.nii.gz", *masks, "--backend", "cpu"]
    done = run_cli([*words, "-o", tmp_path / "o"])
    _told(done, tmp_path / "o" / "expansion.json")
    notes = json.loads((tmp_path / "o" / "expansion.json").read_text(encoding="utf-8"))["notes"]
    assert f"Baseline: {NOTE}" in notes
    assert f"Follow-up: {NOTE}" in notes


def test_ich_apply_tells_it_in_record_and_report(tmp_path: Path) -> None:
    place = ich.place()
    words = ["ich", "apply", ich.bundle_without_networks(), place / "ct.nii.gz", "--mask", place / "mask.nii.gz"]
    done = run_cli([*words, "--no-scene", "-o", tmp_path / "o"])
    _told(done, tmp_path / "o" / "ich.json", tmp_path / "o" / "report.html")


def test_cohorts_of_haematomas_tell_it_once_for_all(tmp_path: Path) -> None:
    manifest = ich.manifest(tmp_path, count=3)
    words = ["ich", "features", manifest, "--params", ich.place() / "few.yaml", "--device", "cpu"]
    done = run_cli([*words, "-o", tmp_path / "o"])
    _told(done, tmp_path / "o" / "features.json")
    assert done.err.count(NOTE) == 1
    assert "and 2 other cases" in done.err
    again = run_cli([*words, "-o", tmp_path / "again", "--cache", tmp_path / "o" / "cache"])
    _told(again, tmp_path / "again" / "features.json")  # also of what is found again


def test_an_experiment_tells_it_in_its_record_and_report(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    done = run_cli([
        "ich", "experiment", ich.manifest(tmp_path), "-o", tmp_path / "o", "--preset", "tiny", "--folds", "2",
        "--params", ich.place() / "few.yaml", "--classifiers", "naive-bayes", "--components", "3",
        "--outcomes", "poor_outcome", "--inputs", "radiomics", "--device", "cpu",
    ])  # fmt: skip
    _told(done, tmp_path / "o" / "experiment.json", tmp_path / "o" / "report.html")


def test_encode_pretrain_and_finetune_tell_it(tmp_path: Path) -> None:
    pytest.importorskip("lightning")
    manifest = ball_cohort.write_cohort(tmp_path, cases=18)
    ball_cohort.CONFIG.write(tmp_path / "config.json")
    config = ["--config", tmp_path / "config.json", "--device", "cpu", "--epochs", 1]
    _told(run_cli(["pretrain", manifest, "-o", tmp_path / "run", *config]), tmp_path / "run" / "run.json")
    words = ["finetune", manifest, tmp_path / "run" / "encoder", "--task", "class", "--only", "frozen"]
    _told(run_cli([*words, "-o", tmp_path / "tuned", *config]), tmp_path / "tuned" / "metrics.json")
    words = ["encode", manifest, tmp_path / "run" / "encoder", "-o", tmp_path / "e.csv", "--device", "cpu"]
    _told(run_cli(words))
    kept = run_cli([*words, "--json"]).result  # from the cache
    assert any(NOTE in text for text in kept["notes"]["ball00"])


def test_a_lens_and_its_case_view_tell_it(tmp_path: Path) -> None:
    manifest = lens_material.cohort(tmp_path / "c")
    cohort = lens_material.read(manifest)
    table = lens_material.embeddings(cohort.ids).write(tmp_path / "pre.csv")
    after = lens_material.embeddings(cohort.ids, drift=0.5).write(tmp_path / "ft.csv")
    fit = run_cli([
        "lens", "fit", manifest, "--pre", table, "--ft", after, "-o", tmp_path / "o", "--preset", "tiny", "--hidden",
        "4", "--params", lens_material.params(tmp_path), "--device", "cpu",
    ])  # fmt: skip
    _told(fit, tmp_path / "o" / "lens.json", tmp_path / "o" / "report.html")
    notes = json.loads((tmp_path / "o" / "lens.json").read_text(encoding="utf-8"))["notes"]
    assert set(notes) == set(cohort.ids)
    assert all(any(NOTE in text for text in own) for own in notes.values())
    case = run_cli(["lens", "case", tmp_path / "o", "--case-id", "c03", "--rank", "top", "-o", tmp_path / "case"])
    _told(case, tmp_path / "case" / "case.json")
