"""Whether Apply and Batch can run; if not, the one sentence that says what to do."""

from typing import Any

from slicer.i18n import tr as _

from deepradiomics.scene.panel.segments import segments_of
from deepradiomics.scene.panel.why_not import (
    why_not_box,
    why_not_folder,
    why_not_image,
    why_not_output,
    why_not_segments,
)

from .choices import BatchSource, Mode, PatchGrid, RoiSource
from .map_features import why_not_maps
from .settings.feature_sets import settings_of


def segment_ids(parameters) -> list[str]:
    """The ticked segments of the chosen segmentation."""
    skipped = set(parameters.skippedSegments)
    return [segment for segment, _name in segments_of(parameters.segmentation) if segment not in skipped]


def region_of(parameters) -> dict[str, Any]:
    """The chosen region as the logic takes it."""
    if parameters.roiSource is RoiSource.SEGMENTS:
        return {"segmentation": parameters.segmentation, "segment_ids": segment_ids(parameters)}
    region: dict[str, Any] = {"roi": parameters.roiNode} if parameters.roiSource is RoiSource.BOX else {}
    if parameters.mode is Mode.FEATURES and parameters.patchGrid is not PatchGrid.ONE:
        region["patch_grid"] = parameters.patchGrid.value
    return region


def why_not_apply(parameters) -> str | None:
    """None when Apply can run."""
    reason = why_not_volume(parameters) or why_not_region(parameters) or why_not_settings(parameters)
    if reason is None and parameters.mode is Mode.MAPS:
        reason = why_not_maps(parameters)
    return reason or why_not_output(parameters.outputFolder, None)


def why_not_volume(parameters) -> str | None:
    """None when there is a volume with an image."""
    return why_not_image(parameters.volume, _("Choose the volume."), flat=True)


def why_not_region(parameters) -> str | None:
    """None when there is a region."""
    if parameters.roiSource is RoiSource.BOX:
        return why_not_box(parameters.roiNode)
    if parameters.roiSource is RoiSource.SEGMENTS:
        reason = why_not_segments(parameters.segmentation, _("Choose the segmentation."))
        return reason or (None if segment_ids(parameters) else _("Tick at least one segment."))
    return None


def why_not_settings(parameters) -> str | None:
    """None when there are settings that can be computed."""
    settings = settings_of(parameters)
    return settings if isinstance(settings, str) else None


def why_not_batch(parameters) -> str | None:
    """None when the batch can run."""
    p, reason = parameters, why_not_settings(parameters)
    if reason is None and p.batchSource is BatchSource.FOLDER:
        reason = why_not_folder(p.batchFolder, _("Choose the folder of cases."))
    if reason is None and p.batchSource is BatchSource.SCENE and not batch_pairs(p):
        reason = _("Tick at least one volume with its segmentation.")
    if reason is None and p.batchSource is BatchSource.DICOM and not p.batchSeries:
        reason = _("Tick at least one series; series and their SEG or RTSTRUCT are imported in the DICOM module.")
    return reason or why_not_output(p.batchOutput, _("Choose a folder for the results."))


def batch_pairs(parameters) -> list[tuple[Any, Any]]:
    """The ticked volumes with their segmentations; pairs of which a node was deleted are left out."""
    pairs = zip(parameters.batchVolumes, parameters.batchSegmentations, strict=False)
    return [(volume, segmentation) for volume, segmentation in pairs if volume is not None and segmentation is not None]
