"""Compile the engine's kernels in the background while the user fills in the panel, so that no run waits for them."""

import logging

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.radiomics.warm_stamp import to_compile
from deepradiomics.scene.job import dependencies
from deepradiomics.scene.job.job import Job
from deepradiomics.scene.job.runner import PolledJob

POLL_INTERVAL_MS = 1000


class WarmUp(PolledJob):
    """A quiet child process, started at most once; nothing waits for it and nothing is shown of it."""

    def start(self) -> None:
        """Start unless it was started before, there is nothing to compile, or a package is missing."""
        if self.job is not None or not _needed():
            return
        self.job = Job(lambda folder: ["warm-up"], on_failed=_report, start_child=self._start_child)
        try:
            self.job.start()
        except (DeepRadiomicsError, OSError) as error:
            _report(error)
            return
        self._start_timer(POLL_INTERVAL_MS)


def _needed() -> bool:
    """Whether kernels are missing and can be compiled now; importing nothing slow, so that the panel opens at once."""
    if dependencies.missing("extract"):
        return False
    return bool(to_compile())


def _report(error: Exception) -> None:
    logging.getLogger(__name__).info("warming up the feature engine failed: %s", error)
