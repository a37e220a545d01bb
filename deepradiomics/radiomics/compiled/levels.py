"""Grey levels compiled: the bin of each voxel, and the bins that occur, in one pass (decision 0005).

The bin that the width suggests is corrected against the edges themselves, so that the result is ``numpy.digitize``'s to
the last bit of every edge, without its search.
"""

import numpy as np

from deepradiomics.kernels import njit


def present(values: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ``numpy.unique(numpy.digitize(values, edges), return_inverse=True, return_counts=True)``.

    Args:
        values: (voxels,) grey values, finite, of a number type that float64 holds exactly.
        edges: (E,) ascending, E >= 2, evenly spaced but for rounding and for the last.

    Returns:
        the bins that occur (L,), for each voxel which of them is its own (voxels,), int32, and how many voxels each
        has (L,).
    """
    index = np.empty(len(values), np.int32)
    return _fill(np.ascontiguousarray(values, float), np.ascontiguousarray(edges, float), index)


@njit
def _fill(values: np.ndarray, edges: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = len(edges)
    first, width = edges[0], edges[1] - edges[0]
    voxels = np.zeros(count + 1, np.int64)
    for k in range(len(values)):
        value = values[k]
        bin_ = min(max(int((value - first) / width), 0), count - 1)
        while bin_ >= 0 and value < edges[bin_]:
            bin_ -= 1
        while bin_ + 1 < count and value >= edges[bin_ + 1]:
            bin_ += 1
        bin_ += 1  # bin n lies between edges n - 1 and n
        index[k] = bin_
        voxels[bin_] += 1
    bins = np.flatnonzero(voxels)
    place = np.empty(count + 1, np.int32)
    for n in range(len(bins)):
        place[bins[n]] = n
    for k in range(len(values)):
        index[k] = place[index[k]]
    return bins, index, voxels[bins]
