"""One background run at a time: what the logic of every Slicer module stands on.

    runner = Runner()
    nodes = runner.run_and_wait(work.fit, (manifest,), {"seed": 1})                        # blocks, windows stay alive
    job = runner.run_in_background(work.fit, (manifest,), {"seed": 1, "on_finished": print})   # returns at once

A *kind of run* is a function that returns a `Work`: what is written for the child process, the words of its command
line, and how its result is brought into the scene. Nothing here knows Qt, except `qt_timer`.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import slicer

from deepradiomics.errors import DeepRadiomicsError, InputError
from deepradiomics.scene.job import Job, run_blocking
from deepradiomics.scene.process import StartProcess, start_process

POLL_INTERVAL_MS = 200
CALLBACKS = ("on_progress", "on_log", "on_finished", "on_failed", "on_cancelled")
FOLDER_ATTRIBUTE = "DeepRadiomics.result_folder"  # of a result's table node: where its files are


@dataclass(frozen=True)
class Work:
    """One run.

    Attributes
    ----------
    build
        Writes the inputs into the job's empty folder; returns the words of the command line.
    show
        Given the child's result event and the job's folder, brings the result into the scene and returns it.
    salvage
        Shows what there is of a run that failed.
    """

    build: Callable[[Path], Sequence[str]]
    show: Callable[[Mapping[str, Any], Path], Any]
    salvage: Callable[[], Any] | None = None


class Timer(Protocol):
    """Calls a function again and again until stopped; Qt's timer in Slicer, a fake in tests."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


MakeTimer = Callable[[Callable[[], None], int], Timer]


class Runner:
    """Starts, polls and cancels one job at a time.

    Parameters
    ----------
    start_child, make_timer
        How the child process is started and how it is polled; tests pass fakes.
    """

    def __init__(self, start_child: StartProcess = start_process, make_timer: MakeTimer | None = None) -> None:
        self._start_child, self._make_timer = start_child, make_timer or qt_timer
        self._timer: Timer | None = None
        self.job: Job[Any] | None = None

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self.job is not None and self.job.running

    def run_and_wait(self, kind: Callable[..., Work], given: tuple, options: Mapping[str, Any]) -> Any:
        """Run to the end and return what the work shows; `options` are those of the kind, and callbacks.

        Raises what went wrong, in the child's own words: InputError, MissingDependencyError, Cancelled or
        DeepRadiomicsError. Nothing has been added to the scene then.
        """
        self.job = self._job(kind, given, options)
        return run_blocking(self.job, between=slicer.app.processEvents)

    def run_in_background(self, kind: Callable[..., Work], given: tuple, options: Mapping[str, Any]) -> Job[Any]:
        """As `run_and_wait`, in the background.

        The callbacks: on_progress(fraction, message), on_log(line), on_finished(value), on_failed(error) and
        on_cancelled().
        """
        self.job = self._job(kind, given, options)
        self.job.start()
        self._timer = self._make_timer(self._poll, POLL_INTERVAL_MS)
        self._timer.start()
        return self.job

    def cancel(self) -> None:
        """End the run: the whole child tree and its temporary folder go, the scene stays as it was."""
        if self.job is not None:
            self.job.cancel()
        self._stop_timer()

    def _job(self, kind: Callable[..., Work], given: tuple, options: Mapping[str, Any]) -> Job[Any]:
        if self.running:
            raise InputError("a run is under way: wait for its end or cancel it.")
        callbacks = {name: value for name, value in options.items() if name in CALLBACKS}
        run = kind(*given, **{name: value for name, value in options.items() if name not in CALLBACKS})
        finished, failed = callbacks.pop("on_finished", None), callbacks.pop("on_failed", None)

        def conclude(event: dict[str, Any], folder: Path) -> Any:
            value = run.show(event, folder)
            if finished is not None:
                finished(value)
            return value

        def tell(error: DeepRadiomicsError) -> None:
            if run.salvage is not None:
                run.salvage()
            if failed is not None:
                failed(error)

        return Job(run.build, on_finished=conclude, on_failed=tell, start_child=self._start_child, **callbacks)

    def _poll(self) -> None:
        if self.job is None or not self.job.poll():
            self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None


def qt_timer(call: Callable[[], None], interval_ms: int) -> Timer:
    """A timer of the application's event loop."""
    import qt

    timer = qt.QTimer()
    timer.setInterval(interval_ms)
    timer.connect("timeout()", call)
    return timer  # type: ignore[no-any-return]


def keep(result: Path, name: str, output_folder: Path | str | None) -> Path:
    """Copy a result out of the job's folder, which goes; by default into Slicer's temporary folder."""
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name) or "case"
    if output_folder:
        target = Path(output_folder) / name
    else:
        target = Path(slicer.app.temporaryPath) / "DeepRadiomics" / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copytree(result, target, dirs_exist_ok=True)
    return target
