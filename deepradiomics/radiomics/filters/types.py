"""From an image type and its settings to filtered images, one after another."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from deepradiomics.images import Geometry, Volume
from deepradiomics.radiomics.filters.boundary import Box
from deepradiomics.radiomics.filters.failure import FilterFailure
from deepradiomics.radiomics.filters.gradient import gradient_image
from deepradiomics.radiomics.filters.laplacian import laplacian_image
from deepradiomics.radiomics.filters.laws import laws_filter
from deepradiomics.radiomics.filters.lbp2d import lbp2d_image
from deepradiomics.radiomics.filters.lbp3d import lbp3d_images
from deepradiomics.radiomics.filters.pointwise import pointwise_image
from deepradiomics.radiomics.filters.separable_wavelet import separable_wavelet
from deepradiomics.radiomics.filters.smooth import log_filter, mean_filter
from deepradiomics.radiomics.filters.wavelet import wavelet_images
from deepradiomics.radiomics.settings.image_prefixes import (
    POINTWISE,
    ibsi_dimension,
    image_prefixes,
    wavelet_axes,
)
from deepradiomics.radiomics.settings.settings import Settings

Response = Volume | FilterFailure
GLOBAL = (*POINTWISE, "LoG", "LBP3D")
"""Image types in which one voxel that is NaN spoils others far away."""


def filtered(
    image_type: str,
    volume: Volume,
    settings: Settings,
    *,
    box: Box | None = None,
    threads: int = 1,
    dimensions: int = 3,
    mask: np.ndarray | None = None,
) -> Iterator[tuple[str, Response]]:
    """Yield each image of a type with the prefix of its keys, in PyRadiomics' order and with its numbers.

    Args:
        image_type: such as ``Wavelet``; its prefixes are those of :func:`image_prefixes`.
        volume: the whole image, prepared.
        settings: the image type's own, see ``Settings.per_image_type``.
        box: the part wanted, slices (z, y, x); the numbers are those of filtering the whole image. None: all.
        threads: how many to use; the numbers do not depend on it.
        dimensions: 2 for a flat image (one slice).
        mask: bool (z, y, x) on the whole image: where LBP3D, which is slow, is wanted; elsewhere it is 0.

    Yields:
        prefix, and the image (cropped to the box; float32 or float64 as in PyRadiomics) or why there is none. An
        image may be NaN at some voxels: where a filter of finite support meets NaN, and where the neighbourhood is
        constant in the kurtosis of LBP3D and in LBP2D with the method ``var``.

    Raises:
        InputError: a setting that cannot be used, or NaN anywhere in the image for a filter that carries it far.
    """
    names = image_prefixes(image_type, settings, dimensions)
    if image_type in GLOBAL:
        volume.require_finite()
    geometry = volume.geometry if box is None else _cropped(volume.geometry, box)
    images = _images(image_type, volume, settings, box, threads, dimensions, mask)
    for name, image in zip(names, images, strict=True):
        yield name, image if isinstance(image, FilterFailure) else replace(volume, voxels=image, geometry=geometry)


def _images(
    image_type: str,
    volume: Volume,
    settings: Settings,
    box: Box | None,
    threads: int,
    dimensions: int,
    mask: np.ndarray | None,
) -> Iterator[np.ndarray | FilterFailure]:
    voxels, spacing = _plain(volume.voxels), volume.geometry.spacing_mm[::-1]
    if image_type == "Original":
        yield voxels if box is None else voxels[box]
    elif image_type in POINTWISE:
        yield pointwise_image(POINTWISE[image_type], voxels, box)
    elif image_type == "Gradient":
        yield gradient_image(voxels, spacing, settings.gradient_use_spacing, box)
    elif image_type == "LBP2D":
        axis = settings.force_2d_dimension if dimensions == 3 else 0
        patterns = lbp2d_image(
            voxels, settings.lbp2d_radius, settings.lbp2d_samples, settings.lbp2d_method, axis, box=box, threads=threads
        )
        with np.errstate(invalid="ignore"):  # PyRadiomics puts them into the image's own numbers, NaN too
            yield patterns if dimensions == 2 else patterns.astype(voxels.dtype)
    elif image_type == "LBP3D" and dimensions == 3:
        for _, image in lbp3d_images(
            voxels,
            settings.lbp3d_levels,
            settings.lbp3d_icosphere_radius,
            settings.lbp3d_icosphere_subdivision,
            box=box,
            mask=mask,
            threads=threads,
        ):
            yield image
    elif image_type in ("Mean", "Laws") or settings.standard == "ibsi":
        yield from _by_ibsi(image_type, voxels, spacing, settings, box, dimensions)
    elif image_type == "LoG":
        for sigma in settings.sigma_mm:
            yield laplacian_image(voxels, sigma, spacing, dimensions=dimensions, box=box, threads=threads)
    elif image_type == "Wavelet":
        axes = wavelet_axes(settings, dimensions)
        for _, image in wavelet_images(
            voxels, settings.wavelet, settings.level, settings.start_level, axes, box=box, threads=threads
        ):
            yield image


def _by_ibsi(
    image_type: str,
    voxels: np.ndarray,
    spacing: tuple[float, float, float],
    settings: Settings,
    box: Box | None,
    dimensions: int,
) -> Iterator[np.ndarray]:
    boundary, dimension = settings.filter_boundary, ibsi_dimension(settings, dimensions)
    if image_type == "Mean":
        yield mean_filter(voxels, settings.mean_support, boundary, dimension, box=box)
    elif image_type == "Laws":
        yield laws_filter(
            voxels,
            settings.laws_kernel,
            boundary,
            dimension,
            rotation_invariance=settings.laws_rotation_invariance,
            pooling=settings.laws_pooling,
            energy_delta=settings.laws_energy_delta,
            box=box,
        )
    elif image_type == "LoG":
        for sigma in settings.sigma_mm:
            yield log_filter(voxels, sigma, spacing, boundary, settings.log_truncate, dimension, box=box)
    elif image_type == "Wavelet":
        bands = ["".join(letters) for letters in product("LH", repeat=dimension)]
        wanted = [(band, k + 1) for k in range(settings.level) for band in bands[1:]]
        for band, level in [*wanted, (bands[0], settings.level)]:
            yield separable_wavelet(voxels, settings.wavelet, band, settings.start_level + level, boundary, box=box)


def _plain(voxels: np.ndarray) -> np.ndarray:
    """Return voxels in a number type that SimpleITK knows."""
    changed = {"b": np.uint8}.get(voxels.dtype.kind) or (np.float32 if voxels.dtype == np.float16 else None)
    return voxels if changed is None else voxels.astype(changed)


def _cropped(geometry: Geometry, box: Box) -> Geometry:
    spans = [side.indices(size)[:2] for side, size in zip(box, geometry.shape, strict=True)][::-1]
    return geometry.crop([low for low, _ in spans], [high - low for low, high in spans])
