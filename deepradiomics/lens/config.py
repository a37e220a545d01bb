"""Every choice of a lens: what is measured, how the lens is fitted, how sure its numbers are; and the two presets.

``paper`` follows the paper (256 hidden units, λ1 = 1e-6, λ2 = 1e-5, 200 epochs, voxels of 0.5 × 0.5 × 1 mm);
``tiny`` is the same method made small for tests, demonstrations and short cohorts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from deepradiomics.options import Option, Options, declared

Preset = Literal["paper", "tiny"]
FitOn = Literal["pre", "ft", "both"]
Missing = Literal["refuse", "drop"]
TargetScaling = Literal["zscore", "minmax"]
EmbeddingScaling = Literal["pre", "own", "none"]

_RADIOMICS = ("modalities", "roi", "centre", "params", "spacing_mm", "quantitative", "missing")


@dataclass(frozen=True)
class LensConfig(Options):
    """All choices of one lens.

    The region measured need not be the one around which an encoder looks (paper: lesion features against embeddings of
    the gland). A case cannot be used where it lacks a modality or the region, or the region lies outside a modality.

    Raises:
        InputError: a value is out of range; the message names it.
    """

    TITLE: ClassVar = "lens configuration"
    PRESETS: ClassVar = {"paper": {}, "tiny": {"spacing_mm": None, "hidden": 32, "bootstraps": 100}}

    preset: Annotated[Preset, Option("where the values not named came from")] = "paper"
    modalities: Annotated[
        tuple[str, ...],
        Option("measured by radiomics, in this order; empty takes all views of the manifest"),
    ] = ()
    roi: Annotated[str, Option("the region measured: a mask_<roi> column such as gland, mask, or ellipsoid")] = "gland"
    centre: Annotated[
        str,
        Option(
            "the region in whose middle an encoder's image lies; empty: where the encoder was trained, else gland, "
            "else roi",
            empty=True,
        ),
    ] = ""
    params: Annotated[
        str,
        Option(
            "radiomic features: a preset of the engine, or a PyRadiomics YAML file. What a file says about grey levels "
            "and spacing holds; what it leaves open is chosen as below"
        ),
    ] = "lens"
    spacing_mm: Annotated[
        tuple[float, float, float] | None,
        Option(
            "(x, y, z) to which images are resampled before features are computed; None keeps their own",
            above=0,
            high=1e3,
            axes="(x, y, z)",
            unit="mm",
        ),
    ] = (0.5, 0.5, 1.0)
    quantitative: Annotated[
        tuple[str, ...],
        Option(
            "modalities whose grey levels have a unit: taken as they are. All others are z-scored over the image and "
            "multiplied by 100, so that bins of 25 are a quarter of a standard deviation"
        ),
    ] = ("adc",)
    missing: Annotated[
        Missing, Option("cases that cannot be used: refuse (and name them all), or drop (and list them)")
    ] = "refuse"
    hidden: Annotated[int, Option("h, ReLU units of the shared layer", 1, 65_536)] = 256
    l1: Annotated[float, Option("weight of the penalty λ1‖·‖1 (equation 4)", 0, 1e3)] = 1e-6
    l2: Annotated[float, Option("weight of the penalty λ2‖·‖2² (equation 4)", 0, 1e3)] = 1e-5
    epochs: Annotated[int, Option("of the shared layer's training (full-batch Adam)", 1, 1_000_000)] = 200
    learning_rate: Annotated[float, Option("of the same", above=0, high=1e3)] = 1e-3
    sweep: Annotated[bool, Option("choose l1 and l2 on the validation split, over the paper's grid")] = False
    fit_on: Annotated[FitOn, Option("embeddings on which the shared layer is trained: pre, ft or both")] = "pre"
    target_scaling: Annotated[
        TargetScaling,
        Option("zscore: min-max to [0, 1] on the training split, then z-scored; minmax: the first only"),
    ] = "zscore"
    embedding_scaling: Annotated[
        EmbeddingScaling,
        Option(
            "standardise embeddings by the training split before fine-tuning (pre), each by its own (own), or not "
            "(none)"
        ),
    ] = "pre"
    ridge: Annotated[float, Option("added to ZZᵀ, relative to its mean diagonal", 0, 1e3)] = 1e-10
    bootstraps: Annotated[
        int,
        Option("resamples of patients for the intervals of ΔI; 0 leaves them out", 20, 1_000_000, or_zero=True),
    ] = 1000
    permutations: Annotated[
        int,
        Option("relabellings of pre and ft for the null of ΔI; 0 leaves it out", 0, 1_000_000),
    ] = 0
    variants: Annotated[bool, Option("also fit on ft and on both, and ΔI with standardised Z")] = True

    def estimator(self) -> dict[str, Any]:
        """The arguments of :class:`deepradiomics.lens.estimator.lens.RadiomicLens` that are among these choices."""
        return {name: getattr(self, name) for name in declared(type(self)) if name not in (*_RADIOMICS, "preset")}
