"""Whether Apply, Batch and Train can run; if not, the one sentence that says what to do."""

import re
from collections.abc import Sequence
from pathlib import Path

from slicer.i18n import tr as _

from deepradiomics.scene.panel.why_not import why_not_image, why_not_output

from .bundles import SAMPLE_BUNDLE, BundleSummary
from .choices import VIEWS, BatchSource, BundleSource, PatchGrid, ReferenceView, RoiSource


def bundle_folder(parameters) -> Path | None:
    """The chosen model's folder; None when none is chosen."""
    if parameters.bundleSource is BundleSource.SAMPLE:
        return SAMPLE_BUNDLE
    return Path(parameters.bundleFolder) if parameters.bundleFolder else None


def given_views(parameters) -> dict[str, object]:
    """View → volume node, for the views that were chosen."""
    chosen = {view: getattr(parameters, view) for view in VIEWS}
    return {view: node for view, node in chosen.items() if node is not None}


def case_name(parameters) -> str:
    """How the case is called: as the user says, else as its first volume."""
    views = given_views(parameters)
    return parameters.caseId.strip() or (next(iter(views.values())).GetName() if views else "case")


_NAMES = {"sagittal": r"sag(ittal)?", "coronal": r"cor(onal)?", "axial": r"(ax(ial)?|tra(nsverse|nsversal)?)"}


def guess_views(names: Sequence[str]) -> dict[str, int]:
    """View → position, by the names of volumes; a view that two volumes could be is left out.

    >>> guess_views(["Knee SAG PD", "Knee cor", "localiser"])
    {'sagittal': 0, 'coronal': 1}
    """
    found = {}
    for view in VIEWS:
        pattern = re.compile(rf"(?<![a-z]){_NAMES[view]}(?![a-z])", re.IGNORECASE)
        fitting = [index for index, name in enumerate(names) if pattern.search(name)]
        if len(fitting) == 1:
            found[view] = fitting[0]
    return found


def why_not_apply(parameters, summary: BundleSummary | str | None) -> str | None:
    """None when Apply can run. ``summary`` is the model's description, or the text of what is wrong with it."""
    views = given_views(parameters)
    if not views:
        return why_not_image(None, _("Choose a volume for at least one view."))
    reason = next(filter(None, (why_not_image(node, "") for node in views.values())), None)
    reason = reason or _why_not_model(parameters, summary)
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
        from deepradiomics.scene.regions import is_placed

        if parameters.roiNode is None:
            return _("Choose or create the ROI box.")
        return None if is_placed(parameters.roiNode) else _("Draw the ROI box in a slice view.")
    if parameters.roiSource is RoiSource.SEGMENT:
        if parameters.segmentation is None:
            return _("Choose the segmentation.")
        segments = parameters.segmentation.GetSegmentation()
        if segments.GetNumberOfSegments() == 0:
            return _("The segmentation has no segment.")
        if not parameters.segmentId or segments.GetSegment(parameters.segmentId) is None:
            return _("Choose the segment.")
    return None


def _why_not_model(parameters, summary: BundleSummary | str | None) -> str | None:
    if bundle_folder(parameters) is None:
        return _("Choose the model's folder.")
    if isinstance(summary, str):
        return summary
    return None if summary is not None else _("Choose the model's folder.")


def why_not_batch(parameters, summary: BundleSummary | str | None) -> str | None:
    """None when the batch can run."""
    reason = _why_not_model(parameters, summary)
    if reason:
        return reason
    if parameters.batchSource is BatchSource.FOLDER and not Path(parameters.batchFolder or "-").is_dir():
        return _("Choose the folder of cases.")
    if parameters.batchSource is BatchSource.SCENE and not [
        node for node in parameters.batchVolumes if node is not None
    ]:
        return _("Tick at least one volume.")
    return why_not_output(parameters.batchOutput, _("Choose a folder for the results."))


def why_not_train(parameters) -> str | None:
    """None when training can run."""
    if not Path(parameters.trainManifest or "-").is_file():
        return _("Choose the manifest (CSV).")
    return why_not_output(parameters.trainOutput, _("Choose the output folder."))
