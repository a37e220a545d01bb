"""Many tests at once: Bonferroni's adjustment; Benjamini and Hochberg's, which accepts a share of false discoveries.

Sources: Dunn, JASA 1961;56:52-64; Benjamini & Hochberg, J R Stat Soc B 1995;57:289-300.
(Holm's stands in :mod:`.tests`.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.errors import InputError


def bonferroni(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values in the order given: each times their number, at most 1.

    Example:
        >>> bonferroni([0.01, 0.04, 0.5]).round(6).tolist()
        [0.03, 0.12, 1.0]
    """
    values = _p_values(p, "bonferroni")
    return np.minimum(values * values.size, 1.0)


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """q-values in the order given: the false discovery rate at which each test would just be called.

    Example:
        >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(6).tolist()
        [0.03, 0.04, 0.04]
    """
    values = _p_values(p, "benjamini_hochberg")
    order = np.argsort(values, kind="stable")
    stepped = values[order] * values.size / np.arange(1, values.size + 1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return adjusted


def _p_values(p: ArrayLike, name: str) -> NDArray[np.float64]:
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1:
        raise InputError(f"{name} needs a vector of p-values, got shape {values.shape}.")
    if not ((values >= 0.0) & (values <= 1.0)).all():
        outside = values[~((values >= 0.0) & (values <= 1.0))]
        raise InputError(f"p-values lie between 0 and 1, got {outside[:5].tolist()}; leave out undefined ones.")
    return values
