"""Largest distances between surface points, in space and within slices, rows and columns.

Only vertices that are extreme on their line can be an end of a diameter, and within a plane only the corners of their
convex hull; what is left is small enough to compare every pair.
"""

import numpy as np

from deepradiomics import kernels as compiled


def largest_distances(points: np.ndarray, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Return the largest distances (mm) with equal z, with equal y, with equal x, and overall, (4,).

    Args:
        points: (V, 3) doubled voxel coordinates (z, y, x), whole numbers.
        spacing_mm: voxel spacing (z, y, x).
    """
    distances = np.zeros(4)
    half = np.array(spacing_mm) / 2
    for axis in range(3):
        corners, start = _plane_corners(points, axis)
        scaled = corners * half
        distances[axis] = np.sqrt(largest_within(scaled, start))
        if axis == 0:
            distances[3] = np.sqrt(largest_within(scaled, np.array([0, len(scaled)])))
    return distances


def _plane_corners(points: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the hull corners of every plane of equal coordinate ``axis``, and where each plane starts.

    Returns:
        corners (C, 3), plane by plane, and start (planes + 1,).
    """
    u, v = (a for a in range(3) if a != axis)
    points = points[np.lexsort((points[:, v], points[:, u], points[:, axis]))]
    same_line = (np.diff(points[:, axis]) == 0) & (np.diff(points[:, u]) == 0)
    first, last = np.append(True, ~same_line), np.append(~same_line, True)
    points = points[first | last]  # only the ends of each line
    return corners_of_planes(np.ascontiguousarray(points[:, [axis, u, v]]), axis)


def corners_of_planes(points: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the hull corners (C, 3) of every plane as coordinates (z, y, x), and where each plane starts.

    Args:
        points: (P, 3) coordinate along ``axis``, then the two others in their order; sorted.
        axis: the axis across the planes.
    """
    u, v = (a for a in range(3) if a != axis)
    points = _hulls(points)
    start = np.flatnonzero(np.append(True, np.diff(points[:, 0]) != 0))
    corners = np.empty_like(points)
    corners[:, [axis, u, v]] = points
    return corners, np.append(start, len(points))


def _hulls(points: np.ndarray) -> np.ndarray:
    """Keep the corners of the convex hull of each plane; points (P, 3) sorted by plane, then u, then v."""
    return points[_run(_hull_members)(points)]


def largest_within(points: np.ndarray, start: np.ndarray) -> float:
    """Return the largest squared distance between two points of one group, over all groups."""
    return float(_run(_largest_squared)(points, start))


def _hull_members(points: np.ndarray) -> np.ndarray:
    """Mark hull corners by a monotone chain: once upwards for the lower side, once downwards for the upper."""
    n = len(points)
    corner = np.zeros(n, np.bool_)
    chain = np.empty(n, np.int64)
    begin = 0
    while begin < n:
        end = begin
        while end < n and points[end, 0] == points[begin, 0]:
            end += 1
        for side in (1, -1):
            top = 0
            for step in range(end - begin):
                k = begin + step if side == 1 else end - 1 - step
                while top >= 2:
                    a, b = chain[top - 2], chain[top - 1]
                    turn = (points[b, 1] - points[a, 1]) * (points[k, 2] - points[a, 2]) - (
                        points[b, 2] - points[a, 2]
                    ) * (points[k, 1] - points[a, 1])
                    if turn > 0:
                        break
                    top -= 1
                chain[top] = k
                top += 1
            for k in range(top):
                corner[chain[k]] = True
        begin = end
    return corner


def _largest_squared(points: np.ndarray, start: np.ndarray) -> float:
    best = 0.0
    for g in range(len(start) - 1):
        for p in range(start[g], start[g + 1]):
            for q in range(p + 1, start[g + 1]):
                z = points[p, 0] - points[q, 0]
                y = points[p, 1] - points[q, 1]
                x = points[p, 2] - points[q, 2]
                best = max(best, z * z + y * y + x * x)
    return best


def _largest_squared_numpy(points: np.ndarray, start: np.ndarray) -> float:
    best = 0.0
    for g in range(len(start) - 1):
        group = points[start[g] : start[g + 1]]
        for block in range(0, len(group), 512):
            gap = group[block : block + 512, None] - group[None]
            best = max(best, float((gap**2).sum(axis=2).max()))
    return best


_READY: dict[str, object] = {}


def _run(kernel):  # type: ignore[no-untyped-def]
    """Return the compiled kernel where numba is there, else one that plain Python can run."""
    name = kernel.__name__
    if name not in _READY:
        if compiled.available():
            _READY[name] = compiled.njit(kernel)
        else:
            _READY[name] = _largest_squared_numpy if kernel is _largest_squared else kernel
    return _READY[name]
