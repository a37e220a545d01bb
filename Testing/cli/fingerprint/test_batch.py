"""A batch goes on after a failing case, skips finished ones, and says what became of each."""

import csv
from pathlib import Path
from typing import Any

import pytest

from deepradiomics.cli import batch
from deepradiomics.cli.apply_case import ApplyOptions
from deepradiomics.cli.batch import BatchCase, apply_batch, cases_of
from deepradiomics.cli.cases import folder_cases, folder_name, view_paths
from deepradiomics.cli.session import Session
from deepradiomics.errors import InputError
from deepradiomics.files import sha256_file, write_json


class _Silent:
    def write(self, _: str) -> int:
        return 0

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


@pytest.fixture
def session() -> Session:
    return Session(True, _Silent(), _Silent())  # type: ignore[arg-type]


@pytest.fixture
def options(tmp_path: Path) -> ApplyOptions:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "model.safetensors").write_bytes(b"weights")
    return ApplyOptions(tmp_path / "bundle")


def _pretend(options: ApplyOptions, calls: list[str]) -> Any:
    """Stands in for the model: writes a folder as it would, fails for the case "bad"."""

    def apply_case(case_id: str, views: Any, mask: Any, output: Path, *_: Any) -> dict[str, Any]:
        calls.append(case_id)
        if case_id == "bad":
            raise InputError("this case is bad")
        prediction = {
            "bundle": {"sha256": sha256_file(options.bundle / "model.safetensors")},
            "inference": options.inference,
            "tasks": {"acl": {"probability": 0.25, "predicted": 0, "selected": 3}},
        }
        output.mkdir(parents=True, exist_ok=True)
        write_json(output / "prediction.json", prediction)
        for name in ("fingerprint.csv", "relevance.nii.gz", "report.html"):
            (output / name).write_text("", encoding="utf-8")
        return prediction

    return apply_case


def test_a_failing_case_does_not_stop_the_rest_and_finished_ones_are_skipped(
    tmp_path: Path, session: Session, options: ApplyOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(batch, "apply_case", _pretend(options, calls))
    cases = [BatchCase(name, {}) for name in ("a", "bad", "c")]
    outcomes = apply_batch(cases, tmp_path / "out", options, session)
    assert [one.status for one in outcomes] == ["done", "failed", "done"]
    assert outcomes[1].message == "this case is bad"
    again = apply_batch(cases, tmp_path / "out", options, session)
    assert [one.status for one in again] == ["skipped", "failed", "skipped"]
    assert calls == ["a", "bad", "c", "bad"]
    with open(tmp_path / "out" / "batch.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["status"] for row in rows] == ["skipped", "failed", "skipped"]
    assert [row["probability_acl"] for row in rows] == ["0.25", "", "0.25"]
    assert rows[1]["message"] == "this case is bad"


def test_another_model_or_inference_makes_a_case_unfinished(
    tmp_path: Path, session: Session, options: ApplyOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(batch, "apply_case", _pretend(options, calls))
    apply_batch([BatchCase("a", {})], tmp_path / "out", options, session)
    apply_batch([BatchCase("a", {})], tmp_path / "out", ApplyOptions(options.bundle, inference="soft"), session)
    assert calls == ["a", "a"]
    (options.bundle / "model.safetensors").write_bytes(b"other weights")
    apply_batch([BatchCase("a", {})], tmp_path / "out", options, session)
    assert calls == ["a", "a", "a"]
    (tmp_path / "out" / "a" / "prediction.json").write_text("{", encoding="utf-8")  # damaged
    apply_batch([BatchCase("a", {})], tmp_path / "out", options, session)
    assert len(calls) == 4


def test_a_folder_of_folders_is_read_by_the_names_of_views(tmp_path: Path) -> None:
    for case, files in {
        "k1": ("sagittal.nii.gz", "axial.nrrd"),
        "k2": ("coronal.npy",),
        ".hidden": ("axial.mha",),
    }.items():
        (tmp_path / case).mkdir()
        for name in (*files, "notes.txt"):
            (tmp_path / case / name).write_bytes(b"")
    (tmp_path / "k3" / "sagittal").mkdir(parents=True)  # a folder of DICOM files
    found = folder_cases(tmp_path)
    assert {case: sorted(views) for case, views in found.items()} == {
        "k1": ["axial", "sagittal"],
        "k2": ["coronal"],
        "k3": ["sagittal"],
    }
    assert found["k3"]["sagittal"] == tmp_path / "k3" / "sagittal"


def test_two_cases_never_share_a_folder(tmp_path: Path) -> None:
    for name in ("a b", "a_b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sagittal.nii.gz").write_bytes(b"")
    with pytest.raises(InputError, match="both be written"):
        cases_of(None, tmp_path)
    assert folder_name("../../etc") == "etc"
    with pytest.raises(InputError, match="no letter or digit"):
        folder_name("..")


def test_a_view_is_named_once_and_exists(tmp_path: Path) -> None:
    (tmp_path / "a=b.nii.gz").write_bytes(b"")
    assert view_paths([f"sagittal={tmp_path}/a=b.nii.gz"]) == {"sagittal": tmp_path / "a=b.nii.gz"}
    with pytest.raises(InputError, match="twice"):
        view_paths([f"sagittal={tmp_path}", f"sagittal={tmp_path}"])


def test_the_table_gives_no_class_to_a_case_outside_the_training_cohort(
    tmp_path: Path, session: Session, options: ApplyOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def apply_case(case_id: str, *_: Any) -> dict[str, Any]:
        far = case_id == "far"
        return {
            "outside_training_cohort": far,
            "outside_share": 0.49 if far else 0.01,
            "tasks": {"acl": {"probability": 0.9, "predicted": 1, "selected": 3}},
        }

    monkeypatch.setattr(batch, "apply_case", apply_case)
    apply_batch([BatchCase("near", {}), BatchCase("far", {})], tmp_path / "out", options, session)
    with open(tmp_path / "out" / "batch.csv", encoding="utf-8", newline="") as stream:
        near, far = csv.DictReader(stream)
    assert (near["predicted_acl"], near["outside_training_cohort"], near["outside_share"]) == ("1", "0", "0.0100")
    assert (far["predicted_acl"], far["outside_training_cohort"], far["outside_share"]) == ("", "1", "0.4900")
    assert far["probability_acl"] == "0.9"
