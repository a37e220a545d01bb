"""feature_maps: every feature of the window around each voxel of a region, as images."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import SimpleITK as sitk

from deepradiomics.errors import InputError
from deepradiomics.images import ImageLike, MaskLike
from deepradiomics.progress import Progress, part, silent
from deepradiomics.radiomics.image_types import filtered_images
from deepradiomics.radiomics.maps.backends import ChosenBackend, chosen_backend, windows_at_a_time
from deepradiomics.radiomics.maps.field import Field, make_field
from deepradiomics.radiomics.maps.request import Asked, resolve
from deepradiomics.radiomics.memory import Budget
from deepradiomics.radiomics.region.inputs import Inputs, load, plane_settings
from deepradiomics.radiomics.region.preprocess import Prepared, prepare_region
from deepradiomics.radiomics.region.regions import RegionChoice
from deepradiomics.radiomics.settings.settings import Settings
from deepradiomics.threads import map_threads, thread_count

MOST_RADIUS = 10  # a window of 9,261 voxels; wider ones describe a region, not a place


class FeatureMaps(dict[str, sitk.Image]):
    """Maps by key.

    Attributes:
        label: of the region.
        notes: what was assumed, chosen or done while image and mask were read.
    """

    def __init__(self, maps: Mapping[str, sitk.Image], label: int = 1, notes: Sequence[str] = ()) -> None:
        super().__init__(maps)
        self.label = label
        self.notes = tuple(notes)


def feature_maps(
    image: ImageLike,
    mask: MaskLike,
    features: Asked = None,
    *,
    kernel_radius: int | None = None,
    params: Any = None,
    device: str = "auto",
    threads: int | None = None,
    max_memory_gb: float | None = None,
    label: int | None = None,
    segment: str | None = None,
    progress: Progress | None = None,
) -> FeatureMaps:
    """Compute features of the window around each voxel of a region: PyRadiomics' voxel-based extraction.

    Grey levels are those of the whole region; each window is a cube of ``2 * kernel_radius + 1`` voxels a side, cut to
    the region (or, with ``maskedKernel: false`` under ``voxelSetting``, only to the image). Two things are as in
    PyRadiomics and worth knowing: ``glcm_JointAverage`` is NaN where a direction has no pair in the window although it
    has one in another window of the same batch (``voxelBatch``; 1 avoids it), and ``Idn`` and ``Idmn`` are normalised
    by the highest level of the region. One is not: PyRadiomics gives up on the whole map of ``glcm_MCC`` when such a
    direction exists, here it is the mean over the other directions, as for all features.

    Args:
        image: a path, a SimpleITK image or a Volume.
        mask: the same, or a Mask: a label map, a Slicer segmentation, a DICOM SEG or RTSTRUCT.
        features: keys as :func:`deepradiomics.radiomics.extract` gives them (``original_glcm_Contrast``,
            ``wavelet-LLH_firstorder_Mean``), names with their family (``glcm_Contrast``) or families (``glcm``), which
            mean that of every image type of the parameters, or a dictionary as under featureClass; None takes all that
            the parameters name, but shape.
        kernel_radius: voxels on each side of the centre; None takes ``kernelRadius`` of the parameters, which is 1.
        params: as for :func:`deepradiomics.radiomics.extract`; ``voxelSetting`` may hold kernelRadius, maskedKernel,
            initValue and voxelBatch.
        device: ``auto`` or ``cpu`` (compiled kernels), ``cuda`` (torch).
        threads: threads on the CPU; None takes all cores.
        max_memory_gb: bounds the windows in work, and, where given, the maps; None takes the variable
            DEEPRADIOMICS_MAX_MEMORY_GB, else 1.
        label: label of the region; None takes that of a parameter file or dictionary (1 where it is silent), and
            without parameters, or with a preset, the only label of the mask.
        segment: the name of the region's segment instead.
        progress: told how far the work is; it may raise :class:`deepradiomics.errors.Cancelled`.

    Returns:
        Key -> image of doubles on the grid of the region's box and ``kernel_radius`` voxels more; ``initValue`` (0)
        outside the region. A feature that is not defined in a window is NaN there. ``.label`` is the region's,
        ``.notes`` say what was assumed or chosen while reading.

    Raises:
        InputError: an unknown feature or setting, a radius that cannot be used, NaN in the image, too little memory;
            its subclasses MaskError and GeometryError say that it is the mask or the grid.

    >>> maps = feature_maps("image.nii.gz", "mask.nii.gz", ["glcm_Contrast", "firstorder_Entropy"])
    >>> sorted(maps)
    ['original_firstorder_Entropy', 'original_glcm_Contrast']
    >>> import SimpleITK
    >>> SimpleITK.WriteImage(maps["original_glcm_Contrast"], "contrast.nii.gz")
    """
    settings, choice = Settings.from_params(params), RegionChoice.of(params, label, segment)
    if kernel_radius is not None:
        settings = replace(settings, kernel_radius=_checked_radius(kernel_radius))
    _require_possible(features, settings)
    (
        Budget(max_memory_gb),
        thread_count(threads),
        chosen_backend(device),
    )  # what is wrong is told before anything is read
    (progress or silent)(0.0, "loading")
    inputs = load(image, mask, settings)
    chosen = choice.labels(inputs.mask, several=False)
    maps = maps_of_loaded(
        inputs,
        settings.with_label(chosen.labels[0]),
        features,
        device=device,
        threads=threads,
        max_memory_gb=max_memory_gb,
        progress=progress,
    )
    maps.notes = (*inputs.notes, *chosen.notes)
    return maps


def maps_of_loaded(
    inputs: Inputs,
    settings: Settings,
    features: Asked = None,
    *,
    device: str = "auto",
    threads: int | None = None,
    max_memory_gb: float | None = None,
    progress: Progress | None = None,
) -> FeatureMaps:
    """The maps of the settings' label of what :func:`deepradiomics.radiomics.region.inputs.load` gave.

    Raises:
        InputError: as for :func:`feature_maps`.
    """
    report = progress or silent
    _require_possible(features, settings)
    radius = _checked_radius(settings.kernel_radius)
    budget, workers, backend = Budget(max_memory_gb), thread_count(threads), chosen_backend(device)
    settings = replace(plane_settings(settings, inputs.dimensions), additional_info=False)  # a map has no diagnostics
    request = resolve(features, settings, inputs.dimensions)
    prepared = prepare_region(inputs, settings, workers, budget)
    box, roi = _box(prepared, radius)
    if max_memory_gb is not None:
        _check_maps(roi.size, len(request.keys), budget)
    region = roi if settings.masked_kernel else np.ones(roi.shape, bool)
    images = filtered_images(prepared.image, request.settings, prepared.dimensions, box, workers, [(box, region)])
    maps: dict[str, np.ndarray] = {}
    prefixes = list(request.wanted)
    for prefix, type_settings, voxels in images:
        if prefix not in request.wanted:
            continue
        at, families = prefixes.index(prefix), request.wanted[prefix]
        share = part(progress, 0.05 + 0.95 * at / len(prefixes), 0.05 + 0.95 * (at + 1) / len(prefixes))
        undefined = isinstance(voxels, str) or (prefix != "original" and not np.isfinite(voxels[region]).all())
        if undefined:  # the filtered image does not exist, or not everywhere in the region
            tables = {key: np.array(np.nan) for key in request.keys if key.startswith(f"{prefix}_")}
        else:
            field = make_field(np.asarray(voxels), roi, prepared.region.spacing_mm, radius, type_settings)
            tables = _features(field, prefix, families, backend, workers, budget, share)
        for key, values in tables.items():
            maps[key] = np.full(roi.shape, settings.init_value, float)
            maps[key][roi] = values
    report(1.0, "feature maps")
    images_by_key = {key: _as_image(maps.pop(key), prepared, box) for key in request.keys}
    return FeatureMaps(images_by_key, settings.label, inputs.notes)


def _features(
    field: Field,
    prefix: str,
    wanted: dict[str, tuple[str, ...]],
    backend: ChosenBackend,
    workers: int,
    budget: Budget,
    report: Progress,
) -> dict[str, np.ndarray]:
    """Return key -> (n,) values of one image, window by window, a few thousand at a time."""
    n = len(field.centres)
    share = max(64, -(-n // (4 * workers))) if backend.parallel else n
    size = min(windows_at_a_time(field, backend, budget, workers), share)
    chunks = [field.centres[start : start + size] for start in range(0, n, size)]
    result: dict[str, np.ndarray] = {}
    done, total = 0, len(chunks) * len(wanted)
    for family, names in wanted.items():
        parts = []
        for first in range(0, len(chunks), 2 * workers):
            report(done / total, f"{prefix}: {family}")
            group = chunks[first : first + 2 * workers]
            parts += map_threads(partial(backend, field, family, names), group, backend.threads(workers))
            done += len(group)
        for name in names:
            result[f"{prefix}_{family}_{name}"] = np.concatenate([window.values[name] for window in parts])
        if family == "glcm" and "JointAverage" in names and not field.merged:
            present = np.concatenate([window.present for window in parts])
            _leave_out_incomplete(result[f"{prefix}_glcm_JointAverage"], present, field.settings.voxel_batch)
    return result


def _leave_out_incomplete(values: np.ndarray, present: np.ndarray, batch: int) -> None:
    """Set NaN where a window lacks a direction that another of its batch has: PyRadiomics' mean does not skip it."""
    batch = len(values) if batch < 1 else batch
    for start in range(0, len(values), batch):
        rows = present[start : start + batch]
        values[start : start + batch][(rows != rows.max(axis=0)).any(axis=1)] = np.nan


def _require_possible(features: Asked, settings: Settings) -> None:
    """Refuse IBSI's standard and a wrong name before anything is read.

    Filtered images of a flat image have names of their own.
    """
    if settings.standard == "ibsi":
        raise InputError(
            "standard ibsi: feature maps have PyRadiomics' definitions only; remove it from the parameters."
        )
    try:
        resolve(features, settings)
    except InputError as error:
        try:
            resolve(features, settings, dimensions=2)
        except InputError:
            raise error from None


def _checked_radius(radius: int) -> int:
    if isinstance(radius, bool) or not isinstance(radius, int | np.integer) or radius < 1:
        raise InputError(
            f"kernel_radius: expected a whole number of at least 1 (a window of 3³ voxels), got {radius!r}."
        )
    if radius > MOST_RADIUS:
        raise InputError(
            f"kernel_radius {radius}: a window of {2 * radius + 1}³ voxels describes a region, not a place; at most "
            f"{MOST_RADIUS} is possible, 1 to 3 are usual."
        )
    return int(radius)


def _box(prepared: Prepared, radius: int) -> tuple[tuple[slice, slice, slice], np.ndarray]:
    """Return the region's box with a margin within the image, and the ROI in it (z, y, x)."""
    lower = [max(0, s.start - radius) for s in prepared.box]
    upper = [min(n, s.stop + radius) for n, s in zip(prepared.image.voxels.shape, prepared.box, strict=True)]
    roi = np.zeros([u - lo for lo, u in zip(lower, upper, strict=True)], bool)
    inner = tuple(slice(s.start - lo, s.stop - lo) for s, lo in zip(prepared.box, lower, strict=True))
    roi[inner] = prepared.region.mask
    return tuple(slice(lo, u) for lo, u in zip(lower, upper, strict=True)), roi  # type: ignore[return-value]


def _check_maps(voxels: int, maps: int, budget: Budget) -> None:
    need = voxels * maps * 8
    if need > budget.bytes:
        raise InputError(
            f"max_memory_gb {budget.gigabytes:g}: the {maps} maps alone take {need / 1e9:.2g} GB. Ask for fewer "
            "features at a time, or allow more memory."
        )


def _as_image(voxels: np.ndarray, prepared: Prepared, box: tuple[slice, slice, slice]) -> sitk.Image:
    """Return a map as an image that lies where its box lies."""
    grid = prepared.image.geometry
    point, image = sitk.Image([1, 1, 1], sitk.sitkUInt8), sitk.GetImageFromArray(voxels)
    for window in (point, image):
        window.SetSpacing(grid.spacing_mm)
        window.SetOrigin(grid.origin_mm)
        window.SetDirection(grid.direction)
    image.SetOrigin(point.TransformIndexToPhysicalPoint([side.start for side in box[::-1]]))
    return image[:, :, 0] if prepared.dimensions == 2 else image
