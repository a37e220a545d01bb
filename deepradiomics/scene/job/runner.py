"""One background run at a time: what the logic of every Slicer module stands on.

    runner = Runner()
    nodes = runner.run_and_wait(work.fit, (manifest,), {"seed": 1})                        # blocks, windows stay alive
    job = runner.run_in_background(work.fit, (manifest,), {"seed": 1, "on_finished": print})   # returns at once

A *kind of run* is a function that returns a `Work`: what is written for the child process, the words of its command
line, and how its result is brought into the scene. Nothing here knows Qt, except `qt_timer`.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import slicer

from deepradiomics.child import StartProcess, start_process
from deepradiomics.errors import DeepRadiomicsError, InputError
from deepradiomics.files.atomic import atomic_folder
from deepradiomics.files.names import file_stem
from deepradiomics.scene.job.job import Job, run_blocking

POLL_INTERVAL_MS = 200
CALLBACKS = ("on_progress", "on_log", "on_finished", "on_failed", "on_cancelled")
FOLDER_ATTRIBUTE = "DeepRadiomics.result_folder"  # of a result's table node: where its files are
SESSION_PREFIX = "session-"  # of the folder, in Slicer's temporary one, that holds a session's results; ends in its pid


@dataclass(frozen=True)
class Work:
    """One run.

    Attributes
    ----------
    build
        Writes the inputs into the job's empty folder; returns the words of the command line.
    show
        Given the child's result event and the result's folder, brings the result into the scene and returns it. The
        folder is the job's, or that of the kept result.
    salvage
        Shows what there is of a run that failed.
    kept_as
        What the result is called: its folder ``result`` is copied out of the job's folder under this name, below the
        option ``output_folder``. None where the run writes into a folder of the user's by itself.
    collect
        Puts together what is to be kept, in the job's folder.
    images
        Nodes without which the result cannot be shown: if one is deleted during the run, the result is not.
    sources
        Nodes that the result only refers to: if one is deleted during the run, this is logged.
    """

    build: Callable[[Path], Sequence[str]]
    show: Callable[[Mapping[str, Any], Path], Any]
    salvage: Callable[[], Any] | None = None
    kept_as: str | None = None
    collect: Callable[[Path], None] | None = None
    images: Sequence[Any] = ()
    sources: Sequence[Any] = ()


class Timer(Protocol):
    """Calls a function again and again until stopped; Qt's timer in Slicer, a fake in tests."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


MakeTimer = Callable[[Callable[[], None], int], Timer]


class PolledJob:
    """One job at a time in a child process, polled by a timer until it ends or is cancelled.

    Parameters
    ----------
    start_child, make_timer
        How the child process is started and how it is polled; tests pass fakes.
    """

    def __init__(self, start_child: StartProcess = start_process, make_timer: MakeTimer | None = None) -> None:
        self._start_child, self._make_timer = start_child, make_timer or qt_timer
        self._timer: Timer | None = None
        self.job: Job[Any] | None = None

    def cancel(self) -> None:
        """End it: the whole child tree and its temporary folder go, the scene stays as it was."""
        if self.job is not None:
            self.job.cancel()
        self._stop_timer()

    def _start_timer(self, interval_ms: int) -> None:
        self._timer = self._make_timer(self._poll, interval_ms)
        self._timer.start()

    def _poll(self) -> None:
        if self.job is None or not self.job.poll():
            self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None


class Runner(PolledJob):
    """Runs the work that a panel or the console asks for, and brings its results into the scene."""

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self.job is not None and self.job.running

    def run_and_wait(self, kind: Callable[..., Work], arguments: tuple, options: Mapping[str, Any]) -> Any:
        """Run to the end and return what the work shows.

        `options` are those of the kind, callbacks, and ``output_folder``, where the result's files are kept.

        Raises what went wrong, in the child's own words: InputError, MissingDependencyError, Cancelled or
        DeepRadiomicsError. Nothing has been added to the scene then.
        """
        self.job = self._job(kind, arguments, options)
        return run_blocking(self.job, between=slicer.app.processEvents)

    def run_in_background(self, kind: Callable[..., Work], arguments: tuple, options: Mapping[str, Any]) -> Job[Any]:
        """As `run_and_wait`, in the background.

        The callbacks: on_progress(fraction, message), on_log(line), on_finished(value), on_failed(error) and
        on_cancelled().
        """
        self.job = self._job(kind, arguments, options)
        self.job.start()
        try:
            self._start_timer(POLL_INTERVAL_MS)
        except BaseException:
            self.job.cancel()
            raise
        return self.job

    def _job(self, kind: Callable[..., Work], arguments: tuple, options: Mapping[str, Any]) -> Job[Any]:
        if self.running:
            raise InputError("a run is under way: wait for its end or cancel it.")
        callbacks = {name: value for name, value in options.items() if name in CALLBACKS}
        options = {name: value for name, value in options.items() if name not in CALLBACKS}
        output_folder = options.pop("output_folder", None)
        run = kind(*arguments, **options)
        if output_folder and run.kept_as is None:
            raise InputError("output_folder: this run writes into the folder that it is given; leave this option out.")
        finished, failed = callbacks.pop("on_finished", None), callbacks.pop("on_failed", None)

        def conclude(event: dict[str, Any], folder: Path) -> Any:
            value = shown(run, event, folder, output_folder, callbacks.get("on_log"))
            if finished is not None:
                finished(value)
            return value

        def report(error: DeepRadiomicsError) -> None:
            try:
                if run.salvage is not None:
                    run.salvage()
            except Exception:
                logging.getLogger(__name__).exception("what there is of the failed run could not be shown")
            finally:
                if failed is not None:
                    failed(error)

        return Job(run.build, on_finished=conclude, on_failed=report, start_child=self._start_child, **callbacks)


def shown(
    run: Work,
    event: Mapping[str, Any],
    folder: Path,
    output_folder: Path | str | None = None,
    log: Callable[[str], None] | None = None,
) -> Any:
    """Keep a result where that is asked for and bring it into the scene; what cannot be shown leaves nothing there.

    A folder of this session that cannot be shown is removed; one that the user asked for stays.

    Raises
    ------
    InputError
        An image of the run was deleted meanwhile, the result cannot be kept, or what `show` raises.
    """
    if run.collect is not None:
        run.collect(folder)
    place = folder if run.kept_as is None else keep(folder / "result", run.kept_as, output_folder)
    try:
        lost = deleted(run.images)
        if lost:
            asked_for = run.kept_as is not None and not _of_a_session(place)
            where = f" The files of the result are in {place}." if asked_for else ""
            raise InputError(
                f"{in_words(lost)} deleted during the run, so its result is not shown.{where} Load it again and run "
                "again."
            )
        for name in deleted(run.sources):
            if log is not None:
                log(f"'{name}' was deleted during the run: the result does not refer to it.")
        return run.show(event, place)
    except BaseException:
        if run.kept_as is not None and _of_a_session(place):
            shutil.rmtree(place, ignore_errors=True)
        raise


def deleted(nodes: Sequence[Any]) -> list[str]:
    """The names of those nodes that are no longer in the scene; a node that is there twice is named once."""
    gone = [node for node in nodes if node is not None and not slicer.mrmlScene.IsNodePresent(node)]
    return [node.GetName() for node in {node.GetID(): node for node in gone}.values()]


def in_words(names: Sequence[str]) -> str:
    """Names as the subject of a sentence in the past tense.

    >>> in_words(["T2"]), in_words(["T2", "ADC"])
    ("'T2' was", "'T2' and 'ADC' were")
    """
    quoted = [f"'{name}'" for name in names]
    return f"{quoted[0]} was" if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]} were"


class QtTimer:
    """A timer of the application's event loop; it goes when it is stopped, which its own call may do.

    It belongs to the application and is deleted later: PythonQt would delete a timer without a parent at once, inside
    its own signal.
    """

    def __init__(self, call: Callable[[], None], interval_ms: int) -> None:
        import qt

        self._timer = qt.QTimer(slicer.app)
        self._timer.setInterval(interval_ms)
        self._timer.connect("timeout()", call)

    def start(self) -> None:
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        self._timer.deleteLater()


def qt_timer(call: Callable[[], None], interval_ms: int) -> Timer:
    """A timer of the application's event loop."""
    return QtTimer(call, interval_ms)


def keep(result: Path, name: str, output_folder: Path | str | None) -> Path:
    """Copy a result out of the job's folder, which goes; by default into a folder that goes with this session.

    It arrives whole or not at all, and never over another one: an earlier result of this name stays beside it.

    Raises
    ------
    InputError
        It cannot be written there; the message says why.
    """
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name) or "case"
    name = file_stem(name)  # not a device of Windows, nor too long
    try:
        if output_folder:
            target = _free(Path(output_folder) / name)
        else:
            target = _free(session_folder() / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(target) as stage:
            shutil.copytree(result, stage, dirs_exist_ok=True)
    except (OSError, InputError) as error:  # atomic_folder tells in words of its own what the system says
        where = output_folder or slicer.app.temporaryPath
        cause = error if isinstance(error, OSError) else error.__cause__ or error
        raise InputError(
            f"the result could not be kept in {where}: {getattr(cause, 'strerror', None) or cause}. Free space there, "
            "or choose another folder, and run again."
        ) from error
    return target


def _free(path: Path) -> Path:
    """The path, numbered where something lies there."""
    candidate, count = path, 2
    while candidate.exists():
        candidate, count = path.with_name(f"{path.name}-{count}"), count + 1
    return candidate


def session_folder() -> Path:
    """The folder of this session's results that the user did not ask to keep; it is removed when Slicer ends.

    Folders of sessions that ended without (a crash) are removed when the first of a new session is made.
    """
    root = Path(slicer.app.temporaryPath) / "DeepRadiomics"
    folder = root / f"{SESSION_PREFIX}{os.getpid()}"
    if not folder.is_dir():
        for stale in root.glob(f"{SESSION_PREFIX}*"):
            if not _is_running(stale.name.removeprefix(SESSION_PREFIX)):
                shutil.rmtree(stale, ignore_errors=True)
        folder.mkdir(parents=True)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _of_a_session(folder: Path) -> bool:
    """Whether a result lies in a session's folder: nobody asked to keep it."""
    return any(parent.name.startswith(SESSION_PREFIX) for parent in folder.parents)


def _is_running(pid: str) -> bool:
    """Whether a process of this number runs; True where that cannot be known, so that nothing in use is removed."""
    if not pid.isdigit():
        return True
    if os.name == "nt":  # there os.kill would end the process
        return True
    with contextlib.suppress(PermissionError):
        try:
            os.kill(int(pid), 0)
        except (ProcessLookupError, OverflowError):
            return False
    return True
