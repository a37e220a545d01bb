"""How long a run will take and how much memory, roughly: said above Apply, so that nobody waits blindly.

The numbers were measured on one ordinary processor core; a factor of two either way is normal.
"""

import math
from collections.abc import Sequence

from slicer.i18n import tr as _

from deepradiomics.fingerprint.estimate import estimate_run

from .bundles import BundleSummary
from .choices import Device, Mode, Registration, RoiSource
from .commands import registration_arguments
from .inputs import box_of
from .map_features import available, chosen
from .readiness import given_views

CENTRE_SHARE = 0.5 * 0.3 * 0.5  # of the image, in the automatic region
START_FEATURES_S = 4.0  # Python and numba start
FEATURES_S_PER_MVOXEL = 1.5  # of the region, for each filtered image
MAP_S_PER_KVOXEL = {  # of the region, 3 × 3 × 3 voxels around each
    "firstorder": 0.005, "glcm": 0.12, "gldm": 0.01, "glrlm": 0.03, "glszm": 0.01, "ngtdm": 0.005,
}  # fmt: skip
MAP_MB_PER_MVOXEL = 8.0  # of the region's box, for each map
READ_S_PER_MVOXEL = 0.2  # written by Slicer, read by the child
BASE_FEATURES_MB = 300.0
MB_PER_MVOXEL = 48.0


def panel_estimate(parameters, summary: BundleSummary | str | None) -> str:
    """The estimate as a sentence, for parameters that can run."""
    if parameters.mode is Mode.FEATURES:
        voxels = voxels_of(parameters.featureVolume)
        images = len({key.partition("_")[0] for key in _keys(parameters)}) or 1
        seconds, memory_mb = features_cost(voxels, _region_voxels(parameters, voxels), images)
    elif parameters.mode is Mode.MAPS:
        voxels = voxels_of(parameters.featureVolume)
        region = _region_voxels(parameters, voxels)
        seconds, memory_mb = maps_cost(voxels, region, chosen(parameters), parameters.kernelRadius)
    elif isinstance(summary, BundleSummary):
        seconds, memory_mb = _fingerprint_cost(parameters, summary)
    else:
        return ""
    return words(seconds, memory_mb)


def features_cost(voxels: float, region_voxels: float, images: int = 1) -> tuple[float, float]:
    """Seconds and megabytes of features only: voxels of the volume and of all regions together; filtered images."""
    seconds = START_FEATURES_S + voxels / 1e6 * READ_S_PER_MVOXEL + images * region_voxels / 1e6 * FEATURES_S_PER_MVOXEL
    return seconds, BASE_FEATURES_MB + voxels / 1e6 * MB_PER_MVOXEL


def maps_cost(voxels: float, region_voxels: float, features: Sequence[str], kernel_radius: int) -> tuple[float, float]:
    """Seconds and megabytes of feature maps: each family of each filtered image is counted once."""
    families = [key.split("_")[1] for key in dict.fromkeys(key.rpartition("_")[0] + "_" for key in features)]
    wider = ((2 * kernel_radius + 1) / 3) ** 3
    per_kvoxel = sum(MAP_S_PER_KVOXEL.get(family, 0.0) for family in families)
    seconds = START_FEATURES_S + voxels / 1e6 * READ_S_PER_MVOXEL + region_voxels / 1e3 * per_kvoxel * wider
    memory_mb = BASE_FEATURES_MB + voxels / 1e6 * MB_PER_MVOXEL
    return seconds, memory_mb + 3 * region_voxels / 1e6 * MAP_MB_PER_MVOXEL * len(features)


def _keys(parameters) -> tuple[str, ...]:
    keys = available(parameters)
    return () if isinstance(keys, str) else keys


def _fingerprint_cost(parameters, summary: BundleSummary) -> tuple[float, float]:
    chosen, config = parameters.registration, dict(summary.config)
    mode = None
    if chosen is not Registration.AS_TRAINED:
        mode = registration_arguments(chosen.value, summary.registration)[1]
        config["recipe"] = {**config["recipe"], "registration_backend": chosen.value if mode != "off" else "cpu"}
    voxels = [voxels_of(node) for node in given_views(parameters).values()]
    gpu = parameters.device in (Device.CUDA, Device.MPS) or chosen is Registration.GPU
    run = estimate_run(config, voxels, gpu=gpu, registration=mode)
    return run.seconds, run.memory_mb


def voxels_of(node) -> int:
    """Number of voxels of a volume node."""
    image = node.GetImageData()
    return math.prod(image.GetDimensions()) if image is not None else 0


def _region_voxels(parameters, voxels: int) -> float:
    if parameters.roiSource is RoiSource.AUTOMATIC:
        return CENTRE_SHARE * voxels
    volume_mm3 = math.prod(parameters.featureVolume.GetSpacing())
    if parameters.roiSource is RoiSource.BOX and parameters.roiNode.GetNumberOfControlPoints() > 0:
        return min(math.prod(box_of(parameters.roiNode).size_mm) / volume_mm3, voxels)
    return 0.1 * voxels  # a segment is not measured before the run; a tenth of the image is a usual order


def words(seconds: float, memory_mb: float) -> str:
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
