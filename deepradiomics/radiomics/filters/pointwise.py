"""Square, square root, logarithm and exponential of the grey values, scaled so that their range stays the image's.

The scale comes from the largest magnitude of the whole image, whatever part of the result is wanted. Negative values
keep their sign (the exponential has none). Formulas and their order of operations are PyRadiomics'.
"""

from collections.abc import Callable

import numpy as np

from deepradiomics.radiomics.filters.boundary import Box
from deepradiomics.radiomics.filters.failure import FilterFailure


def pointwise_image(kind: str, voxels: np.ndarray, box: Box | None = None) -> np.ndarray | FilterFailure:
    """Return one of the four images, float64 of the box's shape, or why it does not exist.

    Args:
        kind: ``square``, ``squareroot``, ``logarithm`` or ``exponential``.
        voxels: (z, y, x) of the whole image, finite.
        box: the part wanted; None for all.
    """
    extremes = np.array([voxels.min(), voxels.max()], np.float64)
    if not extremes.any() and kind != "squareroot":
        return FilterFailure(f"the image is zero everywhere, so that its {kind} cannot be scaled to its range")
    part = voxels if box is None else voxels[box]
    return _FORMULAS[kind](part.astype(np.float64), extremes)


def _square(values: np.ndarray, extremes: np.ndarray) -> np.ndarray:
    return (1 / np.sqrt(np.abs(extremes).max()) * values) ** 2


def _square_root(values: np.ndarray, extremes: np.ndarray) -> np.ndarray:
    root = np.sqrt(np.abs(values) * np.abs(extremes).max())
    return np.where(values < 0, -root, root)


def _signed_log(values: np.ndarray) -> np.ndarray:
    logs = np.log(np.abs(values) + 1)
    return np.where(values < 0, -logs, logs)


def _logarithm(values: np.ndarray, extremes: np.ndarray) -> np.ndarray:
    return _signed_log(values) * (np.abs(extremes).max() / np.abs(_signed_log(extremes)).max())


def _exponential(values: np.ndarray, extremes: np.ndarray) -> np.ndarray:
    largest = np.abs(extremes).max()
    return np.exp(np.log(largest) / largest * values)


_FORMULAS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "square": _square,
    "squareroot": _square_root,
    "logarithm": _logarithm,
    "exponential": _exponential,
}
