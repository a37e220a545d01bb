"""Training in several processes, supervised from the one that started them: progress, cancelling, and errors."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.progress import Progress
from deepradiomics.training.run_folder import RunFolder

_EVERY_SECONDS = 1.0
# Lightning answers SIGTERM at its next step, in which the processes may wait for each other for ever. The last
# checkpoint is whole: it was moved to its place.
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
_OWN_ERROR = "deepradiomics.errors."


class _Metrics(dict[str, float]):
    """Metrics of an epoch; one that was not logged is not a number."""

    def __missing__(self, name: str) -> float:
        return math.nan


def epoch_message(message: str, metrics: Mapping[str, Any]) -> str:
    """Fill in the metrics of an epoch: ``loss {validation_loss:.2f}`` → ``loss 0.31``."""
    return message.format_map(_Metrics({name: float(value) for name, value in metrics.items()}))


@contextmanager
def supervised(trainer: Any, run: RunFolder, epochs: int, message: str, progress: Progress) -> Iterator[None]:
    """While ``trainer`` fits in processes of its own, report the epochs that appear in the history.

    An exception of ``progress`` (Cancelled) ends the processes and is raised here. The user's mistakes found in a
    process are raised here as what they are, not as the death of a process.
    """
    stop, raised = threading.Event(), list[BaseException]()

    def watch() -> None:
        while not stop.wait(_EVERY_SECONDS):
            rows = run.rows()
            last = epoch_message(message, rows[-1]) if rows else "first epoch"
            try:
                progress(min(1.0, len(rows) / epochs), f"epoch {min(len(rows) + 1, epochs)} of {epochs}: {last}")
            except BaseException as error:
                raised.append(error)
                trainer.strategy.launcher.kill(_KILL)
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    except Exception as error:
        if raised:
            raise raised[0] from None
        kind, _, text = str(error).rpartition(_OWN_ERROR)[2].partition(": ")
        if _OWN_ERROR in str(error) and kind.endswith("Error"):
            raise InputError(text.strip()) from error
        raise
    finally:
        stop.set()
        thread.join()
    if raised:
        raise raised[0]
