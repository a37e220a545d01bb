"""The targets: radiomic features scaled on the training patients, and the columns that cannot serve.

Min-max to [0, 1] (the paper, section 3.4), then z-scored (default), as the paper's own numbers imply unit variance.
Dropped, and listed with the reason: a column that is not a finite number for some patient (it would need a guess), and
one that does not vary over the training patients. A patient who lacks most columns is an error, not a reason to drop
them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.lens.config import TargetScaling

Array = NDArray[np.float64]

_MISSING_SHARE = 0.5  # a patient who lacks more than this share of the usable columns is refused
NOT_FINITE = "not a finite number"  # begins the reason of a column left out
_CONSTANT = 1e-10  # a range below this share of the largest value is rounding


@dataclass(frozen=True, eq=False)
class TargetScale:
    """Y = (R[:, kept] − offset) / spread, learned on the training patients.

    Args:
        kept: (K,) True for the columns in use.
        offset, spread: of the kept columns.
        dropped: (name, reason) of the others, in order.
    """

    kept: NDArray[np.bool_]
    offset: Array
    spread: Array
    dropped: tuple[tuple[str, str], ...]

    def scaled(self, R: Array) -> Array:
        """R (n, K) in its own units → Y (n, kept)."""
        return (R[:, self.kept] - self.offset) / self.spread

    def unscaled(self, Y: Array) -> Array:
        """Y (n, kept) → R (n, K); NaN in columns not in use."""
        out = np.full((len(Y), len(self.kept)), np.nan)
        out[:, self.kept] = Y * self.spread + self.offset
        return out


def fit_targets(
    R: Array, train: NDArray[np.bool_], names: Sequence[str], ids: Sequence[str], scaling: TargetScaling
) -> TargetScale:
    """Learn the scale of targets R (n, K) on the training rows.

    Raises:
        InputError: a patient lacks most columns, or no column is left.
    """
    finite = np.isfinite(R)
    usable = finite.mean(0) > 0.5
    if usable.any():
        lacking = (~finite[:, usable]).mean(1)
        worst = int(np.argmax(lacking))
        if lacking[worst] > _MISSING_SHARE:
            raise InputError(
                f"R: case {ids[worst]} has no finite value in {int((~finite[worst]).sum())} of {R.shape[1]} columns. "
                "Leave this case out, or fix its extraction: dropping these columns would drop them for everyone."
            )
    complete = finite.all(0)
    rows = np.where(complete, R[train], 0.0)
    low, high = rows.min(0), rows.max(0)
    width = high - low
    varies = width > _CONSTANT * np.maximum(np.abs(low), np.abs(high))
    kept = complete & varies
    dropped = tuple(
        (names[int(k)], _reason(int((~finite[:, k]).sum()), len(R), int(train.sum()))) for k in np.flatnonzero(~kept)
    )
    if not kept.any():
        raise InputError(
            f"R: none of the {R.shape[1]} columns can be used; the first: {dropped[0][0]}, {dropped[0][1]}."
        )
    offset, spread = low[kept], width[kept]
    if scaling == "zscore":
        unit = (R[:, kept][train] - offset) / spread
        offset, spread = offset + unit.mean(0) * spread, spread * unit.std(0)
    return TargetScale(kept, offset, spread, dropped)


def _reason(missing: int, cases: int, trained: int) -> str:
    if missing:
        return f"{NOT_FINITE} in {missing} of {cases} cases"
    return f"constant over the {trained} training cases"
