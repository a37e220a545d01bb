"""Registration on the CPU: SimpleITK, rigid first, then affine if it is wanted, from coarse to fine.

One thread on purpose: cohorts run many registrations side by side, and one thread gives the same digits every time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from deepradiomics.images.sitk import to_sitk
from deepradiomics.prepare.affine import AffineTransform
from deepradiomics.prepare.registration.pyramid import BINS, Level, similarity, starts
from deepradiomics.progress import Progress

if TYPE_CHECKING:
    import SimpleITK

T = TypeVar("T", bound="SimpleITK.Transform")

SAMPLED_VOXELS = 16_000
"""At most this many voxels of a level enter the metric, drawn once with the seed."""

ITERATIONS = 200
FIRST_STEPS = (0.5, 0.25, 0.125)
"""First step, in the level's spacing: rigid, first affine level, finer levels (which begin close to the goal)."""
LAST_STEP = 0.0025


def register_cpu(levels: list[Level], metric: str, kind: str, seed: int, progress: Progress) -> AffineTransform:
    """Return the transform of this kind ("affine" or "rigid") from fixed to moving space.

    Mattes, D. et al. PET-CT image registration in the chest using free-form deformations. IEEE TMI 22 (2003):
    mutual information with Parzen windows; here the optimiser is a regular-step gradient descent whose steps are
    scaled by the voxel shift they cause.
    """
    with _one_thread():
        return _search(levels, metric, kind, seed, progress)


def improve_rigid(transform: AffineTransform, level: Level, metric: str, seed: int) -> AffineTransform:
    """Climb from a rigid transform on one level; where that makes nothing better, return it."""
    import SimpleITK as sitk

    centre = np.array(level.fixed.geometry.centre_mm)
    begin = sitk.Euler3DTransform()
    begin.SetCenter(centre.tolist())
    begin.SetMatrix(transform.array[:3, :3].ravel().tolist(), 1e-6)
    begin.SetTranslation((transform.apply(centre[None])[0] - centre).tolist())
    with _one_thread():
        return AffineTransform.from_sitk(_climb(begin, level, metric, seed, FIRST_STEPS[0]))


def _search(levels: list[Level], metric: str, kind: str, seed: int, progress: Progress) -> AffineTransform:
    import SimpleITK as sitk

    coarse = levels[0]
    centre = np.array(coarse.fixed.geometry.centre_mm)

    rigid: list[sitk.Euler3DTransform] = []
    for start in starts(coarse):
        begin = sitk.Euler3DTransform()
        begin.SetCenter(centre.tolist())
        begin.SetTranslation(start.array[:3, 3].tolist())
        rigid.append(_climb(begin, coarse, metric, seed, FIRST_STEPS[0]))
    best = max(rigid, key=lambda t: _score(coarse, t, metric))
    transform: sitk.Transform = _as_affine(best, centre) if kind == "affine" else best
    for number, level in enumerate(levels):
        progress((number + 1) / (len(levels) + 1), f"Registering at {level.spacing_mm:.1f} mm")
        transform = _climb(transform, level, metric, seed, FIRST_STEPS[min(number + 1, 2)])
    return AffineTransform.from_sitk(transform)


def _as_affine(rigid: "SimpleITK.Euler3DTransform", centre: np.ndarray) -> "SimpleITK.AffineTransform":
    import SimpleITK as sitk

    affine = sitk.AffineTransform(3)
    affine.SetCenter(centre.tolist())
    affine.SetMatrix(rigid.GetMatrix())
    affine.SetTranslation(rigid.GetTranslation())
    return affine


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums shared among threads differ in their last digits; ITK's metrics obey only the global number of threads."""
    import SimpleITK as sitk

    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _score(level: Level, transform: "SimpleITK.Transform", metric: str) -> float:
    return similarity(level.fixed, level.moving, AffineTransform.from_sitk(transform), metric)


def _climb(begin: T, level: Level, metric: str, seed: int, first_step: float) -> T:
    """Optimise a copy of ``begin`` on one level; ``begin`` itself where that makes nothing better."""
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    if metric == "mi":
        method.SetMetricAsMattesMutualInformation(BINS)
    else:
        method.SetMetricAsCorrelation()
    fraction = SAMPLED_VOXELS / level.fixed.voxels.size
    if fraction < 1:
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(fraction, seed + 1)  # 0 would mean the clock
    # The filter would blur the gradient by the coarsest spacing: then it no longer belongs to the metric, and misleads.
    method.MetricUseFixedImageGradientFilterOff()
    method.MetricUseMovingImageGradientFilterOff()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=first_step * level.spacing_mm,
        minStep=LAST_STEP * level.spacing_mm,
        numberOfIterations=ITERATIONS,
        relaxationFactor=0.85,  # lower values are faster and stop early in narrow valleys
        gradientMagnitudeTolerance=1e-8,  # correlation is flat near its top
    )
    method.SetOptimizerScalesFromPhysicalShift()
    moved = type(begin)(begin)
    method.SetInitialTransform(moved, inPlace=True)
    try:
        method.Execute(to_sitk(level.fixed), to_sitk(level.moving))
    except RuntimeError:  # ITK gives up when too few samples fall inside the moving image
        return begin
    return moved if _score(level, moved, metric) > _score(level, begin, metric) else begin
