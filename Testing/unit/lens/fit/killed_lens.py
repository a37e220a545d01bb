"""Fit a lens in a process that kills itself at a given fraction: ``killed_lens.py MANIFEST OUT PARAMS FRACTION``."""

import os
import signal
import sys
from pathlib import Path

from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.fit.run import LensRequest, fit_lens
from Testing.unit.lens import lens_material as material


def main() -> None:
    """Run, and die as a power cut would make it."""
    manifest, out, params, fraction = sys.argv[1:]
    cohort = material.read(Path(manifest))

    def progress(done: float, message: str) -> None:
        if done >= float(fraction):
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    given = {"preset": "tiny", "hidden": 4, "epochs": 20, "bootstraps": 20, "permutations": 5, "params": params}
    pre, ft = material.embeddings(cohort.ids), material.embeddings(cohort.ids, drift=0.5)
    fit_lens(LensRequest(cohort, pre, ft, LensConfig.from_dict(given)), out, device="cpu", progress=progress)


if __name__ == "__main__":
    main()
