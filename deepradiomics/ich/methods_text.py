"""The paragraph for a paper: what was done to one patient's CT, with settings, numbers and versions; no identifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepradiomics.ich.predictor import Predictor

REFERENCE = (
    "Tran et al., Comparing handcrafted radiomics versus latent deep learning features of admission head CT, 2025"
)
_INPUTS = {
    "radiomics": "radiomic features",
    "shape": "shape features",
    "encoder": "latents of the segmentation network's encoder",
    "vaegan": "latents of a VAE-GAN of the dilated haematoma",
    "clinical": "clinical covariates",
}
_LESIONS = {
    "all": "all haematomas were taken as one region",
    "largest": "the largest haematoma was the region",
}


def case_methods(
    predictor: Predictor,
    *,
    mask_origin: str,
    lesions: str,
    features: int,
    ring: str,
    explained_by: Sequence[str],
    followup: str,
    versions: Mapping[str, str],
) -> str:
    """Return the methods paragraph of one patient.

    Args:
        predictor: the outcome models.
        mask_origin: how the haematoma was outlined, as a sentence without its full stop.
        lesions: all or largest.
        features: number of radiomic features measured.
        ring: how the ring was made, as a phrase.
        explained_by: the networks (groups) that Grad-CAM looked into.
        followup: how expansion was measured, as a sentence; empty without a follow-up.
        versions: of the software used.
    """
    shared = ", ".join(f"{len(block.columns)} of {_INPUTS[group]}" for group, block in predictor.blocks.items())
    n_training = sorted({one.n_training for one in predictor.outcomes})
    cohort = "a SYNTHETIC cohort" if predictor.synthetic else "a cohort"
    several = f"{n_training[0]}" if len(n_training) == 1 else f"{n_training[0]} to {n_training[-1]}"
    sentences = [
        f"Outcome risks ({REFERENCE}) were computed with DeepRadiomics {versions.get('deepradiomics', '')}.",
        f"{mask_origin}; {_LESIONS[lesions]}. Volumes are in millilitres, ABC/2 stands beside them.",
        f"{features} features with PyRadiomics definitions were measured." if features else "",
        f"The {predictor.classifier} classifier saw {sum(len(b.columns) for b in predictor.blocks.values())} columns "
        f"({shared}), reduced and scaled with the training cohort alone; it was fitted on {cohort} of {several} "
        f"patients (bundle {predictor.sha256[:12]})"
        + (
            " WITH LEAKING LATENTS: the networks had seen the patients that they were tested on"
            if predictor.leaking
            else ""
        )
        + ".",
        "Thresholds maximised Youden's index on patients that the model was not fitted with; calibration is that of "
        "out-of-fold predictions of the training cohort.",
        "Shares in the risk are Shapley values in units of probability; with the base value they sum to the risk.",
        _explained(explained_by, ring),
        followup,
        "Software: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _explained(groups: Sequence[str], ring: str) -> str:
    if not groups:
        return ""
    networks = " and ".join({"encoder": "the segmentation encoder", "vaegan": "the VAE-GAN"}[one] for one in groups)
    weighted = ", each weighted by its part of the slope," if len(groups) > 1 else ""
    return (
        f"3D Grad-CAM of {networks}{weighted} was taken of the latents' projection on the direction in which the risk "
        f"rises (secant slope of the probability over ± 1 SD of each component) and shown within {ring}."
    )
