"""What is kept of a run, and how long; the timer of the application."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from deepradiomics.errors import InputError


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """A result of a job."""
    folder = tmp_path / "job" / "result"
    folder.mkdir(parents=True)
    (folder / "ich.json").write_text("{}", encoding="utf-8")
    return folder


def test_a_result_that_is_not_to_be_kept_lies_in_a_folder_of_this_session(headless: Any, result: Path) -> None:
    from deepradiomics.scene.job.runner import keep, session_folder

    kept = keep(result, "head 7", None)
    assert kept.parent == session_folder()
    assert (kept / "ich.json").is_file()
    assert str(os.getpid()) in session_folder().name
    assert keep(result, "head 7", None) != kept  # in the same second


def test_results_of_sessions_that_crashed_are_removed_and_those_of_a_running_one_stay(
    headless: Any, result: Path
) -> None:
    from deepradiomics.scene.job.runner import keep

    root = headless.folder / "DeepRadiomics"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid in (ended.pid, os.getppid()):
        (root / f"session-{pid}" / "old").mkdir(parents=True)
    keep(result, "head", None)
    assert not (root / f"session-{ended.pid}").exists()
    assert (root / f"session-{os.getppid()}").is_dir()


def test_a_kept_result_never_takes_the_place_of_another(headless: Any, result: Path, tmp_path: Path) -> None:
    from deepradiomics.scene.job.runner import keep

    first = keep(result, "head", tmp_path / "kept")
    (first / "expansion.json").touch()  # of a follow-up that the next run does not have
    second = keep(result, "head", tmp_path / "kept")
    assert (first.name, second.name) == ("head", "head-2")
    assert not (second / "expansion.json").exists()


def test_a_result_that_cannot_be_kept_is_told_and_leaves_nothing_half(
    headless: Any, result: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from deepradiomics.scene.job.runner import keep

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(InputError, match="space"):
        keep(result, "head", tmp_path / "kept")
    assert not (tmp_path / "kept").exists() or list((tmp_path / "kept").iterdir()) == []


def test_the_timer_belongs_to_the_application_and_is_deleted_later(
    headless: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    from deepradiomics.scene.job.runner import qt_timer

    calls: list[str] = []

    class Timer:
        def __init__(self, parent: Any) -> None:
            assert parent is slicer.app
            calls.append("made")

        def __getattr__(self, name: str) -> Any:
            return lambda *_: calls.append(name)

    monkeypatch.setitem(sys.modules, "qt", types.SimpleNamespace(QTimer=Timer))
    timer = qt_timer(lambda: None, 200)
    timer.start()
    timer.stop()
    assert calls == ["made", "setInterval", "connect", "start", "stop", "deleteLater"]


def test_a_python_without_slicers_modules_says_what_a_scene_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
    from deepradiomics.errors import MissingDependencyError
    from deepradiomics.scene.job.headless import headless_slicer

    monkeypatch.delattr(slicer, "vtkSlicerColorLogic")  # as in PythonSlicer run as a terminal
    with pytest.raises(MissingDependencyError, match="slicer-core"), headless_slicer(tmp_path):
        pass
