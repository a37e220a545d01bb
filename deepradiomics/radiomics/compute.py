"""From regions to a table of feature values: discretise, count, and evaluate the formulas once for the whole batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from deepradiomics import kernels as compiled
from deepradiomics.devices import resolve_device
from deepradiomics.radiomics.counting import reference
from deepradiomics.radiomics.counting.chunks import Chunk, chunks
from deepradiomics.radiomics.counting.plan import (
    MATRIX_FAMILIES,
    CountFunction,
    CountingPlan,
    RegionCounts,
    TextureCounts,
    stack,
)
from deepradiomics.radiomics.features import directions, firstorder, glcm, gldm, glrlm, glszm, ngtdm
from deepradiomics.radiomics.features.shape import shape_features
from deepradiomics.radiomics.features.shape2d import shape2d_features
from deepradiomics.radiomics.memory import Budget
from deepradiomics.radiomics.region.region import LevelRegion, Region, discretise
from deepradiomics.radiomics.settings.feature_names import shape_names, texture_names
from deepradiomics.radiomics.settings.settings import Settings
from deepradiomics.threads import map_threads, thread_count

LARGE_JOB_VOXELS = 5_000_000  # below this a GPU's start-up and transfers cost more than they save
_CHUNK_REGIONS = 8  # regions that one thread of the CPU takes at a time
_TOGETHER = (("glcm", "gldm", "ngtdm"), ("glrlm",), ("glszm",))  # families that threads share, where regions are few


_Part = tuple[slice, dict[str, np.ndarray]]  # of which regions, and their values (regions,) by family and name


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Feature values of a batch of regions.

    Args:
        values: (B, K) float64; NaN where a feature is not defined.
        names: (K,) full keys, as :func:`feature_names` orders them.
        n_levels: (B,) number of grey levels of each region; empty when no family needs them.
        backend: which counting was used.
        warnings: one sentence for each thing a user should know.
    """

    values: np.ndarray
    names: tuple[str, ...]
    n_levels: np.ndarray
    backend: str
    warnings: tuple[str, ...]


def feature_table(
    regions: Sequence[Region],
    settings: Settings,
    *,
    prefix: str = "original",
    device: str = "auto",
    shape_of: Sequence[int] | None = None,
    threads: int | None = None,
    budget: Budget | None = None,
) -> FeatureTable:
    """Compute all enabled features of a batch of regions of one (filtered) image type.

    Args:
        regions: the ROIs; all share one voxel spacing.
        settings: what to compute, with the image type's own values.
        prefix: of the keys; ``original`` includes shape, which no filter changes.
        device: ``auto``, ``cpu``, ``cuda`` ...; see :func:`counting_backend`.
        shape_of: (B,) for each region the index of the region whose shape features it takes (views of one patch share
            them); None computes each.
        threads: how many to use at most; None takes all cores.
        budget: bounds the matrices held at a time; None takes the default.

    Raises:
        InputError: a region has too many grey levels, or the device is not there.
    """
    texture = texture_table(regions, settings, prefix=prefix, device=device, threads=threads, budget=budget)
    if prefix != "original" or not shape_names(settings):
        return texture
    names, values = shape_table(regions, settings, shape_of)
    return replace(texture, values=np.hstack([values, texture.values]), names=(*names, *texture.names))


def shape_table(
    regions: Sequence[Region], settings: Settings, shape_of: Sequence[int] | None = None, *, dimensions: int = 3
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the keys (K,) and values (B, K) of shape and shape2D; see :func:`feature_table`."""
    names = shape_names(settings, dimensions=dimensions)
    source = list(range(len(regions))) if shape_of is None else list(shape_of)
    rows = {k: _shape(regions[k], settings, names) for k in dict.fromkeys(source)}
    return names, np.array([[rows[k][name] for name in names] for k in source]).reshape(len(regions), len(names))


def texture_table(
    regions: Sequence[Region],
    settings: Settings,
    *,
    prefix: str = "original",
    device: str = "auto",
    threads: int | None = None,
    budget: Budget | None = None,
) -> FeatureTable:
    """Compute first order and textures of a batch of regions; see :func:`feature_table`."""
    names = texture_names(settings, prefix)
    if not names:
        return FeatureTable(np.zeros((len(regions), 0)), names, np.zeros(0, int), "none", ())
    warnings: list[str] = []
    backend = "none"
    levels = map_threads(lambda region: discretise(region, settings), regions, threads)
    columns: list[_Part] = []
    jobs: list[Callable[[], _Part]] = []
    if "firstorder" in settings.families:

        def first_order(some: slice) -> _Part:
            return some, _prefixed("firstorder", _firstorder(regions[some], levels[some], settings))

        jobs += [partial(first_order, some) for some in _slices(0, len(regions))]
    wanted = tuple(f for f in MATRIX_FAMILIES if f in settings.families)
    if wanted:
        budget = budget or Budget()
        voxels = sum(region.codes.size for region in levels)
        backend, count = counting_backend(device, voxels, max_memory_gb=budget.gigabytes, remark=warnings.append)
        flat_axis = settings.force_2d_dimension if settings.force_2d else None
        plan = CountingPlan(wanted, settings.distances, settings.gldm_a, flat_axis)
        on_cpu = not backend.startswith("torch")
        region_names = [region.name for region in regions]
        todo = chunks(levels, region_names, plan, budget, _CHUNK_REGIONS if on_cpu else len(levels))

        def evaluated(some: slice, counted: Sequence[RegionCounts], plan: CountingPlan) -> _Part:
            counts = stack(levels[some], counted, plan)
            return some, _texture(counts, plan, settings, regions[0].spacing_mm)

        def textures(chunk: Chunk, plan: CountingPlan) -> _Part:
            with budget.held(chunk.bytes):
                return evaluated(chunk.regions, count(levels[chunk.regions], plan), plan)

        if on_cpu:
            together = _TOGETHER if len(todo) < thread_count(threads) else (wanted,)
            shares = [tuple(f for f in families if f in wanted) for families in together]
            plans = [replace(plan, families=share) for share in shares if share]
            jobs += [partial(textures, chunk, plan) for chunk in todo for plan in plans]
        else:  # one job at a time has the GPU; the processor's threads share the formulas of what it has counted
            for chunk in todo:
                with budget.held(chunk.bytes):
                    first, counted = chunk.regions.start, count(levels[chunk.regions], plan)
                    parts = _slices(first, first + len(counted))
                    evaluations = [
                        partial(evaluated, some, counted[some.start - first : some.stop - first], plan)
                        for some in parts
                    ]
                    columns += map_threads(_called, evaluations, threads)
    columns += map_threads(_called, jobs, threads)
    values = np.full((len(regions), len(names)), np.nan)
    for some, part in columns:
        for k, name in enumerate(names):
            column = part.get(name.removeprefix(f"{prefix}_"))
            if column is not None:
                values[some, k] = column
    n_levels = np.array([len(region.grey_levels) for region in levels], int)
    return FeatureTable(values, names, n_levels, backend, tuple(warnings))


def _slices(start: int, stop: int) -> list[slice]:
    """Cut a range of regions into what one thread takes at a time."""
    return [slice(k, min(k + _CHUNK_REGIONS, stop)) for k in range(start, stop, _CHUNK_REGIONS)]


def _called(job: Callable[[], _Part]) -> _Part:
    return job()


def counting_backend(
    device: str, voxels: int, *, max_memory_gb: float | None = None, remark: Callable[[str], None] | None = None
) -> tuple[str, CountFunction]:
    """Return the name and the function of the counting backend for a device and a job of this many voxels.

    ``auto`` counts on the CPU unless the job is large and a CUDA GPU is there. MPS computes no double precision, so
    that device also counts on the CPU. ``remark`` is told when a GPU runs out of memory.
    """
    if device == "auto" and voxels < LARGE_JOB_VOXELS:
        device = "cpu"
    resolved = resolve_device("cpu" if device == "mps" else device, float64=True)
    if resolved.startswith("cuda"):
        from deepradiomics.radiomics.counting import on_torch as counting_torch

        return f"torch ({resolved})", counting_torch.on_device(resolved, max_memory_gb=max_memory_gb, remark=remark)
    if compiled.available():
        from deepradiomics.radiomics.counting import compiled as counting_cpu

        return "numba", counting_cpu.count
    return "numpy", reference.count


@cache
def formulas(fast: bool) -> dict[str, Callable[..., dict[str, np.ndarray]]]:
    """Return the function of each family's features: compiled where numba is there, else its definition in numpy."""
    if fast:
        from deepradiomics.radiomics.compiled import firstorder as firstorder_cpu
        from deepradiomics.radiomics.compiled import glcm as glcm_cpu
        from deepradiomics.radiomics.compiled import ngtdm as ngtdm_cpu
        from deepradiomics.radiomics.compiled import size_matrix as size_matrix_cpu

        return {
            "firstorder": firstorder_cpu.firstorder_features,
            "glcm": glcm_cpu.glcm_features,
            "gldm": size_matrix_cpu.gldm_features,
            "glrlm": size_matrix_cpu.glrlm_features,
            "glszm": size_matrix_cpu.glszm_features,
            "ngtdm": ngtdm_cpu.ngtdm_features,
        }
    return {
        "firstorder": firstorder.firstorder_features,
        "glcm": glcm.glcm_features,
        "gldm": gldm.gldm_features,
        "glrlm": glrlm.glrlm_features,
        "glszm": glszm.glszm_features,
        "ngtdm": ngtdm.ngtdm_features,
    }


def _shape(region: Region, settings: Settings, names: tuple[str, ...]) -> dict[str, float]:
    """Shape by key; shape2D is NaN where the region is not flat along the axis left out."""
    values: dict[str, float] = {}
    if any(name.startswith("original_shape_") for name in names):
        shape = region_shape(region.shape_mask, region.spacing_mm)
        values |= {f"original_shape_{name}": value for name, value in shape.items()}
    axis = settings.force_2d_dimension
    if settings.force_2d and "shape2D" in settings.families and region.shape_mask.shape[axis] == 1:
        flat = shape2d_features(region.shape_mask, region.spacing_mm, axis)
        values |= {f"original_shape2D_{name}": value for name, value in flat.items()}
    return {name: values.get(name, np.nan) for name in names}


def region_shape(mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> dict[str, float]:
    """The shape features of a mask (z, y, x), measured in one compiled pass where numba is there."""
    if not compiled.available():
        return shape_features(mask, spacing_mm)
    from deepradiomics.radiomics.compiled.shape import measured

    return shape_features(mask, spacing_mm, measured(mask, spacing_mm))


def _prefixed(family: str, features: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{family}_{name}": values for name, values in features.items()}


def _firstorder(regions: Sequence[Region], levels: Sequence[LevelRegion], settings: Settings) -> dict[str, np.ndarray]:
    """First-order features, computed together for regions with equally many voxels."""
    values = [region.roi_values for region in regions]
    histograms = [region.histogram() for region in levels]
    groups: dict[int, list[int]] = {}
    for b, v in enumerate(values):
        groups.setdefault(len(v), []).append(b)
    result: dict[str, np.ndarray] = {}
    for members in groups.values():
        width = max(len(histograms[b]) for b in members)
        counts = np.stack([np.pad(histograms[b], (0, width - len(histograms[b]))) for b in members])
        features = formulas(compiled.available())["firstorder"](
            np.stack([values[b] for b in members]) if len(members) > 1 else values[members[0]][None],
            counts,
            float(np.prod(regions[members[0]].spacing_mm)),
            settings.voxel_array_shift,
        )
        for name, column in features.items():
            result.setdefault(name, np.empty(len(regions)))[members] = column
    return result


def _texture(
    counts: TextureCounts, plan: CountingPlan, settings: Settings, spacing_mm: tuple[float, float, float]
) -> dict[str, np.ndarray]:
    """Evaluate the formulas of every counted family."""
    columns: dict[str, np.ndarray] = {}
    evaluate = formulas(compiled.available())
    pair_weights = run_weights = None
    if settings.weighting_norm is not None:
        pair_weights = directions.norms(plan.offsets, spacing_mm, settings.weighting_norm)
        if settings.weighting_norm != "no_weighting":
            pair_weights = np.exp(-(pair_weights**2))
        run_weights = directions.norms(plan.run_offsets, spacing_mm, settings.weighting_norm)
    if counts.glcm is not None:
        features = evaluate["glcm"](
            counts.glcm,
            counts.levels,
            counts.n_levels,
            symmetrical=settings.symmetrical_glcm,
            weights=pair_weights,
            wanted=dict(settings.features)["glcm"],
        )
        columns |= _prefixed("glcm", features)
    if counts.gldm is not None:
        columns |= _prefixed("gldm", evaluate["gldm"](counts.gldm, counts.levels))
    if counts.glrlm is not None:
        columns |= _prefixed("glrlm", evaluate["glrlm"](counts.glrlm, counts.levels, run_weights))
    if counts.glszm is not None and counts.zone_sizes is not None:
        columns |= _prefixed("glszm", evaluate["glszm"](counts.glszm, counts.levels, counts.zone_sizes))
    if counts.ngtdm is not None:
        columns |= _prefixed("ngtdm", evaluate["ngtdm"](counts.voxels, counts.ngtdm, counts.levels))
    return columns
