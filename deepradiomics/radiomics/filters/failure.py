"""Why a filtered image does not exist."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FilterFailure:
    """A filter that is not defined for this image; its features are NaN with this reason.

    Args:
        reason: half a sentence, such as "the image is zero everywhere".
    """

    reason: str
