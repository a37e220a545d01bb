"""``deepradiomics pretrain``: from a manifest to an encoder, told to people and to programs."""

from pathlib import Path

import pytest

from deepradiomics.files.atomic import write_json
from deepradiomics.networks.encoders.load import load_encoder
from Testing.cli.run_cli import run_cli
from Testing.unit.lens.ball_cohort import CONFIG, RECIPE, read_rows, write_cohort, write_rows

pytest.importorskip("lightning")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("balls")
    CONFIG.write(folder / "config.json")
    return write_cohort(folder, cases=10)


def test_an_encoder_comes_out_and_a_second_call_finds_it_finished(cohort: Path, tmp_path: Path) -> None:
    words = ["pretrain", cohort, "-o", tmp_path / "run", "--config", cohort.with_name("config.json"), "--epochs", 2]
    done = run_cli([*words, "--device", "cpu", "--json"])
    assert done.code == 0, done.out + done.err
    result = done.result
    assert load_encoder(result["encoder"]).recipe == RECIPE
    assert result["metrics"]["epochs"] == 2
    assert Path(result["reconstruction"]).is_file()
    assert Path(result["history"]).is_file()
    messages = [event["message"] for event in done.events if event["event"] == "progress"]
    assert any(message.startswith("stack of ball") for message in messages)
    assert messages[-1] == "done"
    again = run_cli([*words, "--device", "cpu"])
    assert again.code == 0
    assert "encoder" in again.out
    assert "epoch" not in again.err


def test_a_case_that_is_left_out_is_told(cohort: Path, tmp_path: Path) -> None:
    rows = read_rows(cohort)
    rows[2]["view_adc"] = ""
    lacking = write_rows(cohort.with_name("lacking.csv"), rows)
    words = ["pretrain", lacking, "-o", tmp_path / "run", "--config", cohort.with_name("config.json"), "--epochs", 1]
    refused = run_cli([*words, "--device", "cpu"])
    assert refused.code == 2
    assert "Case ball02 lacks the modality adc" in refused.err
    done = run_cli(["pretrain", lacking, "-o", tmp_path / "other", *words[4:], "--device", "cpu", "--missing", "drop"])
    assert done.code == 0
    assert "left out: Case ball02" in done.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "huge"], "--preset: expected one of paper, tiny"),
        (["--preset", "tiny", "--config", "c.json"], "--preset and --config: give one of them"),
        (["--config", "nothing.json"], "--config nothing.json: this file does not exist"),
        (["--preset", "tiny"], "lacks the modality highb"),
        (["--preset", "tiny", "--init", "nowhere"], "there is no such folder"),
        (["--preset", "tiny", "--missing", "guess"], "missing: expected 'refuse' or 'drop'"),
    ],
)
def test_mistakes_are_one_message_and_exit_code_2(
    options: list[str], message: str, cohort: Path, tmp_path: Path
) -> None:
    done = run_cli(["pretrain", cohort, "-o", tmp_path / "run", "--device", "cpu", *options])
    assert done.code == 2
    assert message in " ".join(done.err.split())
    assert "Traceback" not in done.err


def test_an_unknown_setting_is_told_with_the_nearest(cohort: Path, tmp_path: Path) -> None:
    write_json(tmp_path / "c.json", {"preset": "tiny", "pretraining": {"epoch": 3}})
    done = run_cli(["pretrain", cohort, "-o", tmp_path / "run", "--config", tmp_path / "c.json"])
    assert done.code == 2
    assert "Did you mean 'epochs'" in done.err


def test_an_output_that_is_a_file_is_refused(cohort: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    done = run_cli(["pretrain", cohort, "-o", tmp_path / "file", "--preset", "tiny"])
    assert done.code == 2
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"
