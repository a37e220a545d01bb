"""A child process that trains and kills itself (SIGKILL, no clean-up) when the fit has come so far.

python killed_run.py FOLDER FRACTION
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4]))

from deepradiomics.fingerprint.train.fit import FitRequest, fit
from Testing.unit.fingerprint.synthetic_data import TRAINING, planted, untrained


def _die_at(fraction: float) -> None:
    if fraction >= float(sys.argv[2]):
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


if __name__ == "__main__":
    data = planted()
    fit(
        FitRequest(untrained(data), data, TRAINING, seed=3), sys.argv[1], device="cpu", progress=lambda f, _: _die_at(f)
    )
