"""A child process that pre-trains or fine-tunes and kills itself (SIGKILL, no clean-up) when the run has come so far.

python killed_training.py FOLDER FRACTION COHORT pretrain
python killed_training.py FOLDER FRACTION COHORT segment ENCODER
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4]))

from deepradiomics.cohort.manifest import read_manifest
from deepradiomics.lens.encoders.pretrain.run import PretrainRequest, pretrain
from Testing.unit.lens.ball_cohort import CONFIG, finetuned


def _die_at(fraction: float) -> None:
    if fraction >= float(sys.argv[2]):
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


if __name__ == "__main__":
    folder, _, cohort, what, *encoder = sys.argv[1:]
    manifest = read_manifest(cohort, need_labels=False)
    if what == "pretrain":
        pretrain(PretrainRequest(manifest, CONFIG), folder, device="cpu", progress=lambda f, _: _die_at(f))
    else:
        finetuned(manifest, what, encoder[0], CONFIG, folder, progress=lambda f, _: _die_at(f))
