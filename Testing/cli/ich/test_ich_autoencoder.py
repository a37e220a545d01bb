"""``deepradiomics ich train-autoencoder``: from a manifest to latents, told to people and to programs."""

from pathlib import Path

import pytest

from deepradiomics.cohort.manifest import read_manifest
from deepradiomics.files.atomic import write_json
from deepradiomics.ich.autoencoder.latents import load_autoencoder
from deepradiomics.ich.cohort.manifest import ICH_COLUMNS
from Testing.cli.run_cli import run_cli
from Testing.unit.ich.head_balls import write_heads
from Testing.unit.ich.tiny_autoencoder import CONFIG

pytest.importorskip("lightning")
COMMAND = ("ich", "train-autoencoder")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heads")
    CONFIG.write(folder / "config.json")
    return write_heads(folder, cases=8)


def test_networks_and_the_manifest_of_folds_come_out(cohort: Path, tmp_path: Path) -> None:
    words = [*COMMAND, cohort, "-o", tmp_path / "run", "--config", cohort.with_name("config.json"), "--epochs", 1]
    done = run_cli([*words, "--folds", 2, "--masked", "--device", "cpu", "--json"])
    assert done.code == 0, done.out + done.err
    result = done.result
    network = load_autoencoder(result["bundle"])
    assert network.recipe.masked
    assert result["metrics"]["epochs"] == 1
    assert Path(result["reconstruction"]).is_file()
    assert Path(result["history"]).is_file()
    rows = read_manifest(result["manifest"], need_labels=False, more=ICH_COLUMNS).rows
    assert {row.more["autoencoder"] for row in rows} == {"fold-1/bundle", "fold-2/bundle"}
    messages = [event["message"] for event in done.events if event["event"] == "progress"]
    assert any(text.startswith("fold-1: epoch 1 of 1") for text in messages)
    assert messages[-1] == "done"
    again = run_cli([*words, "--folds", 2, "--masked", "--device", "cpu"])
    assert again.code == 0
    assert "active units" in again.out
    assert "mean image" in again.out
    assert "epoch" not in again.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "huge"], "--preset: expected one of paper, tiny"),
        (["--preset", "tiny", "--missing", "guess"], "missing: expected 'refuse' or 'drop'"),
        (["--preset", "tiny", "--folds", "50"], "k-fold cross-validation needs 2 to 6 folds"),
    ],
)
def test_mistakes_are_one_message_and_exit_code_2(
    options: list[str], message: str, cohort: Path, tmp_path: Path
) -> None:
    done = run_cli([*COMMAND, cohort, "-o", tmp_path / "run", "--device", "cpu", *options])
    assert done.code == 2
    assert message in " ".join(done.err.split())
    assert "Traceback" not in done.err


def test_a_setting_that_is_unknown_and_an_image_that_is_no_ct_are_told(cohort: Path, tmp_path: Path) -> None:
    write_json(tmp_path / "c.json", {"preset": "tiny", "training": {"epoch": 3}})
    done = run_cli([*COMMAND, cohort, "-o", tmp_path / "run", "--config", tmp_path / "c.json"])
    assert done.code == 2
    assert "Did you mean 'epochs'" in done.err
    import csv

    from deepradiomics.images import Volume, read_volume, write_volume

    with cohort.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    ct = read_volume(cohort.parent / rows[0]["image"])
    picture = Volume((ct.voxels.clip(-20, 120) + 20) * (255 / 140), ct.geometry)  # windowed and scaled, as PNGs are
    write_volume(picture, cohort.parent / "picture.nii.gz")
    rows[0]["image"] = "picture.nii.gz"
    with cohort.with_name("scaled.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    done = run_cli([*COMMAND, cohort.with_name("scaled.csv"), "-o", tmp_path / "run", "--preset", "tiny"])
    assert done.code == 2
    assert "1 of 8 cases cannot be used" in done.err
    assert f"Case {rows[0]['id']}" in done.err
