"""Apply a trained fingerprint model to one exam.

Case ─ reformat missing views ─ prepare ─ radiomic pool ─ relevance, prediction, contributions ─ maps ─ result
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from deepradiomics.cohort.extraction import exam_features
from deepradiomics.devices import resolve_device
from deepradiomics.errors import BundleError, InputError
from deepradiomics.fingerprint.apply.explain import explain, gradcam_of, patch_contribution, patch_relevance, rows_of
from deepradiomics.fingerprint.apply.prediction import RunFacts, beyond_training, prediction_of
from deepradiomics.fingerprint.apply.remarks import (
    feature_notes,
    preparation_notes,
    selection_notes,
    thin_region,
    unlike_training,
    views_given,
)
from deepradiomics.fingerprint.apply.result import FingerprintResult
from deepradiomics.fingerprint.model.bundle import load_fingerprint
from deepradiomics.fingerprint.model.pool import differences
from deepradiomics.images import Case, Geometry, Volume
from deepradiomics.options import check_choice
from deepradiomics.prepare import Box, PreparedExam, Recipe, paint_map, paint_patches, prepare_exam, reformat
from deepradiomics.prepare.exam.recipe import RegistrationBackend, RegistrationMode
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line

if TYPE_CHECKING:
    import numpy as np

    from deepradiomics.fingerprint.model.bundle import FingerprintBundle

InferenceMode = Literal["paper", "masked", "soft"]


@one_line
@dataclass(frozen=True, eq=False)
class FingerprintRequest:
    """One exam and what is asked of it.

    Args:
        case: views by name; at least one. Its mask is needed for ``roi_label`` alone.
        roi: region of interest, a box in the reference view's physical space (LPS).
        roi_label: label of the case's mask that is the region; features are then taken within it.
        registration: off, reference or template; the bundle's choice by default.
        registration_backend: auto, cpu or gpu; the bundle's choice by default.
        inference: ``paper`` f ⊙ 1[q ≥ T], ``masked`` f ⊙ q ⊙ 1[q ≥ T], or ``soft`` f ⊙ q.
        reformat_missing: make views that the model needs and the case lacks from one that it has; noted in the result.

    Raises:
        InputError: ``inference`` is unknown.
    """

    case: Case
    roi: Box | None = None
    roi_label: int | None = None
    registration: RegistrationMode | None = None
    registration_backend: RegistrationBackend | None = None
    inference: InferenceMode = "paper"
    reformat_missing: bool = True

    def __post_init__(self) -> None:
        check_choice("inference", self.inference, get_args(InferenceMode))

    def recipe(self, trained: Recipe) -> Recipe:
        """The model's recipe, with the registration that is asked for."""
        changes = {"registration": self.registration, "registration_backend": self.registration_backend}
        return trained.updated({name: value for name, value in changes.items() if value is not None})

    @property
    def region(self) -> str:
        """The region of interest for the methods paragraph; empty where the recipe's central block is taken."""
        if self.roi is not None:
            return "a region of interest given as a box"
        if self.roi_label is not None:
            return "the block around a given segment, features within the segment,"
        return ""


def apply_fingerprint(
    request: FingerprintRequest,
    bundle: str | Path | FingerprintBundle,
    *,
    device: str = "auto",
    progress: Progress | None = None,
) -> FingerprintResult:
    """Predict, and say which features decided and where they lie.

    Args:
        request: the exam and what is asked of it.
        bundle: folder of a trained model, or the loaded model.
        device: auto, cpu, cuda or mps, of the network.
        progress: may raise Cancelled.

    Raises:
        BundleError: the bundle is damaged or does not fit this version.
        InputError: views are missing, the region lies outside, an image is unusable, or an argument is unknown.
        MissingDependencyError: torch, monai or safetensors is not installed.

    Example:
        >>> request = FingerprintRequest(Case("knee", {"sagittal": read_volume("knee.nii.gz")}))  # doctest: +SKIP
        >>> apply_fingerprint(request, "bundle").prediction["tasks"]["acl"]["probability"]  # doctest: +SKIP
    """
    started = time.perf_counter()
    report = part(progress, 0.0, 1.0)
    report(0.0, "loading the model")
    where = resolve_device(device)
    model = load_fingerprint(bundle) if isinstance(bundle, str | Path) else bundle
    case, recipe, reformatted, notes = _with_views(request, model)
    exam = prepare_exam(
        case,
        recipe,
        templates=model.templates,
        roi=request.roi,
        roi_label=request.roi_label,
        progress=part(progress, 0.05, 0.6),
    )
    report(0.6, "radiomic features")
    features = exam_features(exam, recipe, device=where if where in ("cpu", "cuda") else "auto")
    _same_features(features.feature_names, model)
    pool = model.layout.flatten(features.values[None])[0]
    report(0.75, "relevance and prediction")
    explained = explain(model, exam.image, pool, request.inference, where)
    cams = gradcam_of(model, exam.image, explained.z, explained.explained, where)
    if request.roi_label is not None and case.mask is not None:
        notes += case.mask.notes
    notes += [
        *exam.notes,
        *thin_region(exam, case, recipe),
        *unlike_training(beyond_training(model, explained)),
        *feature_notes(features.diagnostics, explained),
        *selection_notes(model, explained, request.inference),
    ]
    report(0.9, "painting maps")
    shares = patch_relevance(model, explained)
    target = case.views[recipe.reference_view].geometry
    relevance = {
        task.name: replace(paint_patches(shares[t], exam, target, recipe.reference_view), name=f"{task.name} relevance")
        for t, task in enumerate(model.tasks)
    }
    gradcam, remarks = _painted_cams(cams, model, exam, target, recipe.reference_view)
    about = RunFacts(
        request.inference,
        where,
        request.region or _central(recipe),
        tuple(dict.fromkeys([*notes, *remarks])),
        reformatted,
        started,
    )
    prediction = prediction_of(
        model, case, exam, recipe, explained, shares, patch_contribution(model, explained), about
    )
    report(1.0, "done")
    return FingerprintResult(prediction, rows_of(model, explained), relevance, gradcam, exam, case)


def _with_views(
    request: FingerprintRequest, model: FingerprintBundle
) -> tuple[Case, Recipe, dict[str, str], list[str]]:
    """The case with the views that the model needs, how it is prepared, which views were reformatted, and notes."""
    recipe = request.recipe(model.config.recipe)
    if recipe.registration == "template" and model.templates is None:
        raise InputError("registration='template': this bundle holds no templates; choose 'off' or 'reference'.")
    remarks = views_given(request.case, recipe)
    case, reformatted = complete(request.case, recipe, request.reformat_missing)
    notes = remarks + preparation_notes(case, recipe, model.config.recipe)
    one_image = len(recipe.views) > 1 and len(reformatted) == len(recipe.views) - 1
    if recipe.registration == "reference" and one_image:
        recipe = replace(recipe, registration="off")
        notes.append("All views come from one image and lie on each other already, so none was registered.")
    return case, recipe, reformatted, notes


def _painted_cams(
    cams: np.ndarray | None, model: FingerprintBundle, exam: PreparedExam, target: Geometry, reference: str
) -> tuple[dict[str, Volume], list[str]]:
    """Grad-CAM of each task on the reference view's grid, and what is missing of it."""
    if cams is None:
        return {}, ["This model has no relevance network (control without selection): there is no Grad-CAM."]
    maps, notes = {}, []
    for cam, task in zip(cams, model.tasks, strict=True):
        maps[task.name] = replace(paint_map(cam, exam, target, reference), name=f"{task.name} Grad-CAM")
        if not cam.any():
            notes.append(f"{task.readable}: Grad-CAM is empty, no map of the network speaks for the logit.")
    return maps, notes


def complete(case: Case, recipe: Recipe, reformat_missing: bool = True) -> tuple[Case, dict[str, str]]:
    """Return the case with exactly the views that the recipe needs, and which were reformatted from which.

    Missing views are made from the reference view where it is given, else from the first view given.

    Raises:
        InputError: views are missing and may not be reformatted, or none of those given is needed.
    """
    missing = [view for view in recipe.views if view not in case.views]
    there = [view for view in recipe.views if view in case.views]
    if missing and (not reformat_missing or not there):
        raise InputError(
            f"Case {case.id}: the model needs the views {', '.join(recipe.views)}; missing: {', '.join(missing)}, "
            f"given: {', '.join(case.views)}. Give at least one of them by its name; others can be reformatted from it."
        )
    source = recipe.reference_view if recipe.reference_view in there else (there or [""])[0]
    views = {
        view: case.views[view] if view in case.views else reformat(case.views[source], view) for view in recipe.views
    }
    return Case(case.id, views, case.mask), dict.fromkeys(missing, source)


def _same_features(names: tuple[str, ...], model: FingerprintBundle) -> None:
    if tuple(names) != model.layout.features:
        raise BundleError(
            f"{model.path or 'bundle'}: the features computed are not those of the bundle: "
            f"{differences(model.layout.features, names)}. Train the bundle again with this version."
        )


def _central(recipe: Recipe) -> str:
    fractions = " × ".join(f"{100 * part:g} %" for part in recipe.roi_fractions)
    return f"the central {fractions} (z × y × x)"
