"""How long a run will take and how much memory, roughly: said before Apply so that nobody waits blindly.

The numbers are measured once on an ordinary laptop core and scaled by voxels; a factor of two either way is expected.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from slicer.i18n import tr as _

START_FINGERPRINT_S = 12.0  # Python, torch and monai start, the report is drawn
START_FEATURES_S = 4.0  # Python and numba start
REGISTRATION_S = {"cpu": 6.0, "gpu": 4.0}  # a pair of views
SECONDS_PER_MEGAVOXEL_FEATURES = 4.0  # texture matrices of a region
SECONDS_PER_MEGAVOXEL_READ = 0.15  # written by Slicer, read and resampled by the child
NETWORK_S = {"cpu": 4.0, "gpu": 1.0}  # relevance network and Grad-CAM at 16 × 38 × 64
BASE_FINGERPRINT_MB = 900.0
BASE_FEATURES_MB = 300.0
MEGABYTES_PER_MEGAVOXEL = 24.0


@dataclass(frozen=True)
class Estimate:
    """Rough cost of a run."""

    seconds: float
    memory_mb: float

    def words(self) -> str:
        """The estimate as a short sentence.

        >>> Estimate(14, 1100).words()
        'Takes about 15 s and 1.1 GB of memory.'
        """
        return _("Takes about {time} and {memory} of memory.").format(
            time=_time(self.seconds), memory=_memory(self.memory_mb)
        )


def fingerprint_estimate(
    voxels: Sequence[int], *, roi_megavoxels: float, views: int, registration: str | None, gpu: bool, cases: int = 1
) -> Estimate:
    """Cost of `apply`.

    Parameters
    ----------
    voxels
        Number of voxels of each volume given.
    roi_megavoxels
        Voxels of the region on the model's grid, in millions.
    views
        Number of views the model takes.
    registration
        "off", "cpu" or "gpu".
    """
    total = sum(voxels) / 1e6
    pairs = max(len(voxels) - 1, 0)
    each = NETWORK_S["gpu" if gpu else "cpu"] + pairs * REGISTRATION_S.get(registration or "off", 0.0)
    each += total * SECONDS_PER_MEGAVOXEL_READ + roi_megavoxels * views * SECONDS_PER_MEGAVOXEL_FEATURES
    largest = max(voxels, default=0) / 1e6
    return Estimate(
        START_FINGERPRINT_S + cases * each, BASE_FINGERPRINT_MB + (total + largest) * MEGABYTES_PER_MEGAVOXEL
    )


def features_estimate(voxels: int, region_voxels: float) -> Estimate:
    """Cost of features only: ``voxels`` of the volume, ``region_voxels`` of all regions together."""
    seconds = START_FEATURES_S + voxels / 1e6 * SECONDS_PER_MEGAVOXEL_READ
    seconds += region_voxels / 1e6 * SECONDS_PER_MEGAVOXEL_FEATURES
    return Estimate(seconds, BASE_FEATURES_MB + 2 * voxels / 1e6 * MEGABYTES_PER_MEGAVOXEL)


def _time(seconds: float) -> str:
    if seconds < 90:
        return _("{seconds} s").format(seconds=max(5, round(seconds / 5) * 5))
    return _("{minutes} min").format(minutes=round(seconds / 60))


def _memory(megabytes: float) -> str:
    if megabytes < 950:
        return _("{megabytes} MB").format(megabytes=round(megabytes / 50) * 50)
    return _("{gigabytes:.1f} GB").format(gigabytes=megabytes / 1000)
