"""A run folder belongs to one run, keeps its history through a kill, and removes only what is its own."""

from pathlib import Path

import pytest

from deepradiomics.errors import InputError
from deepradiomics.training.run_folder import RunFolder, RunKind, command, versions

LENS, PRETRAINING = RunKind("lens", "a lens"), RunKind("pretraining", "a pre-training")


def test_the_same_run_is_found_again_and_may_learn_more_about_itself(tmp_path: Path) -> None:
    RunFolder(tmp_path, {"seed": 1}).update(status="fitted")
    again = RunFolder(tmp_path, {"seed": 1, "data": "abc"})
    assert again.status == "fitted"
    assert again.record["identity"] == {"seed": 1, "data": "abc"}
    with pytest.raises(InputError, match="data differs"):
        RunFolder(tmp_path, {"data": "xyz"})


def test_another_run_is_refused_with_the_first_difference(tmp_path: Path) -> None:
    RunFolder(tmp_path, {"config": {"a": 1, "b": {"c": 2}}})
    with pytest.raises(InputError, match=r"config\.b\.c differs \(there 2, now 3\).*resume=False"):
        RunFolder(tmp_path, {"config": {"a": 1, "b": {"c": 3}}})


def test_a_changed_manifest_is_told_in_words_and_not_in_hashes(tmp_path: Path) -> None:
    RunFolder(tmp_path, {"manifest_sha256": "5b7f"})
    with pytest.raises(InputError, match=r"the manifest is another or was changed \(cases, patients, labels") as told:
        RunFolder(tmp_path, {"manifest_sha256": "8491"})
    assert "5b7f" not in str(told.value)


@pytest.mark.parametrize("resume", [True, False])
def test_a_run_of_another_kind_is_neither_mixed_nor_removed(resume: bool, tmp_path: Path) -> None:
    RunFolder(tmp_path / "a", {}, kind=LENS)
    RunFolder(tmp_path / "b" / "tuned", {}, kind=RunKind("finetuning", "a fine-tuning"), part=True)
    for name, there in (("a", "a lens"), ("b", "a fine-tuning")):
        with pytest.raises(InputError, match=f"another run lives here, {there}; a pre-training would write over"):
            RunFolder(tmp_path / name, {}, kind=PRETRAINING, resume=resume)
    assert sorted(str(path.relative_to(tmp_path).as_posix()) for path in tmp_path.rglob("*.*")) == [
        "a/run.json", "b/tuned/run.json",
    ]  # fmt: skip


def test_a_damaged_record_is_removed_where_the_run_starts_over(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"run\.json"):
        RunFolder(tmp_path, {}, kind=LENS)
    assert RunFolder(tmp_path, {}, kind=LENS, resume=False).status == "running"


def test_a_run_that_could_not_begin_is_taken_back_and_one_that_had_begun_is_not(tmp_path: Path) -> None:
    RunFolder(tmp_path / "a", {"seed": 1}).take_back()
    assert not (tmp_path / "a").exists()
    RunFolder(tmp_path / "a", {"seed": 1})
    RunFolder(tmp_path / "a", {"seed": 1}).take_back()
    assert (tmp_path / "a" / "run.json").is_file()


def test_rows_after_a_kill_are_replaced(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, {})
    for epoch, loss in ((1, 0.5), (2, 0.4), (3, 0.3), (2, 0.45)):
        run.add_row({"epoch": epoch, "loss": loss})
    assert [(row["epoch"], row["loss"]) for row in run.rows()] == [("1", "0.5"), ("2", "0.45")]


def test_starting_over_removes_the_run_and_its_products_and_nothing_else(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, {"seed": 1}, products=("encoder", "picture.png"))
    run.add_row({"epoch": 1, "loss": 0.5})
    run.checkpoints.mkdir()
    (tmp_path / "encoder").mkdir()
    for name in ("picture.png", "notes.txt", "encoder/weights"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    again = RunFolder(tmp_path, {"seed": 2}, resume=False, products=("encoder", "picture.png"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "run.json"]
    assert again.status == "running"
    assert again.rows() == []


def test_a_file_in_the_runs_place_and_a_foreign_record_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="expected a folder"):
        RunFolder(tmp_path / "file", {})
    (tmp_path / "run.json").write_text('{"speed": 5}', encoding="utf-8")
    with pytest.raises(InputError, match="not the record of a run"):
        RunFolder(tmp_path, {})


def test_versions_are_those_that_are_installed() -> None:
    found = versions(("numpy", "no-such-package"))
    assert "numpy" in found
    assert "no-such-package" not in found
    assert "python" in found


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["/home/anna/bin/deepradiomics", "extract", "/home/anna/Müller^Hans.nii.gz", "-o", "/srv/study/out.csv"],
         "deepradiomics extract PATH.nii.gz -o PATH.csv"),
        (["__main__.py", "fingerprint", "train", "cohort.csv", "-b=C:\\Users\\anna\\model", "--seed", "3"],
         "deepradiomics fingerprint train PATH.csv -b=PATH --seed 3"),
        (["deepradiomics", "pretrain", "~/m.csv", "--preset", "tiny", "--device", "cuda:0", "--lr", "1e-4"],
         "deepradiomics pretrain PATH.csv --preset tiny --device cuda:0 --lr 1e-4"),
        (["deepradiomics", "apply", "--view", "sagittal=/data/anna.nrrd", "--roi-box", "1.5,2,-3,4,5,6", "--flips"],
         "deepradiomics apply --view sagittal=PATH.nrrd --roi-box 1.5,2,-3,4,5,6 --flips"),
        (["deepradiomics", "lens", "fit", "data", "-"], "deepradiomics lens fit PATH -"),
        (["deepradiomics", "x", "/a/b.Jones.1957-03-01"], "deepradiomics x PATH"),
    ],
)  # fmt: skip
def test_the_command_is_kept_without_names_of_folders_and_files(
    words: list[str], kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()  # a word that leads to something is a path, too
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", words)
    assert command() == kept
