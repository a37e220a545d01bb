"""A fine-tuning that is killed, in whatever stage, ends with the numbers of one that is not."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from deepradiomics.cohort.manifest import read_manifest
from deepradiomics.lens.encoders.finetune.stored import load_model
from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.networks.encoders.encoder import Encoder
from deepradiomics.training.run_folder import RunFolder
from deepradiomics.training.seeds import seeded
from Testing.unit.lens.ball_cohort import CONFIG, RECIPE, finetuned, write_cohort

pytest.importorskip("lightning")
NUMBERS = ("qwk", "accuracy", "cross_entropy", "validation_loss", "best_epoch")


def losses(folder: Path) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in RunFolder(folder, {}).rows()]


def test_a_run_killed_in_either_stage_ends_like_an_uninterrupted_one(tmp_path: Path) -> None:
    cohort = write_cohort(tmp_path / "balls", cases=18)
    with seeded(3):
        encoder = Encoder(ConvNeXtV2(2, "mini"), RECIPE, name="fresh").save(tmp_path / "fresh")
    for fraction in ("0.25", "0.7"):  # while the head is trained alone, and while both are
        child = [sys.executable, str(Path(__file__).with_name("killed_training.py")), str(tmp_path / "a"), fraction]
        done = subprocess.run([*child, str(cohort), "class", str(encoder)], capture_output=True, timeout=200)
        assert done.returncode != 0
    assert (tmp_path / "a" / "frozen" / "model").is_dir()
    assert not (tmp_path / "a" / "tuned" / "model").is_dir()
    assert len(losses(tmp_path / "a" / "tuned")) in (1, 2), done.stderr

    manifest = read_manifest(cohort, need_labels=False)
    resumed, whole = (
        finetuned(manifest, "class", encoder, CONFIG, tmp_path / name, cache=tmp_path / "a" / "cache")
        for name in ("a", "b")
    )
    for stage in ("frozen", "tuned"):
        assert losses(tmp_path / "a" / stage) == losses(tmp_path / "b" / stage)
        for key in NUMBERS:
            assert resumed.metrics[stage][key] == whole.metrics[stage][key], (stage, key)
        one, other = (load_model(run.models[stage]).network.state_dict() for run in (resumed, whole))
        assert all(torch.equal(one[name], other[name]) for name in one)
