"""WindowFeatures: what a backend returns for one family and some voxels."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from deepradiomics.radiomics.maps.field import Field


@dataclass(frozen=True, eq=False)
class WindowFeatures:
    """Features of the windows around n voxels.

    Args:
        values: name -> (n,) float64; NaN where a feature is not defined.
        present: for GLCM (n, A): whether a direction holds a pair; else None.
    """

    values: dict[str, np.ndarray]
    present: np.ndarray | None = None

    @classmethod
    def chosen(
        cls, names: Sequence[str], table: np.ndarray, wanted: Collection[str], present: np.ndarray | None = None
    ) -> "WindowFeatures":
        """Keep the wanted columns of a table (n, names)."""
        return cls({name: table[:, k].copy() for k, name in enumerate(names) if name in wanted}, present)


Backend = Callable[[Field, str, Collection[str], np.ndarray], WindowFeatures]
"""``backend(field, family, wanted, centres)``; all backends agree but for rounding."""
