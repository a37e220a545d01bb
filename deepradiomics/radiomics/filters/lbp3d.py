"""Local binary patterns in 3-D: how a voxel compares with points on a sphere, told by spherical harmonics.

J. Banerjee et al., ACCV 2012 Workshops, LNCS 7728 (2013) 26, doi 10.1007/978-3-642-37410-4_3. The sphere is sampled at
the vertices of an icosphere by cubic splines (0 outside the image), in the image's own number type: samples of whole
numbers are rounded. For each degree of the harmonics the length of the pattern's part of this degree is an image, and
the kurtosis of the samples is one more. PyRadiomics hands the two angles of a vertex to the harmonics in exchanged
order, and adds (x, y, z) of a vertex to (z, y, x) of a voxel: so it is done here.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
import scipy  # which loads its parts when they are first used

from deepradiomics import kernels as compiled
from deepradiomics.radiomics.filters.boundary import Box
from deepradiomics.radiomics.filters.sphere import icosphere, spherical_harmonic
from deepradiomics.radiomics.filters.wavelet import parts
from deepradiomics.radiomics.settings.image_prefixes import lbp3d_names
from deepradiomics.threads import map_threads

CHUNK_BYTES = 8_000_000


def lbp3d_images(
    voxels: np.ndarray,
    levels: int = 2,
    radius: float = 1,
    subdivision: int = 1,
    *,
    box: Box | None = None,
    mask: np.ndarray | None = None,
    threads: int = 1,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the image of each degree 0 … levels - 1, then the kurtosis (NaN where all samples are equal).

    Args:
        voxels: (z, y, x) of the whole image, finite.
        levels: how many degrees.
        radius: of the sphere, in voxels.
        subdivision: how often the icosahedron's edges are halved.
        box: the part wanted; None for all.
        mask: bool (z, y, x) on the whole image, where values are wanted; elsewhere they are 0. None: everywhere.
        threads: how many to use; the numbers do not depend on it.

    Yields:
        prefix, and float64 of the box's shape.
    """
    vertices = icosphere(subdivision, float(radius))
    azimuth = np.arccos(np.clip(vertices[:, 2] / radius, -1, 1))  # rounding may reach beyond 1
    polar = np.arctan2(vertices[:, 1], vertices[:, 0])
    harmonics = [
        np.stack([spherical_harmonic(n, m, azimuth, polar) for m in range(-n, n + 1)], axis=1) for n in range(levels)
    ]  # each (V, 2 n + 1)
    sides = [side.indices(size)[:2] for side, size in zip(box or (slice(None),) * 3, voxels.shape, strict=True)]
    lower = np.array([low for low, _ in sides])
    shape = tuple(high - low for low, high in sides)
    wanted = np.ones(shape, bool) if mask is None else mask[tuple(slice(*side) for side in sides)]
    where = np.argwhere(wanted)  # (N, 3)
    values = np.zeros((levels + 1, len(where)))
    spline = scipy.ndimage.spline_filter(voxels, 3, output=np.float64, mode="constant")

    def do(part: tuple[int, int]) -> None:
        step = max(1, CHUNK_BYTES // (32 * len(vertices)))
        for first in range(*part, step):
            here = slice(first, min(first + step, part[1]))
            places = where[here] + lower
            samples = _samples(spline, places, vertices, voxels.dtype)
            bits = samples >= voxels[tuple(places.T)][:, None]
            for degree, y in enumerate(harmonics):
                values[degree, here] = _length(bits, y)
            values[levels, here] = _kurtosis(samples)

    map_threads(do, parts(len(where), threads), threads)
    for name, part_values in zip(lbp3d_names(levels), values, strict=True):
        image = np.zeros(shape)
        image[wanted] = part_values
        yield name, image


def _samples(spline: np.ndarray, places: np.ndarray, vertices: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return the samples around each voxel, (N, V) of the image's number type.

    Args:
        spline: float64 (z, y, x), the coefficients of the whole image.
        places: int (N, 3), the voxels.
        vertices: (V, 3), added to their indices.
        dtype: of the image.
    """
    wide = dtype.kind in "iu" and dtype.itemsize == 8  # float64 does not reach their ends
    if wide or not _compiled_agrees():
        points = places.T[:, :, None] + vertices.T[:, None, :]  # (3, N, V)
        return scipy.ndimage.map_coordinates(spline, points, dtype, order=3, prefilter=False)
    from deepradiomics.radiomics.filters.compiled.spline import sphere_samples

    samples = np.empty((len(places), len(vertices)))
    sphere_samples(spline, places, vertices, samples)
    if dtype.kind in "iu":  # SciPy rounds half away from zero
        limits = np.iinfo(dtype)
        samples = np.trunc(samples + np.where(samples > 0, 0.5, -0.5)).clip(limits.min, limits.max)
    return samples.astype(dtype)


@cache
def _compiled_agrees() -> bool:
    """Tell whether the compiled samples have SciPy's bits on this machine (fused multiply-add may differ)."""
    if not compiled.available():
        return False
    from deepradiomics.radiomics.filters.compiled.spline import sphere_samples

    spline = np.random.default_rng(0).normal(size=(5, 6, 7))
    places, vertices = np.argwhere(np.ones(spline.shape, bool)), icosphere(1, 1.3)
    ours = np.empty((len(places), len(vertices)))
    sphere_samples(spline, places, vertices, ours)
    points = places.T[:, :, None] + vertices.T[:, None, :]
    return np.array_equal(ours, scipy.ndimage.map_coordinates(spline, points, order=3, prefilter=False))


def _length(bits: np.ndarray, harmonics: np.ndarray) -> np.ndarray:
    """Return the length of each pattern's part within one degree.

    The sums are written out term by term: a matrix product rounds a row differently with the number of rows, and
    patterns that differ by a turn of the sphere have equal lengths but for rounding, which percentiles can tell.

    Args:
        bits: bool (N, V).
        harmonics: complex (V, M) of all orders of the degree.

    Returns:
        float64 (N,).
    """
    weights = np.zeros((len(bits), harmonics.shape[1]), complex)
    for bit, row in zip(bits.T.astype(np.float64), harmonics, strict=True):
        weights += bit[:, None] * row
    projected = np.zeros(bits.shape, complex)
    for weight, column in zip(weights.T, harmonics.T, strict=True):
        projected += weight[:, None] * column  # not the conjugate: PyRadiomics' own
    squared = np.zeros(len(bits), complex)
    for column in projected.T:
        squared += column**2
    return np.sqrt(squared).real


def _kurtosis(samples: np.ndarray) -> np.ndarray:
    """Return the excess kurtosis of each row (N, V), NaN where it does not vary; float32 is not widened."""
    mean = samples.mean(axis=1, keepdims=True)
    squares = (samples - mean) ** 2
    second = squares.mean(axis=1)
    flat = second <= (np.finfo(mean.dtype).eps * mean[:, 0]) ** 2
    return np.where(flat, np.nan, (squares**2).mean(axis=1) / np.where(flat, 1, second) ** 2) - 3
