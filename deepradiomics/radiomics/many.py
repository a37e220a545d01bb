"""extract_labels and extract_many: many regions in one call, with the work that they share done once.

One image is read and normalised once for all labels of its mask. Where it is neither resampled nor cropped, each filter
also runs once, over the box that holds all regions; otherwise every label has a grid of its own, as in PyRadiomics.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any, Literal

import SimpleITK as sitk

from deepradiomics.errors import DeepRadiomicsError, InputError, MaskError
from deepradiomics.images import ImageLike, LabelChoice, MaskLike, Volume
from deepradiomics.progress import Progress, part, silent
from deepradiomics.radiomics.extract import chosen_settings
from deepradiomics.radiomics.ibsi import ibsi_features_of, loaded_again
from deepradiomics.radiomics.image_types import Effort, features_of
from deepradiomics.radiomics.many_result import Errors, LabelFeatures, ManyFeatures, check_errors, report_failures
from deepradiomics.radiomics.memory import Budget
from deepradiomics.radiomics.region.inputs import Inputs, load, plane_settings
from deepradiomics.radiomics.region.preprocess import Prepared, prepare_region
from deepradiomics.radiomics.region.regions import RegionChoice
from deepradiomics.radiomics.result import Features
from deepradiomics.radiomics.settings.settings import Settings
from deepradiomics.threads import map_ahead, thread_count

Labels = Sequence[int] | Literal["all"] | None


def extract_labels(
    image: ImageLike,
    mask: MaskLike,
    params: Any = None,
    *,
    labels: Labels = None,
    segment: str | None = None,
    device: str = "auto",
    standard: str | None = None,
    threads: int | None = None,
    max_memory_gb: float | None = None,
    progress: Progress | None = None,
) -> LabelFeatures:
    """Compute the features of many labels of one mask; each equals what :func:`extract` gives for it.

    Args:
        image, mask, params, device, standard, threads, max_memory_gb: as for :func:`extract`.
        labels: the labels wanted; None or ``all`` takes every label of the mask.
        segment: the name of the one segment wanted, instead of ``labels``.
        progress: told how far the work is; it may raise :class:`deepradiomics.errors.Cancelled`.

    Returns:
        Features by label. A label that cannot be used (too small, too many grey levels) is left out, and the reason
        stands in ``.skipped``.

    Raises:
        InputError: the image or a setting cannot be used.
        MaskError: the mask is empty, or none of its labels can be used; the message holds the first reason.

    >>> features = extract_labels("image.nii.gz", "segmentation.nii.gz")
    >>> features[2]["original_shape_VoxelVolume"], features.skipped
    (120.0, {})
    """
    settings = chosen_settings(params, None, standard)
    effort = Effort(device, thread_count(threads), Budget(max_memory_gb))
    if segment is not None and labels is not None:
        raise InputError("labels and segment: give one of them.")
    wanted = _checked_labels("all" if labels is None else labels)
    choice = RegionChoice(segment=segment)
    inputs = load(image, mask, settings)
    if segment is not None:
        wanted = choice.labels(inputs.mask).labels
    return labels_of_loaded(inputs, settings, wanted, effort, progress or silent)


def extract_many(
    pairs: Iterable[tuple[ImageLike, MaskLike]],
    params: Any = None,
    *,
    labels: Labels = None,
    segment: str | None = None,
    device: str = "auto",
    standard: str | None = None,
    threads: int | None = None,
    max_memory_gb: float | None = None,
    errors: Errors = "warn",
    progress: Progress | None = None,
) -> ManyFeatures:
    """Compute the features of many images, each with its mask; an image that cannot be used stops no other.

    Args:
        pairs: (image, mask) in any form that :func:`extract` takes; read one by one, side by side in threads.
        params, device, standard, threads, max_memory_gb: as for :func:`extract`.
        labels: the labels wanted of each mask, ``all`` for every one; None takes the label of a parameter file or
            dictionary (1 where it is silent), and without parameters, or with a preset, each mask's only label.
        segment: the name of the segment wanted of each mask, instead of ``labels``.
        errors: what becomes of a pair or label that cannot be used: ``warn`` (one UserWarning at the end), ``raise``
            (stop at the first), ``keep`` (say nothing). With ``warn`` and ``keep`` the reasons are in the result.
        progress: told how far the work is; it may raise :class:`deepradiomics.errors.Cancelled`.

    Returns:
        A list of one :class:`LabelFeatures` a pair, in their order; ``.error`` says why a pair gave nothing,
        ``.to_frame()`` makes a pandas data frame, ``.failures`` lists all reasons.

    Raises:
        InputError: a setting cannot be used, or, with ``errors="raise"``, a pair or label cannot.

    >>> features = extract_many([("image.nii.gz", "mask.nii.gz"), ("image.nii.gz", "mask.nii.gz")])
    >>> features[1][1]["original_shape_VoxelVolume"]  # second pair, label 1
    240.0
    """
    check_errors(errors)
    settings = chosen_settings(params, None, standard)
    report, todo = progress or silent, _checked_pairs(pairs)
    effort = Effort(device, thread_count(threads), Budget(max_memory_gb))
    together = 1 if device.startswith("cuda") else max(1, min(effort.threads, len(todo)))
    inner = replace(effort, threads=max(1, effort.threads // together))
    if segment is not None and labels is not None:
        raise InputError("labels and segment: give one of them.")
    choice = RegionChoice.of(params, segment=segment)
    named = None if labels is None else _checked_labels(labels)

    def compute(numbered: tuple[int, tuple[ImageLike, MaskLike]]) -> LabelFeatures:
        number, (image, mask) = numbered
        try:
            inputs = load(image, mask, settings)
            chosen = choice.labels(inputs.mask) if named is None else LabelChoice(())
            inputs = replace(inputs, notes=(*inputs.notes, *chosen.notes))
            return labels_of_loaded(inputs, settings, named or chosen.labels, inner, silent)
        except InputError as error:
            if errors == "raise":
                raise type(error)(f"pair {number}: {error}") from error
            return LabelFeatures({}, error=f"pair {number}: {error}")
        except DeepRadiomicsError as error:
            if errors == "raise":
                raise
            return LabelFeatures({}, error=f"pair {number}: {error}")

    results = ManyFeatures()
    for features in map_ahead(compute, enumerate(todo, start=1), together):
        results.append(features)
        if errors == "raise" and results.failures:
            raise MaskError(results.failures[0])
        report(len(results) / len(todo), f"features of image {len(results)} of {len(todo)}")
    if errors == "warn":
        report_failures(results)
    return results


def labels_of_loaded(
    inputs: Inputs, settings: Settings, labels: Sequence[int] | Literal["all"], effort: Effort, report: Progress
) -> LabelFeatures:
    """Compute labels of what :func:`deepradiomics.radiomics.region.inputs.load` gave; see :func:`extract_labels`.

    Each is prepared, then those are worked on together that share the image.
    """
    name = inputs.mask.name or "mask"
    labels = _checked_labels(labels)
    everything = inputs.mask.labels_present() if isinstance(labels, str) else tuple(dict.fromkeys(labels))
    if not everything:
        raise MaskError(f"{name}: it is empty, no voxel has a label. Draw a region first.")
    results: dict[int, Features | DeepRadiomicsError] = {
        label: MaskError(f"{name}: label {label} cannot name a region, as in PyRadiomics; give it one above 0.")
        for label in everything
        if label < 1
    }
    wanted = [label for label in everything if label not in results]
    if settings.standard == "ibsi":
        results |= _ibsi(inputs, settings, wanted, effort, report) if wanted else {}
        return _checked(results, name, inputs.notes)
    settings = plane_settings(settings, inputs.dimensions)
    groups: dict[int, list[tuple[Settings, Prepared]]] = {}
    for count, label in enumerate(wanted):
        report(0.2 * count / len(wanted), f"label {label}")
        label_settings = settings.with_label(label)
        try:
            region = prepare_region(inputs, label_settings, effort.threads, effort.budget)
        except DeepRadiomicsError as error:
            results[label] = error
            continue
        groups.setdefault(id(region.image), []).append((label_settings, region))
        if region.image is not inputs.image:  # a grid of its own: compute now, keep nothing
            results |= _group(groups.pop(id(region.image)), effort)
    for members in groups.values():
        results |= _group(members, effort, part(report, 0.2, 1.0))
    report(1.0, "features")
    return _checked({label: results[label] for label in everything}, name, inputs.notes)


def _checked_labels(labels: Any) -> tuple[int, ...] | Literal["all"]:
    """Labels as a tuple of whole numbers, or ``all``; one number alone is a list of one."""
    if isinstance(labels, str) and labels == "all":
        return "all"
    listed_labels = [labels] if isinstance(labels, Real) else labels
    is_list = not isinstance(listed_labels, str | Mapping) and isinstance(listed_labels, Iterable)
    listed = list(listed_labels) if is_list else []
    if not is_list or any(isinstance(v, bool) or not isinstance(v, Real) or not float(v).is_integer() for v in listed):
        raise InputError(f"labels: expected whole numbers such as [1, 2], 'all' or None, got {labels!r}.")
    if not listed:
        raise InputError("labels: the list is empty. Name at least one label, or give 'all' for every one.")
    return tuple(int(v) for v in listed)


def _checked_pairs(pairs: Any) -> list[tuple[ImageLike, MaskLike]]:
    """The pairs as a list; an image cannot be taken for a pair."""
    what = "pairs: expected a list of (image, mask), such as [('a.nii', 'a-mask.nii')]"
    single = (str, os.PathLike, Mapping, Volume, sitk.Image)
    if isinstance(pairs, single) or not isinstance(pairs, Iterable):
        raise InputError(f"{what}, got {type(pairs).__name__}.")
    listed = list(pairs)
    for number, pair in enumerate(listed, start=1):
        if isinstance(pair, single) or not isinstance(pair, Sequence):
            raise InputError(f"{what}; number {number} is one {type(pair).__name__}: bracket it with its mask.")
        if len(pair) != 2:
            raise InputError(f"{what}; number {number} holds {len(pair)} things. A label goes into labels=[…].")
    return [(image, mask) for image, mask in listed]


def _group(
    members: Sequence[tuple[Settings, Prepared]], effort: Effort, report: Progress = silent
) -> dict[int, Features | DeepRadiomicsError]:
    results = features_of(
        [region for _, region in members], [label_settings for label_settings, _ in members], effort, report
    )
    return {label_settings.label: result for (label_settings, _), result in zip(members, results, strict=True)}


def _ibsi(
    inputs: Inputs, settings: Settings, wanted: Sequence[int], effort: Effort, report: Progress
) -> dict[int, Features | DeepRadiomicsError]:
    results = ibsi_features_of(
        loaded_again(inputs, settings), [settings.with_label(label) for label in wanted], effort, report
    )
    return dict(zip(wanted, results, strict=True))


def _checked(results: Mapping[int, Features | DeepRadiomicsError], name: str, notes: Sequence[str]) -> LabelFeatures:
    """Part features from reasons; when there are reasons only, raise."""
    good = {label: results[label] for label in sorted(results) if isinstance(results[label], Features)}
    skipped = {label: str(results[label]) for label in sorted(results) if label not in good}
    if not good:
        first, why = next(iter(skipped.items()))
        raise MaskError(f"{name}: none of the labels {list(skipped)} can be used; label {first}: {why}")
    for features in good.values():
        features.diagnostics["notes"] = list(notes)  # type: ignore[union-attr]
    return LabelFeatures(good, skipped, notes=notes)  # type: ignore[arg-type]
