"""A batch goes on after a failing case, skips finished ones, and says what became of each."""

import csv
from pathlib import Path
from typing import Any

import pytest

from deepradiomics.cli.cases import folder_cases, folder_name, view_paths
from deepradiomics.cli.fingerprint import batch
from deepradiomics.cli.fingerprint.apply_case import FILES, REQUEST, ApplyOptions, request_hash
from deepradiomics.cli.fingerprint.batch import BatchCase, apply_batch, cases_of
from deepradiomics.cli.session import Session
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import sha256_file
from deepradiomics.files.lock import held
from deepradiomics.files.sealed import write_sealed
from deepradiomics.images.reading import Reading


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

    def apply_case(case_id: str, views: Any, mask: Any, output: Path, own: ApplyOptions, *_: Any) -> dict[str, Any]:
        calls.append(case_id)
        if case_id == "bad":
            raise InputError("this case is bad")
        prediction = {
            REQUEST: request_hash(views, mask if own.reading.names_labels else None, own),
            "tasks": {"acl": {"probability": 0.25, "predicted": 0, "selected": 3}},
        }
        output.mkdir(parents=True, exist_ok=True)
        names = ("fingerprint.csv", "relevance.nii.gz", "report.html")
        for name in names:
            (output / name).write_text(f"{name} of {case_id}", encoding="utf-8")
        files = {name: sha256_file(output / name) for name in names}
        write_sealed(output / "prediction.json", {**prediction, FILES: files})
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
    with pytest.warns(UserWarning, match="made anew"):
        apply_batch([BatchCase("a", {})], tmp_path / "out", options, session)
    assert len(calls) == 4


def test_a_case_whose_image_or_mask_or_label_is_another_is_not_finished(
    tmp_path: Path, session: Session, options: ApplyOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(batch, "apply_case", _pretend(options, calls))
    image, mask = tmp_path / "a.nii.gz", tmp_path / "a_mask.nii.gz"
    image.write_bytes(b"one"), mask.write_bytes(b"drawn")

    def again(label: int | None = None, given: ApplyOptions = options, segment: str | None = None) -> int:
        apply_batch([BatchCase("a", {"sagittal": image}, mask, label, segment)], tmp_path / "out", given, session)
        return len(calls)

    assert [again(), again()] == [1, 1]
    image.write_bytes(b"two")
    assert [again(), again()] == [2, 2]
    mask.write_bytes(b"drawn anew")
    assert again() == 2  # its mask is no region: nothing depends on it
    assert [again(1), again(1)] == [3, 3]
    mask.write_bytes(b"drawn again")
    assert [again(1), again(2)] == [4, 5]
    together = ApplyOptions(options.bundle, reading=Reading(all_labels=True))
    assert [again(None, together), again(None, together)] == [6, 6]
    assert [again(None, together, "core"), again(None, together, "core"), again(None, options, "core")] == [7, 7, 7]


def test_a_digit_changed_by_hand_in_a_finished_prediction_is_noticed(
    tmp_path: Path, session: Session, options: ApplyOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(batch, "apply_case", _pretend(options, calls))
    apply_batch([BatchCase("a", {})], tmp_path / "out", options, session)
    file = tmp_path / "out" / "a" / "prediction.json"
    file.write_text(file.read_text(encoding="utf-8").replace("0.25", "0.95"), encoding="utf-8")
    with pytest.warns(UserWarning, match="does not fit its checksum"):
        outcomes = apply_batch([BatchCase("a", {})], tmp_path / "out", options, session)
    assert outcomes[0].status == "done"
    assert outcomes[0].prediction["tasks"]["acl"]["probability"] == 0.25


@pytest.mark.parametrize("name", ["fingerprint.csv", "relevance.nii.gz", "report.html"])
def test_a_byte_flipped_in_a_finished_file_is_noticed(
    name: str, tmp_path: Path, session: Session, options: ApplyOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(batch, "apply_case", _pretend(options, calls))
    apply_batch([BatchCase("a", {})], tmp_path / "out", options, session)
    file = tmp_path / "out" / "a" / name
    content = file.read_bytes()
    file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    with pytest.warns(UserWarning, match=f"{name}: this result was changed since it was written. It is made anew"):
        apply_batch([BatchCase("a", {})], tmp_path / "out", options, session)
    assert calls == ["a", "a"]
    assert file.read_bytes() == content


def test_a_second_batch_on_the_same_output_is_refused(tmp_path: Path, session: Session, options: ApplyOptions) -> None:
    with held(tmp_path / "out"), pytest.raises(InputError, match="another run is writing there now"):
        apply_batch([BatchCase("a", {})], tmp_path / "out", options, session)


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
