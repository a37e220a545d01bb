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
    "radiomics": "components of radiomic features",
    "shape": "shape features",
    "encoder": "components of the segmentation encoder's latents",
    "autoencoder": "components of a VAE-GAN's latents of the haematoma and its surroundings",
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
    dilation_voxels: int,
    explained_by: Sequence[str],
    followup: bool,
    versions: Mapping[str, str],
) -> str:
    """Return the methods paragraph of one patient.

    Args:
        predictor: the outcome models.
        mask_origin: how the haematoma was outlined, as a sentence without its full stop.
        lesions: all or largest.
        dilation_voxels: edge of the cube that dilates the haematoma on a grid of 1 mm.
        explained_by: the networks (groups) that Grad-CAM looked into.
        followup: whether expansion was measured.
        versions: of the software used.
    """
    shared = ", ".join(f"{len(block.columns)} {_INPUTS[group]}" for group, block in predictor.blocks.items())
    n_training = sorted({one.n_training for one in predictor.outcomes})
    cohort = "a SYNTHETIC cohort" if predictor.synthetic else "a cohort"
    several = f"{n_training[0]}" if len(n_training) == 1 else f"{n_training[0]} to {n_training[-1]}"
    sentences = [
        f"Outcome risks ({REFERENCE}) were computed with DeepRadiomics {versions.get('deepradiomics', '')}.",
        f"{mask_origin}; {_LESIONS[lesions]}. Volumes are in millilitres, ABC/2 stands beside them.",
        "Radiomic features have PyRadiomics' definitions.",
        f"The {predictor.classifier} classifier saw {sum(len(b.columns) for b in predictor.blocks.values())} columns "
        f"({shared}), reduced and scaled with the training cohort alone; it was fitted on {cohort} of {several} "
        f"patients (bundle {predictor.sha256[:12]})"
        + (
            " WITH LEAKING LATENTS: the networks had seen the patients that they were tested on"
            if predictor.leaking
            else ""
        )
        + ".",
        "Thresholds (Youden's index) and calibration are those of out-of-fold predictions of the training cohort.",
        "Shares in the risk are Shapley values in units of probability; with the base value they sum to the risk.",
        _explained(explained_by, dilation_voxels),
        "The follow-up was registered rigidly to the baseline; expansion is the difference of the two volumes, each "
        "measured on its own CT's grid."
        if followup
        else "",
        "Software: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _explained(groups: Sequence[str], dilation_voxels: int) -> str:
    if not groups:
        return ""
    networks = " and ".join(
        {"encoder": "the segmentation encoder", "autoencoder": "the VAE-GAN"}[one] for one in groups
    )
    weighted = ", each weighted by its part of the slope," if len(groups) > 1 else ""
    return (
        f"3D Grad-CAM of {networks}{weighted} was taken of the latents' projection on the direction in which the risk "
        f"rises (secant slope of the probability over ± 1 SD of each component) and shown within the "
        f"haematoma dilated by a cube of {dilation_voxels} voxels of 1 mm."
    )
