"""``warm-up``, and the first command that needs compiled kernels: the wait is told once, and JSON stays JSON."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics import kernels as compiled
from deepradiomics.child import child_environment
from deepradiomics.radiomics import warm_stamp
from Testing.cli import material
from Testing.cli.run_cli import run_cli

FIRST = "compiling kernels for the first time, about 15 s"
FIRST_MAPS = "compiling kernels for the first time, about 12 s"


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, ...]]:
    """A cache without stamps; what is compiled, which here takes no time, is listed."""
    pytest.importorskip("numba")
    from deepradiomics.modelling import warm_up as ich_warm_up
    from deepradiomics.radiomics import warm_up

    done: list[tuple[str, ...]] = []

    def quick(progress: object, parts: tuple[warm_stamp.Part, ...] = warm_stamp.PARTS) -> float:
        done.append(parts)
        for part in parts:
            warm_stamp.stamp(part)
        return 1.25

    assert compiled.available()  # before the variable changes, so that kernels stay where they are
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(warm_up, "warm_up", quick)
    monkeypatch.setattr(ich_warm_up, "warm_up", lambda: done.append(("ich",)) or 0.5)
    return done


@pytest.fixture
def pair(tmp_path: Path) -> list[Path]:
    mask = np.zeros((6, 7, 8), np.uint8)
    mask[1:5, 1:6, 1:7] = 1
    image = sitk.GetImageFromArray(np.random.default_rng(3).normal(0, 100, mask.shape).astype(np.float32))
    sitk.WriteImage(image, str(tmp_path / "image.nii.gz"))
    sitk.WriteImage(sitk.GetImageFromArray(mask), str(tmp_path / "mask.nii.gz"))
    return [tmp_path / "image.nii.gz", tmp_path / "mask.nii.gz"]


def test_the_first_extraction_says_that_it_compiles_and_the_second_does_not(
    cold: list[tuple[str, ...]], pair: list[Path], tmp_path: Path
) -> None:
    first = run_cli(["extract", *pair, "-o", tmp_path / "f.csv"])
    assert first.code == 0
    assert first.err.count(FIRST) == 1
    assert FIRST not in first.out
    second = run_cli(["extract", *pair, "-o", tmp_path / "g.csv"])
    assert second.code == 0
    assert FIRST not in second.err
    assert cold == [("features",)]


def test_with_json_it_is_a_progress_event(cold: list[tuple[str, ...]], pair: list[Path], tmp_path: Path) -> None:
    maps = run_cli(["maps", *pair, "-o", tmp_path / "maps", "--features", "firstorder_Mean", "--json"])
    assert maps.code == 0
    assert cold == [("maps",)]
    told = [event for event in maps.events if event["event"] == "progress" and event["message"] == FIRST_MAPS]
    assert len(told) == 1
    assert maps.result["maps"] == ["original_firstorder_Mean"]


def test_a_manifest_compiles_before_its_cases(cold: list[tuple[str, ...]], pair: list[Path], tmp_path: Path) -> None:
    rows = "".join(f"case{k},{pair[0]},{pair[1]}\n" for k in range(2))
    (tmp_path / "m.csv").write_text(f"id,image,mask\n{rows}", encoding="utf-8")
    found = run_cli(["extract", "--manifest", tmp_path / "m.csv", "-o", tmp_path / "f.csv"])
    assert found.code == 0, found.err
    assert found.err.count(FIRST) == 1
    assert cold == [("features",)]


def test_a_mistake_is_told_before_anything_is_compiled(
    cold: list[tuple[str, ...]], pair: list[Path], tmp_path: Path
) -> None:
    found = run_cli(["extract", tmp_path / "missing.nii", pair[1], "-o", tmp_path / "f.csv"])
    assert found.code == 2
    assert cold == []
    found = run_cli(["maps", *pair, "-o", tmp_path / "maps", "--features", "glcm_Contrasst"])
    assert found.code == 2
    assert cold == []


def test_warm_up_compiles_everything_and_says_where(cold: list[tuple[str, ...]], tmp_path: Path) -> None:
    found = run_cli(["warm-up", "--json"])
    assert found.code == 0
    assert cold == [warm_stamp.PARTS, ("ich",)]
    assert found.result["seconds"] == 1.8
    assert found.result["folder"] == str(tmp_path / "cache")
    assert "kernels ready" in run_cli(["warm-up"]).out


def test_warm_up_without_numba_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "available", lambda: False)
    found = run_cli(["warm-up"])
    assert found.code == 0
    assert "numba is not installed" in found.out


def test_warm_up_warns_of_a_folder_that_cannot_be_written_to(
    cold: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "can_cache", lambda: False)
    found = run_cli(["warm-up"])
    assert found.code == 0
    assert "NUMBA_CACHE_DIR" in found.err


def test_a_cache_that_cannot_be_written_to_is_told_once_and_the_run_goes_on(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    image, mask = material.image(tmp_path / "a.nii.gz"), material.mask(tmp_path / "m.nii.gz")
    ended = subprocess.run(
        [sys.executable, "-m", "deepradiomics", "extract", str(image), str(mask), "-o", str(tmp_path / "f.csv")],
        env=child_environment() | {"NUMBA_CACHE_DIR": str(blocked / "cache")}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 0
    assert (tmp_path / "f.csv").is_file()
    assert ended.stderr.count("NUMBA_CACHE_DIR") == 1
