"""Where in and around the haematoma do the latents speak for each risk? Grad-CAM of every network, joined on the CT.

    risk ─ slopes along the components ─ direction in each network's latents ─ Grad-CAM of the network's deepest maps
         ─ onto the CT's grid ─ 0 outside haematoma and ring ─ weighted mean of the networks ─ scaled to a maximum of 1

A network's weight is its part of the slope: how much of the change of the risk over one standard deviation of each
component comes from its latents; between the two scales of the segmentation encoder it is shared in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.ich.gradcam import risk_gradcam
from deepradiomics.ich.lesion import LesionCrop, to_ct
from deepradiomics.ich.predictor import Predictor
from deepradiomics.ich.risk_direction import latent_directions, risk_slopes
from deepradiomics.images import Volume
from deepradiomics.prepare.head import to_volume_grid
from deepradiomics.progress import Progress, part

if TYPE_CHECKING:
    from torch import nn

    from deepradiomics.ich.autoencoder import Autoencoder
    from deepradiomics.ich.components import Components
    from deepradiomics.networks.segmenter import BundleSegmenter


@dataclass(frozen=True, eq=False)
class RiskMaps:
    """Heat maps of one patient.

    Args:
        maps: by outcome, float32 on the CT's grid in [0, 1]; empty where the input holds no latents.
        shares: by outcome, the weight of each network's map (they sum to 1, or to 0 where no latent matters).
        notes: what the maps do not show.
    """

    maps: dict[str, Volume]
    shares: dict[str, dict[str, float]]
    notes: tuple[str, ...] = ()


def risk_maps(
    predictor: Predictor,
    row: np.ndarray,
    ct: Volume,
    dilated: np.ndarray,
    crop: LesionCrop,
    *,
    encoder: BundleSegmenter | None = None,
    autoencoder: Autoencoder | None = None,
    progress: Progress | None = None,
) -> RiskMaps:
    """Explain every outcome by the latents that its model takes.

    Args:
        predictor: the outcome models.
        row: (1, p) the patient's columns.
        ct: in HU.
        dilated: bool (z, y, x) on the CT's grid: haematoma and ring.
        crop: as the VAE-GAN saw it.
        encoder: the segmentation network, where its latents are among the columns.
        autoencoder: the VAE-GAN, where its latents are.
        progress: may raise Cancelled.
    """
    groups = [group for group in ("encoder", "vaegan") if group in predictor.blocks]
    if not groups:
        return RiskMaps({}, {}, (f"Grad-CAM: the input {predictor.input!r} holds no latents, so there is no map.",))
    say = part(progress, 0.0, 1.0)
    slices = predictor.slices()
    directions: dict[str, list[np.ndarray]] = {group: [] for group in groups}
    shares: dict[str, dict[str, float]] = {}
    for outcome in predictor.outcomes:
        slopes = risk_slopes(outcome.model, row, outcome.background)
        found = latent_directions(predictor.blocks, slices, slopes, outcome.background.std(axis=0))
        shares[outcome.name] = {group: share for group, (_, share) in found.items()}
        for group, (direction, _) in found.items():
            directions[group].append(direction)

    box = _box(dilated)  # a thin-sliced CT is large and the lesion small: the work is done around it
    grid = ct.geometry.crop([one.start for one in box[::-1]], [one.stop - one.start for one in box[::-1]])
    near = dilated[box]
    whole = np.zeros((len(predictor.outcomes), *near.shape), np.float32)
    for group in groups:
        say(0.2 + 0.6 * groups.index(group) / len(groups), f"Grad-CAM ({group})")
        toward = np.array(directions[group])  # (outcomes, latents)
        weights = np.array([shares[outcome.name][group] for outcome in predictor.outcomes])
        if not weights.any():
            continue
        if group == "vaegan":
            assert autoencoder is not None
            cubes = risk_gradcam(autoencoder.module, autoencoder.last_layer, crop.image, toward)
            found_maps = np.array([to_ct(cube, crop, grid, inside=False) for cube in cubes])
            whole += weights[:, None, None, None] * _inside(found_maps, near)
            continue
        assert encoder is not None
        head = encoder.prepare(ct)
        for layer, places in _scales(encoder):
            own = weights * _part_of(predictor.blocks[group], toward, places)
            if own.any():
                cubes = risk_gradcam(encoder.module, layer, head.image, toward)
                found_maps = np.array([to_volume_grid(cube, head, grid) for cube in cubes])
                whole += own[:, None, None, None] * _inside(found_maps, near)
    maps, notes = {}, []
    for outcome, found_map in zip(predictor.outcomes, _inside(whole, near), strict=True):
        heat = np.zeros(dilated.shape, np.float32)
        heat[box] = found_map
        maps[outcome.name] = Volume(heat, ct.geometry, f"{outcome.name} Grad-CAM")
        if not heat.any():
            notes.append(f"{outcome.title}: Grad-CAM is empty, no place in or around the haematoma pushes the risk up.")
    say(1.0, "Grad-CAM done")
    return RiskMaps(maps, shares, tuple(notes))


def _inside(maps: np.ndarray, dilated: np.ndarray) -> np.ndarray:
    """Maps (k, z, y, x) with 0 outside the dilated lesion, each scaled to a maximum of 1 within it."""
    kept = np.where(dilated, np.maximum(maps, 0), 0).astype(np.float32)
    peaks = kept.max(axis=(1, 2, 3), keepdims=True)
    return np.divide(kept, peaks, out=np.zeros_like(kept), where=peaks > 0)


def _box(region: np.ndarray) -> tuple[slice, slice, slice]:
    """The smallest box (z, y, x) around a region."""
    found = []
    for axis in range(3):
        there = np.flatnonzero(region.any(axis=tuple(other for other in range(3) if other != axis)))
        found.append(slice(int(there[0]), int(there[-1]) + 1))
    return found[0], found[1], found[2]


def _scales(encoder: BundleSegmenter) -> Iterator[tuple[nn.Module, slice]]:
    """Each bottleneck of the encoder: its layer, and where its latents stand in the flattened row."""
    start = 0
    for layer, shape in zip(encoder.module.bottleneck_layers, encoder.latent_shapes, strict=True):
        stop = start + int(np.prod(shape))
        yield layer, slice(start, stop)
        start = stop


def _part_of(block: Components, directions: np.ndarray, places: slice) -> np.ndarray:
    """Share of some latents in directions (k, p), each latent counted over its range in the training cohort; (k,)."""
    width = np.zeros(block.n_features)
    width[block.kept] = block.high - block.low
    reach = np.abs(directions) * width
    whole = reach.sum(axis=1)
    return np.divide(reach[:, places].sum(axis=1), whole, out=np.zeros(len(whole)), where=whole > 0)
