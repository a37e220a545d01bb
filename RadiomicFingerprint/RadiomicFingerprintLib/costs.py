"""From what the panel is set to, to the words of the estimate above Apply."""

import math

from .bundles import BundleSummary
from .choices import Device, Mode, Registration, RoiSource
from .estimate import features_estimate, fingerprint_estimate
from .inputs import box_of
from .readiness import given_views

PAPER_SHAPE = (32, 128, 128)
CENTRE_SHARE = 0.5 * 0.3 * 0.5  # of the automatic region


def panel_estimate(parameters, summary: BundleSummary | str | None) -> str:
    """The estimate as a sentence, for parameters that can run."""
    if parameters.mode is Mode.FEATURES:
        voxels = _voxels(parameters.featureVolume)
        return features_estimate(voxels, _region_voxels(parameters, voxels)).words()
    assert isinstance(summary, BundleSummary)
    shape = summary.resized_shape or PAPER_SHAPE
    chosen = parameters.registration
    return fingerprint_estimate(
        [_voxels(node) for node in given_views(parameters).values()],
        roi_megavoxels=math.prod(shape) * CENTRE_SHARE / 1e6,
        views=len(summary.views) or 3,
        registration=_registration(chosen, summary),
        gpu=parameters.device in (Device.CUDA, Device.MPS),
    ).words()


def _registration(chosen: Registration, summary: BundleSummary) -> str:
    if chosen is Registration.AS_TRAINED:
        return "off" if summary.registration == "off" else "cpu"
    return str(chosen.value)


def _voxels(node) -> int:
    image = node.GetImageData()
    return math.prod(image.GetDimensions()) if image is not None else 0


def _region_voxels(parameters, voxels: int) -> float:
    if parameters.roiSource is RoiSource.AUTOMATIC:
        return CENTRE_SHARE * voxels
    volume = math.prod(parameters.featureVolume.GetSpacing())
    if parameters.roiSource is RoiSource.BOX and parameters.roiNode.GetNumberOfControlPoints() > 0:
        return min(math.prod(box_of(parameters.roiNode).size_mm) / volume, voxels)
    return 0.1 * voxels  # a segment is not measured before the run; a tenth of the image is a usual order
