"""The two readings of a lens: importance I, the paper's, and explained spread E; their columns in the shift table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """One way to read what fine-tuning changed.

    Args:
        name: ``importance`` or ``explained``.
        symbol: I or E; the shift is Δ and that symbol.
        words: the value in words.
        before, after, delta: columns of the value before and after, and of the shift; the interval's ends are
            ``<delta>_low`` and ``<delta>_high``.
        p, q, p_family, rank: columns of the permutation null, and of the place by shift.
    """

    name: str
    symbol: str
    words: str
    before: str
    after: str
    delta: str
    p: str
    q: str
    p_family: str
    rank: str

    @property
    def shift(self) -> str:
        """ΔI or ΔE."""
        return f"Δ{self.symbol}"


IMPORTANCE = Reading(
    "importance", "I", "importance", "i_pre", "i_ft", "delta_i", "p_null", "q_null", "p_family", "rank"
)
EXPLAINED = Reading(
    "explained", "E", "explained spread", "explained_pre", "explained_ft", "delta_explained", "p_explained",
    "q_explained", "p_family_explained", "rank_explained",
)  # fmt: skip
READINGS = (IMPORTANCE, EXPLAINED)
