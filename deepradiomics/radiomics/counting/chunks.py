"""How much memory texture matrices take, and how a batch of regions is split so that they stay within the budget."""

from collections.abc import Sequence
from dataclasses import dataclass

from deepradiomics.errors import InputError
from deepradiomics.radiomics.counting.plan import CountingPlan
from deepradiomics.radiomics.memory import VARIABLE, Budget
from deepradiomics.radiomics.region.region import LevelRegion
from deepradiomics.radiomics.wording import told_apart

MANY_DIRECTIONS = 13  # those of distance 1
MATRIX_COPIES = 3  # counts, frequencies, and what the formulas hold at a time
NUMBER_BYTES = 8


def matrix_bytes(n_levels: int, longest: int, plan: CountingPlan) -> int:
    """Return about how many bytes the texture matrices of one region take.

    Args:
        n_levels: grey levels that occur.
        longest: the longest side of its box, in voxels.
        plan: what is counted.
    """
    entries = 0
    if "glcm" in plan.families:
        entries += len(plan.offsets) * n_levels**2
    if "glrlm" in plan.families:
        entries += len(plan.run_offsets) * n_levels * longest
    if "gldm" in plan.families or "ngtdm" in plan.families:
        entries += 2 * n_levels * (2 * len(plan.offsets) + 1)
    return MATRIX_COPIES * NUMBER_BYTES * entries


@dataclass(frozen=True)
class Chunk:
    """Regions whose matrices are stacked and evaluated together, and how many bytes these take."""

    regions: slice
    bytes: int


def chunks(
    levels: Sequence[LevelRegion], names: Sequence[str], plan: CountingPlan, budget: Budget, most: int
) -> list[Chunk]:
    """Split a batch into chunks of at most ``most`` regions, whose stacked matrices stay within the budget.

    How it is split never depends on the number of threads.

    Raises:
        InputError: the matrices of one region alone are larger.
    """
    sizes = [matrix_bytes(len(region.grey_levels), max(region.codes.shape), plan) for region in levels]
    largest = max(range(len(sizes)), key=sizes.__getitem__)
    if sizes[largest] > budget.bytes:
        count, directions = len(levels[largest].grey_levels), len(plan.offsets)
        need, there = told_apart(sizes[largest] / 1e9, budget.gigabytes)
        cause, remedy = f"{count} grey levels", "a larger binWidth (16 to 128 levels are usual) or a binCount"
        if directions > MANY_DIRECTIONS:
            cause += f" and {directions} directions (distances {list(plan.distances)})"
            remedy = f"smaller distances (1 has {MANY_DIRECTIONS} directions)" + (f", {remedy}" if count > 128 else "")
        raise InputError(
            f"{names[largest]}: the texture matrices of its {cause} need about {need} GB, the budget is {there} GB. "
            f"Take {remedy}, or raise max_memory_gb (or the variable {VARIABLE})."
        )
    size = min(most, max(1, budget.bytes // max(1, sizes[largest])))
    return [Chunk(slice(start, start + size), size * sizes[largest]) for start in range(0, len(levels), size)]
