"""A child process that can be killed with everything it started, on Linux, macOS and Windows."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

import deepradiomics
from deepradiomics.errors import InputError

GRACE_S = 1.5  # between asking a child to end and killing it
POLL_S = 0.02


class Process(Protocol):
    """What a job needs of its child; `subprocess` is behind it in life, a fake in tests."""

    stdout: IO[str]
    stderr: IO[str]
    pid: int

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""

    def kill_tree(self) -> None:
        """Kill the child and all it started; returns when the child has gone. Harmless after its end."""


class StartProcess(Protocol):
    """Starts a child: command, its whole environment, its working folder."""

    def __call__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Process: ...


class ChildProcess:
    """A child in a process group of its own, so that the group is killed as one."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        options: dict[str, object] = {"start_new_session": True}
        if os.name == "nt":
            options = {"creationflags": 0x00000200 | 0x08000000}  # CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW
        self._popen: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload]
            list(command),
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            **options,
        )
        assert self._popen.stdout is not None and self._popen.stderr is not None
        self.stdout, self.stderr, self.pid = self._popen.stdout, self._popen.stderr, self._popen.pid
        self._killed = False

    def poll(self) -> int | None:
        return self._popen.poll()

    def kill_tree(self) -> None:
        if self._killed:
            return
        self._killed = True
        if os.name == "nt":
            taskkill = ["taskkill", "/PID", str(self.pid), "/T", "/F"]
            subprocess.run(taskkill, capture_output=True, check=False, creationflags=0x08000000)
        else:
            if self._popen.poll() is None:  # SIGTERM lets it remove the temporary files beside its output
                self._signal_group(signal.SIGTERM)
                self._wait_for_group()
            self._signal_group(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout=10)

    def _wait_for_group(self) -> None:
        """Wait until nobody of the group is left, at most `GRACE_S`.

        PythonSlicer is a launcher that ends at once when it is asked to; the Python that it launched needs its time.
        """
        deadline = time.monotonic() + GRACE_S
        while time.monotonic() < deadline:
            self._popen.poll()  # takes the launcher's exit status, else it would count as one that is left
            try:
                os.killpg(self.pid, 0)
            except (ProcessLookupError, PermissionError):  # macOS: a group of zombies
                return
            time.sleep(POLL_S)

    def _signal_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def start_process(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Process:
    """Start a real child. Raises InputError naming the program if it cannot be started."""
    try:
        return ChildProcess(command, environment, folder)
    except OSError as error:
        raise InputError(f"could not start {command[0]}: {error}") from error


def package_folder() -> Path:
    """The folder of the loaded `deepradiomics` package."""
    return Path(deepradiomics.__file__).resolve().parent


def child_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment, with the loaded package in front on PYTHONPATH.

    PythonSlicer puts Slicer's own folders before it; where another copy of the package lies in one of them, the
    versions are compared when the child reports (`job.version_mismatch`).
    """
    environment = dict(os.environ if base is None else base)
    paths = [str(package_folder().parent), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    environment["PYTHONSAFEPATH"] = "1"  # else `python -m` looks into the working folder before PYTHONPATH
    environment["PYTHONUNBUFFERED"] = "1"
    environment["PYTHONUTF8"] = "1"
    environment["PYTHONIOENCODING"] = "utf-8"
    return environment


def python_executable() -> str:
    """The Python to start: PythonSlicer inside Slicer, else the running one.

    Raises InputError if the running program is not Python and no PythonSlicer is found.
    """
    suffix = ".exe" if os.name == "nt" else ""
    home = os.environ.get("SLICER_HOME")
    if home and (beside := Path(home) / "bin" / f"PythonSlicer{suffix}").is_file():
        return str(beside)
    if Path(sys.executable).stem.lower().startswith("python"):
        return sys.executable
    found = shutil.which("PythonSlicer")
    if found:
        return found
    raise InputError(f"no Python found to run in the background: neither PythonSlicer nor {sys.executable!r} is one")
