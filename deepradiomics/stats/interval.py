"""An estimate with its confidence interval: the shape in which every interval of this package is returned."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import ndtri

from deepradiomics.errors import InputError


@dataclass(frozen=True)
class Interval:
    """A point estimate, its lower and upper limit, the confidence level and the method's name."""

    estimate: float
    low: float
    high: float
    level: float
    method: str

    def __str__(self) -> str:
        return f"{self.estimate:.3f} ({self.low:.3f}-{self.high:.3f})"


def normal_quantile(level: float) -> float:
    """Two-sided standard normal quantile of a confidence level: 0.95 gives 1.96."""
    check_level(level)
    return float(ndtri(0.5 + level / 2.0))


def check_level(level: float) -> None:
    """Raise InputError unless 0 < level < 1."""
    if not 0.0 < level < 1.0:
        raise InputError(f"A confidence level lies between 0 and 1 (0.95 for 95 %), got {level!r}.")
