"""warm_up: compile every kernel of the engine before a user waits for it.

The compiled code is kept in a folder of the user (:func:`compiled.cache_folder`), so it takes its half minute once for
each version, and after that a second or two. The panel does it in the background when it is opened, a command when it
is the first; ``deepradiomics warm-up`` does it for an image of a container or for the nodes of a cluster.
"""

import time
from collections.abc import Callable

import numpy as np

from deepradiomics import kernels as compiled
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.progress import Progress, part, silent
from deepradiomics.radiomics.batch import extract_patches
from deepradiomics.radiomics.extract import extract
from deepradiomics.radiomics.ibsi import AGGREGATIONS
from deepradiomics.radiomics.maps import feature_maps
from deepradiomics.radiomics.warm_stamp import PARTS, Part, stamp

SIDE = 14
IMAGE_TYPES = {"Original": {}, "Wavelet": {}, "LoG": {"sigma": [1.0]}, "LBP2D": {}, "LBP3D": {}}
SECONDS: dict[Part, int] = {"features": 15, "maps": 12}
"""About how long compiling takes on one core."""
_MESSAGE = "preparing the feature engine"


def warm_up(progress: Progress | None = None, parts: tuple[Part, ...] = PARTS) -> float:
    """Compile, or load, the kernels of features and filters, and those of maps.

    Returns:
        The seconds it took; 0 without numba.
    """
    report = progress or silent
    if not compiled.available():
        return 0.0
    start = time.perf_counter()
    steps: dict[Part, Callable[[Progress], None]] = {"features": _features, "maps": _maps}
    total, done = sum(SECONDS[kind] for kind in parts), 0
    for kind in parts:
        steps[kind](part(report, done / total, (done + SECONDS[kind]) / total))
        done += SECONDS[kind]
        stamp(kind)
    report(1.0, _MESSAGE)
    return time.perf_counter() - start


def _features(report: Progress) -> None:
    values, labels, grid = _block(SIDE)
    for step, number_type in enumerate((np.float32, np.float64)):  # as read, and as resampled or filtered
        report(0.1 + 0.6 * step, _MESSAGE)
        image = Volume(values.astype(number_type), grid)
        extract(image, Mask(labels, grid), {"imageType": IMAGE_TYPES}, device="cpu")
        extract_patches([image], labels.astype(np.int32), device="cpu")
    setting = {"standard": "ibsi", "aggregation": list(AGGREGATIONS)}
    extract(image, Mask(labels, grid), {"setting": setting}, device="cpu")
    resampled = {"resampledPixelSpacing": [0.83, 0.83, 0.83]}  # no point of it on the image's border
    for side in (SIDE, 2 * SIDE):  # columns in one block, and in several
        values, labels, grid = _block(side)
        params = {"setting": resampled, "featureClass": {"firstorder": ["Mean"]}}
        extract(Volume(values, grid), Mask(labels, grid), params, device="cpu")


def _maps(report: Progress) -> None:
    values, labels, grid = _block(8)
    families = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")
    for count, family in enumerate(families):
        report(count / len(families), _MESSAGE)
        feature_maps(Volume(values, grid), Mask(labels, grid), [family], device="cpu")


def _block(side: int) -> tuple[np.ndarray, np.ndarray, Geometry]:
    """Noise, a cube in its middle, and their grid."""
    grid = Geometry((side, side, side), (1.0, 1.0, 1.0))
    labels = np.zeros(grid.shape, np.uint8)
    labels[3:-3, 3:-3, 3:-3] = 1
    return np.random.default_rng(0).normal(0, 100, grid.shape), labels, grid
