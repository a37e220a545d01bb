"""ibsi_features: the features of one region as IBSI defines them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.radiomics.compute import counting_backend
from deepradiomics.radiomics.ibsi.catalogue import AGGREGATIONS, FAMILIES, aggregations_of, entries, key_of
from deepradiomics.radiomics.ibsi.morphology import morphology
from deepradiomics.radiomics.ibsi.preparation import Prepared, discretise, loaded, prepare_inputs, refuse
from deepradiomics.radiomics.ibsi.statistics import statistics
from deepradiomics.radiomics.ibsi.texture import texture_features
from deepradiomics.radiomics.inputs import Inputs
from deepradiomics.radiomics.region import level_warnings
from deepradiomics.radiomics.result import ENGINE_VERSION, Features
from deepradiomics.radiomics.settings import Settings, image_prefixes
from deepradiomics.radiomics.threads import map_ahead, thread_count

TEXTURE = tuple(f for f in FAMILIES if f not in ("shape", "firstorder"))


def ibsi_features(
    image: Any, mask: Any, settings: Settings, *, device: str = "auto", threads: int | None = None
) -> Features:
    """Compute the features of one labelled region by IBSI's definitions.

    Args:
        image: a path, a SimpleITK image or a Volume.
        mask: the same, or a Mask; the ROI is where it equals the settings' label.
        settings: as for :func:`deepradiomics.radiomics.extract`, with ``standard="ibsi"``.
        device: where texture is counted: ``auto``, ``cpu``, ``cuda``.
        threads: how many to use; None takes the variable DEEPRADIOMICS_THREADS, else all cores.

    Returns:
        A dictionary of floats with ``.diagnostics``; keys as :func:`feature_names` orders them. ``diagnostics["ibsi"]``
        holds size, voxels and grey values of image and ROI before and after interpolation and after re-segmentation.

    Raises:
        InputError: a file, setting or image that cannot be used; its subclasses MaskError and GeometryError say that
            it is the mask or the grid.
    """
    refuse(settings)  # before an image is read
    return ibsi_features_of(loaded(image, mask, settings), settings, device=device, threads=threads)


def ibsi_features_of(
    inputs: Inputs, settings: Settings, *, device: str = "auto", threads: int | None = None
) -> Features:
    """Compute the features of one label of what :func:`loaded` gave: labels share the reading and interpolation."""
    prepared = prepare_inputs(inputs, settings)
    names = feature_names(settings, dimensions=inputs.dimensions)
    found: dict[str, float] = {}
    if "shape" in settings.families:
        box = prepared.box
        spacing = tuple(prepared.image.geometry.spacing_mm[::-1])
        values = np.asarray(prepared.image.voxels[box])
        shapes = morphology(values, prepared.morphological[box], prepared.intensity[box], spacing)  # type: ignore[arg-type]
        found |= {key_of("original", "shape", name): value for name, value in shapes.items()}
    workers = 1 if device.startswith("cuda") else thread_count(threads)
    jobs = _jobs(prepared, settings, thread_count(threads))
    parts = list(map_ahead(lambda job: _of_image(job, prepared, device), jobs, workers))
    for part in parts:
        found |= part.values
    features = Features({name: float(found.get(name, np.nan)) for name in names})
    features.diagnostics = _diagnostics(prepared, parts, features, settings)
    return features


def feature_names(settings: Settings, *, dimensions: int = 3) -> tuple[str, ...]:
    """Return the keys that an extraction by IBSI gives: shape once, then image by image, family by family."""
    check_aggregations(settings)
    names = [key_of("original", "shape", name) for name in _wanted("shape", settings)]
    for image_type, own in settings.per_image_type():
        for prefix in image_prefixes(image_type, own, dimensions):
            for family in FAMILIES[1:]:
                for aggregation in aggregations_of(family, settings.aggregation):
                    names += [key_of(prefix, family, name, aggregation) for name in _wanted(family, settings)]
    return tuple(names)


def check_aggregations(settings: Settings) -> None:
    """Raise InputError for an aggregation that does not exist, or for none at all."""
    unknown = [a for a in settings.aggregation if a not in AGGREGATIONS]
    if unknown or not settings.aggregation:
        raise InputError(f"setting aggregation: expected some of {', '.join(AGGREGATIONS)}, got {unknown or 'none'}.")


def _wanted(family: str, settings: Settings) -> list[str]:
    """Return the names of a family: all when all its default features are enabled, else those asked for."""
    from deepradiomics.radiomics.catalogue import default_names

    asked = dict(settings.features).get(family)
    if asked is None:
        return []
    whole = set(default_names(family)) <= set(asked)
    return [name for name, entry in entries()[family].items() if whole or {name, entry.pyradiomics} & set(asked)]


@dataclass(frozen=True, eq=False)
class _Job:
    """One (filtered) image: its voxels in the ROI's box, or why there are none."""

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


def _jobs(prepared: Prepared, settings: Settings, threads: int) -> Iterator[_Job]:
    """Give the images of all types, one at a time."""
    for image_type, own in settings.per_image_type():
        if not set(own.families) - {"shape"}:
            continue
        if image_type == "Original":
            yield _Job("original", own, np.asarray(prepared.image.voxels[prepared.box]))
            continue
        from deepradiomics.radiomics.filters import FilterFailure, filtered

        for prefix, response in filtered(
            image_type, prepared.image, own, box=prepared.box, threads=threads, dimensions=prepared.dimensions
        ):
            yield _Job(prefix, own, response.reason if isinstance(response, FilterFailure) else response.voxels)


def _of_image(job: _Job, prepared: Prepared, device: str) -> _Part:
    """Return the statistics and texture features of one image."""
    if isinstance(job.voxels, str):
        return _Part(job.prefix, {}, failure=job.voxels)
    settings, prefix, intensity = job.settings, job.prefix, prepared.intensity[prepared.box]
    families = [f for f in TEXTURE if f in settings.families]
    name = f"label {settings.label}" + ("" if prefix == "original" else f", {prefix}")
    inside = job.voxels[intensity]
    if not np.isfinite(inside).all():
        return _Part(prefix, {}, failure="the filtered image is not defined everywhere in the region")
    found: dict[str, float] = {}
    levels = None
    if families or {"Entropy", "Uniformity"} & set(_wanted("firstorder", settings)):
        levels = discretise(job.voxels, intensity, settings, name, own_units=prefix == "original")
    if "firstorder" in settings.families:
        found |= {key_of(prefix, "firstorder", n): v for n, v in statistics(inside, levels).items()}
    if levels is None or not families:
        return _Part(prefix, found)
    backend, count = counting_backend(device, levels.codes.size)
    texture = texture_features(
        levels, families, settings.aggregation, count, distances=settings.distances, alpha=settings.gldm_a
    )
    found |= {key_of(prefix, family, n, way): v for (family, n, way), v in texture.items()}
    return _Part(prefix, found, backend, len(levels.grey_levels))


def _diagnostics(prepared: Prepared, parts: list[_Part], features: Features, settings: Settings) -> dict[str, Any]:
    """Tell what was done, as :func:`deepradiomics.radiomics.extract` does."""
    levels = {part.prefix: part.n_levels for part in parts if part.n_levels}
    failures = {part.prefix: part.failure for part in parts if part.failure}
    undefined = {
        name: failures.get(name.split("_")[0]) or _reason(name) for name, value in features.items() if value != value
    }
    warnings = [*settings.notes, *prepared.notes, *level_warnings(f"label {settings.label}", levels)]
    warnings += [f"{prefix}: {reason}; its features are NaN." for prefix, reason in failures.items()]
    rest = [name for name in undefined if name.split("_")[0] not in failures]
    if rest:
        warnings.append(f"{len(rest)} features are not defined for this region: see 'undefined'.")
    geometry, last, described = prepared.image.geometry, prepared.stages["resegmented"], settings.to_dict()
    return {
        "engine_version": ENGINE_VERSION,
        "standard": "ibsi",
        "backend": next((part.backend for part in parts if part.backend != "none"), "none"),
        "settings": described["setting"],
        "image_types": described["imageType"],
        "image": {"size": geometry.size, "spacing_mm": geometry.spacing_mm, "name": prepared.image.name},
        "roi": {
            "label": settings.label,
            "voxels": last["roi_voxels"],
            "lower_zyx": tuple(side.start for side in prepared.box),
            "size_zyx": tuple(side.stop - side.start for side in prepared.box),
            "minimum": last["roi_minimum"],
            "maximum": last["roi_maximum"],
            "mean": last["roi_mean"],
        },
        "ibsi": prepared.stages,
        "grey_levels": levels.get("original"),
        "grey_levels_by_image": levels,
        "image_notes": list(prepared.image.notes),
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
