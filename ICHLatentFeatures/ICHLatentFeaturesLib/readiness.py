"""Whether Apply, Expansion only and the experiment can run; if not, the one sentence that says what to do."""

from typing import Any

from slicer.i18n import tr as _

from deepradiomics.scene.panel.why_not import (
    why_not_file,
    why_not_folder,
    why_not_image,
    why_not_output,
    why_not_segmenter,
)

from .bundles import BundleSummary
from .choices import Outline


def why_not_apply(parameters: Any, summary: BundleSummary | str | None, hu_problem: str) -> str | None:
    """None when Apply can run. ``summary``: the model, or what is wrong with it; ``hu_problem``: of the CT."""
    p = parameters
    reason = why_not_image(p.ct, _("Choose the head CT.")) or hu_problem
    if reason:
        return reason
    if not isinstance(summary, BundleSummary):
        return summary or _("Choose the model's folder.")
    if p.outline is Outline.MODEL and not summary.segments:
        return _("This model has no network that outlines: choose another network, or a segment.")
    reason = _why_not_outline(p)
    if reason is None and p.followup is not None:
        reason = _why_not_followup(p, need_segment=not summary.segments)
    return reason or why_not_output(p.outputFolder, None)


def why_not_expansion(parameters: Any, summary: BundleSummary | str | None) -> str | None:
    """None when the expansion alone can be measured."""
    p = parameters
    reason = why_not_image(p.ct, _("Choose the head CT."))
    reason = reason or why_not_image(p.followup, _("Choose the follow-up CT."))
    if reason:
        return reason
    can_outline = isinstance(summary, BundleSummary) and summary.segments
    if p.outline is Outline.MODEL and not can_outline:
        return _("Choose a model that outlines, another network, or segments.")
    reason = _why_not_outline(p) or _why_not_followup(p, need_segment=True)
    return reason or why_not_output(p.outputFolder, None)


def why_not_experiment(parameters: Any) -> str | None:
    """None when the experiment can run."""
    p = parameters
    return (
        why_not_file(p.manifest, _("Choose the manifest (CSV)."))
        or (p.external and why_not_file(p.external, _("The external manifest is not there.")))
        or (p.encoder and why_not_folder(p.encoder, _("The segmenter's folder is not there.")))
        or (p.autoencoder and why_not_folder(p.autoencoder, _("The VAE-GAN's folder is not there.")))
        or why_not_output(p.experimentOutput, _("Choose a folder for the results."))
    )


def segmenter_of(parameters: Any, summary: BundleSummary | str | None) -> str | None:
    """The folder of the network that outlines where there is no model to do it: for the expansion alone."""
    if parameters.outline is Outline.NETWORK:
        return str(parameters.segmenterFolder)
    if parameters.outline is Outline.MODEL and isinstance(summary, BundleSummary):
        return str(summary.folder / "encoder")
    return None


def _why_not_outline(p: Any) -> str | None:
    if p.outline is Outline.NETWORK:
        return why_not_segmenter(p.segmenterFolder)
    if p.outline is Outline.SEGMENT:
        return _why_not_segment(p.segmentation, p.segmentId, _("Choose the segmentation of the haematoma."))
    return None


def _why_not_followup(p: Any, *, need_segment: bool) -> str | None:
    reason = why_not_image(p.followup, "")
    if reason:
        return reason
    if p.followup.GetID() == p.ct.GetID():
        return _("The follow-up is the same volume as the CT.")
    if p.outline is not Outline.SEGMENT:
        return None
    if p.followupSegmentation is None:
        return _("Choose the segmentation of the follow-up.") if need_segment else None
    return _why_not_segment(p.followupSegmentation, p.followupSegmentId, "")


def _why_not_segment(segmentation: Any, segment_id: str, missing: str) -> str | None:
    if segmentation is None:
        return missing
    if segmentation.GetSegmentation().GetSegment(segment_id) is None:
        return _("'{name}' has no such segment: choose one.").format(name=segmentation.GetName())
    return None
