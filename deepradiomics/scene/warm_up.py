"""Compile the engine's kernels in the background while the user fills in the panel, so that no run waits for them."""

import logging

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.scene.job import Job
from deepradiomics.scene.process import StartProcess, start_process
from deepradiomics.scene.runner import MakeTimer, Timer, qt_timer

POLL_INTERVAL_MS = 1000


class WarmUp:
    """A quiet child process, started at most once; nothing waits for it and nothing is shown of it.

    Parameters
    ----------
    start_child, make_timer
        How the child process is started and how it is polled; tests pass fakes.
    """

    def __init__(
        self,
        start_child: StartProcess = start_process,
        make_timer: MakeTimer | None = None,
    ) -> None:
        self._start_child, self._make_timer = start_child, make_timer or qt_timer
        self._timer: Timer | None = None
        self.job: Job[None] | None = None

    def start(self) -> None:
        """Start unless it was started before, there is nothing to compile, or a package is missing."""
        if self.job is not None or not _needed():
            return
        self.job = Job(lambda folder: ["warm-up"], on_failed=_tell, start_child=self._start_child)
        try:
            self.job.start()
        except (DeepRadiomicsError, OSError) as error:
            _tell(error)
            return
        self._timer = self._make_timer(self._poll, POLL_INTERVAL_MS)
        self._timer.start()

    def cancel(self) -> None:
        """End it; the kernels that are compiled stay. It also ends with the application."""
        if self.job is not None:
            self.job.cancel()
        self._stop_timer()

    def _poll(self) -> None:
        if self.job is None or not self.job.poll():
            self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None


def _needed() -> bool:
    """Whether kernels are missing and can be compiled now; importing nothing slow, so that the panel opens at once."""
    from deepradiomics.scene import dependencies

    if dependencies.missing("extract"):
        return False
    from deepradiomics.radiomics.warm_stamp import to_compile

    return bool(to_compile())


def _tell(error: Exception) -> None:
    logging.getLogger(__name__).info("warming up the feature engine failed: %s", error)
