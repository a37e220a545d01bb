"""From prepared regions of one image to their features: filter, crop, compute, for each image type in turn.

The filters run one after another, each no further than the regions' boxes need; the features of the filtered images are
computed side by side in threads, as many at a time as the memory budget allows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from deepradiomics.devices import checked_device
from deepradiomics.errors import DeepRadiomicsError, InputError
from deepradiomics.images import Volume
from deepradiomics.progress import Progress, silent
from deepradiomics.radiomics.compute import FeatureTable, shape_table, texture_table
from deepradiomics.radiomics.filters import FilterFailure, filtered
from deepradiomics.radiomics.memory import Budget, beyond_budget, images_at_once, told_when_full
from deepradiomics.radiomics.region.preprocess import Prepared
from deepradiomics.radiomics.region.region import Region, level_warnings
from deepradiomics.radiomics.result import ENGINE_VERSION, Features, undefined_reasons
from deepradiomics.radiomics.settings.feature_names import (
    feature_names,
    idle_families,
    require_features,
    texture_names,
)
from deepradiomics.radiomics.settings.image_prefixes import image_prefixes
from deepradiomics.radiomics.settings.settings import NUMERIC_DIAGNOSTICS, Settings
from deepradiomics.threads import map_ahead

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Effort:
    """What the work may use; no number depends on it."""

    device: str = "auto"
    threads: int = 1
    budget: Budget = field(default_factory=Budget)

    def __post_init__(self) -> None:
        checked_device(self.device)


def features_of(
    regions: Sequence[Prepared], settings: Sequence[Settings], effort: Effort, report: Progress = silent
) -> list[Features | DeepRadiomicsError]:
    """Compute the features of several regions of one image, each filter of which is computed once.

    Args:
        regions: regions with the same image (the same object).
        settings: (R,) of each region; they differ in the label only.
        effort: device, threads and memory.
        report: told how far the work is.

    Returns:
        (R,) features, or the error that prevents them.
    """
    common, image = settings[0], regions[0].image
    require_features(common, regions[0].dimensions)
    box = union_box([region.box for region in regions])
    tables: list[dict[str, FeatureTable]] = [{} for _ in regions]
    failures: list[dict[str, str]] = [{} for _ in regions]
    errors: dict[int, DeepRadiomicsError] = {}
    voxels = int(np.prod([side.stop - side.start for side in box]))
    images = sum(len(image_prefixes(name, type_settings)) for name, type_settings in common.per_image_type())
    together = images_at_once(voxels, effort.budget, effort.threads)
    together = min(together, max(1, images * len(regions)))
    if effort.device.startswith("cuda"):
        together = 1  # one job at a time has the GPU
    inner = replace(effort, threads=max(1, effort.threads // together))

    def compute(job: _Job) -> tuple[_Job, FeatureTable | DeepRadiomicsError | str]:
        return job, _table(job, regions[job.region], inner)

    jobs = _jobs(image, common, regions, box, effort.threads)
    total = max(1, images * len(regions))
    for count, (job, result) in enumerate(map_ahead(compute, jobs, together), start=1):
        report(min(1.0, count / total), f"features of {job.prefix}")
        if isinstance(result, FeatureTable):
            tables[job.region][job.prefix] = result
        elif isinstance(result, str):
            tables[job.region][job.prefix] = _undefined_table(job)
            failures[job.region][job.prefix] = result
        else:
            errors.setdefault(job.region, result)
    return [
        errors.get(k) or _collected(region, settings[k], tables[k], failures[k], effort)
        for k, region in enumerate(regions)
    ]


@dataclass(frozen=True, eq=False)
class _Job:
    """One region of one (filtered) image: its values, cropped to the region, or why there are none."""

    region: int
    prefix: str
    settings: Settings
    values: np.ndarray | str


def _jobs(image: Volume, settings: Settings, regions: Sequence[Prepared], box: Box, threads: int) -> Iterator[_Job]:
    """Filter the image as far as the union of the regions' boxes needs it, one filtered image at a time."""
    inside = [(region.box, region.region.mask) for region in regions]
    for prefix, type_settings, voxels in filtered_images(image, settings, regions[0].dimensions, box, threads, inside):
        for k, region in enumerate(regions):
            cut = voxels if isinstance(voxels, str) else voxels[within(region.box, box)]
            yield _Job(k, prefix, type_settings, cut)


def filtered_images(
    image: Volume,
    settings: Settings,
    dimensions: int,
    box: Box,
    threads: int,
    inside: Sequence[tuple[Box, np.ndarray]],
) -> Iterator[tuple[str, Settings, np.ndarray | str]]:
    """Yield prefix, the image type's settings and the voxels (z, y, x) of the box; or why there are none.

    Args:
        image: the whole image.
        settings: with the image types.
        dimensions: of the image.
        box: the part wanted.
        threads: of the filters.
        inside: for each region its box and its bool mask; outside them a slow filter (LBP3D) computes nothing.
    """
    for image_type, type_settings in settings.per_image_type():
        if not texture_names(type_settings):
            continue
        if image_type == "Original":
            yield "original", type_settings, np.asarray(image.voxels[box])
            continue
        mask = _whole_mask(image, inside) if image_type == "LBP3D" else None
        responses = filtered(
            image_type, image, type_settings, box=box, threads=threads, dimensions=dimensions, mask=mask
        )
        for prefix, response in responses:
            yield (
                prefix,
                type_settings,
                response.reason if isinstance(response, FilterFailure) else np.asarray(response.voxels),
            )


def _whole_mask(image: Volume, inside: Sequence[tuple[Box, np.ndarray]]) -> np.ndarray:
    """Bool (z, y, x) of the whole image: the regions together."""
    mask = np.zeros(image.voxels.shape, bool)
    for box, part in inside:
        mask[box] |= part
    return mask


def _table(job: _Job, prepared: Prepared, effort: Effort) -> FeatureTable | DeepRadiomicsError | str:
    """The features of one region of one image; an error is returned, for it concerns this region only."""
    if isinstance(job.values, str):
        return job.values
    try:
        with told_when_full(prepared.image.name or "image"):
            return _texture(job, job.values, prepared, effort)
    except DeepRadiomicsError as error:
        return error


def _texture(job: _Job, values: np.ndarray, prepared: Prepared, effort: Effort) -> FeatureTable | str:
    region = prepared.region
    name = region.name if job.prefix == "original" else f"{region.name}, {job.prefix}"
    cut = Region(values, region.mask, region.spacing_mm, region.shape_mask, name)
    if values.dtype.kind == "f" and not np.isfinite(cut.roi_values).all():
        return "the filtered image is not defined everywhere in the region"
    return texture_table(
        [cut], job.settings, prefix=job.prefix, device=effort.device, threads=effort.threads, budget=effort.budget
    )


def _undefined_table(job: _Job) -> FeatureTable:
    names = texture_names(job.settings, job.prefix)
    return FeatureTable(np.full((1, len(names)), np.nan), names, np.zeros(0, int), "none", ())


def _collected(
    prepared: Prepared,
    settings: Settings,
    tables: dict[str, FeatureTable],
    failures: Mapping[str, str],
    effort: Effort,
) -> Features | DeepRadiomicsError:
    """Put the tables of one region into one result, in PyRadiomics' order."""
    values: dict[str, float] = {}
    if settings.numeric_diagnostics:
        values |= {name: float(prepared.diagnostics[name]) for name in NUMERIC_DIAGNOSTICS}
    shape_keys, shape_values = shape_table([prepared.region], settings, dimensions=prepared.dimensions)
    values |= dict(zip(shape_keys, shape_values[0].tolist(), strict=True))
    for table in tables.values():
        values |= dict(zip(table.names, table.values[0].tolist(), strict=True))
    names = feature_names(settings, dimensions=prepared.dimensions)
    missing = [name for name in names if name not in values]
    if missing or len(values) != len(names):
        return InputError(f"{prepared.region.name}: a filter gave other images than announced: {missing[:3]} missing.")
    return Features(
        {name: values[name] for name in names}, _diagnostics(prepared, tables, values, settings, failures, effort)
    )


def _diagnostics(
    prepared: Prepared,
    tables: dict[str, FeatureTable],
    value_of: dict[str, float],
    settings: Settings,
    failures: Mapping[str, str],
    effort: Effort,
) -> dict[str, Any]:
    region, geometry = prepared.region, prepared.image.geometry
    values = region.roi_values
    undefined = undefined_reasons(tuple(value_of), np.array(list(value_of.values())), failures)
    levels = {prefix: int(table.n_levels[0]) for prefix, table in tables.items() if len(table.n_levels)}
    warnings = [*settings.notes, *idle_families(settings, prepared.dimensions), *prepared.notes]
    warnings += level_warnings(region.name, levels)
    warnings += beyond_budget(region.name, region.mask.size, effort.budget)
    warnings += dict.fromkeys(sentence for table in tables.values() for sentence in table.warnings)
    warnings += [f"{prefix}: {reason}; its features are NaN." for prefix, reason in failures.items()]
    rest = [name for name in undefined if name.split("_")[0] not in failures]
    if rest:
        warnings.append(f"{len(rest)} features are not defined for this region: see 'undefined'.")
    described = settings.to_dict()
    return {
        "engine_version": ENGINE_VERSION,
        "backend": next((table.backend for table in tables.values() if table.backend != "none"), "none"),
        "threads": effort.threads,
        "settings": described["setting"],
        "image_types": described["imageType"],
        "image": {"size": geometry.size, "spacing_mm": geometry.spacing_mm, "name": prepared.image.name},
        "roi": {
            "label": settings.label,
            "voxels": int(np.count_nonzero(region.mask)),
            "lower_zyx": prepared.lower,
            "size_zyx": region.mask.shape,
            "minimum": float(values.min()),
            "maximum": float(values.max()),
            "mean": float(values.astype(float).mean()),
        },
        "grey_levels": levels.get("original"),
        "grey_levels_by_image": levels,
        "image_notes": list(prepared.image.notes),
        "warnings": warnings,
        "undefined": undefined,
        "pyradiomics": prepared.diagnostics if settings.additional_info else {},
    }


def union_box(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all boxes."""
    sides = zip(*boxes, strict=True)
    return tuple(slice(min(s.start for s in side), max(s.stop for s in side)) for side in sides)  # type: ignore[return-value]


def within(inner: Box, outer: Box) -> Box:
    """An inner box, counted from the corner of the outer one."""
    pairs = zip(inner, outer, strict=True)
    return tuple(slice(i.start - o.start, i.stop - o.start) for i, o in pairs)  # type: ignore[return-value]
