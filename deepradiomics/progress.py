"""How long-running functions report progress: a fraction from 0 to 1 and one line of text."""

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called as ``progress(fraction, message)``; it may raise :class:`deepradiomics.errors.Cancelled` to stop the work."""


def silent(fraction: float, message: str) -> None:
    """Report nothing."""


def part(progress: Progress | None, start: float, stop: float) -> Progress:
    """Return a callback that maps its own 0..1 onto ``start``..``stop`` of ``progress``."""
    if progress is None:
        return silent
    return lambda fraction, message: progress(start + (stop - start) * min(max(fraction, 0.0), 1.0), message)
