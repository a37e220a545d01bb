"""GLRLM, GLSZM and GLDM of windows in batches: entries of (level, size, weight) and the sixteen quantities of them."""

from typing import Any

from deepradiomics.radiomics.maps.arrays import Arrays
from deepradiomics.radiomics.maps.batched.groups import entropy, grouped


def size_quantities(a: Arrays, level: Any, size: Any, weight: Any, largest_size: int) -> dict[str, Any]:
    """Return the quantities of :mod:`deepradiomics.radiomics.features.size_matrix` of each matrix, (...).

    Args:
        a: the array library.
        level, size: (..., E) whole numbers of at least 1 where the weight is above 0.
        weight: (..., E) how many runs, zones or voxels each entry stands for.
        largest_size: no size is above it.
    """
    total = weight.sum(axis=-1)
    total = a.where(total > 0, total, 1 + 0 * total)
    q = weight / total[..., None]
    counts = weight > 0
    i, j = (a.where(counts, a.like_float(x), 1 + 0 * weight) for x in (level, size))
    i2, j2 = i**2, j**2
    mean_level, mean_size = (q * i).sum(axis=-1), (q * j).sum(axis=-1)
    levels, sizes = grouped(a, level, q), grouped(a, size, q)
    same_level = (levels.weight * levels.mass).sum(axis=-1)
    same_size = (sizes.weight * sizes.mass).sum(axis=-1)
    return {
        "short": (q / j2).sum(axis=-1),
        "long": (q * j2).sum(axis=-1),
        "level non-uniformity": same_level * total,
        "level non-uniformity, normalised": same_level,
        "size non-uniformity": same_size * total,
        "size non-uniformity, normalised": same_size,
        "percentage": 1 / a.where(mean_size > 0, mean_size, 1 + 0 * mean_size),
        "level variance": (q * (i - mean_level[..., None]) ** 2).sum(axis=-1),
        "size variance": (q * (j - mean_size[..., None]) ** 2).sum(axis=-1),
        "entropy": entropy(a, level * (largest_size + 1) + size, q),
        "low": (q / i2).sum(axis=-1),
        "high": (q * i2).sum(axis=-1),
        "short low": (q / (i2 * j2)).sum(axis=-1),
        "short high": (q * i2 / j2).sum(axis=-1),
        "long low": (q * j2 / i2).sum(axis=-1),
        "long high": (q * i2 * j2).sum(axis=-1),
    }


def runs(a: Arrays, levels: Any, following: Any, leading: Any, longest: int) -> tuple[Any, Any, Any, Any]:
    """Return level, length and weight (n, D, K) of the runs of windows, and which directions (n, D) count.

    Args:
        levels: (n, K + 1) grey levels, 0 outside and in the last column.
        following, leading: (D, K + 1) the next and the last position along each direction.
        longest: voxels of the longest line.
    """
    here = levels[:, None, :]
    inside = a.index(here > 0) + 0 * following  # (n, D, K + 1)
    after = following + 0 * inside
    goes_on = a.index((levels[:, following] == here) & (here > 0))
    length, number = 1 + 0 * inside, inside
    for _ in range(longest - 1):  # a voxel whose successor is alike goes on as long as that one
        length = 1 + goes_on * a.take(length, after)
        number = inside + a.take(number, after)
    begins = (levels[:, leading] != here) & (here > 0)
    # a direction along which every voxel stands alone is left out
    repeated = a.largest(number) > 1
    weight = a.like_float(begins) * a.like_float(repeated)[:, :, None]
    level = here + 0 * following
    return level[..., :-1], length[..., :-1], weight[..., :-1], repeated


def zones(a: Arrays, levels: Any, touching: Any, places: Any) -> tuple[Any, Any, Any]:
    """Return level, size and weight (n, K) of the zones of windows.

    Args:
        levels: (n, K + 1) grey levels, 0 outside and in the last column.
        touching: (K, T) positions next to each, filled up with K.
        places: (K + 1,) the numbers 0 to K.
    """
    root = places + 0 * levels
    inner = levels[:, :-1]
    alike = (levels[:, touching] == inner[..., None]) & (inner > 0)[..., None]
    far = levels.shape[1]
    while True:  # every voxel takes the smallest number that it touches, until nothing changes
        near = a.smallest(a.where(alike, root[:, touching], far + 0 * root[:, touching]))
        least = a.where(near < root[:, :-1], near, root[:, :-1])
        if bool((least == root[:, :-1]).all()):
            break
        root = a.join([least, root[:, -1:]])
    groups = grouped(a, root[:, :-1], a.like_float(inner > 0))
    level = a.take(inner, groups.order)
    return level, a.index(groups.mass + 0.5), a.like_float(groups.first & (level > 0))


def dependences(a: Arrays, levels: Any, neighbours: Any, alpha: int) -> tuple[Any, Any, Any]:
    """Return level, dependence and weight (n, K): each voxel with itself and its alike neighbours.

    Args:
        levels: (n, K + 1) grey levels, 0 outside and in the last column.
        neighbours: (K, T) positions, filled up with K.
        alpha: neighbours are alike when their levels differ by at most this.
    """
    inner = levels[:, :-1]
    other = levels[:, neighbours]
    alike = (other > 0) & (abs(other - inner[..., None]) <= alpha)
    return inner, 1 + alike.sum(axis=-1), a.like_float(inner > 0)
