"""Synthetic haematomas in a real person's head: every result says "real head, synthetic haematoma", none "nobody"."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from deepradiomics.ich.experiment.result import Experiment
from deepradiomics.reports.ich.report import render_experiment
from deepradiomics.words import REAL_HEAD, REAL_HEAD_SHORT
from Testing.cli.ich import ich_material as ich
from Testing.cli.run_cli import run_cli
from Testing.unit.ich import ich_heads
from Testing.unit.reports.fake_ich import write_fake_experiment

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

README = f"SYNTHETIC HAEMATOMAS - IN THE HEAD OF A REAL PERSON\n\n{REAL_HEAD} ({REAL_HEAD_SHORT}).\n"


def test_a_expansion_measured_in_a_real_head_says_so(tmp_path: Path) -> None:
    for name in ("ct", "later", "mask", "later_mask"):
        shutil.copy(ich.place() / f"{name}.nii.gz", tmp_path)
    (tmp_path / "README.txt").write_text(README, encoding="utf-8")
    masks = ["--baseline-mask", tmp_path / "mask.nii.gz", "--followup-mask", tmp_path / "later_mask.nii.gz"]
    words = ["ich", "expansion", tmp_path / "ct.nii.gz", tmp_path / "later.nii.gz", *masks, "--backend", "cpu"]
    done = run_cli([*words, "-o", tmp_path / "o"])
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "o" / "expansion.json").read_text(encoding="utf-8"))
    assert record["synthetic"]
    assert record["real_head"]
    assert any(REAL_HEAD_SHORT in note for note in record["notes"])
    assert REAL_HEAD_SHORT in done.err
    assert "nobody" not in json.dumps(record) + done.out + done.err


def test_the_features_of_a_cohort_in_a_real_head_say_so(tmp_path: Path) -> None:
    rows = ich.rows(count=2)
    manifest = ich_heads.write_rows(tmp_path / "manifest.csv", rows)
    words = ["ich", "features", manifest, "--params", ich.place() / "few.yaml", "--device", "cpu", "--cache",
             tmp_path / "cache"]  # fmt: skip
    (tmp_path / "README.txt").write_text("SYNTHETIC DATA - NOT A PATIENT\n", encoding="utf-8")
    told = {}
    for name in ("made", "real"):
        done = run_cli([*words, "-o", tmp_path / name])
        assert done.code == 0, done.err
        told[name] = json.loads((tmp_path / name / "features.json").read_text(encoding="utf-8"))
        (tmp_path / "README.txt").write_text(README, encoding="utf-8")
    assert [told[name]["real_head"] for name in told] == [False, True]
    assert told["real"]["synthetic"]


def test_the_report_of_an_experiment_in_a_real_head_says_so(tmp_path: Path) -> None:
    folder = write_fake_experiment(
        tmp_path / "e", outcomes=("poor_outcome",), inputs=("shape", "radiomics+latents"),
        classifiers=("extra-trees",), external=False,
    )  # fmt: skip
    plain = render_experiment(Experiment.read(folder), {})
    about = json.loads((folder / "experiment.json").read_text(encoding="utf-8"))
    (folder / "experiment.json").write_text(json.dumps({**about, "synthetic": True, "real_head": True}))
    real = render_experiment(Experiment.read(folder), {})
    assert REAL_HEAD_SHORT in real
    assert REAL_HEAD_SHORT not in plain
    assert "nobody" not in real
