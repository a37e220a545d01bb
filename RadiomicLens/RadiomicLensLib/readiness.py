"""Whether Apply and the case view can run; if not, the one sentence that says what to do."""

from pathlib import Path

from slicer.i18n import tr as _

from deepradiomics.scene.panel.why_not import why_not_file, why_not_image, why_not_output

from .choices import CaseSource, FeatureSet, Missing
from .cohorts import ELLIPSOID, Cohort
from .encoders import why_not_encoders


def params_of(parameters) -> str:
    """The preset's name, or the parameter file, as the command line takes it."""
    if parameters.featureSet is FeatureSet.FILE:
        return str(Path(parameters.parameterFile).absolute())
    return str(parameters.featureSet.value)


def chosen_modalities(parameters, cohort: Cohort) -> tuple[str, ...]:
    """The ticked modalities that the cohort has, in its order; all of them when none is ticked."""
    ticked = tuple(name for name in cohort.modalities if name in parameters.modalities)
    return ticked or cohort.modalities


def why_not_apply(parameters, cohort: Cohort) -> str | None:
    """None when Apply can run."""
    if cohort.problem:
        return cohort.problem
    if parameters.roi not in cohort.rois:
        return _("Choose the region (ROI).")
    reason = why_not_encoders(parameters)
    if reason:
        return reason
    if parameters.featureSet is FeatureSet.FILE:
        reason = why_not_file(parameters.parameterFile, _("Choose the parameter file (YAML)."))
        if reason:
            return reason
    lacking = cohort.lacking(chosen_modalities(parameters, cohort), parameters.roi)
    if lacking and parameters.missing is Missing.REFUSE:
        return _("Case {case} lacks a modality or the region: untick it, or leave such cases out (Options).").format(
            case=lacking[0]
        )
    if len(lacking) == cohort.cases:
        return _("No case has all these modalities and the region.")
    return why_not_output(parameters.outputFolder, _("Choose a folder for the results."))


def why_not_case(
    parameters, folder: Path | None, has_feature: bool, modalities: tuple[str, ...], roi: str, ids: tuple[str, ...]
) -> str | None:
    """None when the case view can show the chosen row.

    `folder` (None where it is not there any more), `modalities`, `roi` and the cases' `ids` are the lens's;
    `has_feature`: the chosen row is in its table.
    """
    if parameters.resultTable is None:
        return _("Fit a lens, or open the result of one.")
    if folder is None:
        return _("The lens's folder is not where it was: open it where it lies now.")
    if not has_feature:
        return _("Choose a row of the table of features.")
    if parameters.caseSource is CaseSource.RESULT:
        if not ids:
            return _("This lens came without its cases: choose the images of the scene.")
        return None if parameters.caseId in ids else _("Choose the case.")
    for modality in modalities:
        missing = _("Choose the volume of {modality}.").format(modality=modality)
        reason = why_not_image(parameters.caseVolumes.get(modality), missing)
        if reason:
            return reason
    if roi == ELLIPSOID and parameters.caseSegmentation is None:
        return None
    if parameters.caseSegmentation is None:
        return _("Choose the segmentation of the region.")
    segments = parameters.caseSegmentation.GetSegmentation()
    if segments.GetSegment(parameters.caseSegmentId) is None:
        return _("Choose the segment of the region.")
    return None
