"""feature_maps: every feature of the window around each voxel of a region, as images."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import SimpleITK as sitk

from deepradiomics.errors import InputError
from deepradiomics.images import Volume, to_sitk
from deepradiomics.progress import Progress, part, silent
from deepradiomics.radiomics.maps.backends import ChosenBackend, chosen_backend, voxels_at_a_time
from deepradiomics.radiomics.maps.field import Field, make_field
from deepradiomics.radiomics.maps.request import Request, resolve
from deepradiomics.radiomics.preprocess import Prepared, prepare
from deepradiomics.radiomics.settings import Settings
from deepradiomics.radiomics.threads import map_threads, thread_count

MOST_RADIUS = 10  # a window of 9,261 voxels; wider ones describe a region, not a place


def feature_maps(
    image: Any,
    mask: Any,
    features: Sequence[str] | str | None = None,
    *,
    kernel_radius: int | None = None,
    params: Any = None,
    device: str = "auto",
    threads: int | None = None,
    max_memory_gb: float | None = None,
    label: int | None = None,
    progress: Progress | None = None,
) -> dict[str, sitk.Image]:
    """Compute features of the window around each voxel of a region: PyRadiomics' voxel-based extraction.

    Grey levels are those of the whole region; each window is a cube of ``2 * kernel_radius + 1`` voxels a side, cut to
    the region (or, with ``maskedKernel: false`` under ``voxelSetting``, only to the image). Two things are as in
    PyRadiomics and worth knowing: ``glcm_JointAverage`` is NaN where a direction has no pair in the window although it
    has one in another window of the same batch (``voxelBatch``; 1 avoids it), and ``Idn`` and ``Idmn`` are normalised
    by the highest level of the region. One is not: PyRadiomics gives up on the whole map of ``glcm_MCC`` when such a
    direction exists, here it is the mean over the other directions, as for all features.

    Args:
        image: a path, a SimpleITK image or a Volume.
        mask: the same, or a Mask; the region is where it equals ``label``.
        features: keys as :func:`deepradiomics.radiomics.extract` gives them (``original_glcm_Contrast``,
            ``wavelet-LLH_firstorder_Mean``), names with their family (``glcm_Contrast``) or families (``glcm``); None
            takes all that the parameters name, but shape.
        kernel_radius: voxels on each side of the centre; None takes ``kernelRadius`` of the parameters, which is 1.
        params: as for :func:`deepradiomics.radiomics.extract`; ``voxelSetting`` may hold kernelRadius, maskedKernel,
            initValue and voxelBatch.
        device: ``auto`` or ``cpu`` (compiled kernels), ``cuda`` (torch).
        threads: threads on the CPU; None takes all cores.
        max_memory_gb: upper bound of the memory of maps and of windows in work; None takes 2 GB for windows in work.
        label: label of the region; None takes the parameters' label.
        progress: told how far the work is; it may raise :class:`deepradiomics.errors.Cancelled`.

    Returns:
        Key -> image of doubles on the grid of the region's box and ``kernel_radius`` voxels more; ``initValue`` (0)
        outside the region. A feature that is not defined in a window is NaN there.

    Raises:
        InputError: an unknown feature or setting, a radius that cannot be used, NaN in the image, too little memory;
            its subclasses MaskError and GeometryError say that it is the mask or the grid.

    >>> maps = feature_maps("image.nii.gz", "mask.nii.gz", ["glcm_Contrast", "firstorder"])  # doctest: +SKIP
    >>> SimpleITK.WriteImage(maps["original_glcm_Contrast"], "contrast.nii.gz")  # doctest: +SKIP
    """
    report = progress or silent
    settings = Settings.from_params(params)
    if label is not None:
        settings = settings.with_label(label)
    radius = _checked_radius(settings.kernel_radius if kernel_radius is None else kernel_radius)
    report(0.0, "loading")
    resolve(features, settings)  # a name that is wrong is told before anything is read
    prepared = prepare(image, mask, settings)
    request = resolve(features, settings, prepared.dimensions)
    box, roi = _box(prepared, radius)
    _check_memory(len(request.keys) * roi.size, len(request.keys), max_memory_gb)
    backend = chosen_backend(device)
    found: dict[str, np.ndarray] = {}
    report(0.05, "feature maps")
    prefixes = list(request.wanted)
    for prefix, own, voxels in _filtered(prepared, request, box, thread_count(threads)):
        at = prefixes.index(prefix)
        share = part(progress, 0.05 + 0.95 * at / len(prefixes), 0.05 + 0.95 * (at + 1) / len(prefixes))
        if voxels is None:  # PyRadiomics leaves such an image out; here its features are not defined
            tables = {
                f"{prefix}_{f}_{n}": np.array(np.nan) for f, names in request.wanted[prefix].items() for n in names
            }
        else:
            field = make_field(voxels, roi, prepared.region.spacing_mm, radius, own)
            tables = _features(field, prefix, request.wanted[prefix], backend, threads, max_memory_gb, share)
        for key, values in tables.items():
            found[key] = np.full(roi.shape, settings.init_value, float)
            found[key][roi] = values
    frame = to_sitk(prepared.image)[tuple(slice(s.start, s.stop) for s in box[::-1])]
    report(1.0, "feature maps")
    return {key: _as_image(found.pop(key), frame, prepared.dimensions) for key in request.keys}


def _features(
    field: Field,
    prefix: str,
    wanted: dict[str, tuple[str, ...]],
    backend: ChosenBackend,
    threads: int | None,
    max_memory_gb: float | None,
    report: Progress,
) -> dict[str, np.ndarray]:
    """Return key -> (n,) values of one image, window by window, a few thousand at a time."""
    n = len(field.centres)
    workers = thread_count(threads)
    size = min(voxels_at_a_time(field, backend, max_memory_gb, workers), max(64, -(-n // (4 * workers))))
    chunks = [field.centres[start : start + size] for start in range(0, n, size)]
    result: dict[str, np.ndarray] = {}
    done, total = 0, len(chunks) * len(wanted)
    for family, names in wanted.items():
        parts = []
        for first in range(0, len(chunks), 2 * workers):
            report(done / total, f"{prefix}: {family}")
            group = chunks[first : first + 2 * workers]
            parts += map_threads(partial(backend, field, family, names), group, backend.threads(threads))
            done += len(group)
        for name in names:
            result[f"{prefix}_{family}_{name}"] = np.concatenate([one.values[name] for one in parts])
        if family == "glcm" and "JointAverage" in names and not field.merged:
            present = np.concatenate([one.present for one in parts])
            _leave_out_incomplete(result[f"{prefix}_glcm_JointAverage"], present, field.settings.voxel_batch)
    return result


def _leave_out_incomplete(values: np.ndarray, present: np.ndarray, batch: int) -> None:
    """Set NaN where a window lacks a direction that another of its batch has: PyRadiomics' mean does not skip it."""
    batch = len(values) if batch < 1 else batch
    for start in range(0, len(values), batch):
        rows = present[start : start + batch]
        values[start : start + batch][(rows != rows.max(axis=0)).any(axis=1)] = np.nan


def _filtered(
    prepared: Prepared, request: Request, box: tuple[slice, slice, slice], threads: int
) -> Iterator[tuple[str, Settings, np.ndarray | None]]:
    """Yield prefix, settings and voxels (z, y, x) within the box of every image that is wanted; None where it fails."""
    for image_type, own in request.settings.per_image_type():
        if image_type == "Original":
            if "original" in request.wanted:
                yield "original", own, np.asarray(prepared.image.voxels[box])
            continue
        from deepradiomics.radiomics.filters import filtered, prefixes

        if not set(prefixes(image_type, own, prepared.dimensions)) & set(request.wanted):
            continue
        for prefix, volume in filtered(image_type, prepared.image, own, box=box, threads=threads):
            if prefix in request.wanted:
                yield prefix, own, np.asarray(volume.voxels) if isinstance(volume, Volume) else None


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


def _check_memory(doubles: int, maps: int, max_memory_gb: float | None) -> None:
    if max_memory_gb is None:
        return
    if not max_memory_gb > 0:
        raise InputError(f"max_memory_gb: expected a number above 0, got {max_memory_gb!r}.")
    need = doubles * 8 / 1e9
    if need > max_memory_gb:
        raise InputError(
            f"max_memory_gb {max_memory_gb:g}: the {maps} maps alone take {need:.2g} GB. Ask for fewer features at a "
            "time, or allow more memory."
        )


def _as_image(voxels: np.ndarray, frame: sitk.Image, dimensions: int) -> sitk.Image:
    image = sitk.GetImageFromArray(voxels)
    image.CopyInformation(frame)
    return image[:, :, 0] if dimensions == 2 else image
