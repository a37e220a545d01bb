"""ibsi_features: the features of one region as IBSI defines them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images import Volume
from deepradiomics.radiomics.compute import counting_backend
from deepradiomics.radiomics.extract import ENGINE_VERSION, Features
from deepradiomics.radiomics.ibsi.catalogue import AGGREGATIONS, FAMILIES, aggregations_of, entries, key_of
from deepradiomics.radiomics.ibsi.morphology import morphology
from deepradiomics.radiomics.ibsi.preparation import Prepared, discretise, prepare, prepare_inputs
from deepradiomics.radiomics.ibsi.statistics import statistics
from deepradiomics.radiomics.ibsi.texture import texture_features
from deepradiomics.radiomics.inputs import Inputs
from deepradiomics.radiomics.region import level_warning
from deepradiomics.radiomics.settings import Settings, image_prefixes
from deepradiomics.radiomics.threads import thread_count

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
        threads: how many threads the filters may use.

    Returns:
        A dictionary of floats with ``.diagnostics``; keys as :func:`feature_names` orders them. ``diagnostics["ibsi"]``
        holds size, voxels and grey values of image and ROI before and after interpolation and after re-segmentation.

    Raises:
        InputError: a file, setting or image that cannot be used; its subclasses MaskError and GeometryError say that
            it is the mask or the grid.
    """
    names = feature_names(settings)  # what cannot be computed is refused before an image is read
    return _features(prepare(image, mask, settings), settings, names, device, thread_count(threads))


def ibsi_features_of(
    inputs: Inputs, settings: Settings, *, device: str = "auto", threads: int | None = None
) -> Features:
    """Compute the features of one label of what :func:`loaded` gave: many labels share the reading."""
    names = feature_names(settings)
    return _features(prepare_inputs(inputs, settings), settings, names, device, thread_count(threads))


def _features(prepared: Prepared, settings: Settings, names: tuple[str, ...], device: str, threads: int) -> Features:
    values: dict[str, float] = {}
    notes = [*settings.notes, *prepared.notes]
    levels_found: dict[str, int] = {}
    reasons: dict[str, str] = {}
    backend = "none"
    if "shape" in settings.families:
        spacing = prepared.image.geometry.spacing_mm[::-1]
        found = morphology(prepared.image.voxels, prepared.morphological, prepared.intensity, spacing)  # type: ignore[arg-type]
        values |= {key_of("original", "shape", name): value for name, value in found.items()}
    for image_type, own in settings.per_image_type():
        for prefix, response in _images(image_type, prepared.image, own, threads):
            if isinstance(response, str):
                reasons |= {name: response for name in names if name.startswith(f"{prefix}_")}
                continue
            found, backend, n_levels, warnings = _of_image(prefix, response, prepared, own, device)
            values |= found
            notes += warnings
            if n_levels:
                levels_found[prefix] = n_levels
    features = Features({name: float(values.get(name, np.nan)) for name in names})
    undefined = {name: reasons.get(name, _reason(name)) for name, value in features.items() if value != value}
    if undefined:
        notes.append(f"{len(undefined)} features are not defined for this region: see 'undefined'.")
    features.diagnostics = {
        "engine_version": ENGINE_VERSION,
        "standard": "ibsi",
        "backend": backend,
        "settings": settings.to_dict()["setting"],
        "ibsi": prepared.stages,
        "grey_levels": levels_found,
        "image_notes": list(prepared.image.notes),
        "warnings": notes,
        "undefined": undefined,
    }
    return features


def feature_names(settings: Settings) -> tuple[str, ...]:
    """Return the keys that an extraction by IBSI gives: shape once, then image by image, family by family."""
    check_aggregations(settings)
    names = [key_of("original", "shape", name) for name in _wanted("shape", settings)]
    for image_type, own in settings.per_image_type():
        for prefix in image_prefixes(image_type, own):
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


def _images(image_type: str, image: Volume, settings: Settings, threads: int) -> Iterator[tuple[str, np.ndarray | str]]:
    """Give prefix and voxels of each image of a type, or in place of the voxels why there is none."""
    if image_type == "Original":
        yield "original", image.voxels
        return
    from deepradiomics.radiomics.filters import FilterFailure, filtered

    for prefix, response in filtered(image_type, image, settings, threads=threads):
        yield prefix, response.reason if isinstance(response, FilterFailure) else response.voxels


def _of_image(
    prefix: str, voxels: np.ndarray, prepared: Prepared, settings: Settings, device: str
) -> tuple[dict[str, float], str, int, list[str]]:
    """Return the statistics and texture features of one image, the backend, the number of levels, and warnings."""
    families = [f for f in TEXTURE if f in settings.families]
    found: dict[str, float] = {}
    name = f"label {settings.label}"
    if prefix != "original":
        name += f", {prefix}"
    inside = voxels[prepared.intensity]
    if not np.isfinite(inside).all():
        raise InputError(f"{name}: {int((~np.isfinite(inside)).sum())} voxels of the ROI are NaN or infinite.")
    levels = None
    if families or {"Entropy", "Uniformity"} & set(_wanted("firstorder", settings)):
        levels = discretise(voxels, prepared.intensity, settings, name, own_units=prefix == "original")
    if "firstorder" in settings.families:
        found |= {key_of(prefix, "firstorder", n): v for n, v in statistics(inside, levels).items()}
    if levels is None or not families:
        return found, "none", 0, []
    backend, count = counting_backend(device, levels.codes.size)
    texture = texture_features(
        levels, families, settings.aggregation, count, distances=settings.distances, alpha=settings.gldm_a
    )
    found |= {key_of(prefix, family, n, way): v for (family, n, way), v in texture.items()}
    warning = level_warning(name, levels)
    return found, backend, len(levels.grey_levels), [warning] if warning else []


def _reason(key: str) -> str:
    """Say why a feature of this region is NaN."""
    for part, reason in (
        ("_glcm_", "no two voxels of the region are neighbours at the distances set"),
        ("_ngtdm_", "no voxel of the region has a neighbour at the distances set"),
        ("CoefficientOfVariation", "the mean grey value is zero"),
        ("QuartileCoefficientOfDispersion", "the 25th and the 75th percentile sum to zero"),
        ("CentreOfMassShift", "the grey values sum to zero"),
        ("RobustMeanAbsoluteDeviation", "no voxel lies between the 10th and the 90th percentile"),
    ):
        if part in key:
            return reason
    return "the formula is not defined for this region"
