"""A child process that trains a segmenter and kills itself (SIGKILL, no clean-up) when the run has come so far.

python killed_segmenter.py FOLDER FRACTION MANIFEST [FOLDS]
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4]))

from deepradiomics.cohort.manifest import read_manifest
from deepradiomics.ich.segmenter.run import SegmenterRequest, train_segmenter
from Testing.unit.ich.ball_head import config


def _die_at(fraction: float) -> None:
    if fraction >= float(sys.argv[2]):
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


if __name__ == "__main__":
    folder, _, manifest, *folds = sys.argv[1:]
    train_segmenter(
        SegmenterRequest(
            read_manifest(manifest, need_labels=False, more=("sex",)), config(), folds=int(folds[0]) if folds else None
        ),
        folder,
        device="cpu",
        progress=lambda fraction, _: _die_at(fraction),
    )
