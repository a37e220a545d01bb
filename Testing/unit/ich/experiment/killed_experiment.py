"""Run an experiment in a process that kills itself: ``killed_experiment.py MANIFEST EXTERNAL OUT PLACES FRACTION``.

PLACES holds the parameter file and the cache of features that the tests share.
"""

import os
import signal
import sys
from pathlib import Path

from deepradiomics.ich.experiment.run import ExperimentRequest, run_experiment
from deepradiomics.ich.features.run import Machines
from Testing.unit.ich.ich_heads import config


def main() -> None:
    """Run, and die as a power cut would make it."""
    manifest, external, out, places, fraction = sys.argv[1:]

    def progress(done: float, message: str) -> None:
        if done >= float(fraction):
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    run_experiment(
        ExperimentRequest(manifest, external, config(Path(places), folds=2), seed=1), out,
        cache=Path(places, "cache"), machines=Machines(device="cpu"), progress=progress,
    )  # fmt: skip


if __name__ == "__main__":
    main()
