"""``encode``: one table of embeddings for a cohort, resumable, with mistakes told by name."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from Testing.cli.run_cli import run_cli

SLOW_ENCODER = """
import time, torch
from deepradiomics.prepare import StackRecipe
class Slow(torch.nn.Module):
    def forward(self, x):
        time.sleep(0.3)
        return x.mean((2, 3, 4))
def make():
    return Slow(), StackRecipe(("t2", "adc"), (8, 16, 16), (3, 3, 4))
"""


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifest of six SYNTHETIC prostates."""
    folder = tmp_path_factory.mktemp("prostates")
    found = run_cli(["phantom", "prostate", "-o", folder, "-n", "6"])
    assert found.code == 0, found.err
    return folder / "manifest.csv"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundle of a small encoder of T2, high-b and ADC."""
    torch = pytest.importorskip("torch")
    from deepradiomics.networks.convnextv2 import ConvNeXtV2
    from deepradiomics.networks.encoders.encoder import Encoder
    from deepradiomics.prepare import StackRecipe

    torch.manual_seed(0)
    module = Encoder(ConvNeXtV2(3, "mini"), StackRecipe(size_zyx=(16, 32, 32), spacing_mm=(2, 2, 4)), name="mini")
    return module.save(tmp_path_factory.mktemp("encoder") / "bundle")


@pytest.mark.parametrize("name", ["embeddings.parquet", "embeddings.csv"])
def test_every_case_of_a_cohort_gets_a_row(cohort: Path, encoder: Path, tmp_path: Path, name: str) -> None:
    from deepradiomics.lens.encoders.embeddings import Embeddings

    found = run_cli(["encode", cohort, encoder, "-o", tmp_path / "new" / name, "--json"])
    assert found.code == 0, found.out
    table = Embeddings.read(tmp_path / "new" / name)
    assert table.ids == tuple(f"prostate{i:04d}" for i in range(6))
    assert table.dimension == 128
    assert np.ptp(table.values, axis=0).max() > 0.01
    result = found.result
    assert result["files"] == [str(tmp_path / "new" / name)]
    assert (result["cases"], result["dimension"]) == (6, 128)
    assert result["encoder"]["name"] == "mini"
    assert result["dropped"] == {}
    fractions = [event["fraction"] for event in found.events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    if name.endswith("parquet"):
        assert table.about["encoder"]["hash"] == result["encoder"]["hash"]
        assert str(cohort.parent) not in str(table.about)


def test_layer_region_and_channels_can_be_chosen(cohort: Path, encoder: Path, tmp_path: Path) -> None:
    from deepradiomics.lens.encoders.embeddings import Embeddings

    plain = ["encode", cohort, encoder, "--cache", tmp_path / "cache"]
    found = run_cli(
        [*plain, "-o", tmp_path / "a.csv", "--layer", "stages.1", "--centre", "ellipsoid", "--modalities", "t2"]
    )
    assert found.code == 0, found.err
    assert "6 cases, 32 numbers each" in found.out
    assert Embeddings.read(tmp_path / "a.csv").dimension == 32
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "cache"]


def test_cases_without_a_lesion_are_refused_or_dropped(cohort: Path, encoder: Path, tmp_path: Path) -> None:
    import csv

    with cohort.open(encoding="utf-8", newline="") as stream:
        without = [row["id"] for row in csv.DictReader(stream) if not row["mask_lesion"]]
    assert 0 < len(without) < 6
    arguments = ["encode", cohort, encoder, "-o", tmp_path / "e.csv", "--centre", "lesion"]
    found = run_cli(arguments)
    assert found.code == 2
    assert f"{len(without)} of 6 case" in found.err
    assert f"Case {without[0]}" in found.err
    assert not (tmp_path / "e.csv").exists()
    found = run_cli([*arguments, "--missing", "drop", "--json"])
    assert found.code == 0
    assert set(found.result["dropped"]) == set(without)
    assert found.result["cases"] == 6 - len(without)
    assert "left out: Case" in found.result["warnings"][0]


def test_mistakes_are_told_before_any_work_is_done(cohort: Path, encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for arguments, words in (
        ([encoder, "-o", tmp_path / "e.xlsx"], "ends in .parquet or .csv"),
        ([encoder, "-o", tmp_path / "folder.csv"], "expected a file, this is a folder"),
        ([tmp_path / "none", "-o", tmp_path / "e.csv"], "there is no such folder"),
        ([encoder, "-o", tmp_path / "e.csv", "--layer", "stage.1"], "similar: stages.1"),
        ([encoder, "-o", tmp_path / "e.csv", "--modalities", "dce"], "cannot be reduced to dce"),
        ([encoder, "-o", tmp_path / "e.csv", "--centre", "tumour"], "has no region 'tumour'"),
        ([encoder, "-o", tmp_path / "e.csv", "--missing", "skip"], "'refuse' or 'drop'"),
    ):
        found = run_cli(["encode", cohort, *arguments])
        assert found.code == 2, (words, found.err)
        assert words in found.err, (words, found.err)
    found = run_cli(["encode", tmp_path / "no.csv", encoder, "-o", tmp_path / "e.csv"])
    assert found.code == 2
    assert "does not exist" in found.err


def test_an_encoder_of_other_modalities_is_refused_with_both_lists(cohort: Path, encoder: Path, tmp_path: Path) -> None:
    two = tmp_path / "two.csv"
    text = (
        cohort.read_text(encoding="utf-8")
        .replace("view_highb", "view_dwi")
        .replace("cases/", f"{cohort.parent}/cases/")
    )
    two.write_text(text, encoding="utf-8")
    found = run_cli(["encode", two, encoder, "-o", tmp_path / "e.csv"])
    assert found.code == 2
    assert "t2, highb, adc, but highb is not among those given: t2, dwi, adc" in found.err
    found = run_cli(["encode", two, encoder, "-o", tmp_path / "e.csv", "--modalities", "t2,adc"])
    assert found.code == 0, found.err


def finished(folder: Path) -> dict[Path, int]:
    """When each kept embedding was written; what a run still writes lies in a folder that ends in .part."""
    kept = (path for path in folder.rglob("values.npy") if path.parent.suffix != ".part")
    return {path: path.stat().st_mtime_ns for path in kept}


def test_a_run_that_is_ended_goes_on_where_it_was(cohort: Path, tmp_path: Path) -> None:
    (tmp_path / "slow_encoder.py").write_text(SLOW_ENCODER)
    command = [
        sys.executable, "-m", "deepradiomics", "encode", str(cohort), "slow_encoder:make", "-o", "e.csv",
        "--batch-size", "1", "--json",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (kept := finished(tmp_path)) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert kept, process.communicate()
    if os.name == "nt":
        process.kill()
        process.communicate()
    else:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 143
        assert b'"exit_code": 143' in out
    assert not (tmp_path / "e.csv").exists()
    assert not list(tmp_path.glob(".e*"))
    before = finished(tmp_path)
    assert 0 < len(before) < 6
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    after = finished(tmp_path)
    assert len(after) == 6  # what was done was not done again
    assert before.items() <= after.items()
    assert len((tmp_path / "e.csv").read_text().splitlines()) == 7
