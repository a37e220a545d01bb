"""Intracerebral haemorrhage on head CT: segmentation, three families of features, outcome and expansion risk."""

from typing import TYPE_CHECKING

from deepradiomics.public import lazy

if TYPE_CHECKING:
    from deepradiomics.ich.autoencoder.config import AutoencoderConfig as AutoencoderConfig
    from deepradiomics.ich.autoencoder.latents import Autoencoder as Autoencoder
    from deepradiomics.ich.autoencoder.latents import load_autoencoder as load_autoencoder
    from deepradiomics.ich.autoencoder.run import AutoencoderRequest as AutoencoderRequest
    from deepradiomics.ich.autoencoder.run import train_autoencoder as train_autoencoder
    from deepradiomics.ich.experiment.config import ExperimentConfig as ExperimentConfig
    from deepradiomics.ich.experiment.request import ExperimentRequest as ExperimentRequest
    from deepradiomics.ich.experiment.result import Experiment as Experiment
    from deepradiomics.ich.experiment.run import run_experiment as run_experiment
    from deepradiomics.ich.haematoma.expansion import expansion as expansion
    from deepradiomics.ich.patient.request import PatientRequest as PatientRequest
    from deepradiomics.ich.patient.result import CaseFolder as CaseFolder
    from deepradiomics.ich.patient.result import IchCase as IchCase
    from deepradiomics.ich.patient.run import apply_case as apply_case
    from deepradiomics.ich.predictor import Predictor as Predictor
    from deepradiomics.ich.predictor import load_predictor as load_predictor
    from deepradiomics.ich.segmenter.config import SegmenterConfig as SegmenterConfig
    from deepradiomics.ich.segmenter.run import SegmenterRequest as SegmenterRequest
    from deepradiomics.ich.segmenter.run import train_segmenter as train_segmenter

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        ".autoencoder.config": "AutoencoderConfig",
        ".autoencoder.latents": "Autoencoder load_autoencoder",
        ".autoencoder.run": "AutoencoderRequest train_autoencoder",
        ".experiment.config": "ExperimentConfig",
        ".experiment.result": "Experiment",
        ".experiment.request": "ExperimentRequest",
        ".experiment.run": "run_experiment",
        ".haematoma.expansion": "expansion",
        ".patient.request": "PatientRequest",
        ".patient.result": "CaseFolder IchCase",
        ".patient.run": "apply_case",
        ".predictor": "Predictor load_predictor",
        ".segmenter.config": "SegmenterConfig",
        ".segmenter.run": "SegmenterRequest train_segmenter",
    },
)
