"""``scene.mrb``, written by a child process: the command line itself never loads Slicer's libraries.

A scene that cannot be written is a warning; the rest of the result is not lost by it.
"""

import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from deepradiomics.child import child_environment, last_words, python_executable, run_logged
from deepradiomics.errors import InputError

_TIMEOUT_S = 600.0


def scene_is_possible() -> bool:
    """Tell whether slicer-core is installed in this Python."""
    return find_spec("slicer") is not None and find_spec("vtk") is not None


def write_scene(folder: Path, views: Mapping[str, Path], timeout_s: float = _TIMEOUT_S) -> str | None:
    """Start ``python -m deepradiomics.scene folder --view NAME=PATH …`` and wait for it.

    The folder holds its finished result by then: a signal while the scene is written takes nothing of it away. The
    child's temporary files lie in a folder of ours, which goes even when the child has to be killed.

    Returns:
        None when ``folder/scene.mrb`` was written, else the reason why not.
    """
    if not scene_is_possible():
        return "scene.mrb was not written: slicer-core is not installed (pip install slicer-core)."
    try:
        return _written(folder.resolve(), views, timeout_s)
    except InputError as error:
        return f"scene.mrb was not written: {error}"


def _written(folder: Path, views: Mapping[str, Path], timeout_s: float) -> str | None:
    command = [python_executable(), "-m", "deepradiomics.scene", str(folder)]
    for name, path in views.items():
        command += ["--view", f"{name}={Path(path).resolve()}"]
    with tempfile.TemporaryDirectory(prefix="deepradiomics-scene-", ignore_cleanup_errors=True) as name:
        room = Path(name)
        log = room / "output.txt"
        temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(room))
        code = run_logged(command, child_environment() | temporary, room, log, timeout_s=timeout_s)
        message = last_words(log, lines=1, characters=300)
    if code is None:
        return f"scene.mrb was not written: its process took longer than {timeout_s:.0f} s."
    if code != 0 or not (folder / "scene.mrb").is_file():
        return f"scene.mrb was not written: {message or f'exit code {code}'}"
    return None
