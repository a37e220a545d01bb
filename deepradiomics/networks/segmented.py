"""What every segmenter offers and returns, whatever stands behind it: a bundle of ours or a model folder of nnU-Net."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.prepare.components import components, largest_component
from deepradiomics.progress import Progress

HAEMATOMA = 1
NAMES = {HAEMATOMA: "haematoma"}
THRESHOLD = 0.5
VOLUME_OFF = 0.1
"""Share by which volumes found in held-out cases may differ from those drawn before every volume says so."""


@dataclass(frozen=True, eq=False)
class Segmented:
    """A segmentation on the CT's own grid.

    Args:
        mask: 1 in the haematoma; may be empty (then a note says so).
        probability: float32, of haematoma; None where the backend does not tell.
        notes: what a reader should know, one sentence each.
    """

    mask: Mask
    probability: Volume | None
    notes: tuple[str, ...] = ()


@runtime_checkable
class Segmenter(Protocol):
    """Finds haematomas in head CTs.

    ``name`` is what a person calls it, ``kind`` what it is, ``sha256`` identifies its weights and all that decides its
    results, ``synthetic`` says that it was trained on synthetic images, ``source`` is its folder.
    """

    name: str
    kind: Literal["bundle", "nnunet"]
    synthetic: bool
    source: Path | None

    @property
    def sha256(self) -> str: ...

    def segment(
        self,
        volume: Volume,
        *,
        flips: bool = False,
        largest: bool = False,
        case: str = "",
        progress: Progress | None = None,
    ) -> Segmented:
        """Segment a head CT in HU; see :class:`Segmented`. ``progress`` may raise Cancelled."""


def finished(
    region: np.ndarray, geometry: Geometry, *, largest: bool, notes: tuple[str, ...], probability: Volume | None = None
) -> Segmented:
    """Turn a region bool (z, y, x) into the result; keep its largest part on request; say what is gone or missing."""
    sentences = list(notes)
    if not region.any():
        sentences.append("No haematoma was found.")
    elif largest:
        main_part = largest_component(region)
        lost = int(region.sum() - main_part.sum())
        if lost:
            ml = lost * float(np.prod(geometry.spacing_mm)) / 1000
            parts = len(components(region)[1]) - 1
            sentences.append(
                f"{parts} smaller part{'s' if parts > 1 else ''} of {ml:.2f} mL in all removed (largest part kept)."
            )
        region = main_part
    mask = Mask(region.astype(np.uint8), geometry, "haematoma", segments=NAMES)
    return Segmented(mask, probability, tuple(sentences))
