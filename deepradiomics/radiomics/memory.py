"""How much memory the work may take: the budget, and how many filtered images fit into it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from deepradiomics.errors import InputError
from deepradiomics.radiomics.wording import told_apart

DEFAULT_GB = 1.0
RESAMPLED_DEFAULT_GB = 4.0  # a large field of view at 1 mm is no mistake, and it is not work that chunks can bound
VARIABLE = "DEEPRADIOMICS_MAX_MEMORY_GB"
VOXEL_BYTES = 128  # of a filtered image in work: its values, the filter's intermediate ones, levels and places


class Budget:
    """A number of bytes for the images and matrices in work, shared by the threads of one call.

    It does not bound the image that was read, nor Python itself, and one filtered image is always in work: about 130
    bytes a voxel of the region's box, as measured with wavelets. No number depends on it.

    Args:
        max_memory_gb: gigabytes; None takes the variable DEEPRADIOMICS_MAX_MEMORY_GB, else 1 (and 4 for a resampled
            image, which is one piece).

    Raises:
        InputError: not a positive number.
    """

    def __init__(self, max_memory_gb: float | None = None) -> None:
        source, asked = "max_memory_gb", max_memory_gb
        if asked is None:
            source, asked = VARIABLE, os.environ.get(VARIABLE, DEFAULT_GB)  # type: ignore[assignment]
        try:
            self.gigabytes = 0.0 if isinstance(max_memory_gb, str | bool) else float(asked)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            self.gigabytes = 0.0
        if not 0 < self.gigabytes < float("inf"):
            raise InputError(f"{source}: expected a positive number of gigabytes, got {asked!r}.")
        self.bytes = int(self.gigabytes * 1e9)
        self.is_default = max_memory_gb is None and VARIABLE not in os.environ
        self._free = self.bytes
        self._changed = Condition()

    @contextmanager
    def held(self, count: int) -> Iterator[None]:
        """Wait until this many bytes are free, and keep them meanwhile; more than all is all."""
        count = min(count, self.bytes)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= count)
            self._free -= count
        try:
            yield
        finally:
            with self._changed:
                self._free += count
                self._changed.notify_all()


@contextmanager
def told_when_full(name: str) -> Iterator[None]:
    """Turn a MemoryError into a sentence about what was worked on.

    Raises:
        InputError: the machine has no memory left.
    """
    try:
        yield
    except MemoryError as error:
        raise InputError(
            f"{name}: this machine's memory is spent ({' '.join(str(error).split()) or 'no more could be had'}). Take "
            "a larger resampledPixelSpacing, fewer image types or fewer threads, or close other programs."
        ) from error


def images_at_once(box_voxels: int, budget: Budget, threads: int) -> int:
    """Return how many filtered images of a box may be in work together: as many as threads, as far as they fit."""
    return int(min(threads, max(1, budget.bytes // (VOXEL_BYTES * box_voxels))))


def beyond_budget(name: str, box_voxels: int, budget: Budget) -> list[str]:
    """Say that a single image in work already takes more than the budget: it is not cut any further."""
    need = VOXEL_BYTES * box_voxels
    if need <= budget.bytes:
        return []
    needed, there = told_apart(need / 1e9, budget.gigabytes)
    return [
        f"{name}: its box has {box_voxels:,} voxels, of which one image in work takes up to {needed} GB, more than "
        f"max_memory_gb ({there}): a region is not cut into pieces. Resample it to a larger spacing to take less."
    ]
