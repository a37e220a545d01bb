"""``scene.mrb``, written by a child process: the command line itself never loads Slicer's libraries.

A scene that cannot be written is a warning; the rest of the result is not lost by it.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import deepradiomics

_TIMEOUT_S = 600.0


def scene_is_possible() -> bool:
    """Tell whether slicer-core is installed in this Python."""
    return find_spec("slicer") is not None and find_spec("vtk") is not None


def write_scene(folder: Path, views: Mapping[str, Path], timeout_s: float = _TIMEOUT_S) -> str | None:
    """Start ``python -m deepradiomics.scene folder --view NAME=PATH …`` and wait for it.

    Returns:
        None when ``folder/scene.mrb`` was written, else the reason why not.
    """
    if not scene_is_possible():
        return "scene.mrb was not written: slicer-core is not installed (pip install slicer-core)."
    command = [sys.executable, "-m", "deepradiomics.scene", str(folder)]
    for name, path in views.items():
        command += ["--view", f"{name}={Path(path).resolve()}"]
    # The child must load this very package, not another copy that pip may have put somewhere.
    package_parent = str(Path(deepradiomics.__file__).resolve().parents[1])
    inherited = os.environ.get("PYTHONPATH")
    search = package_parent if not inherited else os.pathsep.join((package_parent, inherited))
    environment = {**os.environ, "PYTHONPATH": search, "PYTHONIOENCODING": "utf-8"}
    child = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        errors="replace",
    )  # fmt: skip
    try:
        output, _ = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return f"scene.mrb was not written: its process took longer than {timeout_s:.0f} s."
    finally:
        if child.poll() is None:  # a time-out, or a signal to us
            child.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(10)
    if child.returncode != 0 or not (folder / "scene.mrb").is_file():
        lines = [line for line in (output or "").splitlines() if line.strip()]
        reason = lines[-1][:300] if lines else f"exit code {child.returncode}"
        return f"scene.mrb was not written: {reason}"
    return None
