"""extract_patches: the features of every patch in every view of one exam, in one call.

Every view is filtered once, and all patches of all views are evaluated together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Volume
from deepradiomics.progress import Progress, silent
from deepradiomics.public import one_line
from deepradiomics.radiomics.compute import shape_table, texture_table
from deepradiomics.radiomics.image_types import Box, Effort, filtered_images, union_box, within
from deepradiomics.radiomics.memory import Budget
from deepradiomics.radiomics.region.inputs import normalised
from deepradiomics.radiomics.region.preprocess import check_roi, same_grid
from deepradiomics.radiomics.region.region import Region, level_warnings
from deepradiomics.radiomics.result import ENGINE_VERSION, undefined_reasons
from deepradiomics.radiomics.settings.feature_names import feature_names, texture_names
from deepradiomics.radiomics.settings.image_prefixes import image_prefixes
from deepradiomics.radiomics.settings.settings import Settings
from deepradiomics.threads import thread_count


@one_line
@dataclass(frozen=True, eq=False)
class PatchFeatures:
    """Features of J patches in V views.

    Args:
        values: (J, V, K) float64; NaN where a feature is not defined.
        feature_names: (K,) full keys, as in :func:`deepradiomics.radiomics.extract`.
        diagnostics: grey levels (J, V), ``warnings`` and ``undefined`` (patch and view -> feature -> reason).
    """

    values: np.ndarray
    feature_names: tuple[str, ...]
    diagnostics: dict[str, Any]


def extract_patches(
    images: Sequence[Volume],
    patches: np.ndarray,
    params: Any = None,
    *,
    foreground: np.ndarray | None = None,
    device: str = "auto",
    threads: int | None = None,
    max_memory_gb: float | None = None,
    progress: Progress | None = None,
) -> PatchFeatures:
    """Compute the features of each patch of each image; equal to one :func:`extract` for every pair.

    Args:
        images: V volumes on one grid.
        patches: (z, y, x) whole numbers: 0 outside, patches 1 ... J.
        params: as for :func:`extract`; the images are on their grid already, so settings that resample, crop or
            re-segment are refused.
        foreground: bool (z, y, x) that restricts every patch, or None.
        device, threads, max_memory_gb: as for :func:`extract`.
        progress: told how far the work is.

    Raises:
        InputError: no image, NaN, or settings that cannot be used here.
        GeometryError: images, patches and foreground differ in grid or shape.
        MaskError: a patch has no voxel or too few; the message names it.
    """
    settings, report = Settings.from_params(params), progress or silent
    effort = Effort(device, thread_count(threads), Budget(max_memory_gb))
    _refuse(settings)
    labels = _checked_labels(images, patches, foreground)
    count, views = int(patches.max()), len(images)
    if settings.normalize:
        images = [normalised(image.require_finite(), settings) for image in images]
    boxes = _boxes(labels, count, patches)
    spacing = tuple(images[0].geometry.spacing_mm[::-1])
    cuts = _Cuts(images, labels, boxes, spacing, settings)  # type: ignore[arg-type]
    report(0.1, "features of patches")
    first_view = [k - k % views for k in range(count * views)]  # the shape of a patch is the same in every view
    names, shapes = shape_table(cuts.regions("original", [image.voxels for image in images]), settings, first_view)
    columns = dict(zip(names, shapes.T, strict=True))
    notes, reasons, backend, levels = list(settings.notes), {}, "none", None
    prefixes = [
        prefix for kind, type_settings in settings.per_image_type() for prefix in image_prefixes(kind, type_settings)
    ]
    union = union_box(boxes)
    inside = [(box, labels[box] == j) for j, box in enumerate(boxes, start=1)]
    sources = [filtered_images(image, settings, 3, union, effort.threads, inside) for image in images]
    for done, of_views in enumerate(zip(*sources, strict=True), start=1):
        prefix, type_settings, _ = of_views[0]
        views_of = [voxels for _, _, voxels in of_views]
        failure = next((voxels for voxels in views_of if isinstance(voxels, str)), None)
        if failure:
            reasons[prefix] = failure
            notes.append(f"{prefix}: {failure}; its features are NaN.")
            columns |= dict.fromkeys(texture_names(type_settings, prefix), np.full(count * views, np.nan))
            continue
        regions = cuts.regions(prefix, views_of, union)  # type: ignore[arg-type]
        table = texture_table(
            regions, type_settings, prefix=prefix, device=device, threads=effort.threads, budget=effort.budget
        )
        columns |= dict(zip(table.names, table.values.T, strict=True))
        backend = table.backend if backend == "none" else backend
        notes += [*_level_notes(prefix, regions, table.n_levels), *table.warnings]
        if prefix == "original":
            levels = table.n_levels.reshape(count, views).tolist() if len(table.n_levels) else None
        report(0.1 + 0.9 * done / (len(prefixes) + 1), f"features of patches, {prefix}")
    keys = feature_names(settings)
    values = np.stack([columns[key] for key in keys], axis=1)
    undefined = {name: undefined_reasons(keys, row, reasons) for name, row in zip(cuts.names(), values, strict=True)}
    diagnostics = {
        "engine_version": ENGINE_VERSION,
        "backend": backend,
        "settings": settings.to_dict()["setting"],
        "grey_levels": levels,
        "warnings": notes,
        "undefined": {name: reasons for name, reasons in undefined.items() if reasons},
    }
    report(1.0, "features of patches")
    return PatchFeatures(values.reshape(count, views, -1), keys, diagnostics)


@dataclass(frozen=True, eq=False)
class _Cuts:
    """Cuts the patches out of the views, patch by patch and in each of them view by view."""

    images: Sequence[Volume]
    labels: np.ndarray
    boxes: Sequence[Box]
    spacing_mm: tuple[float, float, float]
    settings: Settings

    def __post_init__(self) -> None:
        for j, box in enumerate(self.boxes, start=1):
            check_roi(self.labels[box] == j, self.settings, f"patch {j}")

    def names(self) -> list[str]:
        """(B,) what messages call each patch of each view."""
        views = [image.name or f"view {v + 1}" for v, image in enumerate(self.images)]
        return [f"patch {j + 1}, {view}" for j in range(len(self.boxes)) for view in views]

    def regions(self, prefix: str, voxels: Sequence[np.ndarray], outer: Box | None = None) -> list[Region]:
        """(B,) regions of all patches; ``voxels`` (V) of each view, of the whole image or of a box that holds all."""
        names, rows = iter(self.names()), []
        for j, box in enumerate(self.boxes, start=1):
            inside = self.labels[box] == j
            for view in voxels:
                name = next(names) + (f", {prefix}" if prefix != "original" else "")
                values = np.asarray(view[within(box, outer) if outer else box])
                if values.dtype.kind == "f" and not np.isfinite(values[inside]).all():
                    raise InputError(f"{name}: NaN or infinite grey values in the patch. Replace them first.")
                rows.append(Region(values, inside, self.spacing_mm, inside, name))
        return rows


def _level_notes(prefix: str, regions: Sequence[Region], n_levels: np.ndarray) -> list[str]:
    """Sentences about too few or too many grey levels; of a filtered image one about all patches."""
    if prefix == "original":
        pairs = zip(regions, n_levels.tolist(), strict=True) if len(n_levels) else ()
        return [sentence for region, count in pairs for sentence in level_warnings(region.name, {"original": count})]
    return level_warnings("the patches", {prefix: int(np.median(n_levels))}) if len(n_levels) else []


def _refuse(settings: Settings) -> None:
    if settings.standard == "ibsi":
        raise InputError('setting standard: patches have PyRadiomics\' definitions; "ibsi" is for extract. Remove it.')
    for key, value in (
        ("resampledPixelSpacing", settings.resampled_spacing_mm),
        ("resegmentRange", settings.resegment_range),
        ("preCrop", settings.pre_crop or None),
        ("numericDiagnostics", settings.numeric_diagnostics or None),
    ):
        if value is not None:
            raise InputError(f"setting {key}: patches are cut from images that are prepared already; remove it.")


def _checked_labels(images: Sequence[Volume], patches: np.ndarray, foreground: np.ndarray | None) -> np.ndarray:
    """Return the patch labels, zero outside the foreground, after checking that all shapes agree."""
    if not images:
        raise InputError("images: expected at least one volume, got none.")
    grid = images[0].geometry
    for image in images[1:]:
        if not same_grid(grid, image.geometry):
            raise GeometryError(
                f"images: all views must lie on one grid; {image.name or 'a view'} has size {image.geometry.size} and "
                f"spacing {image.geometry.spacing_mm}, the first has {grid.size} and {grid.spacing_mm}."
            )
    for name, array in (("patches", patches), ("foreground", foreground)):
        if array is not None and array.shape != grid.shape:
            raise GeometryError(f"{name}: expected shape (z, y, x) {grid.shape}, got {array.shape}.")
    if patches.dtype.kind not in "iu":
        raise InputError(f"patches: expected whole numbers, got {patches.dtype}.")
    if patches.max() < 1:
        raise MaskError("patches: there is none; expected labels 1 to J.")
    return patches if foreground is None else np.where(foreground, patches, 0)


def _boxes(labels: np.ndarray, count: int, patches: np.ndarray) -> list[tuple[slice, slice, slice]]:
    from scipy.ndimage import find_objects

    boxes = find_objects(labels, count)
    for j, box in enumerate(boxes, start=1):
        if box is None:
            there = int(np.count_nonzero(patches == j))
            why = f"none of its {there} voxels is foreground" if there else "no voxel has this label"
            raise MaskError(f"patch {j} of {count} is empty: {why}. Move the ROI, or take a coarser patch grid.")
    return boxes
