"""What the three counting backends agree on: the plan, the counts of one region, and how they are stacked.

A backend is a function ``count(regions, plan) -> list[RegionCounts]`` that returns whole numbers only; all three give
the very same ones. ``counting_reference`` is the readable definition, ``counting_cpu`` the fast one, and
``counting_torch`` runs batches on any torch device.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.radiomics.region.region import LevelRegion

MATRIX_FAMILIES = ("glcm", "gldm", "glrlm", "glszm", "ngtdm")


def offsets_at(distances: Sequence[int], flat_axis: int | None = None) -> np.ndarray:
    """Return the neighbour offsets (dz, dy, dx) whose largest component is one of ``distances``, one of each pair.

    The first non-zero component of each is positive: (1, 1, 1), (1, 1, 0), ... for distance 1, thirteen in all.
    With ``flat_axis`` (0, 1 or 2 for z, y, x) no offset leaves the plane across that axis: four at distance 1.
    """
    reach = max(distances)
    steps = range(reach, -reach - 1, -1)
    along = [(0,) if axis == flat_axis else steps for axis in range(3)]
    half = [o for o in product(*along) if o > (0, 0, 0) and max(map(abs, o)) in set(distances)]
    return np.array(half, np.int64)  # (A, 3)


@dataclass(frozen=True, eq=False)
class CountingPlan:
    """What to count.

    Args:
        families: the matrices wanted, of ``glcm, gldm, glrlm, glszm, ngtdm``.
        distances: distances (largest coordinate difference, in voxels) of neighbours for GLCM, GLDM and NGTDM.
            Runs and zones always use distance 1.
        alpha: two neighbours are alike (GLDM) when their grey levels differ by at most this.
        flat_axis: the numpy axis (0, 1, 2 for z, y, x) across which slices are worked on one by one, so that no
            neighbour, run or zone crosses from slice to slice (PyRadiomics' ``force2D``); None works in space.
    """

    families: tuple[str, ...] = MATRIX_FAMILIES
    distances: tuple[int, ...] = (1,)
    alpha: int = 0
    flat_axis: int | None = None

    def __post_init__(self) -> None:
        if self.flat_axis not in (None, 0, 1, 2):
            raise InputError(f"flat_axis: expected None, 0 (z), 1 (y) or 2 (x), got {self.flat_axis!r}.")
        if not self.distances or min(self.distances) < 1:
            raise InputError(f"distances: expected whole numbers of at least 1, got {self.distances!r}.")

    @cached_property
    def offsets(self) -> np.ndarray:
        """(A, 3) offsets of GLCM, GLDM and NGTDM, one of each opposite pair."""
        return offsets_at(self.distances, self.flat_axis)

    @cached_property
    def run_offsets(self) -> np.ndarray:
        """(D, 3) directions of runs, 13 or 4 in a plane; with their opposites, the neighbours that join a zone."""
        return offsets_at((1,), self.flat_axis)


@dataclass(frozen=True, eq=False)
class RegionCounts:
    """The counts of one region, int64; None where a matrix is not wanted. L levels, in the order of ``grey_levels``.

    Args:
        glcm: (A, L, L): how often level i has level j at offset a.
        glrlm: (D, L, R): number of runs of level i and length r + 1 along direction a.
        zones: (Z, 2): level index and number of voxels of each zone of equal level (26-connected, in a plane
            8-connected), sorted.
        gldm: (L, N + 1): number of voxels of level i with n alike neighbours, N = 2 A.
        ngtdm: (L, N + 1): sum of |n * level - sum of neighbours' levels| over voxels with n neighbours in the ROI.
        voxels: (L,): number of voxels of each level.
    """

    glcm: np.ndarray | None
    glrlm: np.ndarray | None
    zones: np.ndarray | None
    gldm: np.ndarray | None
    ngtdm: np.ndarray | None
    voxels: np.ndarray


CountFunction = Callable[[Sequence[LevelRegion], CountingPlan], list[RegionCounts]]


@dataclass(frozen=True, eq=False)
class TextureCounts:
    """The counts of a batch of regions, stacked and padded with zeros; every array has the batch axis B first.

    Args:
        levels: (B, L) grey levels as float64, padded with 1.
        n_levels: (B,) number of levels that occur.
        voxels: (B, L).
        glcm: (B, A, L, L), or None.
        glrlm: (B, D, L, R), or None; directions in which no line holds two voxels are zero.
        glszm: (B, L, S), or None.
        zone_sizes: (B, S) voxels of a zone in that column, padded with 1.
        gldm: (B, L, N + 1), or None.
        ngtdm: (B, L) sum of |level - mean of its neighbours|, or None.
    """

    levels: np.ndarray
    n_levels: np.ndarray
    voxels: np.ndarray
    glcm: np.ndarray | None
    glrlm: np.ndarray | None
    glszm: np.ndarray | None
    zone_sizes: np.ndarray | None
    gldm: np.ndarray | None
    ngtdm: np.ndarray | None


def stack(
    regions: Sequence[LevelRegion], counts: Sequence[RegionCounts], plan: CountingPlan | None = None
) -> TextureCounts:
    """Stack the counts of several regions for the feature formulas; ``plan`` is the one they were counted by."""
    steps = (plan or CountingPlan()).run_offsets
    n_levels = np.array([len(r.grey_levels) for r in regions])
    levels = np.ones((len(regions), n_levels.max()))
    for row, region in zip(levels, regions, strict=True):
        row[: len(region.grey_levels)] = region.grey_levels
    runs = [
        None if c.glrlm is None else _drop_single_file(r, c.glrlm, steps) for r, c in zip(regions, counts, strict=True)
    ]
    zones = [None if c.zones is None else _zone_matrix(c.zones, len(c.voxels)) for c in counts]
    sizes = [None if z is None else z[1] for z in zones]
    return TextureCounts(
        levels=levels,
        n_levels=n_levels,
        voxels=_stacked([c.voxels for c in counts]),
        glcm=_padded([c.glcm for c in counts]),
        glrlm=_padded(runs),
        glszm=_padded([None if z is None else z[0] for z in zones]),
        zone_sizes=_padded(sizes, fill=1),
        gldm=_padded([c.gldm for c in counts]),
        ngtdm=_padded([None if c.ngtdm is None else c.ngtdm @ _reciprocals(c.ngtdm.shape[1]) for c in counts]),
    )


def _padded(arrays: Sequence[np.ndarray | None], fill: float = 0) -> np.ndarray | None:
    """Stack arrays where there are any."""
    known = [a for a in arrays if a is not None]
    return _stacked(known, fill) if len(known) == len(arrays) else None


def _stacked(arrays: Sequence[np.ndarray], fill: float = 0) -> np.ndarray:
    """Stack arrays of one rank, each padded at its ends to the largest size."""
    shape = np.max([a.shape for a in arrays], axis=0)
    result = np.full((len(arrays), *shape), fill, arrays[0].dtype)
    for slot, array in zip(result, arrays, strict=True):
        slot[tuple(slice(n) for n in array.shape)] = array
    return result


def _reciprocals(count: int) -> np.ndarray:
    """1 / n for n = 0 ... count - 1, and 0 for n = 0: a voxel without neighbours differs from them by nothing."""
    n = np.arange(count, dtype=float)
    return np.divide(1.0, n, out=np.zeros(count), where=n > 0)


def _zone_matrix(zones: np.ndarray, n_levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Turn a list of zones (Z, 2) into counts (L, S) over the sizes that occur, and those sizes (S,)."""
    sizes, column = np.unique(zones[:, 1], return_inverse=True)
    matrix = np.bincount(zones[:, 0] * len(sizes) + column, minlength=n_levels * len(sizes))
    return matrix.reshape(n_levels, len(sizes)), sizes


def _drop_single_file(region: LevelRegion, runs: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Zero the directions in which no line through the box meets the ROI twice (PyRadiomics leaves these out)."""
    if len(steps) != len(runs):
        raise ValueError(f"plan: runs were counted along {len(runs)} directions, this plan has {len(steps)}.")
    suspects = np.flatnonzero(runs[:, :, 1:].sum(axis=(1, 2)) == 0)
    if len(suspects) == 0:
        return runs
    runs = runs.copy()
    points = np.argwhere(region.codes > 0)
    for a in suspects:
        step = steps[a]
        axis = int(np.flatnonzero(step)[0])
        lines = (
            points - points[:, axis : axis + 1] * step * step[axis]
        )  # where each voxel's line crosses that axis at 0
        if len(np.unique(lines, axis=0)) == len(points):
            runs[a] = 0
    return runs
