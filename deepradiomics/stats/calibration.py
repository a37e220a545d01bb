"""Does a predicted risk of 30 % come true in 30 of 100: the calibration curve and the Brier score.

Sources: Brier, Mon Weather Rev 1950;78:1-3; Van Calster et al., BMC Med 2019;17:230; Wilson, JASA 1927;22:209-212.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.errors import InputError
from deepradiomics.stats.check import binary_labels, scores_for
from deepradiomics.stats.classification import wilson_ci


@dataclass(frozen=True)
class CalibrationPoint:
    """A bin of patients of like risk: their number, mean prediction and observed share with Wilson's interval."""

    n: int
    mean_predicted: float
    observed: float
    low: float
    high: float


def calibration_curve(
    y: ArrayLike, probability: ArrayLike, bins: int = 10, level: float = 0.95
) -> tuple[CalibrationPoint, ...]:
    """Observed against predicted risk in bins of about equal numbers of patients.

    Patients of equal prediction stay together, so that there may be fewer bins than asked for; no bin is empty.

    Args:
        y: labels 0 and 1, shape (n,); one class alone is allowed.
        probability: predicted P(y = 1), shape (n,).
        bins: how many, at most; quantiles of the predictions are their limits.

    Raises:
        InputError: a prediction outside 0 … 1, shapes differ, or bins < 1.

    Example:
        >>> [(p.n, p.observed) for p in calibration_curve([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9], bins=2)]
        [(2, 0.0), (2, 1.0)]
    """
    labels = binary_labels(y)
    risk = _probabilities(labels, probability)
    if bins < 1:
        raise InputError(f"calibration_curve needs at least one bin, got bins={bins}.")
    limits = np.quantile(risk, np.linspace(0.0, 1.0, bins + 1)[1:-1])
    place = np.searchsorted(limits, risk, side="left")
    points = []
    for bin_number in np.unique(place):
        mine = place == bin_number
        share = wilson_ci(int(labels[mine].sum()), int(mine.sum()), level)
        points.append(
            CalibrationPoint(int(mine.sum()), float(risk[mine].mean()), share.estimate, share.low, share.high)
        )
    return tuple(points)


def brier(y: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared difference of predicted probability and outcome: 0 is perfect, ¼ is "50 %" for everybody.

    Example:
        >>> brier([0, 1], [0.5, 0.5])
        0.25
    """
    labels = binary_labels(y)
    risk = _probabilities(labels, probability)
    return float(np.mean((risk - labels) ** 2))


def _probabilities(labels: NDArray[np.bool_], probability: ArrayLike) -> NDArray[np.float64]:
    values = scores_for(labels, probability, "probability")
    if values.min() < 0.0 or values.max() > 1.0:
        raise InputError(f"probability: expected values from 0 to 1, got {values.min():.4g} to {values.max():.4g}.")
    return values
