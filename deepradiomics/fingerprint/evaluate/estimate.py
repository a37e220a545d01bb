"""How long a run will take and how much memory it needs, roughly; plain arithmetic that loads nothing heavy.

Seconds were measured on one core of an ordinary server processor; a factor of two either way is normal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_START_S = 9.0  # Python, torch and MONAI are imported, the bundle is read and checked
_REPORT_S = 4.0
_REGISTRATION_S = {"cpu": 3.0, "gpu": 1.5}  # one pair of views
_READ_S_PER_MVOXEL = 0.1
_FEATURES_S_PER_MVOXEL = 8.0  # texture matrices of the region, per view
_FIRST_COMPILE_S = 25.0  # numba's kernels, once on a machine
_NETWORK_S_PER_MVOXEL = {"tiny": 1.5, "paper": 45.0}  # forward and Grad-CAM
_GPU_SPEEDUP = 20.0
_BASE_MB = {"tiny": 700.0, "paper": 1300.0}


@dataclass(frozen=True)
class RunEstimate:
    """Rough cost of applying a model.

    Args:
        seconds: wall-clock time.
        memory_mb: peak of the process.
    """

    seconds: float
    memory_mb: float


def estimate_run(
    config: Mapping[str, Any],
    voxels: Sequence[int],
    *,
    gpu: bool = False,
    registration: str | None = None,
    first_run: bool = False,
    report: bool = True,
) -> RunEstimate:
    """Estimate a run of ``apply``.

    Args:
        config: the bundle's ``config`` entry (``FingerprintConfig.to_dict()``).
        voxels: number of voxels of each view given.
        gpu: the network, and a GPU registration, run on a GPU.
        registration: ``off``, ``reference`` or ``template``; the bundle's by default.
        first_run: kernels must be compiled first.
        report: the report is written as well.

    Example:
        >>> from deepradiomics.fingerprint.model.config import config
        >>> estimate_run(config("tiny").to_dict(), [512 * 512 * 30]).seconds < 60
        True
    """
    recipe, size = config["recipe"], str(config["model"]["network"])
    mode = registration or str(recipe["registration"])
    given, needed = len(voxels), len(recipe["views"])
    pairs = {"off": 0, "reference": max(0, given - 1), "template": needed}.get(mode, 0)
    backend = "gpu" if gpu and recipe["registration_backend"] != "cpu" else "cpu"
    region = (
        math.prod(max(1.0, n * part) for n, part in zip(recipe["resized_shape"], recipe["roi_fractions"], strict=True))
        / 1e6
    )
    network = region * needed * _NETWORK_S_PER_MVOXEL[size] / (_GPU_SPEEDUP if gpu else 1.0)
    total = sum(voxels) / 1e6
    seconds = (
        _START_S
        + (_REPORT_S if report else 0.0)
        + (_FIRST_COMPILE_S if first_run else 0.0)
        + pairs * _REGISTRATION_S[backend]
        + total * _READ_S_PER_MVOXEL
        + region * needed * _FEATURES_S_PER_MVOXEL
        + network
    )
    memory = _BASE_MB[size] + 24.0 * (total + max(voxels, default=0) / 1e6 + region * needed)
    return RunEstimate(round(seconds, 1), round(memory))
