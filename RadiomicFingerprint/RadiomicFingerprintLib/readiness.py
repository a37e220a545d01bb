"""Whether Apply, Batch and Train can run; if not, the one sentence that says what to do."""

import re
from collections.abc import Sequence

from slicer.i18n import tr as _

from deepradiomics.scene.panel.why_not import (
    why_not_box,
    why_not_file,
    why_not_folder,
    why_not_image,
    why_not_output,
    why_not_segments,
)

from .bundles import BundleSummary
from .choices import VIEWS, BatchSource, PatchGrid, ReferenceView, RoiSource


def chosen_views(parameters) -> dict[str, object]:
    """View → volume node, for the views that were chosen."""
    chosen = {view: getattr(parameters, view) for view in VIEWS}
    return {view: node for view, node in chosen.items() if node is not None}


def case_name(parameters) -> str:
    """How the case is called: as the user says, else as its first volume."""
    views = chosen_views(parameters)
    return parameters.caseId.strip() or (next(iter(views.values())).GetName() if views else "case")


_NAMES = {"sagittal": r"sag(ittal)?", "coronal": r"cor(onal)?", "axial": r"(ax(ial)?|tra(nsverse|nsversal)?)"}


def guess_views(names: Sequence[str]) -> dict[str, int]:
    """View → position, by the names of volumes; a view that two volumes could be is left out.

    >>> guess_views(["Knee SAG PD", "Knee cor", "localiser"])
    {'sagittal': 0, 'coronal': 1}
    """
    positions = {}
    for view in VIEWS:
        pattern = re.compile(rf"(?<![a-z]){_NAMES[view]}(?![a-z])", re.IGNORECASE)
        fitting = [index for index, name in enumerate(names) if pattern.search(name)]
        if len(fitting) == 1:
            positions[view] = fitting[0]
    return positions


def why_not_apply(parameters, summary: BundleSummary | str | None) -> str | None:
    """None when Apply can run. ``summary`` is the model's description, or the text of what is wrong with it."""
    views = chosen_views(parameters)
    if not views:
        return why_not_image(None, _("Choose a volume for at least one view."))
    reason = next(filter(None, (why_not_image(node, "") for node in views.values())), None)
    reason = reason or _why_not_model(summary)
    if reason:
        return reason
    assert isinstance(summary, BundleSummary)
    grid = parameters.patchGrid
    if grid is not PatchGrid.AS_TRAINED and grid.value != summary.patch_grid:
        return _(
            "This model was trained with {grid} patches: choose 'As the model was trained', or train a model."
        ).format(grid=" × ".join(str(count) for count in summary.patch_grid))
    reference = parameters.referenceView
    if reference is not ReferenceView.AS_TRAINED and reference.value != summary.reference_view:
        return _("This model's reference view is {view}: choose 'As the model was trained', or train a model.").format(
            view=summary.reference_view
        )
    return _why_not_region(parameters) or why_not_output(parameters.outputFolder, None)


def _why_not_region(parameters) -> str | None:
    if parameters.roiSource is RoiSource.BOX:
        return why_not_box(parameters.roiNode)
    if parameters.roiSource is RoiSource.SEGMENT:
        reason = why_not_segments(parameters.segmentation, _("Choose the segmentation."))
        segment_id = parameters.segmentId
        if reason or (segment_id and parameters.segmentation.GetSegmentation().GetSegment(segment_id) is not None):
            return reason
        return _("Choose the segment.")
    return None


def _why_not_model(summary: BundleSummary | str | None) -> str | None:
    if isinstance(summary, BundleSummary):
        return None
    return summary or _("Choose the model's folder.")


def why_not_batch(parameters, summary: BundleSummary | str | None) -> str | None:
    """None when the batch can run."""
    p, reason = parameters, _why_not_model(summary)
    if reason is None and p.batchSource is BatchSource.FOLDER:
        reason = why_not_folder(p.batchFolder, _("Choose the folder of cases."))
    if reason is None and p.batchSource is BatchSource.SCENE and not any(p.batchVolumes):
        reason = _("Tick at least one volume.")
    return reason or why_not_output(p.batchOutput, _("Choose a folder for the results."))


def why_not_train(parameters) -> str | None:
    """None when training can run."""
    reason = why_not_file(parameters.trainManifest, _("Choose the manifest (CSV)."))
    return reason or why_not_output(parameters.trainOutput, _("Choose the output folder."))
