"""Which colours a map needs: those of both signs get a scale that diverges from 0, wherever they are drawn."""

from __future__ import annotations


def signed_range(low: float, high: float) -> tuple[float, float] | None:
    """The colours' ends as far below 0 as above, for a map whose range holds both signs; None for any other.

    >>> signed_range(-2.0, 5.0), signed_range(0.0, 5.0)
    ((-5.0, 5.0), None)
    """
    if not low < 0 < high:
        return None
    reach = max(-low, high)
    return -reach, reach
