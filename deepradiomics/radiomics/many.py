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
from deepradiomics.images import Volume
from deepradiomics.progress import Progress, part, silent
from deepradiomics.radiomics.extract import chosen_settings
from deepradiomics.radiomics.image_types import Effort, features_of
from deepradiomics.radiomics.inputs import Inputs, load, plane_settings
from deepradiomics.radiomics.memory import Budget
from deepradiomics.radiomics.preprocess import Prepared, prepare_region
from deepradiomics.radiomics.result import Features
from deepradiomics.radiomics.settings import Settings
from deepradiomics.radiomics.threads import map_ahead, thread_count

Labels = Sequence[int] | Literal["all"] | None


class LabelFeatures(dict[int, Features]):
    """Features by label, in ascending order of the labels.

    Attributes:
        skipped: for each label that could not be used, the reason.
        error: why the whole image could not be used; empty where it could.
    """

    def __init__(
        self, found: Mapping[int, Features], skipped: Mapping[int, str] | None = None, error: str = ""
    ) -> None:
        super().__init__(found)
        self.skipped: dict[int, str] = dict(skipped or {})
        self.error = error


def extract_labels(
    image: Any,
    mask: Any,
    params: Any = None,
    *,
    labels: Labels = None,
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
        progress: told how far the work is; it may raise :class:`deepradiomics.errors.Cancelled`.

    Returns:
        Features by label. A label that cannot be used (too small, too many grey levels) is left out, and the reason
        stands in ``.skipped``.

    Raises:
        InputError: the image or a setting cannot be used.
        MaskError: the mask is empty, or none of its labels can be used; the message holds the first reason.

    >>> found = extract_labels("image.nii.gz", "segmentation.nii.gz")  # doctest: +SKIP
    >>> found[2]["original_shape_MeshVolume"], found.skipped  # doctest: +SKIP
    """
    settings = chosen_settings(params, None, standard)
    effort = Effort(device, thread_count(threads), Budget(max_memory_gb))
    wanted = _checked_labels("all" if labels is None else labels)
    return labels_of_loaded(load(image, mask, settings), settings, wanted, effort, progress or silent)


def extract_many(
    pairs: Iterable[tuple[Any, Any]],
    params: Any = None,
    *,
    labels: Labels = None,
    device: str = "auto",
    standard: str | None = None,
    threads: int | None = None,
    max_memory_gb: float | None = None,
    progress: Progress | None = None,
) -> list[LabelFeatures]:
    """Compute the features of many images, each with its mask; an image that cannot be used stops no other.

    Args:
        pairs: (image, mask) in any form that :func:`extract` takes; read one by one, side by side in threads.
        params, device, standard, threads, max_memory_gb: as for :func:`extract`.
        labels: the labels wanted of each mask, ``all`` for every one, or None for the settings' label (1 by default).
        progress: told how far the work is; it may raise :class:`deepradiomics.errors.Cancelled`.

    Returns:
        One :class:`LabelFeatures` a pair, in their order; ``.error`` says why a pair gave nothing.

    Raises:
        InputError: a setting cannot be used.

    >>> found = extract_many([("a.nii", "a-mask.nii"), ("b.nii", "b-mask.nii")])  # doctest: +SKIP
    >>> found[1][1]["original_glcm_Contrast"]  # doctest: +SKIP
    """
    settings = chosen_settings(params, None, standard)
    report, todo = progress or silent, _checked_pairs(pairs)
    effort = Effort(device, thread_count(threads), Budget(max_memory_gb))
    together = 1 if device.startswith("cuda") else max(1, min(effort.threads, len(todo)))
    inner = replace(effort, threads=max(1, effort.threads // together))
    wanted = _checked_labels((settings.label,) if labels is None else labels)

    def compute(numbered: tuple[int, tuple[Any, Any]]) -> LabelFeatures:
        number, (image, mask) = numbered
        try:
            return labels_of_loaded(load(image, mask, settings), settings, wanted, inner, silent)
        except DeepRadiomicsError as error:
            return LabelFeatures({}, error=f"pair {number}: {error}")

    found: list[LabelFeatures] = []
    for one in map_ahead(compute, enumerate(todo, start=1), together):
        found.append(one)
        report(len(found) / len(todo), f"features of image {len(found)} of {len(todo)}")
    return found


def labels_of_loaded(
    inputs: Inputs, settings: Settings, labels: Sequence[int] | Literal["all"], effort: Effort, report: Progress
) -> LabelFeatures:
    """Compute labels of what :func:`deepradiomics.radiomics.inputs.load` gave; see :func:`extract_labels`.

    Each is prepared, then those are worked on together that share the image.
    """
    name = inputs.mask.name or "mask"
    labels = _checked_labels(labels)
    everything = inputs.mask.labels_present() if isinstance(labels, str) else tuple(dict.fromkeys(labels))
    if not everything:
        raise MaskError(f"{name}: it is empty, no voxel has a label. Draw a region first.")
    found: dict[int, Features | DeepRadiomicsError] = {
        label: MaskError(f"{name}: label {label} cannot name a region, as in PyRadiomics; give it one above 0.")
        for label in everything
        if label < 1
    }
    wanted = [label for label in everything if label not in found]
    if settings.standard == "ibsi":
        return _checked(found | (_ibsi(inputs, settings, wanted, effort, report) if wanted else {}), name)
    settings = plane_settings(settings, inputs.dimensions)
    groups: dict[int, list[tuple[Settings, Prepared]]] = {}
    for count, label in enumerate(wanted):
        report(0.2 * count / len(wanted), f"label {label}")
        own = settings.with_label(label)
        try:
            region = prepare_region(inputs, own, effort.threads, effort.budget)
        except DeepRadiomicsError as error:
            found[label] = error
            continue
        groups.setdefault(id(region.image), []).append((own, region))
        if region.image is not inputs.image:  # a grid of its own: compute now, keep nothing
            found |= _group(groups.pop(id(region.image)), effort)
    for members in groups.values():
        found |= _group(members, effort, part(report, 0.2, 1.0))
    report(1.0, "features")
    return _checked({label: found[label] for label in everything}, name)


def _checked_labels(labels: Any) -> tuple[int, ...] | Literal["all"]:
    """Labels as a tuple of whole numbers, or ``all``; one number alone is a list of one."""
    if isinstance(labels, str) and labels == "all":
        return "all"
    given = [labels] if isinstance(labels, Real) else labels
    whole = not isinstance(given, str | Mapping) and isinstance(given, Iterable)
    listed = list(given) if whole else []
    if not whole or any(isinstance(v, bool) or not isinstance(v, Real) or not float(v).is_integer() for v in listed):
        raise InputError(f"labels: expected whole numbers such as [1, 2], 'all' or None, got {labels!r}.")
    if not listed:
        raise InputError("labels: the list is empty. Name at least one label, or give 'all' for every one.")
    return tuple(int(v) for v in listed)


def _checked_pairs(pairs: Any) -> list[tuple[Any, Any]]:
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
    results = features_of([region for _, region in members], [own for own, _ in members], effort, report)
    return {own.label: result for (own, _), result in zip(members, results, strict=True)}


def _ibsi(
    inputs: Inputs, settings: Settings, wanted: Sequence[int], effort: Effort, report: Progress
) -> dict[int, Features | DeepRadiomicsError]:
    from deepradiomics.radiomics.ibsi import ibsi_features_of, loaded_again

    found = ibsi_features_of(
        loaded_again(inputs, settings), [settings.with_label(label) for label in wanted], effort, report
    )
    return dict(zip(wanted, found, strict=True))


def _checked(found: Mapping[int, Features | DeepRadiomicsError], name: str) -> LabelFeatures:
    """Part features from reasons; when there are reasons only, raise."""
    good = {label: found[label] for label in sorted(found) if isinstance(found[label], Features)}
    skipped = {label: str(found[label]) for label in sorted(found) if label not in good}
    if not good:
        first, why = next(iter(skipped.items()))
        raise MaskError(f"{name}: none of the labels {list(skipped)} can be used; label {first}: {why}")
    return LabelFeatures(good, skipped)  # type: ignore[arg-type]
