"""Random numbers that depend on what is being done and never on what was done before.

A step that draws from (seed, epoch, step), or from (seed, epoch, case), does in a resumed run exactly what it does in
one that was never stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from deepradiomics.errors import InputError


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw random numbers of torch from ``seed`` inside the block, and leave the generator as it was."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def untouched_randomness() -> Iterator[None]:
    """Leave the process's generators and its choice of deterministic algorithms as they were."""
    import torch

    strict = torch.are_deterministic_algorithms_enabled()
    lenient = torch.is_deterministic_algorithms_warn_only_enabled()
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict, warn_only=lenient)


def check_seed(seed: int, name: str = "seed") -> None:
    """Refuse what no generator can begin with.

    Raises:
        InputError: the seed is negative or too large.
    """
    if not 0 <= seed < 2**63:
        raise InputError(f"{name}: expected a whole number from 0 to 2⁶³ - 1, got {seed}.")


def seed_of(*numbers: int) -> int:
    """Return a seed for torch (0 … 2³¹ - 1) that whole numbers ≥ 0 decide together, such as (seed, epoch, step).

    A fixed number of them: zeros at the end do not count.
    """
    return int(np.random.default_rng(list(numbers)).integers(2**31))
