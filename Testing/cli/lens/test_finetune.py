"""``deepradiomics finetune``: from an encoder and a manifest to frozen and tuned models and table A1."""

import csv
from pathlib import Path

import pytest

from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.networks.encoders.encoder import Encoder
from deepradiomics.networks.encoders.load import load_encoder
from deepradiomics.training.seeds import seeded
from Testing.cli.run_cli import run_cli
from Testing.unit.lens.ball_cohort import CONFIG, RECIPE, write_cohort

pytest.importorskip("lightning")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("balls")
    CONFIG.write(folder / "config.json")
    with seeded(0):
        Encoder(ConvNeXtV2(2, "mini"), RECIPE, name="fresh").save(folder / "encoder")
    return write_cohort(folder, cases=18)


def words(cohort: Path, out: Path, *more: object) -> list[object]:
    encoder, settings = cohort.with_name("encoder"), cohort.with_name("config.json")
    return ["finetune", cohort, encoder, "-o", out, "--config", settings, "--device", "cpu", *more]


def test_both_stages_and_the_table_come_out(cohort: Path, tmp_path: Path) -> None:
    done = run_cli(words(cohort, tmp_path / "run", "--task", "class", "--epochs", 2, "--json"))
    assert done.code == 0, done.out + done.err
    result = done.result
    assert result["metrics"]["target"] == "grade"
    assert set(result["encoders"]) == {"frozen", "tuned"}
    before, after = (load_encoder(result["encoders"][stage]) for stage in ("frozen", "tuned"))
    assert before.weights_sha256 != after.weights_sha256
    with Path(result["table"]).open(encoding="utf-8", newline="") as stream:
        assert next(csv.DictReader(stream))["metric"] == "quadratic weighted kappa"
    assert any("test cases" in text for text in result["warnings"])  # a handful of them say little
    assert any("tuned: validation loss" in str(event.get("message")) for event in done.events)


def test_one_modality_one_stage_and_words_for_people(cohort: Path, tmp_path: Path) -> None:
    more = ("--task", "regress", "--modalities", "t2", "--channels", "replicate", "--only", "frozen", "--epochs", 1)
    done = run_cli(words(cohort, tmp_path / "run", *more))
    assert done.code == 0, done.err
    assert "mean absolute error [mL], lower is better: frozen" in done.out
    assert "tuned" not in done.out
    assert load_encoder(tmp_path / "run" / "frozen" / "encoder").channels == ("t2",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--task", "survival"], "task: expected one of class, segment, regress"),
        (["--task", "class", "--target", "pirads"], "no column label_pirads"),
        (["--task", "class", "--only", "both"], "only: expected one of frozen, tuned"),
        (["--task", "class", "--modalities", "dwi"], "cannot be reduced to dwi"),
        (["--task", "class", "--modalities", "t2", "--channels", "mix"], "expected 'slice' or 'replicate'"),
        (["--task", "segment", "--centre", "bladder"], "names no mask in a column mask_bladder"),
    ],
)
def test_mistakes_are_one_message_and_exit_code_2(
    options: list[str], message: str, cohort: Path, tmp_path: Path
) -> None:
    done = run_cli(words(cohort, tmp_path / "run", *options))
    assert done.code == 2
    assert message in " ".join(done.err.split())
    assert "Traceback" not in done.err


def test_another_task_in_the_same_folder_is_refused(cohort: Path, tmp_path: Path) -> None:
    assert run_cli(words(cohort, tmp_path, "--task", "regress", "--only", "frozen", "--epochs", 1)).code == 0
    done = run_cli(words(cohort, tmp_path, "--task", "class", "--epochs", 1, "--json"))
    assert done.code == 2
    assert "task differs (there regress, now class)" in done.events[-1]["message"]
