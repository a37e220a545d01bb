"""The panel, simulated: kernels are compiled in the background, once, quietly. Not a test in Slicer."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.fake_child import FakeStart, HandTimer


class Starts(FakeStart):
    """Counts the children."""

    count = 0

    def __call__(self, *given: Any) -> Any:
        self.count += 1
        return super().__call__(*given)


def _cold(monkeypatch: pytest.MonkeyPatch, parts: tuple[str, ...] = ("features", "maps")) -> None:
    from deepradiomics.scene.job import warm_up

    monkeypatch.setattr(warm_up, "to_compile", lambda *_: parts)


def _watched(widget: Any, start: Starts) -> Starts:
    from deepradiomics.scene.job.warm_up import WarmUp

    HandTimer.made.clear()
    widget.warmUp = WarmUp(start, HandTimer)
    return start


def test_entering_the_panel_starts_one_child_and_the_panel_stays_free(
    widget: Any, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _cold(monkeypatch)
    start = _watched(widget, Starts(exit_code=None))
    widget.enter()
    widget.exit()
    widget.enter()
    assert start.words == ["warm-up", "--json"]
    assert start.count == 1
    HandTimer.made[-1].call()
    assert widget.ui.progressBar.isHidden()
    assert widget.ui.applyButton.text == "Apply"
    assert widget.ui.logText.toPlainText() == ""
    assert errors == []
    assert start.child is not None
    assert not start.child.killed
    assert start.folder.is_dir()


def test_closing_the_panel_kills_the_child(widget: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _cold(monkeypatch)
    start = _watched(widget, Starts(exit_code=None))
    widget.enter()
    widget.cleanup()
    assert start.child is not None
    assert start.child.killed
    assert not start.folder.exists()
    assert not HandTimer.made[-1].running


def test_a_child_that_ends_is_not_started_again_and_its_failure_is_not_shown(
    widget: Any, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _cold(monkeypatch)
    start = _watched(widget, Starts(exit_code=1, error="no space is left on the disk"))
    widget.enter()
    HandTimer.made[-1].wind()
    widget.enter()
    assert start.count == 1
    assert not HandTimer.made[-1].running
    assert not start.folder.exists()
    assert errors == []
    assert widget.ui.logText.toPlainText() == ""


def test_a_child_that_cannot_be_started_is_no_mistake_of_the_user(
    widget: Any, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepradiomics.errors import InputError
    from deepradiomics.scene.job.warm_up import WarmUp

    def refused(*_: Any) -> Any:
        raise InputError("could not start PythonSlicer")

    _cold(monkeypatch)
    widget.warmUp = WarmUp(refused, HandTimer)
    widget.enter()
    widget.enter()
    assert errors == []


def test_nothing_starts_when_the_cache_is_warm_or_numba_absent(widget: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _cold(monkeypatch, ())
    start = _watched(widget, Starts())
    widget.enter()
    assert start.count == 0


def test_nothing_starts_before_the_packages_are_installed(widget: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepradiomics.scene.job import dependencies

    _cold(monkeypatch)
    absent = dependencies.Dependency("package-of-nowhere", "package_of_nowhere", "1.0", "going nowhere")
    monkeypatch.setitem(dependencies.NEEDS, "extract", (absent,))
    start = _watched(widget, Starts())
    widget.enter()
    assert start.count == 0


def test_a_run_goes_on_beside_it(widget: Any, exam: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from Testing.slicer.panel.driving import ready, result_writer, with_child

    _cold(monkeypatch)
    beside = _watched(widget, Starts(exit_code=None))
    widget.enter()
    ready(widget, exam, tmp_path / "bundle")
    run = with_child(widget, FakeStart(result_writer))
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    assert run.words[0] == "fingerprint"
    assert widget.parameters.resultTable is not None
    assert beside.child is not None
    assert not beside.child.killed


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc")
def test_the_real_child_compiles_into_the_cache_and_goes_with_the_panel(
    widget: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("numba")
    from deepradiomics.scene.job.warm_up import WarmUp

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    HandTimer.made.clear()
    widget.warmUp = WarmUp(make_timer=HandTimer)
    started = time.monotonic()
    widget.enter()
    assert time.monotonic() - started < 2.0  # it waits for nothing
    job = widget.warmUp.job
    while not list((tmp_path / "cache").rglob("*.nbc")) and time.monotonic() - started < 60:
        HandTimer.made[-1].call()
        time.sleep(0.1)
    assert job.running
    assert list((tmp_path / "cache").rglob("*.nbc"))
    pid = job._process.pid
    widget.cleanup()
    assert not Path(f"/proc/{pid}").exists()
    assert not job.folder.exists()
    assert job.state == "cancelled"
