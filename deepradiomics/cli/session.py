"""What every command shares: progress, results, and errors that a person or a program can read.

A command wraps its work in ``with running(json_lines) as session:``.

- On a terminal there is a progress bar on standard error and the result as text on standard output.
- With ``--json`` standard output carries one JSON object a line and nothing else:
  ``{"event": "started", "version": "...", "package": "..."}``,
  ``{"event": "progress", "fraction": 0.4, "message": "..."}``, ``{"event": "result", ...}``,
  ``{"event": "error", "message": "...", "exit_code": 2}``. A batch in which cases failed has both of the last two.
- A mistake in the input is one clear message and exit code 2, without a traceback.
- Ctrl-C and SIGTERM unwind the program (so that temporary files go) and exit with 130 and 143.
"""

import contextlib
import errno
import json
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import typer

from deepradiomics import __version__
from deepradiomics.cli.streams import Steady, drop
from deepradiomics.errors import Cancelled, DeepRadiomicsError, InputError

DEBUG_VARIABLE = "DEEPRADIOMICS_DEBUG"
# What files, disks and shares refuse; the message of the system says what it is.
_USER_ERRNOS = {
    getattr(errno, name)
    for name in (
        "ENOSPC", "EDQUOT", "EFBIG", "EACCES", "EPERM", "EROFS", "ENOENT", "EISDIR", "ENOTDIR", "EEXIST", "ENOTEMPTY",
        "ENAMETOOLONG", "ELOOP", "EIO", "ENXIO", "ENODEV", "EBUSY", "ETXTBSY", "EMFILE", "ENFILE", "EXDEV", "ESTALE",
        "EREMOTEIO", "ENOTCONN", "EHOSTDOWN", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ENOTSUP",
    )
    if hasattr(errno, name)
}  # fmt: skip
_LONGEST_NAME = 200  # characters of a file's name in a message
_PACKAGE_OF_MODULE = {"sklearn": "scikit-learn", "SimpleITK": "simpleitk", "dask": "dask[distributed]"}


class Stopped(BaseException):
    """A signal asked the program to end; not an ``Exception``, so that nothing swallows it on the way out."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class Session:
    """Where a command reports: ``progress(fraction, message)``, ``warn(text)``, ``result(text, **fields)``."""

    def __init__(self, json_lines: bool, out: TextIO | None, err: TextIO | None) -> None:
        self.json_lines = json_lines
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self._out: TextIO = Steady(None) if out is None else out  # type: ignore[assignment]
        self._err: TextIO = Steady(err)  # type: ignore[assignment]
        self._bar: Any = None
        self._task: Any = None
        self._last = (-1.0, "", -1e9)  # fraction, message, time of the last report
        self._printed = ""  # the last line of progress in a log

    def started(self) -> None:
        """Tell the program that started us which copy of the package runs: it may have another one loaded."""
        if self.json_lines:
            self._line({"event": "started", "version": __version__, "package": str(Path(__file__).parents[1])})

    def progress(self, fraction: float, message: str, *, always: bool = False) -> None:
        """Report how far the run is (0 to 1) and what it does; fits :data:`deepradiomics.progress.Progress`.

        Of reports that follow each other quickly some are left out, but for those that are told ``always``.
        """
        fraction = min(1.0, max(0.0, float(fraction)))
        now, (_, last_message, last_time) = time.monotonic(), self._last
        # A program reads at most 20 lines a second; a log file gets one line in five seconds.
        wait = 0.05 if self.json_lines or self._err.isatty() else 5.0
        if not always and now - last_time < wait and (message == last_message or wait > 1) and fraction < 1:
            return
        self._last = (fraction, message, now)
        if self.json_lines:
            self._line({"event": "progress", "fraction": round(fraction, 4), "message": message})
        elif self._err.isatty():
            self._draw(fraction, message)
        elif (line := f"{fraction:4.0%} {message}") != self._printed:
            self._printed = line
            print(line, file=self._err, flush=True)

    def keep_out_free(self) -> None:
        """Standard output carries a table from now on: texts for a person go to standard error.

        Raises:
            InputError: JSON lines go to standard output as well.
        """
        if self.json_lines:
            raise InputError("--json and --output -: both write to standard output. Name a file for the table.")
        self._out = self._err

    def say(self, text: str) -> None:
        """Tell a person something on standard output; silent with ``--json``."""
        if not self.json_lines:
            self._erase_bar()
            print(text, file=self._out, flush=True)

    def warn(self, text: str) -> None:
        """Tell on standard error what went less well, and keep it for the result."""
        self.warnings.append(text)
        self._styled(f"Warning: {text}", "yellow")

    def note(self, text: str) -> None:
        """Tell on standard error what was assumed, chosen or done on the way, and keep it for the result."""
        self.notes.append(text)
        self._styled(f"Note: {text}", "cyan")

    def result(self, text: str, **fields: Any) -> None:
        """End with the result: ``text`` for a person, ``fields`` for a program."""
        self._erase_bar()
        if self.json_lines:
            more = {"warnings": self.warnings} if self.warnings else {}
            if self.notes and "notes" not in fields:
                more["notes"] = self.notes
            self._line({"event": "result", **fields, **more})
        else:
            print(text, file=self._out, flush=True)

    def fail(self, message: str, exit_code: int) -> None:
        """End with an error's message."""
        if self.json_lines:
            try:
                self._line({"event": "error", "message": message, "exit_code": exit_code})
                return
            except OSError:  # nobody takes the lines, as on a full disk: a person is told
                drop(self._out)
        self._styled(f"Error: {message}", "bold red")

    def _line(self, event: dict[str, Any]) -> None:
        print(json.dumps(event, default=str), file=self._out, flush=True)

    def _styled(self, text: str, style: str) -> None:
        from rich.console import Console
        from rich.text import Text

        self._erase_bar()
        Console(file=self._err).print(Text(text, style=style), soft_wrap=True)

    def _draw(self, fraction: float, message: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        if self._bar is None:
            text = TextColumn("{task.description}", markup=False)
            columns = (BarColumn(bar_width=30), TaskProgressColumn(), TimeElapsedColumn(), text)
            self._bar = Progress(*columns, console=Console(file=self._err), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(message, total=1.0)
        self._bar.update(self._task, completed=fraction, description=message)

    def _erase_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


@contextlib.contextmanager
def running(json_lines: bool = False) -> Iterator[Session]:
    """Run a command's body: give it a session, turn errors into messages and exit codes.

    Raises:
        typer.Exit: with the exit code, after the message was shown.
    """
    session = Session(json_lines, sys.stdout, sys.stderr)
    quiet = contextlib.redirect_stdout(session._err) if json_lines else contextlib.nullcontext()
    try:
        with quiet, _signals_as_exceptions() as seen, _short_warnings(session):
            try:
                session.started()
                yield session
            except SystemExit as error:  # a library that caught the signal leaves by sys.exit
                raise Stopped(seen[-1] if seen else _exit_code(error)) from error
            finally:
                session._erase_bar()
    except typer.Exit:
        raise
    except (Stopped, KeyboardInterrupt) as error:
        code = error.exit_code if isinstance(error, Stopped) else 130
        session.fail("stopped on request; temporary files are removed.", code)
        raise typer.Exit(code) from None
    except BrokenPipeError:  # the reader of our output left, as `| head` does
        drop(sys.stdout)
        raise typer.Exit(1) from None
    except Exception as error:
        code, message = explain(error)
        if os.environ.get(DEBUG_VARIABLE, "") not in ("", "0"):
            traceback.print_exception(error, file=sys.stderr)
        session.fail(message, code)
        raise typer.Exit(code) from None


def explain(error: Exception) -> tuple[int, str]:
    """Return the exit code and the message for an error."""
    if isinstance(error, Cancelled):
        return 130, str(error) or "cancelled; temporary files are removed."
    if isinstance(error, DeepRadiomicsError):
        return 2, str(error)
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("deepradiomics"):
        package = _PACKAGE_OF_MODULE.get(error.name.split(".")[0], error.name.split(".")[0])
        return 2, f"this command needs the Python package {package!r}, which is not installed: pip install {package}"
    if isinstance(error, OSError) and error.errno in _USER_ERRNOS:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return 2, f"no space is left on the disk ({error.filename or 'output'}). Free some and run again."
        name = str(error.filename or "a file")
        shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
        return 2, f"{shown}: {error.strerror}."
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return 1, f"not enough memory: {error}. Close other programs, take smaller images or --device cpu."
    hint = f"This is a fault of the software: run with {DEBUG_VARIABLE}=1 to see where, and please report it."
    return 1, f"{type(error).__name__}: {error}. {hint}"


def _exit_code(error: SystemExit) -> int:
    if "SIGTERM" in type(error).__name__:  # Lightning's own answer to SIGTERM
        return 143
    return error.code if isinstance(error.code, int) else 1


@contextlib.contextmanager
def _signals_as_exceptions() -> Iterator[list[int]]:
    """Let Ctrl-C and SIGTERM unwind the stack; the list yielded collects the exit codes of the signals seen."""
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return

    def stop(number: int, frame: FrameType | None) -> None:
        seen.append(128 + number)
        raise Stopped(128 + number) if number == signal.SIGTERM else KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _short_warnings(session: Session) -> Iterator[None]:
    """Show each of our warnings as one line; those of other packages only when debugging."""

    def show(message: Warning | str, category: type[Warning], filename: str, *_: Any) -> None:
        text = str(message)
        if os.environ.get(DEBUG_VARIABLE) or ("deepradiomics" in filename and text not in session.warnings):
            session.warn(text)

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = show  # type: ignore[assignment]
        yield
