"""warm_up: compile every kernel of the engine before a user waits for it.

The compiled code is kept in a folder of the user (:func:`compiled.cache_folder`), so it takes its ten to twenty seconds
once for each version, and after that a fraction of a second. What installs the package, or opens its panel, calls this
in the background.
"""

import time

import numpy as np

from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.progress import Progress, silent
from deepradiomics.radiomics import compiled
from deepradiomics.radiomics.batch import extract_patches
from deepradiomics.radiomics.extract import extract

SIDE = 14
IMAGE_TYPES = {"Original": {}, "Wavelet": {}, "LoG": {"sigma": [1.0]}, "LBP2D": {}}


def warm_up(progress: Progress | None = None) -> float:
    """Compile, or load, the kernels of features and filters; return the seconds it took (0 without numba)."""
    report = progress or silent
    if not compiled.available():
        return 0.0
    start = time.perf_counter()
    grid = Geometry((SIDE, SIDE, SIDE), (1.0, 1.0, 1.0))
    values = np.random.default_rng(0).normal(0, 100, grid.shape)
    labels = np.zeros(grid.shape, np.uint8)
    labels[3:-3, 3:-3, 3:-3] = 1
    for step, number_type in enumerate((np.float32, np.float64), start=1):  # as read, and as resampled or filtered
        report(0.5 * step - 0.4, "preparing the feature engine")
        image = Volume(values.astype(number_type), grid)
        extract(image, Mask(labels, grid), {"imageType": IMAGE_TYPES}, device="cpu")
        extract_patches([image], labels.astype(np.int32), device="cpu")
    report(1.0, "preparing the feature engine")
    return time.perf_counter() - start
