"""The sample models that the modules bring: small, readable without unpickling, free of paths, made as they say."""

from __future__ import annotations

import json
import pickle
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from Testing.samples.ship import RECORD, ROOT, commands_of, seeds_of

KNEE = ROOT / "RadiomicFingerprint" / "Resources" / "Bundles" / "knee-synthetic-tiny"
PROSTATE = ROOT / "RadiomicLens" / "Resources" / "Bundles" / "prostate-synthetic-tiny"
HEAD = ROOT / "ICHLatentFeatures" / "Resources" / "Bundles" / "head-synthetic-tiny"
TARGETS = {KNEE: "sample-fingerprint", PROSTATE: "sample-lens", HEAD: "sample-ich"}
SAMPLES = pytest.mark.parametrize("folder", TARGETS, ids=lambda folder: folder.name)
RECORDED = pytest.mark.parametrize("folder", [PROSTATE, HEAD], ids=lambda folder: folder.name)
LARGEST_BYTES = 3_000_000
_PATH = re.compile(r"(?<![\w./<])(?:[A-Za-z]:\\|~/|/(?:[\w.+-]+/)+)[\w.+-]+")


def files_of(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def bundles_of(folder: Path) -> list[Path]:
    return [file.parent for file in files_of(folder) if file.name == "bundle.json"]


def paths_in(text: str) -> list[str]:
    """What looks like a path of a machine, from its root on."""
    return _PATH.findall(text)


def flat(command: str) -> str:
    """A command without its quotation marks, as a training records it."""
    return " ".join(shlex.split(command))


@SAMPLES
def test_a_sample_is_small_and_of_plain_files(folder: Path) -> None:
    files = files_of(folder)
    assert 0 < sum(file.stat().st_size for file in files) <= LARGEST_BYTES
    assert {file.suffix for file in files} <= {".json", ".safetensors", ".csv"}


@SAMPLES
def test_a_sample_loads_whole_without_unpickling(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepradiomics.networks.bundle import load_bundle

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was unpickled")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    assert bundles_of(folder)
    for bundle in bundles_of(folder):
        tensors, _ = load_bundle(bundle)
        assert tensors


@SAMPLES
def test_no_file_of_a_sample_names_a_path_of_the_machine_it_was_made_on(folder: Path) -> None:
    for file in files_of(folder):
        text = file.read_bytes().decode("utf-8", "replace")
        if file.suffix == ".safetensors":  # names and hashes at its beginning; numbers can look like anything
            text = text.partition("}}")[0]
        assert paths_in(text) == [], file
        for word in (str(ROOT), str(Path.home()) + "/"):
            assert word not in text, file


def test_a_path_would_be_noticed() -> None:
    assert paths_in('"manifest": "/home/somebody/cohort/manifest.csv"')
    assert paths_in(r"C:\cohorts\manifest.csv")
    assert paths_in('"command": "deepradiomics pretrain build/cohort/manifest.csv"') == []


@SAMPLES
def test_every_bundle_says_that_it_is_synthetic(folder: Path) -> None:
    for bundle in bundles_of(folder):
        info = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
        about = info.get("about") or info.get("info") or info
        assert info.get("synthetic") or about.get("synthetic"), bundle


def spelt_today(command: str) -> str:
    """A recorded command with the names that its options have now; the record itself stays as it was written."""
    command = command.replace("--no-followup", "--without-followup")
    return re.sub(r"(finetune \S+)(.*?) --encoder (\S+)", r"\1 \3\2", command)


@RECORDED
def test_what_made_a_sample_is_what_make_would_do(folder: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    made = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    assert [spelt_today(command) for command in made["commands"]] == commands_of(TARGETS[folder])
    assert len(made["commands"]) >= 5
    assert made["seeds"] == seeds_of(made["commands"])
    assert made["synthetic"] is True
    assert made["date"]
    assert made["versions"]["deepradiomics"]
    assert made["scores"]


@SAMPLES
def test_the_commands_that_its_trainings_recorded_are_those_that_make_lists(folder: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    listed = {flat(command) for command in commands_of("sample-bundles")}
    texts = [file.read_text(encoding="utf-8") for file in files_of(folder) if file.name in ("bundle.json", "lens.json")]
    commands = [command for text in texts for command in re.findall(r'"command": "([^"]+)"', text)]
    recorded = {flat(spelt_today(command)) for command in commands}
    assert recorded
    assert recorded <= listed


def test_the_sample_of_the_fingerprint_is_the_one_that_it_was() -> None:
    from deepradiomics.files.atomic import sha256_file

    assert sha256_file(KNEE / "model.safetensors").startswith("42ebc75fe9009600")


def test_the_page_of_measurements_has_the_scores_that_made_json_records() -> None:
    text = (ROOT / "docs" / "measured.md").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if "sample models" in line and "Dice" in line]
    made = json.loads((HEAD / RECORD).read_text(encoding="utf-8"))["scores"]
    assert "synthetic" in line
    assert f"Dice {made['Dice']['mean']:.2f}" in line
    for score in made["AUC"].values():
        assert f"{score['auc']:.2f}" in line
