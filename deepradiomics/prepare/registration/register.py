"""Affine and rigid registration: one call, two backends, one result.

The result maps points of the fixed image's space to the moving image's, so that
``resample(moving, fixed.geometry, transform=result.transform)`` lies on the fixed image.
"""

import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, get_args

import numpy as np

from deepradiomics.devices import resolve_device
from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.images.volume import Volume
from deepradiomics.prepare.affine import AffineTransform
from deepradiomics.prepare.registration.compiled import improve_rigid, register_cpu
from deepradiomics.prepare.registration.on_torch import register_torch
from deepradiomics.prepare.registration.pyramid import build_pyramid, similarity, starts
from deepradiomics.prepare.registration.quality import RegistrationQuality, registration_quality
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line

Backend = Literal["auto", "cpu", "gpu"]
Metric = Literal["mi", "ncc"]
Transform = Literal["affine", "rigid"]

PLAUSIBLE_SCALE = (0.4, 2.5)


@one_line
@dataclass(frozen=True)
class Registration:
    """What a registration found.

    Args:
        transform: maps points of the fixed image's space to the moving image's space (LPS millimetres).
        metric: "mi" (mutual information, nats) or "ncc" (absolute correlation).
        metric_value: likeness reached on the finest level; larger is better, defined alike for both backends.
        backend: "cpu" or "gpu", the one that ran.
        seconds: wall time, with the check.
        quality: what speaks for the result; its ``warnings`` say why it may have failed. None where not asked for.
    """

    transform: AffineTransform
    metric: str
    metric_value: float
    backend: str
    seconds: float
    quality: RegistrationQuality | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "transform": self.transform.to_dict(),
            "metric": self.metric,
            "metric_value": self.metric_value,
            "backend": self.backend,
            "seconds": self.seconds,
            "quality": None if self.quality is None else self.quality.to_dict(),
        }


def register(
    fixed: Volume,
    moving: Volume,
    *,
    backend: Backend = "auto",
    metric: Metric = "mi",
    transform: Transform = "affine",
    seed: int = 0,
    device: str = "auto",
    check: bool = True,
    progress: Progress | None = None,
) -> Registration:
    """Find the affine, or the rigid motion, that lays ``moving`` on ``fixed``.

    Three starting points (the scanner's coordinates, image centres, centres of mass) are tried on a coarse level;
    the best goes on to finer ones. A result worse than its start, or one that squeezes the anatomy beyond belief,
    is replaced by the start. A registration always ends with some transform: ``quality.warnings`` say when it is not
    to be believed.

    Args:
        fixed: image whose grid and space stay.
        moving: image to be brought there; another contrast, resolution and field of view are fine.
        backend: "cpu" (SimpleITK), "gpu" (torch, on ``device``; it runs on a CPU as well), or "auto": "gpu" where
            CUDA is present, else "cpu".
        metric: "mi" for any pair of contrasts, "ncc" for like contrasts.
        transform: "affine" (12 parameters), or "rigid" (a turn and a shift) for two scans of one patient, whose
            volumes must not change.
        seed: of the sampled voxels; the same seed gives the same result on the same machine.
        device: for the gpu backend.
        check: judge the result; without it ``quality`` is None, and a failure goes unseen.
        progress: called with fraction and message.

    Raises:
        InputError: an image is constant, NaN or tiny; unknown backend, metric or transform.
        MissingDependencyError: the gpu backend is asked for without torch.

    >>> found = register(template, scan)  # doctest: +SKIP
    >>> aligned = resample(scan, template.geometry, transform=found.transform)  # doctest: +SKIP
    """
    if backend not in get_args(Backend):
        raise InputError(f"backend: expected one of {', '.join(get_args(Backend))}, got {backend!r}.")
    if metric not in get_args(Metric):
        raise InputError(f"metric: expected one of {', '.join(get_args(Metric))}, got {metric!r}.")
    if transform not in get_args(Transform):
        raise InputError(f"transform: expected one of {', '.join(get_args(Transform))}, got {transform!r}.")
    if seed < 0:
        raise InputError(f"seed: expected 0 or more, got {seed}.")
    chosen = _choose(backend, device)
    begun = time.perf_counter()
    report = part(progress, 0.0, 1.0)
    report(0.0, "Building image pyramids")
    levels = build_pyramid(fixed, moving)
    if chosen == "gpu":
        best = register_torch(levels, metric, transform, seed, resolve_device(device), part(progress, 0.1, 0.95))
    else:
        best = register_cpu(levels, metric, transform, seed, part(progress, 0.1, 0.95))

    finest = levels[-1]
    value = similarity(finest.fixed, finest.moving, best, metric)
    stretch = np.linalg.svd(best.array[:3, :3], compute_uv=False)
    plausible = PLAUSIBLE_SCALE[0] < stretch.min() and stretch.max() < PLAUSIBLE_SCALE[1]
    for start in starts(levels[0]):
        reached = similarity(finest.fixed, finest.moving, start, metric)
        if not plausible or reached > value:
            best, value, plausible = start, reached, True
    quality = None
    if check:
        report(0.97, "Checking the registration")
        quality = registration_quality(
            levels, best, metric, transform, value, lambda way, level: improve_rigid(way, level, metric, seed)
        )
    report(1.0, "Registered")
    return Registration(best, metric, value, chosen, time.perf_counter() - begun, quality)


def _choose(backend: str, device: str) -> str:
    if backend == "gpu" and find_spec("torch") is None:
        raise MissingDependencyError(
            "backend='gpu' needs PyTorch, which is not installed. Install it with 'pip install torch', in 3D Slicer "
            "through the PyTorch extension, or choose backend='cpu'."
        )
    if backend == "auto":
        return "gpu" if resolve_device(device).startswith("cuda") else "cpu"
    return backend
