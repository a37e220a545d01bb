"""The haematoma of one patient: given or segmented, on the CT's own grid, and what of it is measured.

Order: the mask's label (or the segmenter's) ─ onto the CT's grid ─ parts that hang together ─ all, largest or each
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.ich.haematoma.volume import TINY_ML
from deepradiomics.images import Mask, Volume, listed_labels
from deepradiomics.images.reading import Reading
from deepradiomics.prepare.components import components
from deepradiomics.prepare.resample import resample_mask
from deepradiomics.progress import Progress

if TYPE_CHECKING:
    from deepradiomics.networks.segmenter import Segmenter


@dataclass(frozen=True, eq=False)
class Region:
    """What is blood.

    Args:
        mask: 1 in the haematoma that volumes, features and risks are of; on the CT's grid.
        parts: 1, 2, … the separate haematomas of the whole mask, by falling size; on the CT's grid.
        parts_ml: their volumes.
        origin: how the outline came about: ``{"origin": "given" | "bundle" | "nnunet", "name", "sha256"}``.
        sentence: the same for the methods text, without a full stop.
        notes: what was assumed or found.
    """

    mask: Mask
    parts: Mask
    parts_ml: tuple[float, ...]
    origin: dict[str, Any]
    sentence: str
    notes: tuple[str, ...] = ()


def given_region(
    ct: Volume,
    mask: Mask,
    *,
    reading: Reading | None = None,
    trained: Reading | None = None,
    lesions: str,
    each: bool = False,
    case: str = "",
) -> Region:
    """Take the user's mask.

    Args:
        ct: the baseline CT.
        mask: on any grid of the same space; on another grid than the CT's the label of the nearest voxel is taken.
        reading: which labels are the haematoma; None takes the only label there is.
        trained: which labels were, in the patients of the model: taken where a mask has several and none is named.
        lesions: which of several make the region: all or largest.
        each: whether features are measured of each as well.
        case: how messages call it.

    Raises:
        MaskError: the mask is empty, lacks the label, has several and none is named, or is lost on the CT's grid.
        GeometryError: it lies outside the CT.
    """
    where = f"Case {case}: " if case else ""
    labels = mask.labels_present()
    if not labels:
        raise MaskError(
            f"{where}the mask of the haematoma is empty. Draw it, or leave the mask out and let the model segment."
        )
    choice, notes = chosen_or_trained(mask, reading or Reading(), trained, "the mask of the haematoma")
    try:
        placed = choice.region(mask, "the mask of the haematoma")
    except MaskError as error:
        raise MaskError(f"{where}{error}") from error
    region = placed.union()
    notes = [*placed.notes, *notes]
    if not mask.geometry.is_close(ct.geometry):
        placed = resample_mask(placed, ct.geometry)
        if not placed.union().any():
            _explain_loss(region, mask, ct, where)
        notes.append(
            "The mask was drawn on another grid than the CT's; each voxel of the CT took the nearest label of it."
        )
    origin = {"origin": "given", "name": "", "sha256": None}
    return _region(placed.union(), ct, lesions, each, origin, "The haematoma was outlined by the user", notes)


def chosen_or_trained(mask: Mask, reading: Reading, trained: Reading | None, where: str) -> tuple[Reading, list[str]]:
    """How a mask is read: by the labels named, else by those of the training where it has several; and a note."""
    if reading.names_labels or trained is None or not trained.names_labels or len(mask.labels_present()) == 1:
        return reading, []
    return reading.or_labels_of(trained), [
        f"{where}: it has the labels {listed_labels(mask)} and none was named; {trained.described} was taken, as in "
        "the patients of the model."
    ]


@dataclass(frozen=True, eq=False)
class Inference:
    """How a network segments.

    Args:
        flips: average over test-time flips.
        largest: keep the largest component alone.
    """

    flips: bool
    largest: bool


def segmented_region(
    ct: Volume,
    segmenter: Segmenter,
    inference: Inference,
    *,
    lesions: str,
    each: bool = False,
    case: str = "",
    progress: Progress | None = None,
) -> Region:
    """Let a network find the haematoma; arguments as in :func:`given_region`.

    Raises:
        MaskError: it found none.
        InputError: the network cannot be run on this CT.
    """
    where = f"Case {case}: " if case else ""
    flips, largest = inference.flips, inference.largest
    found = segmenter.segment(ct, flips=flips, largest=largest, case=case, progress=progress)
    blood = found.mask.union()
    if not blood.any():
        raise MaskError(
            f"{where}{segmenter.name} found no haematoma in this CT. Is there one? Then draw it and give the mask."
        )
    how = {"bundle": "the bundle's network", "nnunet": "an nnU-Net v2 model"}.get(segmenter.kind, segmenter.kind)
    options = [text for on, text in ((flips, "test-time flips"), (largest, "largest component kept")) if on]
    sentence = f"The haematoma was segmented by {how} ({segmenter.name}{', ' + ', '.join(options) if options else ''})"
    origin = {"origin": segmenter.kind, "name": segmenter.name, "sha256": segmenter.sha256}
    return _region(blood, ct, lesions, each, origin, sentence, list(found.notes))


def open_segmenter(predictor_segmenter: Path | None, model: str | Path | None, device: str) -> Segmenter:
    """Load the network that a user names, else the bundle's.

    Raises:
        InputError: neither is there.
        BundleError: it cannot be used.
    """
    from deepradiomics.networks.segmenter import load_segmenter

    source = model if model is not None else predictor_segmenter
    if source is None:
        raise InputError(
            "mask: this bundle holds no segmentation network, so it needs the haematoma's mask (--mask), or a network "
            "to segment with (--segmenter: a bundle of 'ich train-segmenter' or an nnU-Net v2 model folder)."
        )
    return load_segmenter(source, device=device)


def _region(
    blood: np.ndarray, ct: Volume, lesions: str, each: bool, origin: dict[str, Any], sentence: str, notes: list[str]
) -> Region:
    numbered, counts = components(blood)
    voxel_ml = float(np.prod(ct.geometry.spacing_mm)) / 1000
    parts_ml = tuple(float(count * voxel_ml) for count in counts)
    if len(parts_ml) > 1:
        taken = {"all": "All were taken as one region", "largest": "The largest was taken"}[lesions]
        also = "; features were measured of each as well" if each else ""
        notes.append(f"{len(parts_ml)} separate haematomas of {_told(parts_ml)} mL. {taken}{also}.")
    kept = numbered == 1 if lesions == "largest" else numbered > 0
    total = float(kept.sum() * voxel_ml)
    if total < TINY_ML:
        notes.append(
            f"Tiny haematoma: {total:.2f} mL, less than {TINY_ML:g} mL. Shape and texture rest on {int(kept.sum())} "
            "voxels; do not rely on the radiomic features or the risks."
        )
    return Region(
        Mask(kept, ct.geometry, "haematoma"),
        Mask(numbered, ct.geometry, "haematomas"),
        parts_ml,
        origin,
        sentence,
        tuple(notes),
    )


def _told(volumes: tuple[float, ...], most: int = 5) -> str:
    more = f" and {len(volumes) - most} smaller ones" if len(volumes) > most else ""
    return ", ".join(f"{one:.2f}" for one in volumes[:most]) + more


def _explain_loss(region: np.ndarray, mask: Mask, ct: Volume, where: str) -> None:
    """Tell why nothing of a mask is left on the CT's grid."""
    points = mask.geometry.index_to_physical(np.argwhere(region)[:, ::-1])
    index = ct.geometry.physical_to_index(points)
    inside = ((index > -0.5) & (index < np.array(ct.geometry.size) - 0.5)).all(axis=1)
    if not inside.any():
        raise GeometryError(
            f"{where}the mask lies outside the CT: not one of its {len(points)} voxels is within it. Does it belong to "
            "this scan?"
        )
    raise MaskError(
        f"{where}the haematoma of {len(points)} voxels falls between the voxels of the CT, which are larger. Draw it "
        "on the CT's own grid."
    )
