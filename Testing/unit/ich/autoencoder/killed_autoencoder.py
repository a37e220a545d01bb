"""A child process that trains an autoencoder and kills itself (SIGKILL, no clean-up) when the run has come so far.

python killed_autoencoder.py FOLDER FRACTION MANIFEST [FOLDS]
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4]))

import torch

from deepradiomics.cohort.manifest import read_manifest
from deepradiomics.ich.autoencoder.run import AutoencoderRequest, train_autoencoder
from Testing.unit.ich.tiny_autoencoder import CONFIG


def _die_at(fraction: float) -> None:
    if fraction >= float(sys.argv[2]):
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder, _, manifest, *folds = sys.argv[1:]
    train_autoencoder(
        AutoencoderRequest(read_manifest(manifest, need_labels=False), CONFIG, folds=int(folds[0]) if folds else None),
        folder,
        device="cpu",
        progress=lambda f, _: _die_at(f),
    )
