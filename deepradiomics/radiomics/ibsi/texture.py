"""IBSI's texture features: matrices of slices or of the volume, put together in the way asked for.

Counting and formulas are those of the engine; what is IBSI's is how matrices meet them:

    2D_averaged            a feature of every slice and direction, averaged
    2D_slice_merged        directions of a slice summed, a feature of every slice, averaged
    2.5D_direction_merged  slices summed for each direction, a feature of every direction, averaged
    2.5D_merged            all slices and directions summed
    3D_averaged, 3D_merged the same for the thirteen directions in space

Families without directions know 2D (slices averaged), 2.5D (slices summed) and 3D.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from deepradiomics import kernels as compiled
from deepradiomics.radiomics.catalogue.ibsi import DIRECTIONAL, aggregations_of, entries
from deepradiomics.radiomics.compute import formulas
from deepradiomics.radiomics.counting.chunks import chunks
from deepradiomics.radiomics.counting.plan import CountFunction, CountingPlan, RegionCounts
from deepradiomics.radiomics.memory import Budget
from deepradiomics.radiomics.region.region import LevelRegion

_CHUNK_ENTRIES = 20_000_000  # entries of co-occurrence matrices of slices held at a time, within the budget
Values = dict[tuple[str, str, str], float]
"""(family, name, aggregation) -> value."""


@dataclass(frozen=True, eq=False)
class Matrices:
    """The matrices of one slice, of several slices summed, or of a volume; None where a family is not wanted.

    Args:
        glcm: (A, L, L) symmetrical counts of neighbouring levels at each offset.
        glrlm: (D, L, R) counts of runs along each direction, column r for length r + 1.
        zones: (Z, 2) level index and size of each zone.
        gldm: (L, N + 1) voxels of each level with n alike neighbours.
        differences: (L,) sum of |level - mean of the neighbours|.
        neighboured: (L,) voxels of each level that have a neighbour in the ROI.
    """

    glcm: np.ndarray | None = None
    glrlm: np.ndarray | None = None
    zones: np.ndarray | None = None
    gldm: np.ndarray | None = None
    differences: np.ndarray | None = None
    neighboured: np.ndarray | None = None

    def __add__(self, other: "Matrices") -> "Matrices":
        def both(a: np.ndarray | None, b: np.ndarray | None) -> np.ndarray | None:
            return None if a is None or b is None else a + b

        zones = None if self.zones is None or other.zones is None else np.concatenate([self.zones, other.zones])
        return Matrices(
            both(self.glcm, other.glcm),
            both(self.glrlm, other.glrlm),
            zones,
            both(self.gldm, other.gldm),
            both(self.differences, other.differences),
            both(self.neighboured, other.neighboured),
        )


def texture_features(
    levels: LevelRegion,
    families: Sequence[str],
    aggregations: Sequence[str],
    count: CountFunction,
    *,
    distances: tuple[int, ...] = (1,),
    alpha: int = 0,
    budget: Budget | None = None,
    name: str = "region",
) -> Values:
    """Return the texture features of one ROI; NaN where no two voxels are neighbours.

    Args:
        levels: the discretised ROI, slices along the first axis.
        families: of ``glcm, glrlm, glszm, gldm, ngtdm``.
        aggregations: of :data:`deepradiomics.radiomics.ibsi.AGGREGATIONS`.
        count: a counting backend.
        distances: Chebyshev distances of neighbours.
        alpha: two neighbours are alike (NGLDM) when their levels differ by at most this.
        budget: bounds the matrices held at a time; None takes the default.
        name: what messages call the ROI.

    Raises:
        InputError: the matrices of the ROI alone are larger than the budget.
    """
    features: Values = {}
    budget = budget or Budget()
    ways = {dimension: [a for a in aggregations if a.startswith(dimension)] for dimension in ("3D", "2.5D", "2D")}
    if ways["3D"]:
        plan = CountingPlan(tuple(families), distances, alpha)
        [chunk_of_all] = chunks([levels], [name], plan, budget, 1)
        with budget.held(chunk_of_all.bytes):
            volume = list(matrices([levels], plan, count))
            features |= _averaged({key: [v] for key, v in _evaluated(volume, levels, families, ways["3D"]).items()})
    if ways["2D"] or ways["2.5D"]:
        plan = CountingPlan(tuple(families), distances, alpha, flat_axis=0)
        summed: Matrices | None = None
        parts: dict[tuple[str, str, str], list[np.ndarray]] = {}
        flat = slices(levels)
        most = max(1, _CHUNK_ENTRIES // (len(plan.offsets) * len(levels.grey_levels) ** 2))
        for chunk in chunks(flat, [name] * len(flat), plan, budget, most):
            with budget.held(chunk.bytes):
                groups = list(matrices(flat[chunk.regions], plan, count))
                for key, values in _evaluated(groups, levels, families, ways["2D"]).items():
                    parts.setdefault(key, []).append(values)
                for matrices_of_slice in groups if ways["2.5D"] else ():
                    summed = matrices_of_slice if summed is None else summed + matrices_of_slice
        features |= _averaged(parts)
        if summed is not None:
            features |= _averaged({k: [v] for k, v in _evaluated([summed], levels, families, ways["2.5D"]).items()})
    return features


def slices(levels: LevelRegion) -> list[LevelRegion]:
    """Return each slice (1, y, x) that holds a voxel of the ROI, all with the grey levels of the whole."""
    full = [z for z in range(len(levels.codes)) if levels.codes[z].any()]
    return [LevelRegion(np.ascontiguousarray(levels.codes[z : z + 1]), levels.grey_levels) for z in full]


def matrices(regions: Sequence[LevelRegion], plan: CountingPlan, count: CountFunction) -> Iterable[Matrices]:
    """Count the matrices of each region."""
    for region, counts in zip(regions, count(regions, plan), strict=True):
        near = _neighboured(region, plan) if counts.ngtdm is not None else None
        yield Matrices(
            glcm=None if counts.glcm is None else counts.glcm + counts.glcm.transpose(0, 2, 1),
            glrlm=counts.glrlm,
            zones=counts.zones,
            gldm=counts.gldm,
            differences=None if counts.ngtdm is None else _differences(counts),
            neighboured=near,
        )


def _differences(counts: RegionCounts) -> np.ndarray:
    assert counts.ngtdm is not None
    n = np.arange(counts.ngtdm.shape[1])
    return counts.ngtdm @ np.where(n > 0, 1 / np.maximum(n, 1), 0.0)


def _neighboured(region: LevelRegion, plan: CountingPlan) -> np.ndarray:
    """Count the voxels of each level that have a neighbour in the ROI, (L,)."""
    inside = region.codes > 0
    near = np.zeros(inside.shape, bool)
    for offset in np.concatenate([plan.offsets, -plan.offsets]):
        here = tuple(slice(max(0, -o), max(0, min(n, n - o))) for n, o in zip(inside.shape, offset, strict=True))
        there = tuple(slice(max(0, o), max(0, min(n, n + o))) for n, o in zip(inside.shape, offset, strict=True))
        near[here] |= inside[there]
    return np.bincount(region.codes[inside & near] - 1, minlength=len(region.grey_levels))


def _averaged(parts: dict[tuple[str, str, str], list[np.ndarray]]) -> Values:
    """Average over matrices, leaving out those for which a feature is not defined."""
    features = {}
    for key, arrays in parts.items():
        values = np.concatenate(arrays)
        known = values[~np.isnan(values)]
        features[key] = float(known.mean()) if len(known) else np.nan
    return features


def _evaluated(
    groups: Sequence[Matrices], levels: LevelRegion, families: Sequence[str], ways: Sequence[str]
) -> dict[tuple[str, str, str], np.ndarray]:
    """Return each feature (M,) of the matrices given, direction by direction where the aggregation says so."""
    features: dict[tuple[str, str, str], np.ndarray] = {}
    for family in families:
        for way in aggregations_of(family, ways):
            merge = not way.endswith(("averaged", "direction_merged"))
            values = _family(family, groups, levels.grey_levels.astype(float), merge)
            names = [name for name in entries()[family] if name in values]
            features |= {(family, name, way): values[name] for name in names}
    return features


def _family(family: str, groups: Sequence[Matrices], levels: np.ndarray, merge: bool) -> dict[str, np.ndarray]:
    """Evaluate the formulas of one family for a stack of matrices."""

    def stacked(name: str) -> np.ndarray:
        arrays = [getattr(m, name) for m in groups]
        if family in DIRECTIONAL:
            return np.concatenate([a.sum(axis=0, keepdims=True) if merge else a for a in arrays])
        return np.stack(arrays)

    formula = formulas(compiled.available())[family]
    if family == "glcm":
        pairs = stacked("glcm")  # (M, L, L)
        n = np.full(len(pairs), len(levels))
        names = set(entries()["glcm"])
        features = formula(pairs[:, None], _rows(levels, len(pairs)), n, symmetrical=False, wanted=names)
        return features | {"Dissimilarity": features["DifferenceAverage"], "SumVariance": features["ClusterTendency"]}
    if family == "glrlm":
        runs = stacked("glrlm")
        return formula(runs[:, None], _rows(levels, len(runs)))
    if family == "glszm":
        sizes = np.unique(np.concatenate([m.zones[:, 1] for m in groups if m.zones is not None]))
        zones = np.zeros((len(groups), len(levels), len(sizes)), np.int64)
        for k, m in enumerate(groups):
            assert m.zones is not None
            np.add.at(zones[k], (m.zones[:, 0], np.searchsorted(sizes, m.zones[:, 1])), 1)
        return formula(zones, _rows(levels, len(groups)), _rows(sizes, len(groups)))
    if family == "gldm":
        return _ngldm(stacked("gldm"), levels, formula)
    neighboured, differences = stacked("neighboured"), stacked("differences")
    some = neighboured.any(axis=1)
    if not some.any():
        return {name: np.full(1, np.nan) for name in entries()["ngtdm"]}
    return formula(neighboured[some], differences[some], _rows(levels, int(some.sum())))


def _ngldm(
    dependences: np.ndarray, levels: np.ndarray, formula: Callable[..., dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return PyRadiomics' fourteen quantities and the three that only IBSI has; dependences (M, L, N + 1)."""
    total = dependences.sum(axis=(1, 2)).astype(float)
    by_level = dependences.sum(axis=2).astype(float)
    return formula(dependences, _rows(levels, len(dependences))) | {
        "DependenceEnergy": (dependences.astype(float) ** 2).sum(axis=(1, 2)) / total**2,
        "DependencePercentage": np.ones(len(dependences)),
        "GrayLevelNonUniformityNormalized": (by_level**2).sum(axis=1) / total**2,
    }


def _rows(values: np.ndarray, count: int) -> np.ndarray:
    return np.broadcast_to(values, (count, len(values)))
