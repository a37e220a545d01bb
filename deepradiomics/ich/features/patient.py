"""The feature families of one patient, measured in the same way for a cohort and for a single new CT.

shape       14 shape features of the haematoma
radiomics   all radiomic features of the settings, shape among them
encoder     bottlenecks of the segmentation network, of the whole head; both scales one after another, flattened
autoencoder posterior mean of the VAE-GAN, of the crop around the haematoma, flattened
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.errors import InputError, MaskError
from deepradiomics.ich.haematoma.lesion import CropRecipe, LesionCrop, lesion_crop
from deepradiomics.images import Mask, Volume
from deepradiomics.prepare.head.head import PreparedHead
from deepradiomics.progress import Progress, part
from deepradiomics.radiomics import Features, Settings, extract

if TYPE_CHECKING:
    from deepradiomics.ich.autoencoder.latents import Autoencoder
    from deepradiomics.networks.segmenter import BundleSegmenter

SHAPE_PREFIX = "original_shape_"


@dataclass(frozen=True)
class FeatureRow:
    """One measured feature: of which label of the haematoma's mask, its name, family and value (NaN: undefined)."""

    label: int
    feature: str
    family: str
    value: float


@dataclass(frozen=True, eq=False)
class CaseFeatures:
    """What was measured of one patient.

    Args:
        radiomics: every radiomic feature by name, NaN where undefined (with the reason in its diagnostics).
        crop: the haematoma and its surroundings, as the VAE-GAN sees them.
        encoder: (p,) float32; None without a segmentation network.
        autoencoder: (p,) float32; None without a VAE-GAN.
        head: the head as the segmentation network sees it; None without one.
        notes: what was assumed, one sentence each.
    """

    radiomics: Features
    crop: LesionCrop
    encoder: np.ndarray | None = None
    autoencoder: np.ndarray | None = None
    head: PreparedHead | None = None
    notes: tuple[str, ...] = ()

    def names(self, group: str) -> tuple[str, ...] | None:
        """Names of the columns of a group; None for latents."""
        if group == "radiomics":
            return tuple(self.radiomics)
        if group == "shape":
            return tuple(name for name in self.radiomics if name.startswith(SHAPE_PREFIX))
        return None

    def values(self, group: str) -> np.ndarray:
        """The columns of a group, (d,).

        Raises:
            InputError: this family was not measured.
        """
        names = self.names(group)
        if names is not None:
            return np.array([self.radiomics[name] for name in names], np.float64)
        found = {"encoder": self.encoder, "autoencoder": self.autoencoder}.get(group)
        if found is None:
            raise InputError(f"features: the group {group!r} was not measured; give the network that it comes from.")
        return found


@dataclass(frozen=True, eq=False)
class Measurement:
    """What is measured of a patient, and with what.

    Args:
        settings: of the radiomic features.
        encoder: a segmentation bundle, whose bottlenecks are taken.
        autoencoder: whose posterior mean is taken, on a crop by its own recipe.
        threads: of the radiomic engine.
        device: of the radiomic engine: cpu, cuda, or auto.
    """

    settings: Settings
    encoder: BundleSegmenter | None = None
    autoencoder: Autoencoder | None = None
    threads: int | None = None
    device: str = "cpu"


def case_features(
    ct: Volume,
    mask: Mask,
    measurement: Measurement,
    *,
    label: int = 1,
    case: str = "",
    progress: Progress | None = None,
) -> CaseFeatures:
    """Measure the families of features of one patient.

    Args:
        ct: in HU.
        mask: the haematoma.
        measurement: what is measured, and with what.
        label: of the haematoma in the mask.
        case: named in messages.
        progress: may raise Cancelled.

    Raises:
        InputError: the CT or the mask cannot be used (MaskError, GeometryError say which).
    """
    encoder, autoencoder = measurement.encoder, measurement.autoencoder
    say = part(progress, 0.0, 1.0)
    say(0.0, "radiomic features")
    found = extract(ct, mask, measurement.settings, label=label, threads=measurement.threads, device=measurement.device)
    say(0.5, "lesion crop")
    recipe = autoencoder.recipe if autoencoder is not None else CropRecipe()
    crop = lesion_crop(ct, mask, recipe, label=label, case=case)
    latents = bottlenecks = head = None
    if encoder is not None:
        say(0.6, "latents of the segmentation encoder")
        head = encoder.prepare(ct, case)
        bottlenecks = flattened(encoder.latents_of(head))
    if autoencoder is not None:
        say(0.9, "latents of the VAE-GAN")
        latents = flattened([autoencoder.latents(crop)])
    say(1.0, "features measured")
    return CaseFeatures(
        found, crop, bottlenecks, latents, head, (*crop.notes, *(head.notes if head is not None else ()))
    )


def flattened(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Maps (channels, z, y, x) one after another as one row, float32."""
    return np.concatenate([np.asarray(one, np.float32).ravel() for one in maps])


def feature_rows(found: Features, label: int = 1) -> tuple[FeatureRow, ...]:
    """Radiomic features as rows of features.csv."""
    return tuple(FeatureRow(label, name, _family(name), float(value)) for name, value in found.items())


def lesion_rows(ct: Volume, parts: Mask, settings: Settings, threads: int | None = None) -> tuple[FeatureRow, ...]:
    """Radiomic features of each haematoma by itself; one of a voxel or two has no rows."""
    rows: list[FeatureRow] = []
    for number in parts.labels_present():
        try:
            rows += feature_rows(extract(ct, parts, settings, label=number, threads=threads), number)
        except MaskError:
            continue
    return tuple(rows)


def _family(name: str) -> str:
    """``wavelet-LLH_glcm_Contrast`` -> ``glcm``; image prefixes hold no underscore."""
    pieces = name.split("_")
    return pieces[0] if pieces[0] == "diagnostics" or len(pieces) < 3 else pieces[1]
