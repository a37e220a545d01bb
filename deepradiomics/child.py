"""The one launcher of child processes, on Linux, macOS and Windows: no other file starts a program.

A child of ours never executes what lies in the user's folder: Python looks neither into the working folder nor beside
the script for modules (``PYTHONSAFEPATH``), the loaded ``deepradiomics`` comes first, and a program is looked for in
the folders of PATH alone. A child has a process group of its own and is stopped with everything that it started: it is
asked first (SIGTERM), so that it removes its temporary files, and killed after a grace.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import deepradiomics
from deepradiomics.errors import InputError

GRACE_S = 1.5  # between asking a child to end and killing it
NESTED_GRACE_S = 1.0  # the same for a child of a command, which has itself GRACE_S when a panel cancels it
POLL_S = 0.02
_SAFE_PATH = "PYTHONSAFEPATH"
_WINDOWS = os.name == "nt"
_NEW_GROUP, _NO_WINDOW = 0x00000200, 0x08000000  # CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW
_INHERITED_TRAPS = ("PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONPLATLIBDIR")  # would hold a child open or lead it astray


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
    """A child in a process group of its own, so that the group is killed as one.

    Args:
        command: program and arguments.
        environment: its whole environment.
        folder: its working folder.
        log: a file that takes all it writes; without one, ``stdout`` and ``stderr`` are pipes to be read.
        grace_s: time between asking it to end and killing it.

    Raises:
        OSError: the program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        log: Path | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        options: dict[str, Any] = {"start_new_session": True}
        if _WINDOWS:
            options = {"creationflags": _NEW_GROUP | _NO_WINDOW}
        with contextlib.ExitStack() as stack:
            if log is None:
                options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
                options |= {"encoding": "utf-8", "errors": "replace"}
            else:
                options |= {"stdout": stack.enter_context(log.open("wb")), "stderr": subprocess.STDOUT}
            self._popen: subprocess.Popen[Any] = subprocess.Popen(
                list(command), env=dict(environment), cwd=folder, stdin=subprocess.DEVNULL, **options
            )
        self.stdout: IO[str] = self._popen.stdout  # type: ignore[assignment]  # None where a file takes the output
        self.stderr: IO[str] = self._popen.stderr  # type: ignore[assignment]
        self.pid = self._popen.pid
        self._grace_s = grace_s
        self._killed = False

    def poll(self) -> int | None:
        return self._popen.poll()

    def kill_tree(self) -> None:
        if self._killed:
            return
        self._killed = True
        if _WINDOWS:
            taskkill = [_system_program("taskkill.exe"), "/PID", str(self.pid), "/T", "/F"]
            subprocess.run(taskkill, capture_output=True, check=False, creationflags=_NO_WINDOW)  # type: ignore[call-arg]
        else:
            if self._popen.poll() is None:  # SIGTERM lets it remove the temporary files beside its output
                self._signal_group(signal.SIGTERM)
                self._wait_for_group()
            self._signal_group(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout=10)

    def _wait_for_group(self) -> None:
        """Wait until nobody of the group is left, at most for the grace.

        PythonSlicer is a launcher that ends at once when it is asked to; the Python that it launched needs its time.
        """
        deadline = time.monotonic() + self._grace_s
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
    """Start a real child whose output is read from pipes. Raises InputError naming the program if it does not start."""
    try:
        return ChildProcess(command, environment, folder)
    except OSError as error:
        raise InputError(f"could not start {command[0]}: {error}") from error


def run_logged(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    *,
    timeout_s: float | None = None,
    waiting: Callable[[float], None] | None = None,
) -> int | None:
    """Run a child to its end, its output in the file ``log``; whatever happens, nothing of it goes on afterwards.

    Args:
        command, environment, folder, log: as in :class:`ChildProcess`.
        timeout_s: seconds after which it is stopped.
        waiting: called again and again with the seconds since the start; may raise to stop the child.

    Returns:
        The exit code, or None when the time was over.

    Raises:
        InputError: the program cannot be started.
    """
    try:
        child = ChildProcess(command, environment, folder, log=log, grace_s=NESTED_GRACE_S)
    except OSError as error:
        raise InputError(f"could not start {command[0]}: {error}") from error
    begun = time.monotonic()
    try:
        while (code := child.poll()) is None:
            seconds = time.monotonic() - begun
            if timeout_s is not None and seconds > timeout_s:
                return None
            if waiting is not None:
                waiting(seconds)
            time.sleep(min(0.2, 0.02 + seconds / 10))
        return code
    finally:  # cancelled, a signal, or an error of the report
        child.kill_tree()


def last_words(log: Path, lines: int = 3, characters: int = 500) -> str:
    """Return the last lines that a child wrote into its log, without empty ones; "" when it wrote nothing."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    spoken = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(spoken[-lines:])[-characters:]


def package_folder() -> Path:
    """The folder of the loaded `deepradiomics` package."""
    return Path(deepradiomics.__file__).resolve().parent


def child_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment for a Python of our own, with the loaded package in front on PYTHONPATH.

    PythonSlicer puts Slicer's own folders before it; where another copy of the package lies in one of them, the
    versions are compared when the child reports (`job.version_mismatch`).
    """
    environment = other_environment(base)
    inherited = environment.get("PYTHONPATH", "").split(os.pathsep)
    paths = [str(package_folder().parent), *filter(None, inherited)]
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    environment["PYTHONUNBUFFERED"] = "1"
    environment["PYTHONUTF8"] = "1"
    environment["PYTHONIOENCODING"] = "utf-8"
    return environment


def other_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment for a program that is not ours: nothing in it makes a Python execute what lies where it works.

    An empty entry of PYTHONPATH means the working folder; it is left out.
    """
    environment = dict(os.environ if base is None else base)
    for trap in _INHERITED_TRAPS:
        environment.pop(trap, None)
    paths = list(filter(None, environment.pop("PYTHONPATH", "").split(os.pathsep)))
    if paths:  # the child works elsewhere: relative folders keep their meaning
        environment["PYTHONPATH"] = os.pathsep.join(str(Path(path).absolute()) for path in paths)
    environment[_SAFE_PATH] = "1"  # else `python -m` and `-c` look into the working folder before PYTHONPATH
    return environment


@contextlib.contextmanager
def environment_variable(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment and give it back its former value at the end."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def safe_children() -> contextlib.AbstractContextManager[None]:
    """While libraries start Pythons of their own (Dask, multiprocessing), these do not import from the working folder.

    ``multiprocessing`` starts ``python -c``, which looks there for the very modules that it begins with.
    """
    return environment_variable(_SAFE_PATH, "1")


def find_program(name: str, folders: Sequence[Path] | None = None) -> str | None:
    """Return the path of a program in the given folders, or in the absolute ones of PATH; never in the working folder.

    ``shutil.which`` looks there first on Windows, and wherever PATH has an empty entry.
    """
    if Path(name).name != name:  # a path, whether absolute or not
        return shutil.which(str(Path(name).absolute()))
    if folders is None:
        listed = os.environ.get("PATH", os.defpath).split(os.pathsep)
        folders = [Path(entry) for entry in listed if entry and Path(entry).is_absolute()]
    for folder in folders:
        program = shutil.which(str(folder.absolute() / name))  # a name with folders is looked for nowhere else
        if program:
            return program
    return None


def python_executable() -> str:
    """The Python to start: PythonSlicer inside Slicer, else the running one.

    Raises InputError if the running program is not Python and no PythonSlicer is found.
    """
    suffix = ".exe" if _WINDOWS else ""
    home = os.environ.get("SLICER_HOME")
    if home and (beside := Path(home) / "bin" / f"PythonSlicer{suffix}").is_file():
        return str(beside)
    if Path(sys.executable).stem.lower().startswith("python"):
        return sys.executable
    program = find_program("PythonSlicer")
    if program:
        return program
    raise InputError(f"no Python found to run in the background: neither PythonSlicer nor {sys.executable!r} is one")


def _system_program(name: str) -> str:
    """A program of Windows itself by its whole path: by its name alone, one in the working folder would be started."""
    return str(Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / name)
