"""Every choice of an experiment on haemorrhages, and two presets: ``paper`` (full size) and ``tiny`` (tests, demos)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from deepradiomics.errors import InputError
from deepradiomics.files import read_settings
from deepradiomics.options import check_choice, check_keys, check_number, check_whole, plain_values

Preset = Literal["paper", "tiny"]
Search = Literal["fixed", "nested"]
Lesions = Literal["all", "largest", "each"]

INPUTS: dict[str, tuple[str, ...]] = {
    "radiomics": ("radiomics",),
    "shape": ("shape",),
    "encoder": ("encoder",),
    "vaegan": ("vaegan",),
    "latents": ("encoder", "vaegan"),
    "radiomics+latents": ("radiomics", "encoder", "vaegan"),
    "shape+latents": ("shape", "encoder", "vaegan"),
}
"""The seven inputs and the groups of columns each is made of, in the order in which the columns stand."""
INPUT_TITLES = {
    "radiomics": "Radiomics",
    "shape": "Shape",
    "encoder": "Encoder latents",
    "vaegan": "VAE-GAN latents",
    "latents": "Both latents",
    "radiomics+latents": "Radiomics + latents",
    "shape+latents": "Shape + latents",
}
CLASSIFIER_TITLES = {
    "random-forest": "Random forest",
    "xgboost": "XGBoost",
    "naive-bayes": "Naive Bayes",
    "extra-trees": "Extra Trees",
    "elastic-net": "Elastic net",
    "svm": "SVM (RBF)",
}
CLASSIFIERS = tuple(CLASSIFIER_TITLES)
REFERENCES = ("radiomics", "shape")
"""The inputs that the others are compared with."""
EXPLAINED_INPUT, EXPLAINED_CLASSIFIER = "radiomics+latents", "extra-trees"
"""The model of the bundle and of the calibration figure, chosen beforehand: the paper's."""
_LARGEST_FIRST = ("radiomics+latents", "shape+latents", "radiomics", "latents", "encoder", "vaegan", "shape")


@dataclass(frozen=True)
class ExperimentConfig:
    """All choices of an experiment.

    Args:
        preset: where the values not named came from.
        inputs: some of the seven; empty takes all that the networks given allow.
        classifiers: some of the six.
        outcomes: names; empty takes the paper's four, as far as the manifest tells them.
        covariates: columns ``value_<name>``, and ``sex``, that stand beside every input as the group ``clinical``.
        radiomics: ``ich-1688`` or ``paper-1693``, or a PyRadiomics file.
        bin_width_hu: of the grey-level bins; None takes the preset's (25).
        label: of the haematoma in the masks; None takes the only label that a mask has.
        lesions: of several haematomas in one head take ``all`` as one region or the ``largest``; ``each`` gives a row a
            haematoma and can be extracted, not used in an experiment.
        components: of each family of features that goes through the factorisation.
        trees: of the forests and the boosting.
        search: the paper's ``fixed`` settings, or ``nested`` search inside each training part.
        folds: of the cross-validation.
        bootstraps: resamples of patients for differences between inputs.
        calibration_bins: of the calibration curves.
        shap_cases: patients explained for each model; 0 leaves explanations out.
        background: training patients that explanations compare with.

    Raises:
        InputError: a value is out of range; the message names it.
    """

    preset: Preset = "paper"
    inputs: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = CLASSIFIERS
    outcomes: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    radiomics: str = "ich-1688"
    bin_width_hu: float | None = None
    label: int | None = None
    lesions: Lesions = "all"
    components: int = 128
    trees: int = 1000
    search: Search = "fixed"
    folds: int = 5
    bootstraps: int = 2000
    calibration_bins: int = 10
    shap_cases: int = 100
    background: int = 50

    def __post_init__(self) -> None:
        for name, known in (("inputs", INPUTS), ("classifiers", CLASSIFIERS), ("outcomes", None), ("covariates", None)):
            given = getattr(self, name)
            if isinstance(given, str) or not all(isinstance(one, str) and one for one in given):
                raise InputError(f"{name}: expected a list of names, got {given!r}.")
            if len(set(given)) < len(given):
                raise InputError(f"{name}: a name comes twice in {', '.join(given)}.")
            for one in given:
                if known is not None:
                    check_choice(name, one, tuple(known))
            object.__setattr__(self, name, tuple(given))
        if not self.classifiers:
            raise InputError(f"classifiers: expected at least one of {', '.join(CLASSIFIERS)}.")
        check_choice("preset", self.preset, get_args(Preset))
        check_choice("search", self.search, get_args(Search))
        check_choice("lesions", self.lesions, get_args(Lesions))
        if not isinstance(self.radiomics, str) or not self.radiomics:
            raise InputError(f"radiomics: expected a preset or a file, got {self.radiomics!r}.")
        for name, low, high in (
            ("components", 1, 100_000), ("trees", 1, 100_000), ("folds", 2, 1000),
            ("bootstraps", 1, 1_000_000), ("calibration_bins", 2, 1000), ("shap_cases", 0, 1_000_000),
            ("background", 1, 100_000),
        ):  # fmt: skip
            check_whole(name, getattr(self, name), low, high)

        if self.label is not None:
            check_whole("label", self.label, 1, 65_535)
        if self.bin_width_hu is not None:
            check_number("bin_width_hu", self.bin_width_hu, 0.01, 1000)

    def bundle_input(self, inputs: tuple[str, ...]) -> str:
        """The input of the bundle: the paper's, or of those there are the one with most features."""
        return next(name for name in _LARGEST_FIRST if name in inputs)

    def bundle_classifier(self) -> str:
        """The classifier of the bundle: the paper's, or the first asked for."""
        return EXPLAINED_CLASSIFIER if EXPLAINED_CLASSIFIER in self.classifiers else self.classifiers[0]

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with lists for tuples."""
        return plain_values(asdict(self))

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> ExperimentConfig:
        """Inverse of :meth:`to_dict`; what is left out comes from the preset named by ``preset`` (default ``paper``).

        Raises:
            InputError: an unknown key, with the nearest known one, or a value out of range.
        """
        check_keys("experiment configuration", stored, [f.name for f in fields(cls)])
        try:
            return replace(experiment_config(stored.get("preset", "paper")), **stored)
        except TypeError as error:
            raise InputError(f"experiment configuration: a value has the wrong type ({error}).") from error

    @classmethod
    def read(cls, path: str | Path) -> ExperimentConfig:
        """Read a JSON file of settings.

        Raises:
            InputError: the file is missing, is not JSON, or says something unknown; the message names the file.
        """
        return read_settings(path, "settings of an experiment, such as components", cls.from_dict)


def experiment_config(preset: Preset = "paper") -> ExperimentConfig:
    """Return a preset.

    Raises:
        InputError: the preset is unknown.
    """
    check_choice("preset", preset, get_args(Preset))
    if preset == "paper":
        return ExperimentConfig()
    return ExperimentConfig(
        "tiny", components=16, trees=50, bootstraps=500, calibration_bins=5, shap_cases=20, background=20
    )


def columns_of(input_name: str, covariates: tuple[str, ...]) -> tuple[str, ...]:
    """The groups of columns of an input, with the clinical covariates where there are some."""
    return (*INPUTS[input_name], *(("clinical",) if covariates else ()))
