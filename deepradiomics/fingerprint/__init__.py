"""Per-patient radiomic fingerprints: a network chooses, for each patient, which radiomic features decide.

``train_fingerprint`` makes a bundle from a cohort, ``apply_fingerprint`` gives one exam's prediction, fingerprint and
heat maps. The names load on first use: importing this package imports no torch.
"""

from typing import TYPE_CHECKING

from deepradiomics.public import lazy

if TYPE_CHECKING:
    from deepradiomics.fingerprint.apply.result import FingerprintFolder as FingerprintFolder
    from deepradiomics.fingerprint.apply.result import FingerprintResult as FingerprintResult
    from deepradiomics.fingerprint.apply.run import FingerprintRequest as FingerprintRequest
    from deepradiomics.fingerprint.apply.run import apply_fingerprint as apply_fingerprint
    from deepradiomics.fingerprint.evaluate.result import Evaluation as Evaluation
    from deepradiomics.fingerprint.evaluate.run import EvaluationRequest as EvaluationRequest
    from deepradiomics.fingerprint.evaluate.run import evaluate_fingerprint as evaluate_fingerprint
    from deepradiomics.fingerprint.model.bundle import FingerprintBundle as FingerprintBundle
    from deepradiomics.fingerprint.model.bundle import load_fingerprint as load_fingerprint
    from deepradiomics.fingerprint.model.config import FingerprintConfig as FingerprintConfig
    from deepradiomics.fingerprint.train.run import TrainedRun as TrainedRun
    from deepradiomics.fingerprint.train.run import TrainRequest as TrainRequest
    from deepradiomics.fingerprint.train.run import train_fingerprint as train_fingerprint

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        ".apply.result": "FingerprintFolder FingerprintResult",
        ".apply.run": "FingerprintRequest apply_fingerprint",
        ".evaluate.result": "Evaluation",
        ".evaluate.run": "EvaluationRequest evaluate_fingerprint",
        ".model.bundle": "FingerprintBundle load_fingerprint",
        ".model.config": "FingerprintConfig",
        ".train.run": "TrainRequest TrainedRun train_fingerprint",
    },
)
