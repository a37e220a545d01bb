"""Right and wrong, counted: rates of a binary decision, the confusion matrix and AUC of several classes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.errors import InputError
from deepradiomics.stats.check import binary_labels, class_labels
from deepradiomics.stats.interval import Interval, normal_quantile
from deepradiomics.stats.roc import auc


@dataclass(frozen=True)
class Rates:
    """Counts of a binary decision and the rates that follow. A rate without cases in its denominator is NaN."""

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int
    accuracy: float
    sensitivity: float
    specificity: float
    ppv: float
    npv: float
    f1: float

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


def classification_rates(y: ArrayLike, predicted: ArrayLike) -> Rates:
    """Accuracy, sensitivity, specificity, PPV, NPV and F1 of predicted classes 0 and 1 against y, both (n,)."""
    truth, positive = binary_labels(y), binary_labels(predicted, "predicted")
    if truth.shape != positive.shape:
        raise InputError(f"predicted must have one class per case: expected {truth.size}, got {positive.size}.")
    tp, fp = int((truth & positive).sum()), int((~truth & positive).sum())
    fn, tn = int((truth & ~positive).sum()), int((~truth & ~positive).sum())
    return Rates(
        tp,
        fp,
        tn,
        fn,
        accuracy=_ratio(tp + tn, truth.size),
        sensitivity=_ratio(tp, tp + fn),
        specificity=_ratio(tn, tn + fp),
        ppv=_ratio(tp, tp + fp),
        npv=_ratio(tn, tn + fn),
        f1=_ratio(2 * tp, 2 * tp + fp + fn),
    )


def confusion_matrix(y: ArrayLike, predicted: ArrayLike, n_classes: int | None = None) -> NDArray[np.int64]:
    """Counts (true class, predicted class), shape (C, C); C is the largest class + 1 unless given."""
    truth, chosen = class_labels(y, n_classes), class_labels(predicted, n_classes, "predicted")
    if truth.shape != chosen.shape:
        raise InputError(f"predicted must have one class per case: expected {truth.size}, got {chosen.size}.")
    classes = n_classes or int(max(truth.max(), chosen.max())) + 1
    return np.bincount(truth * classes + chosen, minlength=classes**2).reshape(classes, classes)


def accuracy(y: ArrayLike, predicted: ArrayLike) -> float:
    """Share of cases whose predicted class is the true one; any number of classes."""
    matrix = confusion_matrix(y, predicted)
    return float(np.trace(matrix) / matrix.sum())


@dataclass(frozen=True)
class MultiClassAuc:
    """One-versus-rest AUC of each class (NaN where a class or its rest has no case) and the mean of the defined."""

    macro: float
    per_class: tuple[float, ...]


def multiclass_auc(y: ArrayLike, probabilities: ArrayLike) -> MultiClassAuc:
    """One-versus-rest AUCs of classes 0 … C - 1.

    Args:
        y: class numbers, shape (n,).
        probabilities: a score for each class, shape (n, C).
    """
    scores = np.asarray(probabilities, dtype=np.float64)
    labels = class_labels(y)
    if scores.ndim != 2 or scores.shape[0] != labels.size or scores.shape[1] < 2:
        raise InputError(f"probabilities must have shape ({labels.size}, classes), got {scores.shape}.")
    labels = class_labels(y, scores.shape[1])
    areas = []
    for k in range(scores.shape[1]):
        mine = labels == k
        areas.append(auc(mine, scores[:, k]) if mine.any() and not mine.all() else math.nan)
    if all(math.isnan(area) for area in areas):
        raise InputError(f"multiclass_auc needs at least two classes, but all cases are of class {int(labels[0])}.")
    return MultiClassAuc(float(np.nanmean(areas)), tuple(areas))


def wilson_ci(successes: int, total: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion, e.g. of a sensitivity (Wilson, JASA 1927;22:209-212)."""
    if total < 1 or not 0 <= successes <= total:
        raise InputError(f"A proportion needs 0 <= successes <= total and total >= 1, got {successes} of {total}.")
    z, share = normal_quantile(level), successes / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half), level, "Wilson")


def _ratio(part: int, total: int) -> float:
    return part / total if total else math.nan
