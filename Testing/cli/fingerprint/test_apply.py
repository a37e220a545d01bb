"""``fingerprint apply`` from the command line to the folder of results."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import deepradiomics.cli.fingerprint.apply_case
from deepradiomics.cli.scene_child import scene_is_possible, write_scene
from deepradiomics.images import Volume, read_volume, write_volume
from Testing.cli import material
from Testing.cli.run_cli import run_cli

RESULTS = ("prediction.json", "fingerprint.csv", "relevance.nii.gz", "gradcam.nii.gz", "report.html")


@pytest.fixture(scope="module")
def applied(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A knee's image, and the folder that apply made of it."""
    folder = tmp_path_factory.mktemp("applied")
    image = material.image(folder / "knee.nii.gz", seed=99)
    command = ["fingerprint", "apply", "--view", f"sagittal={image}", bundle, "-o", folder / "out", "--no-scene"]
    found = run_cli([*command, "--device", "cpu", "--json"])
    assert found.code == 0, found.out + found.err
    assert [Path(file).name for file in found.result["files"]] == [
        "report.html", "fingerprint.csv", "prediction.json", "relevance.nii.gz", "gradcam.nii.gz",
    ]  # fmt: skip
    return image, folder / "out"


def test_every_result_is_there_and_nothing_else(applied: tuple[Path, Path]) -> None:
    assert sorted(path.name for path in applied[1].iterdir()) == sorted(RESULTS)


def test_the_table_and_the_prediction_agree(applied: tuple[Path, Path]) -> None:
    prediction = json.loads((applied[1] / "prediction.json").read_text(encoding="utf-8"))
    with open(applied[1] / "fingerprint.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(prediction["tasks"]) == ["acl", "meniscus"]
    for name, task in prediction["tasks"].items():
        ours = [row for row in rows if row["task"] == name]
        assert len(ours) == task["pool"]
        assert sum(row["selected"] == "1" for row in ours) == task["selected"]
        total = sum(float(row["contribution"]) for row in ours)
        assert task["intercept"] + total == pytest.approx(task["logit"], abs=1e-4)


def test_the_heat_map_lies_on_the_cases_own_grid(applied: tuple[Path, Path]) -> None:
    import SimpleITK as sitk

    image, output = applied
    reference = read_volume(image)
    for name in ("relevance.nii.gz", "gradcam.nii.gz"):
        stack = sitk.ReadImage(str(output / name))
        assert stack.GetSize() == (*reference.geometry.size, 2)
        assert np.allclose(stack.GetSpacing()[:3], reference.geometry.spacing_mm)
        assert np.allclose(stack.GetOrigin()[:3], reference.geometry.origin_mm)


def test_a_scene_of_an_earlier_run_does_not_stay_beside_new_results(applied: tuple[Path, Path], bundle: Path) -> None:
    image, output = applied
    (output / "scene.mrb").write_text("old")
    (output / "mine.txt").write_text("kept")
    command = ["fingerprint", "apply", "--view", f"sagittal={image}", bundle, "-o", output, "--no-scene"]
    found = run_cli([*command, "--device", "cpu"])
    assert found.code == 0
    assert "Note: " in found.err
    assert sorted(path.name for path in output.iterdir()) == sorted([*RESULTS, "mine.txt"])
    (output / "mine.txt").unlink()


def test_the_report_says_what_was_reformatted_and_is_no_device(applied: tuple[Path, Path]) -> None:
    report = (applied[1] / "report.html").read_text(encoding="utf-8")
    assert "reformatted from" in report
    assert "not a medical device" in report
    assert str(applied[0].parent) not in report


def test_a_batch_over_a_manifest_makes_a_folder_a_case(bundle: Path, tmp_path: Path) -> None:
    material.image(tmp_path / "m" / "good.nii.gz", seed=3)
    material.broken_image(tmp_path / "m" / "flat.nii.gz", "constant")
    rows: list[dict[str, object]] = [
        {"id": "good", "sagittal": "good.nii.gz"},
        {"id": "flat", "sagittal": "flat.nii.gz"},
    ]
    manifest = material.manifest(tmp_path / "m", rows, ["id", "sagittal"])
    command = ["fingerprint", "apply", "--manifest", manifest, bundle, "-o", tmp_path / "out", "--no-scene"]
    found = run_cli([*command, "--device", "cpu", "--json"])
    assert found.code == 1  # a case failed
    assert found.events[-2] == {"event": "error", "message": "1 of 2 cases failed: flat.", "exit_code": 1}
    assert found.result["cases"] == {"good": "done", "flat": "failed"}
    assert "constant" in found.result["failed"]["flat"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["batch.csv", "good"]
    again = run_cli([*command, "--json"])
    assert again.result["cases"] == {"good": "skipped", "flat": "failed"}


def test_a_scene_that_fails_is_a_warning_and_loses_nothing(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        deepradiomics.cli.fingerprint.apply_case, "write_scene", lambda folder, views: "scene.mrb: no luck today"
    )
    image = material.image(tmp_path / "knee.nii.gz")
    command = ["fingerprint", "apply", "--view", f"sagittal={image}", bundle, "-o", tmp_path / "out"]
    found = run_cli([*command, "--device", "cpu", "--json"])
    assert found.code == 0
    assert found.result["warnings"] == ["knee: scene.mrb: no luck today"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(RESULTS)


def test_a_scene_is_written_by_a_child_process(applied: tuple[Path, Path]) -> None:
    if not scene_is_possible():
        pytest.skip("slicer-core is not installed")
    image, output = applied
    try:
        assert write_scene(output, {"sagittal": image}) is None
        assert (output / "scene.mrb").stat().st_size > 10_000
    finally:
        (output / "scene.mrb").unlink(missing_ok=True)


def test_a_child_that_breaks_is_reported_with_its_last_words(tmp_path: Path) -> None:
    if not scene_is_possible():
        pytest.skip("slicer-core is not installed")
    problem = write_scene(tmp_path, {})  # an empty folder holds no result
    assert problem is not None
    assert problem.startswith("scene.mrb was not written: ")
    assert not (tmp_path / "scene.mrb").exists()


def test_the_case_is_called_by_its_file_and_what_is_outside_is_told_without_a_class(
    applied: tuple[Path, Path], bundle: Path, tmp_path: Path
) -> None:
    prediction = json.loads((applied[1] / "prediction.json").read_text(encoding="utf-8"))
    assert prediction["case_id"] == "knee"
    assert {task["title"] for task in prediction["tasks"].values()} == {"Acl", "Meniscus"}
    assert {task["beyond_3sd"] for task in prediction["tasks"].values()} == {prediction["outside_share"]}
    knee = read_volume(applied[0])
    ramp = np.broadcast_to(np.linspace(0, 1000, knee.voxels.shape[2], dtype=np.float32), knee.voxels.shape)
    write_volume(Volume(np.array(ramp), knee.geometry), tmp_path / "ramp.nii.gz")  # no knee: no texture at all
    views = ["--view", f"sagittal={tmp_path / 'ramp.nii.gz'}"]
    told = run_cli(["fingerprint", "apply", *views, bundle, "-o", tmp_path / "out", "--no-scene"])
    prediction = json.loads((tmp_path / "out" / "prediction.json").read_text(encoding="utf-8"))
    assert prediction["outside_training_cohort"]
    assert prediction["outside_share"] > prediction["outside_limit"]
    assert "predicted" in prediction["tasks"]["acl"]  # for programs
    verdict = next(line for line in told.out.splitlines() if line.startswith("Acl: "))
    assert "outside the training cohort" in verdict
    assert "predicted" not in verdict
