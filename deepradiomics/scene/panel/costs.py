"""What a run takes, as a sentence above the button that starts it; and the number of voxels of a volume node."""

from __future__ import annotations

import math
from typing import Any

from slicer.i18n import tr as _


def voxels_of(node: Any) -> int:
    """Number of voxels of a volume node."""
    image = node.GetImageData()
    return math.prod(image.GetDimensions()) if image is not None else 0


def cost_text(seconds: float, memory_mb: float) -> str:
    """Seconds and megabytes as a short sentence, rounded as roughly as they are known."""
    if seconds < 90:
        time = _("{seconds} s").format(seconds=max(5, round(seconds / 5) * 5))
    else:
        time = _("{minutes} min").format(minutes=round(seconds / 60))
    if memory_mb < 950:
        memory = _("{megabytes} MB").format(megabytes=round(memory_mb / 50) * 50)
    else:
        memory = _("{gigabytes:.1f} GB").format(gigabytes=memory_mb / 1000)
    return _("Takes about {time} and {memory} of memory.").format(time=time, memory=memory)
