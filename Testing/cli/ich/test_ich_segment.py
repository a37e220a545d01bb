"""``segment``, ``ich train-segmenter`` and ``ich volume``: told to people and to programs."""

from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Mask, Volume, read_mask, read_volume, write_mask, write_volume
from deepradiomics.networks.segmenter import load_segmenter
from Testing.cli.run_cli import run_cli
from Testing.unit.ich.ball_head import ball_head, config, read_rows, write_heads

pytest.importorskip("lightning")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heads")
    config().write(folder / "config.json")
    return write_heads(folder, 8)


@pytest.fixture(scope="module")
def run(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "segmenter"
    words = ["ich", "train-segmenter", cohort, "-o", out, "--config", cohort.with_name("config.json")]
    done = run_cli([*words, "--epochs", 2, "--scales", "single", "--device", "cpu", "--json"])
    assert done.code == 0, done.out + done.err
    result = done.result
    assert result["bundles"] == [str(out / "bundle")]
    assert result["metrics"]["epochs"] == 2
    assert result["manifest"] is None
    assert 0 <= result["metrics"]["mean"] <= 1
    again = run_cli([*words, "--epochs", 2, "--scales", "single", "--device", "cpu"])
    assert again.code == 0
    assert "Dice" in again.out
    assert "epoch" not in again.err
    return out


def test_a_trained_network_segments_a_head(run: Path, cohort: Path, tmp_path: Path) -> None:
    image = cohort.parent / read_rows(cohort)[0]["image"]
    out, chance = tmp_path / "mask.nii.gz", tmp_path / "chance.nii.gz"
    words = ["segment", image, "-o", out, "--segmenter", run, "--probability", chance, "--flips", "--largest"]
    done = run_cli([*words, "--device", "cpu", "--json"])
    assert done.code == 0, done.out + done.err
    result, mask = done.result, read_mask(out)
    assert mask.geometry.is_close(read_volume(image).geometry)
    ml = float((mask.labels == 1).sum() * np.prod(mask.geometry.spacing_mm) / 1000)
    assert result["volume_ml"] == pytest.approx(ml)
    assert len(result["lesions"]) <= 1
    assert (result["abc2_ml"] is None) == (ml == 0)
    assert result["model"]["kind"] == "bundle"
    assert result["model"]["sha256"] == load_segmenter(run).sha256
    assert any("SYNTHETIC" in note for note in result["notes"])
    assert result["warnings"] == result["notes"]
    assert 0 <= read_volume(chance).voxels.min() <= read_volume(chance).voxels.max() <= 1


def test_a_person_reads_volume_and_abc2(tmp_path: Path) -> None:
    volume, mask = ball_head(radius_mm=20)
    file = write_mask(mask, tmp_path / "mask.nrrd")
    done = run_cli(["ich", "volume", file])
    # A ball of 33.5 mL, on voxels; its C counts slices above 75 % whole and those above 25 % half: 27.3 mm of 40.
    assert done.code == 0
    assert "volume    32.4" in done.out
    assert "ABC/2     2" in done.out
    told = run_cli(["ich", "volume", file, "--json"]).result
    assert told["volume_ml"] == pytest.approx(33.5, rel=0.05)
    assert told["abc"]["a_mm"] == pytest.approx(40, rel=0.06)
    assert told["abc2_ml"] == pytest.approx(40 * 40 * 27.3 / 2000, rel=0.15)
    assert [part["label"] for part in told["lesions"]] == [1]
    refused = run_cli(["ich", "volume", file, "--label", 3])
    assert refused.code == 2
    assert "no voxel has label 3; labels present: 1" in refused.err
    tiny = Mask(np.where(np.arange(mask.labels.size).reshape(mask.labels.shape) == 9, 1, 0), mask.geometry)
    done = run_cli(["ich", "volume", write_mask(tiny, tmp_path / "tiny.nrrd")])
    assert done.code == 0
    assert "Tiny haematoma" in done.err
    assert volume.voxels.dtype == np.int16


def test_folds_name_a_network_for_every_patient(cohort: Path, tmp_path: Path) -> None:
    words = ["ich", "train-segmenter", cohort, "-o", tmp_path / "run", "--config", cohort.with_name("config.json")]
    done = run_cli([*words, "--epochs", 1, "--folds", 2, "--device", "cpu", "--json"])
    assert done.code == 0, done.out + done.err
    rows = read_rows(Path(done.result["manifest"]))
    assert {row["encoder"] for row in rows} == {"fold-1/bundle", "fold-2/bundle"}
    assert len(rows) == 8
    assert len(done.result["bundles"]) == 2
    assert len(done.result["metrics"]["cases"]) == 8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["segment", "no.nii.gz", "-o", "m.nii.gz", "--segmenter", "run"], "image no.nii.gz: this file does not exist"),
        (["segment", "picture.nii.gz", "-o", "m.nii.gz", "--segmenter", "nowhere"],
         "--segmenter nowhere: this folder does not exist"),
        (["segment", "picture.nii.gz", "-o", "m.png", "--segmenter", "run"], "--output m.png: unknown image format"),
        (["segment", "picture.nii.gz", "-o", "m.nii.gz", "--segmenter", "run"], "look like a picture"),
        (["segment", "picture.nii.gz", "-o", "m.nii.gz", "--segmenter", "run", "--nnunet-folds", "0"], "folds: "),
        (["segment", "picture.nii.gz", "-o", "m.nii.gz", "--segmenter", "nnunet", "--probability", "p.nii.gz"],
         "--probability: nnU-Net gives its mask alone"),
        (["ich", "volume", "no.nii.gz"], "mask no.nii.gz: this file does not exist"),
        (["ich", "volume", "empty.nii.gz"], "it is empty, no voxel has a label"),
        (["ich", "train-segmenter", "no.csv", "-o", "out"], "manifest no.csv: this file does not exist"),
        (["ich", "train-segmenter", "manifest.csv", "-o", "out", "--preset", "huge"], "--preset: expected one of"),
        (["ich", "train-segmenter", "manifest.csv", "-o", "out", "--scales", "three"], "scales: expected one of"),
        (["ich", "train-segmenter", "manifest.csv", "-o", "out", "--preset", "tiny", "--init", "nowhere"],
         "--init nowhere: this folder does not exist"),
    ],
)  # fmt: skip
def test_mistakes_are_one_message_and_exit_code_2(
    words: list[str], message: str, run: Path, cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    volume, mask = ball_head()
    write_volume(Volume(np.clip(volume.voxels, 0, 255), volume.geometry), "picture.nii.gz")
    write_mask(Mask(0 * mask.labels, mask.geometry), "empty.nii.gz")
    (tmp_path / "nnunet" / "fold_0").mkdir(parents=True)
    (tmp_path / "nnunet" / "fold_0" / "checkpoint_final.pth").write_bytes(b"")
    (tmp_path / "nnunet" / "plans.json").write_text("{}", encoding="utf-8")
    (tmp_path / "nnunet" / "dataset.json").write_text('{"channel_names": {"0": "CT"}}', encoding="utf-8")
    names = {"run": str(run), "manifest.csv": str(cohort)}
    done = run_cli([*(names.get(word, word) for word in words)])
    assert done.code == 2
    assert message in " ".join(done.err.split())
    assert "Traceback" not in done.err
    assert not (tmp_path / "m.nii.gz").exists()
    assert issubclass(InputError, ValueError)
