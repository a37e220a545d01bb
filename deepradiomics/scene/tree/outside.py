"""A case outside its training cohort, as panels and tables say it; the fields come from the result's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepradiomics.stats.outside import FAR_SD, outside_reason
from deepradiomics.words import OUTSIDE


def is_outside(about: Mapping[str, Any]) -> bool:
    """Whether a result's JSON, or the stamp of its nodes, says that the case lies outside the training cohort."""
    return bool(about.get("outside_training_cohort"))


def outside_words(about: Mapping[str, Any]) -> str:
    """What stands in the place of a class; empty for a case inside.

    >>> outside_words({"outside_training_cohort": True, "outside_share": 0.37})
    'outside the training cohort (37 % of features beyond 3 SD)'
    """
    if not is_outside(about):
        return ""
    share = about.get("outside_share")
    return OUTSIDE if share is None else f"{OUTSIDE} ({100 * float(share):.0f} % of features beyond {FAR_SD:g} SD)"


__all__ = ["is_outside", "outside_reason", "outside_words"]
