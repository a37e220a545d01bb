"""How much a haematoma has grown: two CTs of one patient, their masks, the difference in mL, where it lies.

::

    baseline ──┬─► rigid registration ─► follow-up and its mask on the baseline's grid ─► stable, grown, shrunk
    follow-up ─┘
    masks ─► volumes, each on its own CT's grid ─► difference (mL) ─► > 3, > 6, > 9 mL, > 33 %

The numbers never depend on the registration: it only tells where the haematoma grew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deepradiomics import __version__
from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.ich.cohort.manifest import EXPANSION_LIMIT
from deepradiomics.ich.haematoma.result import CHANGES, GROWN, KIND, SHRUNK, STABLE
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.images.reading import Reading
from deepradiomics.prepare import AffineTransform, register, resample, resample_mask
from deepradiomics.prepare.registration.register import Backend
from deepradiomics.prepare.resample import field_of_view
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line

LIMITS_ML = {"expansion_3ml": 3.0, "expansion_6ml": 6.0, "expansion_9ml": 9.0}
RELATIVE_LIMIT = {"expansion_33pct": EXPANSION_LIMIT}

_AIR_HU, _DENSE_HU = -1000.0, 1000.0  # beyond them: padding, metal
_BONE_HU = 300.0
_POOR_OVERLAP, _NO_OVERLAP = 0.88, 0.45  # Dice of the skulls: 0.90 to 0.97 for one head, 0.5 to 0.87 for two
_UNSEEN = 0.05  # share of the haematoma that the other scan may miss before it is an error
_SHRUNK_ML, _SHRUNK_SHARE = 3.0, 0.20  # more than this is unusual within a day
_BLOOD_HU = (40.0, 100.0)  # where the median of a fresh haematoma lies


@one_line
@dataclass(frozen=True, eq=False)
class Expansion:
    """What became of a haematoma between two CTs.

    Args:
        transform: rigid; maps points of the baseline's space to the follow-up's (LPS millimetres).
        baseline_ml, followup_ml: volumes of the masks, each on its own grid.
        change: on the baseline's grid: 1 stable, 2 grown, 3 shrunk.
        followup: the follow-up CT on the baseline's grid.
        overlap: Dice coefficient of the skulls after registration; NaN where no skull is seen.
        backend: "cpu" or "gpu", the one that registered.
        case: how messages call the patient.
        notes: what a reader should know, one sentence each.
    """

    transform: AffineTransform
    baseline_ml: float
    followup_ml: float
    change: Mask
    followup: Volume
    overlap: float
    backend: str
    case: str = ""
    notes: tuple[str, ...] = ()

    @property
    def difference_ml(self) -> float:
        """Follow-up less baseline, mL; negative where the haematoma shrank."""
        return self.followup_ml - self.baseline_ml

    @property
    def relative(self) -> float:
        """The difference as a share of the baseline's volume."""
        return self.difference_ml / self.baseline_ml

    @property
    def labels(self) -> dict[str, bool]:
        """Which limits the expansion exceeds: expansion_3ml, _6ml, _9ml and _33pct."""
        return {name: self.difference_ml > limit for name, limit in LIMITS_ML.items()} | {
            name: self.relative > limit for name, limit in RELATIVE_LIMIT.items()
        }

    def changed_ml(self, change: int) -> float:
        """Volume of a change (1 stable, 2 grown, 3 shrunk) on the baseline's grid."""
        return float((self.change.labels == change).sum() * np.prod(self.change.geometry.spacing_mm) / 1000)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for expansion.json."""
        return {
            "kind": KIND,
            "software": "deepradiomics",
            "version": __version__,
            "case_id": self.case,
            "baseline_ml": self.baseline_ml,
            "followup_ml": self.followup_ml,
            "difference_ml": self.difference_ml,
            "relative": self.relative,
            "labels": self.labels,
            "on_baseline_grid_ml": {name: self.changed_ml(change) for change, name in CHANGES.items()},
            "transform": self.transform.to_dict(),
            "skull_overlap": None if np.isnan(self.overlap) else self.overlap,
            "backend": self.backend,
            "notes": list(self.notes),
        }


def expansion(
    baseline: Volume,
    followup: Volume,
    baseline_mask: Mask,
    followup_mask: Mask,
    *,
    label: int | None = None,
    segment: str | None = None,
    all_labels: bool = False,
    backend: Backend = "auto",
    device: str = "auto",
    seed: int = 0,
    case: str = "",
    progress: Progress | None = None,
) -> Expansion:
    """Measure the expansion of a haematoma, and find where it grew.

    Args:
        baseline: CT at admission, HU.
        followup: CT of the same patient later, HU; another position, grid and field of view are fine.
        baseline_mask: its haematoma; another grid in the same space is fine.
        followup_mask: that of the follow-up; empty where nothing is left.
        label, segment, all_labels: of the haematoma in masks of several labels, by number or name, or all together.
        backend, device, seed: as in :func:`deepradiomics.prepare.registration.register`.
        case: how messages call the patient.
        progress: called with fraction and message.

    Raises:
        InputError: both CTs are the same image, or registration failed (their skulls do not match: two people?).
        MaskError: the baseline's mask is empty; a mask has several labels and none is named, or lacks the one named.
        GeometryError: a mask lies outside its CT, or one CT does not show the haematoma of the other.

    Example:
        >>> expansion(ct, later, mask, mask_later).labels["expansion_6ml"]  # doctest: +SKIP
        True
    """
    who = f"Case {case}: " if case else ""
    choice = Reading(label=label, segment=segment, all_labels=all_labels)
    baseline_mask, followup_mask = _haematomas(baseline_mask, followup_mask, choice, who)
    _check(baseline, followup, baseline_mask, followup_mask, who)
    before_ml, after_ml = _millilitres(baseline_mask), _millilitres(followup_mask)
    # Mutual information, not correlation: where one scan is cut off, correlation was off by up to 3 mm (phantoms).
    found = register(
        _clipped(baseline),
        _clipped(followup),
        transform="rigid",
        metric="mi",
        backend=backend,
        device=device,
        seed=seed,
        progress=part(progress, 0.0, 0.85),
    )
    say = part(progress, 0.85, 1.0)
    say(0.0, "Comparing the haematomas")
    grid = baseline.geometry
    seen = field_of_view(grid, followup.geometry, found.transform)
    laid = resample(followup, grid, transform=found.transform, fill=_AIR_HU)
    overlap = _skull_overlap(baseline.voxels, laid.voxels, seen)
    _check_overlap(overlap, who)
    before = resample_mask(baseline_mask, grid).union()
    after = resample_mask(followup_mask, grid, transform=found.transform).union()
    change = np.select([before & after, after, before], [STABLE, GROWN, SHRUNK], 0).astype(np.uint8)
    notes = [
        *(f"Baseline: {note}" for note in (*baseline.notes, *baseline_mask.notes)),
        *(f"Follow-up: {note}" for note in (*followup.notes, *followup_mask.notes)),
        *_view_notes(before, seen, after_ml, grid_ml=_grid_ml(after, grid), who=who),
        *_edge_notes(baseline_mask, "baseline"),
        *_edge_notes(followup_mask, "follow-up"),
        *_registration_notes(overlap),
        *(found.quality.warnings if found.quality else ()),
        *_volume_notes(before_ml, after_ml),
        *_density_notes(baseline, baseline_mask, "baseline"),
        *_density_notes(followup, followup_mask, "follow-up"),
    ]
    say(1.0, "Expansion measured")
    label_map = Mask(change, grid, "change of the haematoma", segments=CHANGES)
    laid = Volume(laid.voxels, grid, f"{followup.name} on the baseline".strip(), followup.source, followup.notes)
    return Expansion(found.transform, before_ml, after_ml, label_map, laid, overlap, found.backend, case, tuple(notes))


def _check_overlap(overlap: float, who: str) -> None:
    if overlap < _NO_OVERLAP:
        raise InputError(
            f"{who}the follow-up could not be laid onto the baseline: their skulls overlap by {overlap:.0%} (two scans "
            "of one head: 90 % and more). Are they of the same patient, are both head CTs, is left still left in both?"
        )


def _haematomas(baseline: Mask, followup: Mask, choice: Reading, who: str) -> tuple[Mask, Mask]:
    """The labels that are the haematoma in both masks."""
    try:
        if baseline.labels_present():
            baseline = choice.region(baseline, "the mask of the baseline")
        return baseline, followup_region(choice, followup, "the mask of the follow-up")
    except MaskError as error:
        raise MaskError(f"{who}{error}") from error


def followup_region(reading: Reading, mask: Mask, where: str) -> Mask:
    """The haematoma of a follow-up's mask as label 1; an empty mask stays empty: nothing is left of it.

    Raises:
        MaskError: the mask has labels and not the one named, or several and none is named.
    """
    if not mask.labels_present():
        return mask
    try:
        return reading.region(mask, where)
    except MaskError as error:
        if not reading.names_labels:
            raise
        raise MaskError(f"{error} Where the haematoma is gone, give an empty mask.") from error


def _check(baseline: Volume, followup: Volume, baseline_mask: Mask, followup_mask: Mask, who: str) -> None:
    same = baseline.geometry.is_close(followup.geometry)
    if same and np.array_equal(baseline.voxels, followup.voxels):
        raise InputError(f"{who}baseline and follow-up are the same image. Give two CTs of one patient.")
    if not baseline_mask.labels_present():
        raise MaskError(
            f"{who}the mask of the baseline is empty, so there is no haematoma to follow. Segment it, or give its mask."
        )
    for name, image, mask in (("baseline", baseline, baseline_mask), ("follow-up", followup, followup_mask)):
        where = np.argwhere(mask.union())[:, ::-1]
        if not len(where):
            continue
        index = image.geometry.physical_to_index(mask.geometry.index_to_physical(where))
        outside = ((index < -0.5) | (index > np.array(image.geometry.size) - 0.5)).any(axis=1).mean()
        if outside > _UNSEEN:
            raise GeometryError(
                f"{who}{outside:.0%} of the {name}'s mask lie outside its CT. Does the mask belong to this scan, or "
                "were the two masks swapped?"
            )


def _clipped(volume: Volume) -> Volume:
    voxels = np.clip(np.asarray(volume.voxels, np.float32), _AIR_HU, _DENSE_HU)
    return Volume(voxels, volume.geometry, volume.name)


def _millilitres(mask: Mask) -> float:
    """Volume of all labels on the mask's own grid."""
    return float(mask.union().sum() * np.prod(mask.geometry.spacing_mm) / 1000)


def _grid_ml(region: np.ndarray, grid: Geometry) -> float:
    return float(region.sum() * np.prod(grid.spacing_mm) / 1000)


def _skull_overlap(one: np.ndarray, other: np.ndarray, seen: np.ndarray) -> float:
    """Dice coefficient of bone where both images see; NaN where neither shows any."""
    first, second = (one > _BONE_HU) & seen, (other > _BONE_HU) & seen
    both = int(first.sum() + second.sum())
    return 2 * int((first & second).sum()) / both if both else float("nan")


def _view_notes(before: np.ndarray, seen: np.ndarray, after_ml: float, *, grid_ml: float, who: str) -> list[str]:
    """What the field of view of one scan hides of the haematoma in the other."""
    notes = []
    unseen = 1 - float(seen[before].mean()) if before.any() else 0.0
    if unseen > _UNSEEN:
        raise GeometryError(
            f"{who}the follow-up does not show {unseen:.0%} of the place where the haematoma was (another field of "
            "view), so its expansion cannot be measured. Give a follow-up that covers it."
        )
    if unseen > 0:
        notes.append(f"The follow-up's field of view misses {unseen:.1%} of the place of the haematoma.")
    if after_ml > 0 and grid_ml < (1 - _UNSEEN) * after_ml - 0.3:
        notes.append(
            f"The baseline's field of view shows {grid_ml:.1f} of the {after_ml:.1f} mL of the follow-up's haematoma: "
            "the map of the change is cut off, the volumes are not."
        )
    return notes


def _edge_notes(mask: Mask, name: str) -> list[str]:
    region = mask.union()
    if region[0].any() or region[-1].any():
        return [f"The haematoma reaches the first or last slice of the {name}: it may be larger than measured."]
    return []


def _registration_notes(overlap: float) -> list[str]:
    if np.isnan(overlap):
        return ["No skull is seen, so the registration could not be checked. Look at the registered follow-up."]
    if overlap < _POOR_OVERLAP:
        return [
            f"After registration the skulls overlap by {overlap:.0%} only (two scans of one head: 90 % and more): look "
            "at the registered follow-up. The volumes do not depend on it, the map of the change does."
        ]
    return []


def _volume_notes(before_ml: float, after_ml: float) -> list[str]:
    if after_ml == 0:
        return ["The mask of the follow-up is empty: was the haematoma removed, or was it not found?"]
    loss = before_ml - after_ml
    if loss > max(_SHRUNK_ML, _SHRUNK_SHARE * before_ml):
        return [f"The haematoma is {loss:.1f} mL smaller in the follow-up: are the two scans in the right order?"]
    return []


def _density_notes(image: Volume, mask: Mask, name: str) -> list[str]:
    """A mask of another scan covers brain, not blood."""
    labels = resample_mask(mask, image.geometry).union()
    if not labels.any():
        return []
    median = float(np.median(image.voxels[labels]))
    if _BLOOD_HU[0] <= median <= _BLOOD_HU[1]:
        return []
    return [
        f"The median density under the {name}'s mask is {median:.0f} HU; fresh blood has {_BLOOD_HU[0]:.0f} to "
        f"{_BLOOD_HU[1]:.0f}. Is it the mask of this scan?"
    ]
