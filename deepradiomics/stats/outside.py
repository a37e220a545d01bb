"""Is a case one of its training cohort at all: the share of its features that lie far from the cohort's mean.

::

    z = (value - mean) / SD of the training cases        share = features with |z| > 3 / features that are defined

Of independent normal features 0.27 % lie beyond 3 SD, in every case. Radiomic features are neither: their tails are
heavier, and they move together, so that one case of a cohort has hardly any of them outside and the next has 5 %. The
limit is therefore measured (docs/results/outside_cohort.csv), not derived.

A prediction for a case outside is an extrapolation: its number is kept for programs, and reports, tables and panels
show :data:`deepradiomics.words.OUTSIDE` in the place of a class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepradiomics.words import OUTSIDE

FAR_SD = 3.0
"""Distance from the training cohort's mean, in its standard deviations, from which a feature lies outside."""
OUTSIDE_LIMIT = 0.15
"""Share of far features above which a case counts as outside the training cohort.

Measured with cohorts of 24 to 168 cases: of 80 held-out cases of the same generator none (knees: at most 3.3 % far) or
one to two (heads: 95 % of them have less than 13 %) lie above it, of real knees before a synthetic model all (49 to
60 %), of healthy brain given as a haematoma 14 to 15 of 20. At 10 % up to 8 of 80 held-out heads would lose their
class, at 20 % half of the healthy brain would get one.
"""


def beyond_share(values: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> float | None:
    """Share, 0 to 1, of a case's features that lie more than :data:`FAR_SD` standard deviations from the mean.

    Args:
        values: of one case (d,); NaN where undefined, which is left out of the share.
        mean, sd: of the training cases (d,); features with SD 0 are left out as well.

    Returns:
        None when no feature is left to tell by.

    >>> float(round(beyond_share(np.array([0.0, 3.5, -4.0, np.nan]), np.zeros(4), np.ones(4)), 3))
    0.667
    """
    values = np.asarray(values, np.float64)
    usable = np.isfinite(values) & np.isfinite(mean) & (sd > 0)
    if not usable.any():
        return None
    distance = np.abs(values[usable] - mean[usable]) / sd[usable]
    return float((distance > FAR_SD).mean())


def outside_fields(share: float | None) -> dict[str, Any]:
    """The entries of a result's JSON that say whether the case lies outside, and by what.

    Args:
        share: from :func:`beyond_share`; None where it is not known, which counts as inside.

    >>> outside_fields(0.49)
    {'outside_training_cohort': True, 'outside_share': 0.49, 'outside_limit': 0.15}
    """
    return {
        "outside_training_cohort": share is not None and share > OUTSIDE_LIMIT,
        "outside_share": share,
        "outside_limit": OUTSIDE_LIMIT,
    }


def outside_sentence(share: float, limit: float = OUTSIDE_LIMIT) -> str:
    """Why a case counts as outside, in one sentence."""
    return (
        f"{share:.0%} of the features lie more than {FAR_SD:g} standard deviations from the mean of the cohort that "
        f"the model learned from (limit {limit:.0%}): this case is {OUTSIDE}, its prediction an extrapolation; no "
        "class is given."
    )


def outside_reason(about: Mapping[str, Any]) -> str:
    """Why a result gives no class, by its JSON, in one sentence; empty for a case inside."""
    share = about.get("outside_share")
    if not about.get("outside_training_cohort") or share is None:
        return ""
    return outside_sentence(float(share), float(about.get("outside_limit") or OUTSIDE_LIMIT))
