"""The Laplacian of Gaussian as PyRadiomics takes it from SimpleITK: Deriche's recursive filters along each axis.

With numba the passes run here, with SimpleITK's coefficients, order and number types: the bits are the same (tested
before each use on a small image, because other compilers may fuse operations), and a pass need not touch lines that no
wanted voxel depends on. Else SimpleITK filters the whole image.
"""

import math
from functools import lru_cache

import numpy as np
import SimpleITK as sitk

from deepradiomics import kernels as compiled
from deepradiomics.errors import InputError
from deepradiomics.radiomics.filters.boundary import Box
from deepradiomics.radiomics.filters.failure import FilterFailure
from deepradiomics.radiomics.filters.wavelet import parts
from deepradiomics.threads import map_threads

SMALLEST = 4


def laplacian_image(
    voxels: np.ndarray,
    sigma_mm: float,
    spacing_mm: tuple[float, float, float],
    *,
    dimensions: int = 3,
    box: Box | None = None,
    threads: int = 1,
) -> np.ndarray | FilterFailure:
    """Return the Laplacian of Gaussian, normalised across scale (multiplied by sigma²), or why PyRadiomics skips it.

    Args:
        voxels: (z, y, x), finite.
        sigma_mm: width of the Gaussian.
        spacing_mm: along (z, y, x).
        dimensions: 2 for a flat image (one slice): the z axis is left alone.
        box: the part wanted; None for all.
        threads: how many to use; the numbers do not depend on it.

    Returns:
        float32 of the box's shape. The image goes on beyond its border unchanged.

    Raises:
        InputError: sigma is not above 0.
    """
    if not (math.isfinite(sigma_mm) and sigma_mm > 0):
        raise InputError(f"sigma: expected a number above 0, got {sigma_mm!r}.")
    axes = (2, 1, 0)[:dimensions]
    if min(voxels.shape[axis] for axis in axes) < SMALLEST:
        return FilterFailure(
            f"the image has {voxels.shape} voxels (z, y, x), and the Laplacian of Gaussian needs at least {SMALLEST} "
            "along each axis"
        )
    if any(voxels.shape[axis] < math.ceil(sigma_mm / spacing_mm[axis]) + 1 for axis in axes):
        return FilterFailure(
            f"the image spans {voxels.shape} voxels (z, y, x) of {spacing_mm} mm, less than sigma {sigma_mm:g} mm and "
            "one voxel along each axis"
        )
    if _compiled_agrees(float(sigma_mm), spacing_mm, axes):
        return _compiled(voxels, float(sigma_mm), spacing_mm, axes, box, threads)
    result = _by_simpleitk(voxels, sigma_mm, spacing_mm, dimensions)
    return result if box is None else np.ascontiguousarray(result[box])


def _by_simpleitk(voxels: np.ndarray, sigma_mm: float, spacing_mm: tuple[float, ...], dimensions: int) -> np.ndarray:
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels if dimensions == 3 else voxels[0]))
    image.SetSpacing(spacing_mm[::-1][:dimensions])
    return sitk.GetArrayFromImage(sitk.LaplacianRecursiveGaussian(image, sigma_mm, True)).reshape(voxels.shape)


def _compiled(
    voxels: np.ndarray,
    sigma_mm: float,
    spacing_mm: tuple[float, ...],
    axes: tuple[int, ...],
    box: Box | None,
    threads: int,
) -> np.ndarray:
    """Sum over the axes of: second derivative along it, then smoothing along the others, x first."""
    data = np.ascontiguousarray(voxels if voxels.dtype == np.float32 else voxels.astype(np.float64))
    wanted = [side.indices(n)[:2] for side, n in zip(box or (slice(None),) * 3, voxels.shape, strict=True)]
    if len(axes) == 2:  # the axis without a pass is cut at once
        data = data[slice(*wanted[0])]
    total = np.zeros([high - low for low, high in wanted], np.float32)
    for bent in axes:
        image = _pass(data, bent, second_order(sigma_mm, spacing_mm[bent]), wanted[bent], threads)
        for axis in axes:
            if axis != bent:
                image = _pass(image, axis, smoothing(sigma_mm, spacing_mm[axis]), wanted[axis], threads)
        total = (total + image * np.float64(1 / (spacing_mm[bent] * spacing_mm[bent]))).astype(np.float32)
    return total


def _pass(data: np.ndarray, axis: int, coefficients: np.ndarray, wanted: tuple[int, int], threads: int) -> np.ndarray:
    from deepradiomics.radiomics.filters.compiled import laplacian as laplacian_cpu

    shape = (*data.shape[:axis], wanted[1] - wanted[0], *data.shape[axis + 1 :])
    result = np.empty(shape, np.float32)
    if axis == 2:
        rows, flat = data.reshape(-1, data.shape[2]), result.reshape(-1, shape[2])
        map_threads(
            lambda p: laplacian_cpu.along_rows(rows, flat, coefficients, wanted[0], *p),
            parts(len(rows), threads),
            threads,
        )
    else:
        width = int(np.prod(data.shape[axis + 1 :]))
        stack, out = data.reshape(-1, data.shape[axis], width), result.reshape(-1, shape[axis], width)
        map_threads(
            lambda p: laplacian_cpu.along_columns(stack, out, coefficients, wanted[0], *p),
            parts(width, threads),
            threads,
        )
    return result


@lru_cache(256)
def _compiled_agrees(sigma_mm: float, spacing_mm: tuple[float, ...], axes: tuple[int, ...]) -> bool:
    """Tell whether the compiled passes give SimpleITK's bits on this machine, for these coefficients."""
    if not compiled.available():
        return False
    shape = (9, 8, 11) if len(axes) == 3 else (1, 8, 11)
    sample = np.random.default_rng(0).normal(size=shape)
    return all(
        np.array_equal(
            _compiled(sample.astype(dtype), sigma_mm, spacing_mm, axes, None, 1),
            _by_simpleitk(sample.astype(dtype), sigma_mm, spacing_mm, len(axes)),
        )
        for dtype in (np.float32, np.float64)
    )


# Deriche's fit of the Gaussian (row 0) and its second derivative (row 1) by two damped waves: a1, b1, a2, b2 of
# a cos(ω k/σ) + b sin(ω k/σ), times exp(λ k/σ). R. Deriche, INRIA report 1893 (1993); G. Farnebäck and C.-F. Westin,
# J. Math. Imaging Vis. 26 (2006) 293; these are ITK's digits.
_FREQUENCY = (0.6681, 2.0787)
_DAMPING = (-1.3932, -1.3732)
_WAVES = ((1.3530, 1.8151, -0.3531, 0.0902), (-1.3563, 5.2318, 0.3446, -2.2355))


def smoothing(sigma_mm: float, spacing_mm: float) -> np.ndarray:
    """Return the recursive filter of a Gaussian, see :func:`_complete`."""
    d, (sum_d, _, _) = _denominator(sigma_mm / spacing_mm)
    n, (sum_n, _, _) = _numerator(sigma_mm / spacing_mm, *_WAVES[0])
    alpha = 2 * sum_n / sum_d - n[0]
    return _complete([value * (1.0 / alpha) for value in n], d)


def second_order(sigma_mm: float, spacing_mm: float) -> np.ndarray:
    """Return the recursive filter of a Gaussian's second derivative times sigma², see :func:`_complete`."""
    sigma = sigma_mm / spacing_mm
    d, (sum_d, first_d, second_d) = _denominator(sigma)
    flat, (flat_0, flat_1, flat_2) = _numerator(sigma, *_WAVES[0])
    bent, (bent_0, bent_1, bent_2) = _numerator(sigma, *_WAVES[1])
    beta = -(2 * bent_0 - sum_d * bent[0]) / (2 * flat_0 - sum_d * flat[0])  # so that a constant gives zero
    n = [b + beta * f for b, f in zip(bent, flat, strict=True)]
    sum_n, first_n, second_n = bent_0 + beta * flat_0, bent_1 + beta * flat_1, bent_2 + beta * flat_2
    alpha = second_n * sum_d * sum_d - second_d * sum_n * sum_d - 2 * first_n * first_d * sum_d
    alpha = (alpha + 2 * first_d * first_d * sum_n) / (sum_d * sum_d * sum_d)  # so that a parabola gives its curvature
    return _complete([value * (sigma_mm * sigma_mm / alpha) for value in n], d)


def _denominator(sigma: float) -> tuple[list[float], tuple[float, float, float]]:
    """Return D1 … D4 and the moments of order 0, 1, 2 of (1, D1, D2, D3, D4)."""
    c1, c2 = math.cos(_FREQUENCY[0] / sigma), math.cos(_FREQUENCY[1] / sigma)
    e1, e2 = math.exp(_DAMPING[0] / sigma), math.exp(_DAMPING[1] / sigma)
    d4 = e1 * e1 * e2 * e2
    d3 = -2 * c1 * e1 * e2 * e2
    d3 += -2 * c2 * e2 * e1 * e1
    d2 = 4 * c2 * c1 * e1 * e2
    d2 += e1 * e1 + e2 * e2
    d1 = -2 * (e2 * c2 + e1 * c1)
    moments = (1.0 + d1 + d2 + d3 + d4, d1 + 2 * d2 + 3 * d3 + 4 * d4, d1 + 4 * d2 + 9 * d3 + 16 * d4)
    return [d1, d2, d3, d4], moments


def _numerator(
    sigma: float, a1: float, b1: float, a2: float, b2: float
) -> tuple[list[float], tuple[float, float, float]]:
    """Return N0 … N3 and their moments of order 0, 1, 2."""
    s1, s2 = math.sin(_FREQUENCY[0] / sigma), math.sin(_FREQUENCY[1] / sigma)
    c1, c2 = math.cos(_FREQUENCY[0] / sigma), math.cos(_FREQUENCY[1] / sigma)
    e1, e2 = math.exp(_DAMPING[0] / sigma), math.exp(_DAMPING[1] / sigma)
    n0 = a1 + a2
    n1 = e2 * (b2 * s2 - (a2 + 2 * a1) * c2)
    n1 += e1 * (b1 * s1 - (a1 + 2 * a2) * c1)
    n2 = (a1 + a2) * c2 * c1
    n2 -= b1 * c2 * s1 + b2 * c1 * s2
    n2 *= 2 * e1 * e2
    n2 += a2 * e1 * e1 + a1 * e2 * e2
    n3 = e2 * e1 * e1 * (b2 * s2 - a2 * c2)
    n3 += e1 * e2 * e2 * (b1 * s1 - a1 * c1)
    return [n0, n1, n2, n3], (n0 + n1 + n2 + n3, n1 + 2 * n2 + 3 * n3, n1 + 4 * n2 + 9 * n3)


def _complete(n: list[float], d: list[float]) -> np.ndarray:
    """Return (5, 4): N forward, M backward, D common, and what stands for the past at either border (BN, BM)."""
    m = [n[1] - d[0] * n[0], n[2] - d[1] * n[0], n[3] - d[2] * n[0], -d[3] * n[0]]
    sum_n, sum_m = n[0] + n[1] + n[2] + n[3], m[0] + m[1] + m[2] + m[3]
    sum_d = 1.0 + d[0] + d[1] + d[2] + d[3]
    return np.array([n, m, d, [v * sum_n / sum_d for v in d], [v * sum_m / sum_d for v in d]])
