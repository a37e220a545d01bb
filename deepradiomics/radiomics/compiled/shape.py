"""Shape measured in one compiled pass over the mask: area, volume, diameters and axes (decision 0005).

The definitions are :mod:`mesh`, :mod:`diameters` and ``shape.principal_variances``. The pass looks at every cube of
eight voxel centres once: its configuration is counted, the mesh's vertices on its first three edges are remembered
where they are the ends of a line (others cannot end a diameter), and the positions of voxels are summed in whole
numbers.
"""

import numpy as np

from deepradiomics.kernels import njit
from deepradiomics.radiomics.features import diameters, mesh

_FAR = 2**31 - 1


def measured(mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Measure one region.

    Args:
        mask: bool (z, y, x), cropped to the region's bounding box.
        spacing_mm: voxel spacing (z, y, x).

    Returns:
        surface area (mm²), enclosed volume (mm³), largest distances (4,) as :func:`diameters.largest_distances` gives
        them, and the variances (3,), ascending, along the principal axes (mm²).
    """
    padded = np.zeros([n + 2 for n in mask.shape], np.uint8)
    padded[1:-1, 1:-1, 1:-1] = mask
    counts, summed = np.zeros(256, np.int64), np.zeros((256, 3), np.int64)
    doubled = [2 * n for n in padded.shape]
    ends = []  # per axis: lowest and highest vertex of each line of each plane across it
    for axis in range(3):
        u = 1 if axis == 0 else 0
        ends.append(np.full((doubled[axis], doubled[u], 2), (_FAR, -1), np.int64))
    sums = np.zeros(10, np.int64)
    _scan(padded, counts, summed, *ends, sums)
    area, volume = mesh.area_and_volume_of(counts, summed, spacing_mm)
    return area, volume, _diameters(ends, spacing_mm), _variances([int(v) for v in sums], spacing_mm)


def _diameters(ends: list[np.ndarray], spacing_mm: tuple[float, float, float]) -> np.ndarray:
    distances = np.zeros(4)
    half = np.array(spacing_mm) / 2
    for axis in range(3):
        corners, start = diameters.corners_of_planes(_points(ends[axis]), axis)
        scaled = corners * half
        distances[axis] = np.sqrt(diameters.largest_within(scaled, start))
        if axis == 0:
            distances[3] = np.sqrt(diameters.largest_within(scaled, np.array([0, len(scaled)])))
    return distances


def _variances(sums: list[int], spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Eigenvalues of the covariance of the voxel centres, from whole sums: of 1, z, y, x, zz, yy, xx, zy, zx, yx."""
    n, first = sums[0], sums[1:4]
    covariance = np.empty((3, 3))
    for (i, j), total in zip(((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)), sums[4:], strict=True):
        exact = (n * total - first[i] * first[j]) / n**2
        covariance[i, j] = covariance[j, i] = exact * spacing_mm[i] * spacing_mm[j]
    return np.maximum(np.linalg.eigvalsh(covariance), 0)


@njit
def _scan(
    padded: np.ndarray,
    counts: np.ndarray,
    summed: np.ndarray,
    slices: np.ndarray,
    columns: np.ndarray,
    rows: np.ndarray,
    sums: np.ndarray,
) -> None:
    depth, height, width = padded.shape
    for z in range(depth - 1):
        for y in range(height - 1):
            here, below = padded[z, y], padded[z, y + 1]
            behind, across = padded[z + 1, y], padded[z + 1, y + 1]
            left, in_row, x_sum, xx_sum = 0, 0, 0, 0
            for x in range(width - 1):
                # bits of the corners 1, 2, 5, 6; one step further they are the corners 0, 3, 4, 7
                right = 2 * here[x + 1] + 4 * below[x + 1] + 32 * behind[x + 1] + 64 * across[x + 1]
                kind = left + right
                if here[x]:
                    in_row += 1
                    x_sum += x
                    xx_sum += x * x
                left = here[x + 1] + 8 * below[x + 1] + 16 * behind[x + 1] + 128 * across[x + 1]
                if kind == 0 or kind == 255:
                    continue
                counts[kind] += 1
                summed[kind, 0] += z
                summed[kind, 1] += y
                summed[kind, 2] += x
                if here[x] != here[x + 1]:
                    _remember(2 * z, 2 * y, 2 * x + 1, slices, columns, rows)
                if here[x] != below[x]:
                    _remember(2 * z, 2 * y + 1, 2 * x, slices, columns, rows)
                if here[x] != behind[x]:
                    _remember(2 * z + 1, 2 * y, 2 * x, slices, columns, rows)
            sums[0] += in_row
            sums[1] += z * in_row
            sums[2] += y * in_row
            sums[3] += x_sum
            sums[4] += z * z * in_row
            sums[5] += y * y * in_row
            sums[6] += xx_sum
            sums[7] += z * y * in_row
            sums[8] += z * x_sum
            sums[9] += y * x_sum


@njit
def _remember(z: int, y: int, x: int, slices: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> None:
    slices[z, y, 0] = min(slices[z, y, 0], x)
    slices[z, y, 1] = max(slices[z, y, 1], x)
    columns[y, z, 0] = min(columns[y, z, 0], x)
    columns[y, z, 1] = max(columns[y, z, 1], x)
    rows[x, z, 0] = min(rows[x, z, 0], y)
    rows[x, z, 1] = max(rows[x, z, 1], y)


@njit
def _points(ends: np.ndarray) -> np.ndarray:
    """The ends of lines as points (P, 3): plane, line, position; sorted."""
    planes, lines, _ = ends.shape
    points = np.empty((2 * planes * lines, 3), np.int64)
    n = 0
    for plane in range(planes):
        for line in range(lines):
            low, high = ends[plane, line, 0], ends[plane, line, 1]
            if high >= 0:
                points[n, 0], points[n, 1], points[n, 2] = plane, line, low
                n += 1
            if high > low:
                points[n, 0], points[n, 1], points[n, 2] = plane, line, high
                n += 1
    return points[:n].copy()
