"""``ich apply`` from the command line to the folder of results."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("monai")
pytest.importorskip("sklearn")

import deepradiomics.cli.ich.apply
from deepradiomics.cli.ich.apply import clinical_values
from deepradiomics.cli.scene_child import scene_is_possible
from deepradiomics.errors import InputError
from deepradiomics.ich.predictor import save_predictor
from deepradiomics.images import Geometry, Mask, Volume, read_mask, write_mask, write_volume
from deepradiomics.phantoms.ich.cohort import ich_exam
from Testing.cli.run_cli import Finished, run_cli
from Testing.unit.ich.tiny_predictor import random_predictor, tiny_bundle

RESULTS = ["report.html", "ich.json", "segmentation.nii.gz", "gradcam.nii.gz", "features.csv", "shap.csv"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ct.nii.gz, mask.nii.gz (4 × 4 × 6 mm); bundle/ with networks, shape/ without."""
    folder = tmp_path_factory.mktemp("ich")
    exam = ich_exam(3, followup=False)
    own = exam.baseline.geometry
    voxels, labels = (np.ascontiguousarray(a[::2, ::2, ::2]) for a in (exam.baseline.voxels, exam.mask.labels))
    grid = Geometry(voxels.shape[::-1], tuple(2 * s for s in own.spacing_mm), own.origin_mm, own.direction)  # type: ignore[arg-type]
    write_volume(Volume(voxels, grid), folder / "ct.nii.gz")
    write_mask(Mask(labels, grid), folder / "mask.nii.gz")
    tiny_bundle(folder / "bundle")
    save_predictor(folder / "shape", random_predictor(input="shape", info={"synthetic": True, "leaking": True}))
    return folder


@pytest.fixture
def run(data: Path, tmp_path: Path) -> Callable[..., Finished]:
    """Run the command on the data, into ``out`` of the test's folder."""

    def command(*more: object, bundle: str = "shape", ct: str = "ct.nii.gz", output: Path | None = None) -> Finished:
        words = ["ich", "apply", data / bundle, data / ct, "-o", output or tmp_path / "out", "--device", "cpu", *more]
        return run_cli([*words, "--json"])

    return command


def test_every_result_is_there_and_nothing_else(data: Path, run: Callable[..., Finished], tmp_path: Path) -> None:
    found = run("--mask", data / "mask.nii.gz", "--no-scene", "--case-id", "p7", bundle="bundle")
    assert found.code == 0, found.out + found.err
    assert [Path(file).name for file in found.result["files"]] == RESULTS
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(RESULTS)
    record = json.loads((tmp_path / "out" / "ich.json").read_text(encoding="utf-8"))
    assert record == found.result["case"]
    assert record["command"] == "deepradiomics ich apply BUNDLE CT --mask FILE --device cpu"
    assert record["case_id"] == "p7"
    assert str(data) not in json.dumps(record)
    assert read_mask(tmp_path / "out" / "segmentation.nii.gz").labels_present() == (1, 2)
    fractions = [event["fraction"] for event in found.events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


@pytest.fixture(scope="module")
def applied(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Path]:
    """What a person reads, and a folder that held files of an earlier run and one of the user's."""
    output = tmp_path_factory.mktemp("applied")
    for name in ("scene.mrb", "gradcam.nii.gz", "expansion.json", "lesion_features.csv", "mine.txt"):
        (output / name).write_text("old")
    words = ["ich", "apply", data / "shape", data / "ct.nii.gz", "--mask", data / "mask.nii.gz", "-o", output]
    return run_cli([*words, "--no-scene", "--device", "cpu"]), output


def test_a_person_reads_volume_and_risks(applied: tuple[Finished, Path]) -> None:
    found, _ = applied
    assert found.code == 0, found.err
    assert found.out.startswith("haematoma: ")
    assert " mL (ABC/2 " in found.out
    # The model was fitted on random numbers, far from any haematoma: no side of the threshold is told.
    assert "(outside the training cohort; threshold 0.400; 50% of 24 training patients)" in found.out
    assert "above the threshold" not in found.out
    assert "below the threshold" not in found.out
    assert "not a medical device" in found.out
    assert "LEAKING" in found.out


def test_what_an_earlier_run_left_does_not_stay_beside_new_results(applied: tuple[Finished, Path]) -> None:
    left = sorted(path.name for path in applied[1].iterdir())
    assert left == sorted(["mine.txt", *(name for name in RESULTS if name != "gradcam.nii.gz")])


def test_a_leaking_synthetic_model_is_called_so_in_the_report(applied: tuple[Finished, Path], data: Path) -> None:
    report = (applied[1] / "report.html").read_text(encoding="utf-8").casefold()
    assert "leaking" in report
    assert "synthetic" in report
    assert str(data).casefold() not in report


def test_a_run_that_fails_leaves_an_earlier_result_as_it_was(
    applied: tuple[Finished, Path], run: Callable[..., Finished], data: Path, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in applied[1].iterdir()}
    own = read_mask(data / "mask.nii.gz")
    empty = write_mask(Mask(np.zeros_like(own.labels), own.geometry), tmp_path / "empty.nii.gz")
    found = run("--mask", empty, "--no-scene", output=applied[1])
    assert found.code == 2
    assert "the mask of the haematoma is empty" in found.events[-1]["message"]
    assert {path.name: path.read_bytes() for path in applied[1].iterdir()} == before


def test_a_scene_that_fails_is_a_warning_and_loses_nothing(
    data: Path, run: Callable[..., Finished], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def no_luck(folder: Path, views: dict[str, Path]) -> str:
        asked.update(views)
        return "scene.mrb: no luck today"

    monkeypatch.setattr(deepradiomics.cli.ich.apply, "write_scene", no_luck)
    found = run("--mask", data / "mask.nii.gz")
    assert found.code == 0
    assert found.result["warnings"] == ["scene.mrb: no luck today"]
    assert asked == {"ct": data / "ct.nii.gz"}
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.slow
def test_a_scene_is_written_by_a_child_process(data: Path, run: Callable[..., Finished], tmp_path: Path) -> None:
    if not scene_is_possible():
        pytest.skip("slicer-core is not installed")
    found = run("--mask", data / "mask.nii.gz", bundle="bundle")
    assert found.code == 0
    assert "warnings" not in found.result
    assert (tmp_path / "out" / "scene.mrb").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--mask", "{mask}", "--segmenter", "x"], "with a mask nothing is segmented"),
        (["--label", "1"], "it belongs to a mask"),
        (["--mask", "{mask}", "--followup-mask", "{mask}"], "it belongs to a follow-up CT"),
        (["--mask", "nowhere.nii.gz"], "--mask nowhere.nii.gz: this file does not exist"),
        (["--mask", "{mask}", "--followup", "nowhere"], "--followup nowhere: this file or folder does not exist"),
        (["--mask", "{mask}", "--lesions", "some"], "lesions: expected one of all, largest, each, got 'some'"),
        (["--mask", "{mask}", "--clinical", "age"], "--clinical age: expected NAME=VALUE"),
        (["--mask", "{mask}", "--clinical", "age=70"], "takes none: it was fitted on images alone"),
        ([], "this bundle holds no segmentation network"),
        (["--segmenter", "{data}"], "bundle.json: this file of the bundle is missing"),
    ],
)
def test_a_mistake_is_one_clear_message_and_leaves_nothing(
    data: Path, run: Callable[..., Finished], tmp_path: Path, more: list[str], message: str
) -> None:
    found = run(*(word.format(mask=data / "mask.nii.gz", data=data) for word in more))
    assert found.code == 2
    assert found.events[-1]["event"] == "error"
    assert message in found.events[-1]["message"]
    assert not (tmp_path / "out").exists()


def test_folders_that_are_no_bundle_and_outputs_that_are_files_are_refused(
    data: Path, run: Callable[..., Finished], tmp_path: Path
) -> None:
    assert "this folder does not exist" in run(bundle="nowhere").events[-1]["message"]
    assert "this file or folder does not exist" in run(ct="nowhere.nii.gz").events[-1]["message"]
    found = run("--mask", data / "mask.nii.gz", bundle="bundle/encoder")
    assert found.code == 2
    assert "found a bundle of kind 'ich-segmenter'" in found.events[-1]["message"]
    (tmp_path / "file").write_text("mine")
    assert "expected a folder, this is a file" in run(output=tmp_path / "file").events[-1]["message"]


def test_covariates_are_split_by_name() -> None:
    assert clinical_values("age=70, sex=F,") == {"age": "70", "sex": "F"}
    assert clinical_values(None) == {}
    with pytest.raises(InputError, match="given twice"):
        clinical_values("age=70,age=71")
