"""How long a run will take and how much memory, roughly: shown above Apply, so that nobody waits blindly.

The numbers were measured on one ordinary processor core; a factor of two either way is normal.
"""

import math
from collections.abc import Sequence

from deepradiomics.scene.panel.costs import cost_text, voxels_of

from .choices import Mode, RoiSource
from .map_features import chosen
from .regions import box_of
from .settings.feature_sets import mapped

CENTRE_SHARE = 0.5 * 0.3 * 0.5  # of the image, in the centre region
START_FEATURES_S = 4.0  # Python and numba start
FEATURES_S_PER_MVOXEL = 1.5  # of the region, for each filtered image
MAP_S_PER_KVOXEL = {  # of the region, 3 × 3 × 3 voxels around each
    "firstorder": 0.005,
    "glcm": 0.12,
    "gldm": 0.01,
    "glrlm": 0.03,
    "glszm": 0.01,
    "ngtdm": 0.005,
}
MAP_MB_PER_MVOXEL = 8.0  # of the region's box, for each map
READ_S_PER_MVOXEL = 0.2  # written by Slicer, read by the child
BASE_FEATURES_MB = 300.0
MB_PER_MVOXEL = 48.0


def panel_estimate(parameters) -> str:
    """The estimate as a sentence, for parameters that can run."""
    voxels = voxels_of(parameters.volume)
    region = _region_voxels(parameters, voxels)
    if parameters.mode is Mode.MAPS:
        return cost_text(*maps_cost(voxels, region, chosen(parameters), parameters.kernelRadius))
    keys = mapped(parameters)
    images = len({key.partition("_")[0] for key in (() if isinstance(keys, str) else keys)}) or 1
    return cost_text(*features_cost(voxels, region, images))


def features_cost(voxels: float, region_voxels: float, images: int = 1) -> tuple[float, float]:
    """Seconds and megabytes of features: voxels of the volume and of all regions together; filtered images."""
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


def _region_voxels(parameters, voxels: int) -> float:
    if parameters.roiSource is RoiSource.CENTRE:
        return CENTRE_SHARE * voxels
    if parameters.roiSource is RoiSource.BOX:
        return min(math.prod(box_of(parameters.roiNode).size_mm) / math.prod(parameters.volume.GetSpacing()), voxels)
    return 0.1 * voxels  # segments are not measured before the run; a tenth of the image is a usual order
