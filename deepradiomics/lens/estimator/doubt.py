"""Whether ΔI can be read as radiomic content at all, or the explained spread ΔE should be read in its place.

I = ‖θ_k‖ is a length of weights. It follows how far the embeddings spread: where fine-tuning leaves few directions, the
others carry almost nothing but still take weights, which are then huge. And noise makes it longer. E, the spread of
the fitted target, follows neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NOISY = 0.5  # share of I² that is estimation noise in a typical feature
FAR = 5.0  # a typical I changed by this factor


def doubt_of(i_pre: Array, i_ft: Array, noise_pre: Array, noise_ft: Array) -> str:
    """Sentences that tell why ΔI should not be believed; empty where nothing speaks against it.

    Args:
        i_pre, i_ft: importances of all features.
        noise_pre, noise_ft: the share of each I² that estimation noise alone would give.
    """
    before, after = float(np.median(i_pre)), float(np.median(i_ft))
    noise = float(np.median(np.concatenate([noise_pre, noise_ft])))
    what, why = [], []
    if max(before, after) > FAR * min(before, after):
        what.append("the spread of the embeddings")
        why.append(f"a typical I went from {_plain(before)} to {_plain(after)}")
    if noise > NOISY:
        what.append("estimation noise")
        why.append(f"for a typical feature {100 * noise:.0f} % of I² is estimation noise")
    if not what:
        return ""
    return (
        f"ΔI here measures {' and '.join(what)} rather than radiomic content ({'; '.join(why)}). Read the explained "
        "spread, ΔE, instead."
    )


def doubt_of_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """The same for rows of a shift table."""
    if not rows:
        return ""
    return doubt_of(*(np.array([row[name] for row in rows]) for name in ("i_pre", "i_ft", "noise_pre", "noise_ft")))


def _plain(value: float) -> str:
    """Three digits, never as a power of ten."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
