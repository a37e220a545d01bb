"""Whether Apply and Batch can run; if not, the one sentence that says what to do."""

from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from deepradiomics.scene.panel.why_not import why_not_image, why_not_output

from .choices import BatchSource, Mode, PatchGrid, RoiSource
from .feature_sets import settings_of
from .map_features import why_not_maps


def segment_ids(parameters) -> list[str]:
    """The ticked segments of the chosen segmentation."""
    if parameters.segmentation is None:
        return []
    segments = parameters.segmentation.GetSegmentation()
    known = [segments.GetNthSegmentID(index) for index in range(segments.GetNumberOfSegments())]
    skipped = set(parameters.skippedSegments)
    return [segment for segment in known if segment not in skipped]


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
        from deepradiomics.scene.regions import is_placed

        if parameters.roiNode is None:
            return _("Choose or create the ROI box.")
        return None if is_placed(parameters.roiNode) else _("Draw the ROI box in a slice view.")
    if parameters.roiSource is RoiSource.SEGMENTS:
        if parameters.segmentation is None:
            return _("Choose the segmentation.")
        if parameters.segmentation.GetSegmentation().GetNumberOfSegments() == 0:
            return _("The segmentation has no segment.")
        if not segment_ids(parameters):
            return _("Tick at least one segment.")
    return None


def why_not_settings(parameters) -> str | None:
    """None when there are settings that can be computed."""
    settings = settings_of(parameters)
    return settings if isinstance(settings, str) else None


def why_not_batch(parameters) -> str | None:
    """None when the batch can run."""
    reason = why_not_settings(parameters)
    if reason is not None:
        return reason
    if parameters.batchSource is BatchSource.FOLDER and not Path(parameters.batchFolder or "-").is_dir():
        return _("Choose the folder of cases.")
    if parameters.batchSource is BatchSource.SCENE and not batch_pairs(parameters):
        return _("Tick at least one volume with its segmentation.")
    return why_not_output(parameters.batchOutput, _("Choose a folder for the results."))


def batch_pairs(parameters) -> list[tuple[Any, Any]]:
    """The ticked volumes with their segmentations; pairs of which a node was deleted are left out."""
    pairs = zip(parameters.batchVolumes, parameters.batchSegmentations, strict=False)
    return [(volume, segmentation) for volume, segmentation in pairs if volume is not None and segmentation is not None]
