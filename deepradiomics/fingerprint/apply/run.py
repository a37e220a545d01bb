"""Apply a trained fingerprint model to one exam.

Case ─ reformat missing views ─ prepare ─ radiomic pool ─ relevance, prediction, contributions ─ maps ─ result
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from deepradiomics.devices import resolve_device
from deepradiomics.errors import InputError
from deepradiomics.fingerprint.remarks import (
    feature_notes,
    preparation_notes,
    selection_notes,
    thin_region,
    unlike_training,
    views_given,
)
from deepradiomics.fingerprint.result import FingerprintResult
from deepradiomics.images import Case
from deepradiomics.progress import Progress, part

if TYPE_CHECKING:
    from deepradiomics.fingerprint.stored import FingerprintBundle
    from deepradiomics.prepare import Box, Recipe

InferenceMode = Literal["paper", "masked", "soft"]


def apply(
    case: Case,
    bundle: str | Path | FingerprintBundle,
    *,
    roi: Box | None = None,
    roi_label: int | None = None,
    registration: Literal["off", "reference", "template"] | None = None,
    registration_backend: Literal["auto", "cpu", "gpu"] | None = None,
    inference: InferenceMode = "paper",
    device: str = "auto",
    reformat_missing: bool = True,
    progress: Progress | None = None,
) -> FingerprintResult:
    """Predict, and say which features decided and where they lie.

    Args:
        case: views by name; at least one. Its mask is needed for ``roi_label`` alone.
        bundle: folder of a trained model, or the loaded model.
        roi: region of interest, a box in the reference view's physical space (LPS).
        roi_label: label of the case's mask that is the region; features are then taken within it.
        registration: off, reference or template; the bundle's choice by default.
        registration_backend: auto, cpu or gpu; the bundle's choice by default.
        inference: ``paper`` f ⊙ 1[q ≥ T], ``masked`` f ⊙ q ⊙ 1[q ≥ T], or ``soft`` f ⊙ q.
        device: auto, cpu, cuda or mps, of the network.
        reformat_missing: make views that the model needs and the case lacks from one that it has; noted in the result.
        progress: may raise Cancelled.

    Raises:
        BundleError: the bundle is damaged or does not fit this version.
        InputError: views are missing, the region lies outside, an image is unusable, or an argument is unknown.
        MissingDependencyError: torch, monai or safetensors is not installed.

    Example:
        >>> result = apply(Case("knee", {"sagittal": read_volume("knee.nii.gz")}), "bundle")  # doctest: +SKIP
        >>> result.prediction["tasks"]["acl"]["probability"]  # doctest: +SKIP
    """
    started = time.perf_counter()
    if inference not in get_args(InferenceMode):
        raise InputError(f"inference: expected one of {', '.join(get_args(InferenceMode))}, got {inference!r}.")
    say = part(progress, 0.0, 1.0)
    say(0.0, "loading the model")
    where = resolve_device(device)

    from deepradiomics.cohort.extraction import exam_features
    from deepradiomics.fingerprint.explain import explain, gradcam_of, patch_contribution, patch_relevance, rows_of
    from deepradiomics.fingerprint.prediction import RunFacts, beyond_training, prediction_of
    from deepradiomics.fingerprint.stored import load_fingerprint
    from deepradiomics.prepare import paint_map, paint_patches, prepare_exam

    model = load_fingerprint(bundle) if isinstance(bundle, str | Path) else bundle
    given = {"registration": registration, "registration_backend": registration_backend}
    recipe = replace(model.config.recipe, **{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]
    if recipe.registration == "template" and model.templates is None:
        raise InputError("registration='template': this bundle holds no templates; choose 'off' or 'reference'.")
    remarks = views_given(case, recipe)
    case, reformatted = complete(case, recipe, reformat_missing)
    notes = remarks + preparation_notes(case, recipe, model.config.recipe)
    one_image = len(recipe.views) > 1 and len(reformatted) == len(recipe.views) - 1
    if recipe.registration == "reference" and one_image:
        recipe = replace(recipe, registration="off")
        notes.append("All views come from one image and lie on each other already, so none was registered.")

    exam = prepare_exam(
        case, recipe, templates=model.templates, roi=roi, roi_label=roi_label, progress=part(progress, 0.05, 0.6)
    )
    say(0.6, "radiomic features")
    features = exam_features(exam, recipe, device=where if where in ("cpu", "cuda") else "auto")
    _same_features(features.feature_names, model)
    pool = model.layout.flatten(features.values[None])[0]
    say(0.75, "relevance and prediction")
    found = explain(model, exam.image, pool, inference, where)
    cams = gradcam_of(model, exam.image, found.z, found.explained, where)
    notes += [
        *exam.notes,
        *thin_region(exam, case, recipe),
        *unlike_training(beyond_training(model, found)),
        *feature_notes(features.diagnostics, found),
        *selection_notes(model, found, inference),
    ]
    if cams is None:
        notes.append("This model has no relevance network (control without selection): there is no Grad-CAM.")

    say(0.9, "painting maps")
    reference = recipe.reference_view
    target = case.views[reference].geometry
    shares = patch_relevance(model, found)
    names = [task.name for task in model.tasks]
    relevance = {
        name: replace(paint_patches(shares[t], exam, target, reference), name=f"{name} relevance")
        for t, name in enumerate(names)
    }
    gradcam = {}
    for t, name in enumerate(names if cams is not None else []):
        assert cams is not None
        gradcam[name] = replace(paint_map(cams[t], exam, target, reference), name=f"{name} Grad-CAM")
        if not cams[t].any():
            notes.append(f"{model.tasks[t].readable}: Grad-CAM is empty, no map of the network speaks for the logit.")
    about = RunFacts(
        inference, where, _region(roi, roi_label, recipe), tuple(dict.fromkeys(notes)), reformatted, started
    )
    prediction = prediction_of(model, case, exam, recipe, found, shares, patch_contribution(model, found), about)
    say(1.0, "done")
    return FingerprintResult(prediction, rows_of(model, found), relevance, gradcam, exam, case)


def complete(case: Case, recipe: Recipe, reformat_missing: bool = True) -> tuple[Case, dict[str, str]]:
    """Return the case with exactly the views that the recipe needs, and which were reformatted from which.

    Missing views are made from the reference view where it is given, else from the first view given.

    Raises:
        InputError: views are missing and may not be reformatted, or none of those given is needed.
    """
    from deepradiomics.prepare import reformat

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
    from deepradiomics.errors import BundleError
    from deepradiomics.fingerprint.pool import differences

    if tuple(names) != model.layout.features:
        raise BundleError(
            f"{model.path or 'bundle'}: the features computed are not those of the bundle: "
            f"{differences(model.layout.features, names)}. Train the bundle again with this version."
        )


def _region(roi: Box | None, roi_label: int | None, recipe: Recipe) -> str:
    if roi is not None:
        return "a region of interest given as a box"
    if roi_label is not None:
        return "the block around a given segment, features within the segment,"
    fractions = " × ".join(f"{100 * part:g} %" for part in recipe.roi_fractions)
    return f"the central {fractions} (z × y × x)"
