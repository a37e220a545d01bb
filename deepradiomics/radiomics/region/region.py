"""Region: the cropped voxels of one ROI, and its discretised form; what every feature class works on."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deepradiomics import kernels as compiled
from deepradiomics.errors import InputError
from deepradiomics.radiomics.settings.settings import Settings


@dataclass(frozen=True, eq=False)
class Region:
    """One ROI, cropped to its bounding box.

    Args:
        values: grey values (z, y, x) of the box, in the image's own number type.
        mask: bool (z, y, x), True inside the ROI.
        spacing_mm: voxel spacing (z, y, x).
        shape_mask: bool (z, y, x) of the ROI whose shape is described; it differs from ``mask`` after re-segmentation.
        name: what messages call it.
    """

    values: np.ndarray
    mask: np.ndarray
    spacing_mm: tuple[float, float, float]
    shape_mask: np.ndarray
    name: str = "ROI"

    @cached_property
    def roi_values(self) -> np.ndarray:
        """The grey values inside the ROI, (voxels,), in the image's own number type."""
        return self.values[self.mask]


@dataclass(frozen=True, eq=False)
class LevelRegion:
    """A discretised ROI.

    Args:
        codes: int32 (z, y, x): 0 outside the ROI, else 1 + the index of the voxel's level in ``grey_levels``.
        grey_levels: (L,) the grey levels that occur, ascending; level 1 holds the ROI's minimum.
        voxels: (L,) how many voxels have each level; None where nobody has counted.
    """

    codes: np.ndarray
    grey_levels: np.ndarray
    voxels: np.ndarray | None = None

    def histogram(self) -> np.ndarray:
        """How many voxels have each level, (L,)."""
        return np.bincount(self.codes.ravel())[1:] if self.voxels is None else self.voxels


def bin_edges(values: np.ndarray, bin_width: float = 25, bin_count: int | None = None) -> np.ndarray:
    """Return the edges of the grey-level bins of some voxels, exactly as PyRadiomics places them.

    Fixed width: edges are multiples of ``bin_width``, the first at or below the minimum, and every bin is half-open.
    Fixed count: ``bin_count`` equal bins between minimum and maximum, the last one closed.

    Args:
        values: (voxels,) grey values of the ROI.
        bin_width: width of a bin, in grey values.
        bin_count: number of bins; takes precedence over the width.
    """
    if bin_count is not None:
        edges = np.histogram_bin_edges(values, bin_count)
        edges[-1] += 1
        return edges
    low, high = values.min(), values.max()
    if values.dtype.kind in "iub":  # no overflow in small integer types
        low, high = int(low), int(high)
    return np.arange(low - (low % bin_width), high + 2 * bin_width, bin_width)


def discretise(region: Region, settings: Settings) -> LevelRegion:
    """Return the grey levels of a region.

    Raises:
        InputError: the ROI spans more grey levels than a texture matrix can hold, or its values are too close together
            for the bins.
    """
    values = region.roi_values
    present, index, voxels = _present(values, usable_edges(region.name, values, settings))
    if len(present) > MAXIMUM_LEVELS:
        raise InputError(
            f"{region.name}: it has {len(present)} grey levels, at most {MAXIMUM_LEVELS} are possible. Take a larger "
            "binWidth (16 to 128 levels are usual), or a binCount."
        )
    codes = np.zeros(region.mask.shape, np.int32)
    codes[region.mask] = index + 1
    return LevelRegion(codes, present.astype(np.int64), voxels)


def usable_edges(name: str, values: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the bin edges of some voxels (voxels,).

    Raises:
        InputError: there would be too many bins, or bins finer than the numbers themselves; ``name`` is called.
    """
    if settings.bin_count is not None and settings.bin_count > MAXIMUM_BINS:
        raise InputError(
            f"{name}: binCount is {settings.bin_count}, at most {MAXIMUM_BINS} bins are possible. Take 32 to 64."
        )
    if settings.bin_count is None:
        count = (float(values.max()) - float(values.min())) / settings.bin_width
        if count > MAXIMUM_BINS:
            raise InputError(
                f"{name}: its grey values span {count:.0f} bins of width {settings.bin_width:g}, at most "
                f"{MAXIMUM_BINS} are possible. Take a binWidth of about {(count * settings.bin_width) / 64:.3g}, "
                "or a binCount of 32 to 64."
            )
    try:
        edges = bin_edges(values, settings.bin_width, settings.bin_count)
        if settings.bin_count is not None and not (edges[1:] > edges[:-1]).all():
            edges = np.empty(0)  # numpy 2.0 gives equal edges instead of raising
    except ValueError:  # newer numpy's, of a bin count
        edges = np.empty(0)
    if len(edges) < 2:
        bins = f"{settings.bin_count} bins" if settings.bin_count else f"bins of width {settings.bin_width:g}"
        raise InputError(
            f"{name}: its grey values ({values.min():.9g} to {values.max():.9g}) lie too close together for {bins}: "
            f"{values.dtype} cannot tell the edges apart. Take fewer or wider bins."
        )
    return edges


def _present(values: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the bins that occur, which of them each voxel's is, and how many voxels each has."""
    if compiled.available() and np.can_cast(values.dtype, np.float64, "safe"):
        from deepradiomics.radiomics.compiled import levels as levels_cpu

        return levels_cpu.present(values, edges)
    return np.unique(np.digitize(values, edges), return_inverse=True, return_counts=True)


MAXIMUM_BINS = 1_000_000
MAXIMUM_LEVELS = 2048
FEW_LEVELS, MANY_LEVELS = 16, 128


def level_warnings(region_name: str, levels: Mapping[str, int]) -> list[str]:
    """Return sentences about the grey levels of a region in several images; the filtered ones are told together.

    Args:
        region_name: what messages call the ROI.
        levels: grey levels by prefix (``original``, ``wavelet-LLH`` ...).
    """
    alone = _level_sentence(region_name, levels["original"]) if "original" in levels else None
    sentences = [alone] if alone else []
    filtered = {prefix: count for prefix, count in levels.items() if prefix != "original"}
    for few, which, advice in ((True, "fewer than 16", "smaller"), (False, "more than 128", "larger")):
        odd = [f"{p} {n}" for p, n in filtered.items() if (n < FEW_LEVELS if few else n > MANY_LEVELS)]
        if odd:
            sentences.append(
                f"{region_name} has {which} grey levels in {len(odd)} of {len(filtered)} filtered images "
                f"({', '.join(odd)}): texture features may say little; consider a {advice} bin width for them."
            )
    return sentences


def _level_sentence(region_name: str, count: int) -> str | None:
    if FEW_LEVELS <= count <= MANY_LEVELS:
        return None
    which = "fewer than 16" if count < FEW_LEVELS else "more than 128"
    advice = "smaller" if count < FEW_LEVELS else "larger"
    return (
        f"{region_name} has {count} grey level{'s' if count != 1 else ''}, {which}: texture features may say little; "
        f"consider a {advice} bin width."
    )
