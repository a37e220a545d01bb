"""extract: the radiomic features of one region of one image, with PyRadiomics' names and numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepradiomics.radiomics.compute import FeatureTable, feature_table
from deepradiomics.radiomics.preprocess import Prepared, prepare
from deepradiomics.radiomics.settings import Settings

ENGINE_VERSION = "2"
"""Part of every cache key: it changes whenever a number may change."""


class Features(dict[str, float]):
    """Feature values by full key (``original_glcm_Contrast``), in PyRadiomics' order.

    Attributes:
        diagnostics: what was done and what to know: settings, ROI, grey levels, ``warnings`` (a list of sentences) and
            ``undefined`` (why a feature is NaN).
    """

    def __init__(self, values: Mapping[str, float], diagnostics: Mapping[str, Any] | None = None) -> None:
        super().__init__(values)
        self.diagnostics: dict[str, Any] = dict(diagnostics or {})


def extract(image: Any, mask: Any, params: Any = None, *, label: int | None = None, device: str = "auto") -> Features:
    """Compute the radiomic features of one labelled region.

    Args:
        image: a path, a SimpleITK image or a Volume.
        mask: the same, or a Mask; the ROI is where it equals ``label``.
        params: a PyRadiomics YAML file, a dictionary of its structure, a preset's name, or None for its defaults.
        label: the label of the ROI; None takes the settings' label, which is 1 by default.
        device: ``auto`` (the CPU, or a GPU for large jobs), ``cpu``, ``cuda``.

    Returns:
        A dictionary of floats with ``.diagnostics``. A feature that is not defined for this region is NaN, and
        ``diagnostics["undefined"]`` says why.

    Raises:
        InputError: a file, setting or image that cannot be used; its subclasses MaskError and GeometryError say that
            it is the mask or the grid.

    >>> features = extract("image.nii.gz", "mask.nii.gz", {"setting": {"binWidth": 10}})  # doctest: +SKIP
    >>> features["original_glcm_Contrast"]  # doctest: +SKIP
    """
    settings = Settings.from_params(params)
    if label is not None:
        settings = settings.with_label(label)
    prepared = prepare(image, mask, settings)
    table = feature_table([prepared.region], settings, device=device)
    values = {name: float(value) for name, value in zip(table.names, table.values[0], strict=True)}
    return Features(values, _diagnostics(prepared, table, settings))


def undefined_reasons(names: tuple[str, ...], values: np.ndarray) -> dict[str, str]:
    """Say for each NaN of one region (K,) why it is one."""
    reasons = {
        "glcm": "no two voxels of the region are neighbours at the distances set",
        "glrlm": "no line of voxels meets the region twice",
        "firstorder": "no voxel lies between the 10th and the 90th percentile",
    }
    other = "the formula is not defined for this region"
    return {
        name: reasons.get(name.split("_")[1], other)
        for name, value in zip(names, values, strict=True)
        if value != value
    }


def _diagnostics(prepared: Prepared, table: FeatureTable, settings: Settings) -> dict[str, Any]:
    region, geometry = prepared.region, prepared.image.geometry
    values = region.roi_values
    undefined = undefined_reasons(table.names, table.values[0])
    warnings = [*settings.notes, *prepared.notes, *table.warnings]
    if undefined:
        warnings.append(f"{len(undefined)} features are not defined for this region: see 'undefined'.")
    return {
        "engine_version": ENGINE_VERSION,
        "backend": table.backend,
        "settings": settings.to_dict()["setting"],
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
        "grey_levels": int(table.n_levels[0]) if len(table.n_levels) else None,
        "image_notes": list(prepared.image.notes),
        "warnings": warnings,
        "undefined": undefined,
    }
