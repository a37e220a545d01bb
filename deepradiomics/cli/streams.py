"""Standard streams that are always there: a service, a ``2>&-`` or pythonw starts a program without some of them."""

import contextlib
import os
import sys
from typing import Any, TextIO


def provide_streams() -> None:
    """Put the null device in the place of standard streams that are closed.

    Their numbers are taken as well: a file opened later would get number 2, and what a library writes to standard
    error would go into it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                place = os.open(os.devnull, os.O_RDWR)
                if place != number:
                    os.dup2(place, number)
                    os.close(place)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - it lives as long as we do


def drop(stream: Any) -> None:
    """Let what is still in a stream's buffer go nowhere: flushed at the end, it would turn success into a failure."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


class Steady:
    """A stream for remarks: once nobody takes them any more, they are dropped and the run goes on."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._gone = stream is None

    def write(self, text: str) -> int:
        """Write, if that is still possible."""
        if not self._gone and self._stream is not None:
            try:
                return self._stream.write(text)
            except (OSError, ValueError):  # its reader has left, or it was closed
                self._leave()
        return len(text)

    def flush(self) -> None:
        """Flush, if that is still possible."""
        if not self._gone and self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self._leave()

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        if self._gone or self._stream is None:
            return False
        with contextlib.suppress(OSError, ValueError, AttributeError):
            return self._stream.isatty()
        return False

    def _leave(self) -> None:
        self._gone = True
        drop(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
