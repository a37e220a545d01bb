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

from deepradiomics.ich.haematoma.lesion import to_ct
from deepradiomics.ich.patient.gradcam import risk_gradcam
from deepradiomics.ich.patient.risk_direction import latent_directions, risk_slopes
from deepradiomics.ich.predictor import Predictor
from deepradiomics.images import Geometry, Volume
from deepradiomics.prepare.head.head import to_volume_grid
from deepradiomics.progress import Progress, part

if TYPE_CHECKING:
    from deepradiomics.ich.autoencoder.latents import Autoencoder
    from deepradiomics.ich.features.patient import CaseFeatures
    from deepradiomics.modelling.components.nmf_components import Components
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
    dilated: np.ndarray,
    grid: Geometry,
    measured: CaseFeatures,
    *,
    encoder: BundleSegmenter | None = None,
    autoencoder: Autoencoder | None = None,
    progress: Progress | None = None,
) -> RiskMaps:
    """Explain every outcome by the latents that its model takes.

    Args:
        predictor: the outcome models.
        row: (1, p) the patient's columns.
        dilated: bool (z, y, x) on the CT's grid: haematoma and ring.
        grid: the CT's.
        measured: the patient's latents, their head and crop as the networks saw them.
        encoder: the segmentation network, where its latents are among the columns.
        autoencoder: the VAE-GAN, where its latents are.
        progress: may raise Cancelled.
    """
    groups = [group for group in ("encoder", "autoencoder") if group in predictor.blocks]
    if not groups:
        return RiskMaps({}, {}, (f"Grad-CAM: the input {predictor.input!r} holds no latents, so there is no map.",))
    report = part(progress, 0.0, 1.0)
    report(0.0, "direction of the risks")
    toward, shares = _directions(predictor, row, groups)
    box = _box(dilated)  # a thin-sliced CT is large and the lesion small: the work is done around it
    around = grid.crop([axis.start for axis in box[::-1]], [axis.stop - axis.start for axis in box[::-1]])
    near = dilated[box]
    total = np.zeros((len(predictor.outcomes), *near.shape), np.float32)
    for group in groups:
        report(0.4, f"Grad-CAM ({group})")
        share = np.array([shares[outcome.name][group] for outcome in predictor.outcomes])
        if not share.any():
            continue
        if group == "autoencoder":
            assert autoencoder is not None
            cubes = risk_gradcam(autoencoder.module, autoencoder.last_layer, measured.crop.image, toward[group])
            painted = np.array([to_ct(cube, measured.crop, around, inside=False) for cube in cubes])
            total += share[:, None, None, None] * _inside(painted, near)
            continue
        assert encoder is not None and measured.head is not None and measured.encoder is not None
        for places, shape in _scales(encoder):
            weights = share * _part_of(predictor.blocks[group], toward[group], places)
            if weights.any():
                cubes = bottleneck_gradcam(measured.encoder[places].reshape(shape), toward[group][:, places])
                painted = np.array([to_volume_grid(cube, measured.head, around) for cube in cubes])
                total += weights[:, None, None, None] * _inside(painted, near)
    maps, notes = {}, []
    for outcome, found_map in zip(predictor.outcomes, _inside(total, near), strict=True):
        heat = np.zeros(dilated.shape, np.float32)
        heat[box] = found_map
        maps[outcome.name] = Volume(heat, grid, f"{outcome.name} Grad-CAM")
        if not heat.any():
            notes.append(f"{outcome.title}: Grad-CAM is empty, no place in or around the haematoma pushes the risk up.")
    report(1.0, "Grad-CAM done")
    return RiskMaps(maps, shares, tuple(notes))


def bottleneck_gradcam(latents: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Grad-CAM of <v, latents> at the layer that gives the latents themselves.

    There ∂<v, A>/∂A = v, so that α_k = mean over places of v_k and no network has to be run again.

    Args:
        latents: A, (channels, z, y, x).
        directions: v, (k, channels·z·y·x) for k outcomes.

    Returns:
        (k, z, y, x): ReLU(Σ_k α_k A_k), not scaled.
    """
    weight = directions.reshape(len(directions), len(latents), -1).mean(axis=2)  # (k, channels)
    return np.maximum(np.tensordot(weight, latents, axes=1), 0).astype(np.float32)


def _directions(
    predictor: Predictor, row: np.ndarray, groups: list[str]
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, float]]]:
    """(outcomes, latents) of each group, and by outcome each group's part of the slope."""
    slices = predictor.slices()
    wanted = np.zeros(len(predictor.columns), bool)
    for group in groups:
        wanted[slices[group]] = True
    slopes = np.array([risk_slopes(outcome.model, row, outcome.background, wanted) for outcome in predictor.outcomes])
    reach = np.abs(slopes) * np.array([outcome.background.std(axis=0) for outcome in predictor.outcomes])
    total = reach.sum(axis=1)
    shares: dict[str, dict[str, float]] = {outcome.name: {} for outcome in predictor.outcomes}
    for group in groups:
        for name, mine, all_of_it in zip(shares, reach[:, slices[group]].sum(axis=1), total, strict=True):
            shares[name][group] = float(mine / all_of_it) if all_of_it > 0 else 0.0
    return {group: latent_directions(predictor.blocks[group], slopes[:, slices[group]]) for group in groups}, shares


def _inside(maps: np.ndarray, dilated: np.ndarray) -> np.ndarray:
    """Maps (k, z, y, x) with 0 outside the dilated lesion, each scaled to a maximum of 1 within it."""
    inside = np.where(dilated, np.maximum(maps, 0), 0).astype(np.float32)
    peaks = inside.max(axis=(1, 2, 3), keepdims=True)
    return np.divide(inside, peaks, out=np.zeros_like(inside), where=peaks > 0)


def _box(region: np.ndarray) -> tuple[slice, slice, slice]:
    """The smallest box (z, y, x) around a region."""
    found = []
    for axis in range(3):
        there = np.flatnonzero(region.any(axis=tuple(other for other in range(3) if other != axis)))
        found.append(slice(int(there[0]), int(there[-1]) + 1))
    return found[0], found[1], found[2]


def _scales(encoder: BundleSegmenter) -> Iterator[tuple[slice, tuple[int, ...]]]:
    """Each bottleneck of the encoder: where its latents stand in the flattened row, and their shape."""
    start = 0
    for shape in encoder.latent_shapes:
        stop = start + int(np.prod(shape))
        yield slice(start, stop), shape
        start = stop


def _part_of(block: Components, directions: np.ndarray, places: slice) -> np.ndarray:
    """Share of some latents in directions (k, p), each latent counted over its range in the training cohort; (k,)."""
    width = np.zeros(block.n_features)
    width[block.kept] = block.high - block.low
    reach = np.abs(directions) * width
    whole = reach.sum(axis=1)
    return np.divide(reach[:, places].sum(axis=1), whole, out=np.zeros(len(whole)), where=whole > 0)
