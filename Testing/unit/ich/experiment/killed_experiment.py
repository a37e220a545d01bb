"""Run an experiment in a process that kills itself: ``killed_experiment.py MANIFEST EXTERNAL OUT PLACES FRACTION``.

PLACES holds the parameter file and the cache of features that the tests share.
"""

import os
import signal
import sys
from pathlib import Path

from deepradiomics.ich.experiment import run_experiment
from Testing.unit.ich.ich_heads import config


def main() -> None:
    """Run, and die as a power cut would make it."""
    manifest, external, out, places, fraction = sys.argv[1:]

    def progress(done: float, message: str) -> None:
        if done >= float(fraction):
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    run_experiment(
        manifest, out, external=external, config=config(Path(places), folds=2), cache=Path(places, "cache"),
        device="cpu", progress=progress, seed=1,
    )  # fmt: skip


if __name__ == "__main__":
    main()
