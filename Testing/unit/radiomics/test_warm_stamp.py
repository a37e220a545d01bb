"""What is remembered of compiled kernels: once for each version and source, and never where there is no cache."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepradiomics import kernels as compiled
from deepradiomics.radiomics import warm_stamp
from deepradiomics.radiomics.warm_stamp import stamp, stamp_file, to_compile


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(warm_stamp, "find_spec", lambda name: object())
    monkeypatch.setattr(compiled, "can_cache", lambda: True)
    return tmp_path


def test_each_part_is_to_be_compiled_until_it_is_stamped(empty_cache: Path) -> None:
    assert to_compile() == ("features", "maps")
    stamp("features")
    assert to_compile() == ("maps",)
    assert to_compile(("features",)) == ()
    assert stamp_file("features").parent == empty_cache


@pytest.mark.parametrize("what", ["version", "numba", "processor", "a file of kernels"])
def test_another_version_processor_or_source_is_to_be_compiled_again(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    stamp("features")
    warm_stamp._fingerprint.cache_clear()
    if what == "version":
        monkeypatch.setattr(warm_stamp, "__version__", "0.0.0")
    elif what == "numba":
        monkeypatch.setattr(warm_stamp, "version", lambda name: "0.0.0")
    elif what == "processor":
        monkeypatch.setenv("NUMBA_CPU_NAME", "another")
    else:
        source = empty_cache / "radiomics" / "warm_stamp.py"
        source.parent.mkdir()
        source.with_name("kernels.py").write_text("@njit", encoding="utf-8")
        monkeypatch.setattr(warm_stamp, "__file__", str(source))
    assert "features" in to_compile()
    monkeypatch.undo()
    warm_stamp._fingerprint.cache_clear()


def test_nothing_is_to_be_compiled_without_numba_or_without_a_cache(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "can_cache", lambda: False)
    assert to_compile() == ()
    monkeypatch.setattr(compiled, "can_cache", lambda: True)
    monkeypatch.setattr(warm_stamp, "find_spec", lambda name: None)
    assert to_compile() == ()


def test_a_folder_that_cannot_be_written_to_is_left_alone(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = empty_cache / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(blocked / "cache"))
    stamp("features")
    assert to_compile() == ("features", "maps")


def test_asking_imports_no_numba(tmp_path: Path) -> None:
    ask = "from deepradiomics.radiomics.warm_stamp import to_compile; to_compile()"
    code = f"import sys; {ask}; print('numba' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert run.stdout.strip() == "False"
