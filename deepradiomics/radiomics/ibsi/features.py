"""ibsi_features: the features of one region, or of several labels of one image, as IBSI defines them.

Labels share what was read and interpolated, and each filter, which runs once over the box that holds all of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.images import ImageLike, MaskLike, Volume
from deepradiomics.progress import Progress, silent
from deepradiomics.radiomics.catalogue.ibsi import FAMILIES, key_of
from deepradiomics.radiomics.compute import counting_backend
from deepradiomics.radiomics.ibsi.morphology import morphology
from deepradiomics.radiomics.ibsi.preparation import discretise, loaded, prepare_inputs, refuse
from deepradiomics.radiomics.ibsi.statistics import statistics
from deepradiomics.radiomics.ibsi.texture import texture_features
from deepradiomics.radiomics.image_types import Box, Effort, filtered_images, union_box, within
from deepradiomics.radiomics.memory import Budget, images_at_once
from deepradiomics.radiomics.region.inputs import Inputs
from deepradiomics.radiomics.region.region import level_warnings
from deepradiomics.radiomics.result import ENGINE_VERSION, Features
from deepradiomics.radiomics.settings.ibsi_names import ibsi_feature_names, names_wanted
from deepradiomics.radiomics.settings.image_prefixes import image_prefixes
from deepradiomics.radiomics.settings.settings import Settings
from deepradiomics.threads import map_ahead, thread_count

TEXTURE = tuple(f for f in FAMILIES if f not in ("shape", "firstorder"))


def ibsi_features(
    image: ImageLike,
    mask: MaskLike,
    settings: Settings,
    *,
    device: str = "auto",
    threads: int | None = None,
    max_memory_gb: float | None = None,
) -> Features:
    """Compute the features of one labelled region by IBSI's definitions.

    Args:
        image: a path, a SimpleITK image or a Volume.
        mask: the same, or a Mask; the ROI is where it equals the settings' label.
        settings: as for :func:`deepradiomics.radiomics.extract`, with ``standard="ibsi"``.
        device: where texture is counted: ``auto``, ``cpu``, ``cuda``.
        threads, max_memory_gb: as for :func:`deepradiomics.radiomics.extract`.

    Returns:
        A dictionary of floats with ``.diagnostics``; keys in the order of :func:`ibsi_feature_names`.
        ``diagnostics["ibsi"]`` holds size, voxels and grey values of image and ROI before and after interpolation and
        after re-segmentation.

    Raises:
        InputError: a file, setting or image that cannot be used; its subclasses MaskError and GeometryError say that
            it is the mask or the grid.
    """
    refuse(settings)  # before an image is read
    effort = Effort(device, thread_count(threads), Budget(max_memory_gb))
    [features] = ibsi_features_of(loaded(image, mask, settings), [settings], effort)
    if isinstance(features, DeepRadiomicsError):
        raise features
    return features


def ibsi_features_of(
    inputs: Inputs, settings: Sequence[Settings], effort: Effort, report: Progress = silent
) -> list[Features | DeepRadiomicsError]:
    """Compute the features of several labels of what :func:`loaded` gave.

    Args:
        inputs: image and mask.
        settings: (R,) of each label; they differ in the label only.
        effort: device, threads and memory.
        report: told how far the work is.

    Returns:
        (R,) features, or the error that prevents them.
    """
    regions: dict[int, _Region] = {}
    errors: dict[int, DeepRadiomicsError] = {}
    for k, label_settings in enumerate(settings):
        report(0.2 * k / len(settings), f"label {label_settings.label}")
        try:
            regions[k] = _region(inputs, label_settings)
        except DeepRadiomicsError as error:
            errors[k] = error
    parts: dict[int, list[_Part]] = {k: [] for k in regions}
    if regions:
        common, some = settings[0], list(regions.values())
        box = union_box([region.box for region in some])
        images = sum(
            len(image_prefixes(name, label_settings, inputs.dimensions))
            for name, label_settings in common.per_image_type()
        )
        total = max(1, images * len(regions))
        together = images_at_once(int(np.prod([side.stop - side.start for side in box])), effort.budget, effort.threads)
        together = 1 if effort.device.startswith("cuda") else min(together, total)

        def compute(job: _Job) -> tuple[int, _Part | DeepRadiomicsError]:
            try:
                return job.number, _of_image(job, effort)
            except DeepRadiomicsError as error:
                return job.number, error

        jobs = _jobs(some[0].image, common, regions, box, effort.threads)
        for count, (k, result) in enumerate(map_ahead(compute, jobs, together), start=1):
            report(0.2 + 0.8 * min(1.0, count / total), f"features of label {settings[k].label}")
            if isinstance(result, _Part):
                parts[k].append(result)
            else:
                errors.setdefault(k, result)
    return [
        errors.get(k) or _collected(regions[k], parts[k], label_settings, effort)
        for k, label_settings in enumerate(settings)
    ]


@dataclass(frozen=True, eq=False)
class _Region:
    """What is kept of one label: nothing that is as large as the image.

    Args:
        image: the interpolated image, the same for all labels.
        box: where the region lies in it.
        intensity: bool (z, y, x) of the box, after re-segmentation.
        shape: the morphological features.
        stages, notes, dimensions: as of :class:`deepradiomics.radiomics.ibsi.preparation.Prepared`.
        settings: of the label.
    """

    image: Volume
    box: Box
    intensity: np.ndarray
    shape: dict[str, float]
    stages: dict[str, dict[str, Any]]
    notes: tuple[str, ...]
    dimensions: int
    settings: Settings


@dataclass(frozen=True, eq=False)
class _Job:
    """One label of one (filtered) image: the voxels in its box, or why there are none."""

    number: int
    region: _Region
    prefix: str
    settings: Settings
    voxels: np.ndarray | str


@dataclass(frozen=True, eq=False)
class _Part:
    """What came of one image."""

    prefix: str
    values: dict[str, float]
    backend: str = "none"
    n_levels: int = 0
    failure: str = ""
    remarks: tuple[str, ...] = ()


def _region(inputs: Inputs, settings: Settings) -> _Region:
    """Prepare one label, and describe its form."""
    prepared = prepare_inputs(inputs, settings)
    box, shape = prepared.box, {}
    if "shape" in settings.families:
        spacing = tuple(prepared.image.geometry.spacing_mm[::-1])
        values = np.asarray(prepared.image.voxels[box])
        features = morphology(values, prepared.morphological[box], prepared.intensity[box], spacing)  # type: ignore[arg-type]
        shape = {key_of("original", "shape", name): value for name, value in features.items()}
    return _Region(
        prepared.image,
        box,
        prepared.intensity[box].copy(),
        shape,
        prepared.stages,
        prepared.notes,
        prepared.dimensions,
        settings,
    )


def _jobs(image: Volume, common: Settings, regions: dict[int, _Region], box: Box, threads: int) -> Iterator[_Job]:
    """Filter the image as far as the union of the boxes needs it, one filtered image at a time."""
    inside = [(region.box, region.intensity) for region in regions.values()]
    dimensions = next(iter(regions.values())).dimensions
    for prefix, label_settings, voxels in filtered_images(image, common, dimensions, box, threads, inside):
        for k, region in regions.items():
            cut = voxels if isinstance(voxels, str) else voxels[within(region.box, box)]
            yield _Job(k, region, prefix, replace(label_settings, label=region.settings.label), cut)


def _of_image(job: _Job, effort: Effort) -> _Part:
    """Return the statistics and texture features of one label of one image."""
    if isinstance(job.voxels, str):
        return _Part(job.prefix, {}, failure=job.voxels)
    settings, prefix, intensity = job.settings, job.prefix, job.region.intensity
    families = [f for f in TEXTURE if f in settings.families]
    name = f"label {settings.label}" + ("" if prefix == "original" else f", {prefix}")
    inside = job.voxels[intensity]
    if not np.isfinite(inside).all():
        return _Part(prefix, {}, failure="the filtered image is not defined everywhere in the region")
    values: dict[str, float] = {}
    levels = None
    if families or {"Entropy", "Uniformity"} & set(names_wanted("firstorder", settings)):
        levels = discretise(job.voxels, intensity, settings, name, own_units=prefix == "original")
    if "firstorder" in settings.families:
        values |= {key_of(prefix, "firstorder", n): v for n, v in statistics(inside, levels).items()}
    if levels is None or not families:
        return _Part(prefix, values)
    remarks: list[str] = []
    backend, count = counting_backend(
        effort.device, levels.codes.size, max_memory_gb=effort.budget.gigabytes, remark=remarks.append
    )
    texture = texture_features(
        levels,
        families,
        settings.aggregation,
        count,
        distances=settings.distances,
        alpha=settings.gldm_a,
        budget=effort.budget,
        name=name,
    )
    values |= {key_of(prefix, family, n, way): v for (family, n, way), v in texture.items()}
    return _Part(prefix, values, backend, len(levels.grey_levels), remarks=tuple(remarks))


def _collected(region: _Region, parts: Sequence[_Part], settings: Settings, effort: Effort) -> Features:
    """Put the parts of one label into one result, in the order of :func:`ibsi_feature_names`."""
    values = dict(region.shape)
    for part in parts:
        values |= part.values
    names = ibsi_feature_names(settings, dimensions=region.dimensions)
    features = Features({name: float(values.get(name, np.nan)) for name in names})
    features.diagnostics = _diagnostics(region, parts, features, settings, effort)
    return features


def _diagnostics(
    region: _Region, parts: Sequence[_Part], features: Features, settings: Settings, effort: Effort
) -> dict[str, Any]:
    """Tell what was done, as :func:`deepradiomics.radiomics.extract` does."""
    levels = {part.prefix: part.n_levels for part in parts if part.n_levels}
    failures = {part.prefix: part.failure for part in parts if part.failure}
    undefined = {
        name: failures.get(name.split("_")[0]) or _reason(name) for name, value in features.items() if value != value
    }
    warnings = [*settings.notes, *region.notes, *level_warnings(f"label {settings.label}", levels)]
    warnings += dict.fromkeys(sentence for part in parts for sentence in part.remarks)
    warnings += [f"{prefix}: {reason}; its features are NaN." for prefix, reason in failures.items()]
    rest = [name for name in undefined if name.split("_")[0] not in failures]
    if rest:
        warnings.append(f"{len(rest)} features are not defined for this region: see 'undefined'.")
    geometry, last, described = region.image.geometry, region.stages["resegmented"], settings.to_dict()
    return {
        "engine_version": ENGINE_VERSION,
        "standard": "ibsi",
        "backend": next((part.backend for part in parts if part.backend != "none"), "none"),
        "threads": effort.threads,
        "settings": described["setting"],
        "image_types": described["imageType"],
        "image": {"size": geometry.size, "spacing_mm": geometry.spacing_mm, "name": region.image.name},
        "roi": {
            "label": settings.label,
            "voxels": last["roi_voxels"],
            "lower_zyx": tuple(side.start for side in region.box),
            "size_zyx": tuple(side.stop - side.start for side in region.box),
            "minimum": last["roi_minimum"],
            "maximum": last["roi_maximum"],
            "mean": last["roi_mean"],
        },
        "ibsi": region.stages,
        "grey_levels": levels.get("original"),
        "grey_levels_by_image": levels,
        "image_notes": list(region.image.notes),
        "warnings": warnings,
        "undefined": undefined,
    }


def _reason(key: str) -> str:
    """Say why a feature of this region is NaN."""
    for part, reason in (
        ("_glcm_", "no two voxels of the region are neighbours at the distances set"),
        ("_ngtdm_", "no voxel of the region has a neighbour at the distances set"),
        ("QuartileCoefficientOfDispersion", "the 25th and the 75th percentile sum to zero"),
        ("CoefficientOfVariation", "the mean grey value is zero"),
        ("CentreOfMassShift", "the grey values sum to zero"),
        ("RobustMeanAbsoluteDeviation", "no voxel lies between the 10th and the 90th percentile"),
    ):
        if part in key:
            return reason
    return "the formula is not defined for this region"
