"""Every choice of an experiment on haemorrhages, and two presets: ``paper`` (full size) and ``tiny`` (tests, demos)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from deepradiomics.errors import InputError
from deepradiomics.modelling.classifier_names import CLASSIFIERS
from deepradiomics.options import Option, Options

Preset = Literal["paper", "tiny"]
Search = Literal["fixed", "nested"]
Lesions = Literal["all", "largest", "each"]

INPUTS: dict[str, tuple[str, ...]] = {
    "radiomics": ("radiomics",),
    "shape": ("shape",),
    "encoder": ("encoder",),
    "autoencoder": ("autoencoder",),
    "latents": ("encoder", "autoencoder"),
    "radiomics+latents": ("radiomics", "encoder", "autoencoder"),
    "shape+latents": ("shape", "encoder", "autoencoder"),
}
"""The seven inputs and the groups of columns each is made of, in the order in which the columns stand."""
INPUT_TITLES = {
    "radiomics": "Radiomics",
    "shape": "Shape",
    "encoder": "Encoder latents",
    "autoencoder": "VAE-GAN latents",
    "latents": "Both latents",
    "radiomics+latents": "Radiomics + latents",
    "shape+latents": "Shape + latents",
}
REFERENCES = ("radiomics", "shape")
"""The inputs that the others are compared with."""
EXPLAINED_INPUT, EXPLAINED_CLASSIFIER = "radiomics+latents", "extra-trees"
"""The model of the bundle and of the calibration figure, chosen beforehand: the paper's."""
_LARGEST_FIRST = ("radiomics+latents", "shape+latents", "radiomics", "latents", "encoder", "autoencoder", "shape")


@dataclass(frozen=True)
class ExperimentConfig(Options):
    """All choices of an experiment.

    Raises:
        InputError: a value is out of range; the message names it.
    """

    TITLE: ClassVar = "experiment configuration"
    PRESETS: ClassVar = {
        "paper": {},
        "tiny": {
            "components": 16,
            "trees": 50,
            "bootstraps": 500,
            "calibration_bins": 5,
            "shap_cases": 20,
            "background": 20,
        },
    }

    preset: Annotated[Preset, Option("where the values not named came from")] = "paper"
    inputs: Annotated[
        tuple[str, ...],
        Option(f"some of {', '.join(INPUTS)}; empty takes all that the networks allow", names=tuple(INPUTS)),
    ] = ()
    classifiers: Annotated[tuple[str, ...], Option(f"some of {', '.join(CLASSIFIERS)}", names=CLASSIFIERS)] = (
        CLASSIFIERS
    )
    outcomes: Annotated[
        tuple[str, ...],
        Option(
            "some of poor_outcome, expansion_3ml, expansion_6ml, expansion_9ml, expansion_33pct, or a label_ column; "
            "empty takes the first four, as far as the manifest has them"
        ),
    ] = ()
    covariates: Annotated[
        tuple[str, ...],
        Option("clinical columns value_<name>, and sex, that stand beside every input as the group clinical: age,sex"),
    ] = ()
    radiomics: Annotated[str, Option("radiomic features: ich-1688 or paper-1693, or a PyRadiomics file")] = "ich-1688"
    bin_width_hu: Annotated[
        float | None, Option("width of the grey-level bins; None takes the preset's (25)", 0.01, 1000, unit="HU")
    ] = None
    label: Annotated[
        int | None, Option("of the haematoma in the masks; None takes the only label that a mask has", 1, 65_535)
    ] = None
    lesions: Annotated[
        Lesions,
        Option(
            "of several haematomas in a head: all as one region, the largest, or each by itself (which gives one row "
            "per haematoma and can be extracted, not used in an experiment)"
        ),
    ] = "all"
    components: Annotated[int, Option("number of components of each factorised family of features", 1, 100_000)] = 128
    trees: Annotated[int, Option("number of trees of each forest and of the boosting", 1, 100_000)] = 1000
    search: Annotated[Search, Option("fixed (the paper's settings) or nested (searched inside each training part)")] = (
        "fixed"
    )
    folds: Annotated[int, Option("number of folds of a cross-validation by patient", 2, 1000)] = 5
    bootstraps: Annotated[int, Option("resamples of patients for differences between inputs", 1, 1_000_000)] = 2000
    calibration_bins: Annotated[int, Option("of the calibration curves", 2, 1000)] = 10
    shap_cases: Annotated[int, Option("patients explained for each model; 0 leaves explanations out", 0, 1_000_000)] = (
        100
    )
    background: Annotated[int, Option("training patients that explanations compare with", 1, 100_000)] = 50

    def _check_together(self) -> None:
        if not self.classifiers:
            raise InputError(f"classifiers: expected at least one of {', '.join(CLASSIFIERS)}.")

    def bundle_input(self, inputs: tuple[str, ...]) -> str:
        """The input of the bundle: the paper's, or of those there are the one with most features."""
        return next(name for name in _LARGEST_FIRST if name in inputs)

    def bundle_classifier(self) -> str:
        """The classifier of the bundle: the paper's, or the first asked for."""
        return EXPLAINED_CLASSIFIER if EXPLAINED_CLASSIFIER in self.classifiers else self.classifiers[0]


@dataclass(frozen=True)
class Design:
    """What is compared.

    Args:
        config: every choice.
        inputs, outcomes: those of the choice that the cohorts and networks allow.
        seed: of folds, factorisations, classifiers and resamples.
    """

    config: ExperimentConfig
    inputs: tuple[str, ...]
    outcomes: tuple[str, ...] = ()
    seed: int = 0


def columns_of(input_name: str, covariates: tuple[str, ...]) -> tuple[str, ...]:
    """The groups of columns of an input, with the clinical covariates where there are some."""
    return (*INPUTS[input_name], *(("clinical",) if covariates else ()))
