"""Features: what an extraction returns, and why a number in it may be NaN."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np

ENGINE_VERSION = "2"
"""Part of every cache key: it changes whenever a number may change."""


class UnknownFeature(KeyError):  # noqa: N818 - a KeyError, as of any dictionary
    """A key that the features lack; unlike a bare KeyError its text is a sentence."""

    def __str__(self) -> str:
        """The sentence, without quotation marks."""
        return str(self.args[0])


class Features(dict[str, float]):
    """Feature values by full key (``original_glcm_Contrast``), in PyRadiomics' order.

    Attributes:
        diagnostics: what was done and what to know: settings, ROI, grey levels, ``warnings`` and ``notes``
            (lists of sentences) and ``undefined`` (why a feature is NaN).
    """

    def __init__(self, values: Mapping[str, float], diagnostics: Mapping[str, Any] | None = None) -> None:
        super().__init__(values)
        self.diagnostics: dict[str, Any] = dict(diagnostics or {})

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, chosen or done while image and mask were read, one sentence each."""
        return tuple(self.diagnostics.get("notes", ()))

    def __missing__(self, key: object) -> float:
        """Raise a KeyError that names near matches."""
        near = [name for name in self if name.endswith(f"_{key}")][:3] or get_close_matches(str(key), self, 3, 0.6)
        hint = f"Did you mean {', '.join(near)}?" if near else "Keys are full names, such as original_glcm_Contrast."
        raise UnknownFeature(f"{key!r} is not among these {len(self)} features. {hint}")


def undefined_reasons(
    names: tuple[str, ...], values: np.ndarray, failures: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Say for each NaN of one region (K,) why it is one; ``failures`` holds the reason of a whole image's prefix."""
    reasons = {
        "glcm": "no two voxels of the region are neighbours at the distances set",
        "glrlm": "no line of voxels meets the region twice",
        "firstorder": "no voxel lies between the 10th and the 90th percentile",
        "shape2D": "the region is not flat: it spans several slices along the axis force2Ddimension",
    }
    other = "the formula is not defined for this region"
    reason_of = {}
    for name, value in zip(names, values, strict=True):
        if value != value:
            prefix, family = name.split("_")[:2]
            reason_of[name] = (failures or {}).get(prefix) or reasons.get(family, other)
    return reason_of
