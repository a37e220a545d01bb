"""Training in several processes, watched from the one that started them: progress, cancelling, and their errors."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
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


@contextmanager
def watched(
    trainer: Any, run: RunFolder, epochs: int, message: Callable[[Mapping[str, float]], str], progress: Progress
) -> Iterator[None]:
    """While ``trainer`` fits in processes of its own, report the epochs that appear in the history.

    An exception of ``progress`` (Cancelled) ends the processes and is raised here. The user's mistakes that they find
    are raised here as what they are, not as the death of a process.
    """
    stop, raised = threading.Event(), list[BaseException]()

    def watch() -> None:
        while not stop.wait(_EVERY_SECONDS):
            rows = run.rows()
            last = message({name: float(value) for name, value in rows[-1].items()}) if rows else "first epoch"
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
