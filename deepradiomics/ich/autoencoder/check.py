"""Did an autoencoder learn anything? Active units against posterior collapse, errors against the mean image.

Posterior collapse: the decoder ignores latents and their posterior becomes the prior, the same for every patient. A
unit is active where its posterior mean differs between patients: Var(μ) > 0.01 (Burda et al., Importance weighted
autoencoders, ICLR 2016, section 5.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from deepradiomics.errors import InputError

ACTIVE_VARIANCE = 0.01
LEAST_ACTIVE = 0.1
"""Share of active units below which the latents are called collapsed."""
LEAST_AGREEMENT = 0.5


@dataclass(frozen=True)
class ActiveUnits:
    """How many latents differ between patients.

    Args:
        units: latents in all (channels × places).
        active: those whose posterior mean has a variance above 0.01.
        channels: latent channels with an active unit at one place or more.
        channels_in_all: latent channels.
        patients: crops that the variance was taken over.
    """

    units: int
    active: int
    channels: int
    channels_in_all: int
    patients: int

    @property
    def share(self) -> float:
        """Active units of all."""
        return self.active / self.units

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "units": self.units,
            "active": self.active,
            "share": round(self.share, 4),
            "channels": self.channels,
            "channels_in_all": self.channels_in_all,
            "patients": self.patients,
        }


def active_units(means: np.ndarray) -> ActiveUnits:
    """Count the active units.

    Args:
        means: posterior means (patients, C, z, y, x).

    Raises:
        InputError: fewer than two patients.
    """
    if means.ndim < 3 or len(means) < 2:
        raise InputError(f"means: expected two patients at least (patients, C, …), got shape {means.shape}.")
    active = np.var(means, axis=0, dtype=np.float64) > ACTIVE_VARIANCE  # (C, z, y, x)
    channels = active.reshape(active.shape[0], -1).any(axis=1)
    return ActiveUnits(active.size, int(active.sum()), int(channels.sum()), channels.size, len(means))


def reconstruction_errors(
    images: np.ndarray, reconstructions: np.ndarray, mean_image: np.ndarray, dilated: np.ndarray, range_hu: float
) -> dict[str, float]:
    """Compare reconstructions with an image that has nothing of the patient, the mean of the training crops.

    Args:
        images, reconstructions: (N, n, n, n) in units of the window.
        mean_image: (n, n, n).
        dilated: bool (N, n, n, n): haematoma and ring.
        range_hu: width of the window: errors are in HU.

    Returns:
        ``error_hu``, ``mean_image_error_hu`` (mean absolute), the same with ``lesion_`` in the dilated lesions alone,
        and ``explained``: 1 − Σ(x − x')² / Σ(x − mean)², as ``lesion_explained`` in the lesions.
    """
    residuals, deviations = images - reconstructions, images - mean_image
    result = {}
    for prefix, where in (("", np.ones_like(dilated)), ("lesion_", dilated)):
        residual, deviation = residuals[where].astype(np.float64), deviations[where].astype(np.float64)
        result[f"{prefix}error_hu"] = float(np.abs(residual).mean() * range_hu)
        result[f"{prefix}mean_image_error_hu"] = float(np.abs(deviation).mean() * range_hu)
        spread = float(np.square(deviation).sum())
        result[f"{prefix}explained"] = 1 - float(np.square(residual).sum()) / spread if spread > 0 else 0.0
    return {name: round(value, 4) for name, value in result.items()}


def agreement(latents: list[np.ndarray]) -> dict[str, float]:
    """How far the latents of several networks agree on the same patients, over all pairs of networks.

    Args:
        latents: for each network (patients, units).

    Returns:
        ``correlation``: median over units that vary and over pairs of Pearson's r of a unit with the same unit of the
        other network; ``cka``: mean linear CKA (Kornblith et al., ICML 2019), which forgives rotations. A high CKA with
        a low correlation: the same content, written in other units.
    """
    correlations, alignments = [], []
    for pair in combinations(latents, 2):
        a, b = (part - part.mean(axis=0, dtype=np.float64) for part in pair)
        spread = np.sqrt(np.square(a).sum(axis=0) * np.square(b).sum(axis=0))
        varying = spread > 1e-12
        correlations.append((a * b).sum(axis=0)[varying] / spread[varying])
        gram_a, gram_b = a @ a.T, b @ b.T  # (patients, patients)
        alignments.append(float((gram_a * gram_b).sum() / (np.linalg.norm(gram_a) * np.linalg.norm(gram_b) + 1e-300)))
    return {
        "correlation": round(float(np.median(np.concatenate(correlations))), 4),
        "cka": round(float(np.mean(alignments)), 4),
    }


def remarks(active: ActiveUnits, errors: dict[str, float]) -> list[str]:
    """What a reader must know before the latents are used, one text each."""
    texts = []
    if active.share < LEAST_ACTIVE:
        texts.append(
            f"Posterior collapse: only {active.active} of {active.units} latents ({active.share:.1%}) differ between "
            f"patients (variance of the posterior mean above {ACTIVE_VARIANCE}). Lower kl_weight, or raise free_nats, "
            "kl_annealing or the number of epochs."
        )
    if errors["explained"] <= 0:
        texts.append(
            "The reconstructions are no better than the mean of the training crops: the latents say nothing of the "
            "patient. Train longer, or with more patients."
        )
    elif errors["lesion_explained"] <= 0:
        texts.append(
            "Inside the dilated lesions the reconstructions are no better than the mean of the training crops; the "
            "latents tell more of the surroundings than of the haematoma. Train longer, or with masked=true."
        )
    return texts
