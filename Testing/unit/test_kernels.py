"""Where compiled kernels are cached."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepradiomics import kernels as compiled

ROOT = Path(__file__).resolve().parents[2]
# SimpleITK up to 2.5.2 (Slicer 5.10's) crashes Python if this warning of its wrapping is raised while it loads.
_SIMPLEITKS_OWN = "ignore:builtin type:DeprecationWarning"


def _child(code: str, **environment: str) -> str:
    kept = {key: value for key, value in os.environ.items() if key not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-W", _SIMPLEITKS_OWN, "-c", code],
        env=kept | environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_a_given_cache_folder_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert compiled.cache_folder() == tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="the folder is chosen by the platform")
def test_kernels_are_cached_in_a_folder_of_the_user_known_before_numba_is_imported(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    code = (
        "from deepradiomics import kernels as compiled\n"
        "import sys; assert 'numba' not in sys.modules\n"
        "assert compiled.available()\n"
        "import numba; print(numba.config.CACHE_DIR)"
    )
    assert _child(code, XDG_CACHE_HOME=str(tmp_path)) == str(tmp_path / "deepradiomics" / "numba")


def test_an_unwritable_cache_folder_only_means_no_cache(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    code = (
        "from deepradiomics import kernels as compiled\n"
        "assert not compiled.can_cache()\n"
        "print(compiled.njit(lambda a: a + 1)(1))"
    )
    assert _child(code, NUMBA_CACHE_DIR=str(blocked / "cache")) == "2"


def test_kept_kernels_that_cannot_be_used_are_told_once_and_compiled_anew(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    (tmp_path / "kernels.py").write_text(
        "import warnings\nfrom deepradiomics import kernels as compiled\n"
        "with warnings.catch_warnings(record=True) as told:\n    warnings.simplefilter('always')\n"
        "    one = compiled.njit(lambda a: a + 1)(1)\n    other = compiled.njit(lambda a: a + 2)(1)\n"
        "print(one, other, len(told), *[str(t.message)[-40:] for t in told])\n"
    )
    code = f"import runpy; runpy.run_path({str(tmp_path / 'kernels.py')!r})"
    cache = tmp_path / "cache"
    assert _child(code, NUMBA_CACHE_DIR=str(cache)) == "2 3 0"
    for file in cache.rglob("*.nbi"):
        file.write_bytes(b"damaged")
    assert _child(code, NUMBA_CACHE_DIR=str(cache)).startswith("2 3 1 ")
