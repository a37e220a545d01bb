"""What a reader of a prediction should know about this exam: each function returns sentences, or an empty list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.images import VIEWS
from deepradiomics.stats.outside import OUTSIDE_LIMIT, outside_sentence
from deepradiomics.words import count

if TYPE_CHECKING:
    from deepradiomics.fingerprint.apply.explain import Explanation
    from deepradiomics.fingerprint.model.bundle import FingerprintBundle
    from deepradiomics.images import Case, Volume
    from deepradiomics.prepare import PreparedExam, Recipe

_THICK = 2.0  # slices at least this many times thicker than pixels show how an image was acquired


def unlike_training(share: float | None) -> list[str]:
    """Say so when far more features than usual (a share, None if unknown) lie far from the training cohort's mean."""
    return [] if share is None or share <= OUTSIDE_LIMIT else [outside_sentence(share)]


def views_given(case: Case, recipe: Recipe) -> list[str]:
    """Name views that the model does not use, and images whose slices lie in another plane than their name says."""
    notes = [f"The view {view!r} is not used by this model." for view in case.views if view not in recipe.views]
    for view, volume in case.views.items():
        plane = _slice_plane(volume)
        if view in VIEWS and plane not in (None, view):
            notes.append(f"The image given as {view} has {plane} slices; were views exchanged?")
    return notes


def thin_region(exam: PreparedExam, case: Case, recipe: Recipe) -> list[str]:
    """Say so when a patch is thinner than a voxel of the reference view: its texture is then interpolation."""
    box, grid = exam.roi_box, case.views[recipe.reference_view].geometry
    patch_mm = np.array(box.size_mm) / np.array(recipe.patch_grid[::-1])
    # Length of a voxel of the scan along each edge of the region.
    voxel_mm = np.abs(np.asarray(box.axes).T @ grid.axes) @ np.array(grid.spacing_mm)
    if (patch_mm >= 0.999 * voxel_mm).all():
        return []
    return [
        f"A patch measures {' x '.join(f'{p:.2g}' for p in patch_mm)} mm, less than a voxel of the "
        f"{recipe.reference_view} view: its texture is made by interpolation, and the prediction should not be used."
    ]


def preparation_notes(case: Case, recipe: Recipe, trained: Recipe) -> list[str]:
    """What the views say of themselves, and a registration other than in training."""
    notes = [note for volume in case.views.values() for note in volume.notes]  # reformatted views say so here
    if recipe.registration != trained.registration:
        notes.append(
            f"The model was trained with registration {trained.registration!r}, here it is {recipe.registration!r}: "
            "patches may lie elsewhere than in training."
        )
    return notes


def feature_notes(diagnostics: Mapping[str, Any], found: Explanation) -> list[str]:
    """Remarks of the radiomics engine; those on grey levels, one a patch and view, are put into one sentence."""
    notes = [str(warning) for warning in diagnostics.get("warnings", ()) if "grey level" not in str(warning)]
    levels = np.array(diagnostics.get("grey_levels") or [], dtype=np.int64).ravel()
    few, many = int((levels < 16).sum()), int((levels > 128).sum())
    told = []
    if few:
        told.append(f"{few} of fewer than 16, where texture says little")
    if many:
        told.append(f"{many} of more than 128")
    if told:
        notes.append(
            f"Grey levels in the {count(levels.size, 'patch of a view', 'patches of all views')} range from "
            f"{levels.min()} to {levels.max()}: {' and '.join(told)}."
        )
    undefined = int((~np.isfinite(found.pool)).sum())
    if undefined:
        notes.append(
            f"Undefined for this exam, and counted as average (z = 0): {count(undefined, 'feature')} of the pool."
        )
    return notes


def selection_notes(model: FingerprintBundle, found: Explanation, inference: str) -> list[str]:
    """Say so when a fingerprint is empty: the prediction is then the intercept."""
    limits = model.thresholds.vector(model.tasks)
    empty = [
        t.readable for t, q, limit in zip(model.tasks, found.relevance, limits, strict=True) if not (q >= limit).any()
    ]
    if not empty or inference == "soft":
        return []
    return [
        f"{name}: no feature reaches the relevance threshold in this patient, so the fingerprint is empty and the "
        "prediction rests on the intercept alone."
        for name in empty
    ]


def _slice_plane(volume: Volume) -> str | None:
    spacing = np.array(volume.geometry.spacing_mm)
    thick = int(spacing.argmax())
    if spacing[thick] < _THICK * np.delete(spacing, thick).max():
        return None
    return ("sagittal", "coronal", "axial")[int(np.abs(volume.geometry.axes[:, thick]).argmax())]
