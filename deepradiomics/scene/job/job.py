"""Run `python -m deepradiomics …` as a background child: progress by polling, cancel that kills the whole tree.

The panel starts the same job that the command line starts. A job owns a temporary folder: the inputs are written into
it, the child writes its result into it, and it is removed in every case (finished, failed, cancelled). The result is
handed over only on success, while the folder still exists.

    job = Job(write_inputs_and_make_arguments, on_finished=show, on_progress=bar.update, on_failed=message)
    job.start()
    timer.connect("timeout()", job.poll)        # or: run_blocking(job)

Nothing here knows Slicer, Qt or VTK.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import queue
import re
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import deepradiomics
from deepradiomics.child import (
    Process,
    StartProcess,
    child_environment,
    package_folder,
    python_executable,
    start_process,
)
from deepradiomics.errors import Cancelled, DeepRadiomicsError, InputError, MissingDependencyError

JobState = Literal["ready", "running", "finished", "failed", "cancelled"]
T = TypeVar("T")

STDERR_LINES_KEPT = 40
READER_TIMEOUT_S = 2.0  # a grandchild may hold the pipes open after the child has gone
CRASH_WORDS = "exit abnormally"  # what PythonSlicer's launcher writes of a Python that was killed, with exit code 1
OUT_OF_MEMORY = re.compile(r"\bMemoryError\b|_ArrayMemoryError|bad_alloc|CUDA out of memory|DefaultCPUAllocator")
TURN_S = 0.01  # lets the reader threads run: the application's event loop may hold Python's lock between two polls


class Job(Generic[T]):
    """One run of the command line in a child process.

    Parameters
    ----------
    build
        Called by `start` with the job's empty temporary folder. Writes the inputs there and returns the arguments
        after `python -m deepradiomics`; `--json` is added. Paths must be absolute: the child works in that folder, so
        that nothing it drops beside itself stays. What `build` raises leaves no folder and no process behind.
    on_finished
        Called on success with the child's result event and the temporary folder; its return value is `value`. The
        folder goes when it returns. If it raises, the job has failed.
    on_progress, on_log
        Called with (fraction, message), and with each other line the child writes.
    on_failed, on_cancelled
        Called with the error, and with nothing.
    start_child
        Starts the process; tests pass a fake.
    """

    def __init__(
        self,
        build: Callable[[Path], Sequence[str]],
        *,
        on_finished: Callable[[dict[str, Any], Path], T] | None = None,
        on_progress: Callable[[float, str], None] | None = None,
        on_log: Callable[[str], None] | None = None,
        on_failed: Callable[[DeepRadiomicsError], None] | None = None,
        on_cancelled: Callable[[], None] | None = None,
        python: str | None = None,
        start_child: StartProcess = start_process,
    ) -> None:
        self._build, self._python, self._start_child = build, python, start_child
        self._on_finished, self._on_progress, self._on_log = on_finished, on_progress, on_log
        self._on_failed, self._on_cancelled = on_failed, on_cancelled
        self.state: JobState = "ready"
        self.folder: Path | None = None
        self.value: T | None = None
        self.error: DeepRadiomicsError | None = None
        self._process: Process | None = None
        self._lines: queue.Queue[tuple[Literal["stdout", "stderr"], str]] = queue.Queue()
        self._readers: list[threading.Thread] = []
        self._stderr_tail: deque[str] = deque(maxlen=STDERR_LINES_KEPT)
        self._result: dict[str, Any] | None = None
        self._child_error: str | None = None

    @property
    def running(self) -> bool:
        """Whether the child runs."""
        return self.state == "running"

    def start(self) -> None:
        """Write the inputs and start the child. Raises what `build` raises; InputError if there is no Python to run."""
        if self.state != "ready":
            raise InputError(f"this job is already {self.state}; make a new Job for another run")
        self.folder = Path(tempfile.mkdtemp(prefix="deepradiomics-"))
        try:
            arguments = [*self._build(self.folder), "--json"]
            command = [self._python or python_executable(), "-m", "deepradiomics", *arguments]
            self._process = self._start_child(command, child_environment(), self.folder)
        except BaseException:
            self._remove_folder()
            self.state = "failed"
            raise
        self.state = "running"
        atexit.register(self._kill)
        for name, stream in (("stdout", self._process.stdout), ("stderr", self._process.stderr)):
            reader = threading.Thread(target=self._read, args=(name, stream), name=f"job-{name}", daemon=True)
            reader.start()
            self._readers.append(reader)

    def poll(self) -> bool:
        """Deliver what the child has said since the last call; conclude if it has ended. True while it runs."""
        if not self.running:
            return False
        assert self._process is not None
        try:
            self._deliver(wait_s=TURN_S)
        except Cancelled:
            self.cancel()
            return False
        if not self.running:  # a callback cancelled the job
            return False
        exit_code = self._process.poll()
        if exit_code is None:
            return True
        self._join_readers()
        self._deliver()
        if self.running:
            self._conclude(exit_code)
        return False

    def cancel(self) -> None:
        """Kill the child and everything it started, remove the temporary folder. Does nothing when not running."""
        if not self.running:
            return
        self.state = "cancelled"
        self.error = Cancelled("the run was cancelled")
        self._clean_up()
        if self._on_cancelled:
            self._on_cancelled()

    # --- what the child says -------------------------------------------------------------------------------------

    def _read(self, name: Literal["stdout", "stderr"], stream: Any) -> None:
        with contextlib.suppress(ValueError, OSError):  # the stream is closed under us when the job is cancelled
            for line in stream:
                self._lines.put((name, line.rstrip("\r\n")))

    def _deliver(self, wait_s: float = 0.0) -> None:
        deadline = time.monotonic() + wait_s
        while self.running:
            try:
                name, line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return
            event = _event_of(line) if name == "stdout" else None
            if event is None:
                if name == "stderr":
                    self._stderr_tail.append(line)
                if self._on_log and line.strip():
                    self._on_log(line)
            else:
                self._handle(event)

    def _handle(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "progress":
            if self._on_progress:
                self._on_progress(float(event.get("fraction", 0.0)), str(event.get("message", "")))
        elif kind == "result":
            self._result = event
        elif kind == "error":
            self._child_error = str(event.get("message", ""))
        elif kind == "started" and "version" in event:
            mismatch = version_mismatch(str(event["version"]), str(event.get("package", "")))
            if mismatch:
                self._child_error = mismatch
                self._kill()
        elif self._on_log and event.get("message"):
            self._on_log(str(event["message"]))

    # --- how it ends ---------------------------------------------------------------------------------------------

    def _conclude(self, exit_code: int) -> None:
        assert self.folder is not None
        if exit_code == 0 and self._child_error is None and self._result is not None:
            try:
                self._check_versions(self.folder)
                self.value = self._on_finished(self._result, self.folder) if self._on_finished else None
            except DeepRadiomicsError as error:
                self.error = error
            except Exception as error:
                logging.getLogger(__name__).exception("showing the result failed")
                self.error = DeepRadiomicsError(f"the run finished, but its result could not be shown: {error}")
            except BaseException:
                self.state = "failed"
                self._clean_up()
                raise
        else:
            self.error = self._failure(exit_code)
        self.state = "finished" if self.error is None else "failed"
        self._clean_up()
        if self.error is not None and self._on_failed:
            self._on_failed(self.error)

    def _failure(self, exit_code: int) -> DeepRadiomicsError:
        tail = "\n".join(self._stderr_tail)
        missing = re.findall(r"ModuleNotFoundError: No module named '([\w.]+)'", tail)
        if self._child_error is not None:
            message = self._child_error
            if missing:
                return MissingDependencyError(message)
            return InputError(message) if exit_code == 2 else DeepRadiomicsError(message)
        if missing:
            return MissingDependencyError(
                f"the Python package '{missing[-1]}' is missing where the run was started "
                f"({self._python or python_executable()}); install it and start again"
            )
        if exit_code == 2 and tail.strip():
            return InputError(tail.strip())
        if exit_code == 0:
            output = f"it wrote last:\n{tail}" if tail else "it wrote nothing"
            return DeepRadiomicsError(f"the run ended without a result; {output}")
        return DeepRadiomicsError(
            f"the run {_end_in_words(exit_code, tail)}" + (f"; it wrote last:\n{tail}" if tail else "")
        )

    def _check_versions(self, folder: Path) -> None:
        """Compare the version written into the result's JSON with ours."""
        for name in ("prediction.json", "features.json", "maps.json", "ich.json", "expansion.json"):
            for path in folder.rglob(name):
                with open(path, encoding="utf-8") as file:
                    written = json.load(file).get("version")
                message = version_mismatch(str(written), "") if written else None
                if message:
                    raise DeepRadiomicsError(message)

    def _join_readers(self) -> None:
        deadline = time.monotonic() + READER_TIMEOUT_S
        for reader in self._readers:
            reader.join(max(0.0, deadline - time.monotonic()))

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill_tree()

    def _clean_up(self) -> None:
        atexit.unregister(self._kill)
        self._kill()  # also after a normal end: nothing the child started may outlive the job
        self._join_readers()
        if self._process is not None and not any(reader.is_alive() for reader in self._readers):
            self._process.stdout.close()
            self._process.stderr.close()
        self._remove_folder()

    def _remove_folder(self) -> None:
        if self.folder is None:
            return
        for _ in range(20):  # Windows keeps a killed process's files locked for a moment
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists():
                return
            time.sleep(0.1)
        logging.getLogger(__name__).warning("the temporary folder %s could not be removed", self.folder)


def run_blocking(job: Job[T], *, interval_s: float = 0.1, between: Callable[[], None] | None = None) -> T:
    """Start the job, wait for its end and return what `on_finished` returned.

    `between` is called between two polls (in Slicer: `slicer.app.processEvents`, which keeps the windows alive).
    Raises the job's error: InputError (the user's mistake), MissingDependencyError, Cancelled, DeepRadiomicsError.
    """
    job.start()
    try:
        while job.poll():
            if between:
                between()
            time.sleep(interval_s)
    except BaseException:
        job.cancel()
        raise
    if job.error is not None:
        raise job.error
    return job.value  # type: ignore[return-value]


def version_mismatch(version: str, package: str) -> str | None:
    """What to tell the user when the child ran another version of the package than the parent has; None if the same."""
    ours = deepradiomics.__version__
    if version == ours:
        return None
    where = f" from {package}" if package else ""
    return (
        f"the run used deepradiomics {version}{where}, but {ours} is loaded here from {package_folder()}; "
        "remove the other copy (pip uninstall deepradiomics) or update both, then restart"
    )


def _end_in_words(exit_code: int, tail: str) -> str:
    """How a child ended that reported no error; `tail` is what it wrote last.

    The system kills with SIGKILL what takes too much memory: exit code -9, 137 from a shell, and through PythonSlicer,
    whose launcher turns every crash into exit code 1, a sentence of its own.
    """
    crashed = exit_code == 1 and CRASH_WORDS in tail
    if exit_code in (-9, 137) or crashed:
        how = "was killed" if crashed else f"was killed by signal {9 if exit_code == 137 else -exit_code}"
        return f"{how} (the computer may have run out of memory: close other programs, or choose less at a time)"
    if OUT_OF_MEMORY.search(tail):
        return f"ran out of memory (exit code {exit_code}): close other programs, or choose less at a time"
    return f"was killed by signal {-exit_code}" if exit_code < 0 else f"failed with exit code {exit_code}"


def _event_of(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


__all__ = ["Job", "JobState", "run_blocking", "version_mismatch"]
