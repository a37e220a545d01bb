"""Which rows of the panel are shown; the model, the time a run takes and a growth, in words."""

from typing import Any

from slicer.i18n import tr as _

from deepradiomics.scene.export import columns_of

from .bundles import BundleSummary
from .choices import BundleSource, Device, Outline

RADIOMICS_S, SEGMENT_S, FOLLOWUP_S, START_S = 15.0, 30.0, 40.0, 10.0  # rough, on one processor core
GPU_SPEEDUP = 5.0


def show_rows(ui: Any, parameters: Any) -> None:
    """Show the containers of the rows that matter for what is chosen; hide the others, which leave no gaps."""
    p = parameters
    own = p.outline is Outline.SEGMENT
    followed = p.followup is not None
    ui.bundleFolderArea.visible = p.bundleSource is BundleSource.FOLDER
    ui.segmenterFolderArea.visible = p.outline is Outline.NETWORK
    ui.segmentArea.visible = own
    ui.followupSegmentationArea.visible = own and followed
    ui.followupSegmentArea.visible = own and followed and p.followupSegmentation is not None
    ui.networkArea.visible = not own


def bundle_words(summary: BundleSummary | str | None) -> str:
    """What a model does, in two or three short lines; what is wrong with one is said above Apply."""
    if not isinstance(summary, BundleSummary):
        return ""
    lines = [
        _("Predicts: {outcomes}").format(outcomes=", ".join(summary.outcomes)),
        _("From {input} by {classifier}, {count} patients").format(
            input=summary.input, classifier=summary.classifier, count=summary.patients
        ),
    ]
    if summary.synthetic:
        lines.append(_("Trained on synthetic images: demonstrates the software, means nothing clinically."))
    if summary.leaking:
        lines.append(_("LEAKING: its networks had seen its patients."))
    return "\n".join(lines)


def estimate(parameters: Any) -> str:
    """How long Apply will take, roughly."""
    p = parameters
    networks = (SEGMENT_S if p.outline is not Outline.SEGMENT else 0.0) * (4 if p.flips else 1)
    if p.device in (Device.CUDA, Device.MPS):
        networks /= GPU_SPEEDUP
    seconds = START_S + RADIOMICS_S + networks + (FOLLOWUP_S if p.followup is not None else 0.0)
    return _("Takes very roughly {seconds} s.").format(seconds=round(seconds / 10) * 10)


def expansion_words(table: Any) -> str:
    """A growth in one line."""
    columns = columns_of(table)
    value = dict(zip(columns["measure"], columns["value"], strict=True))
    return _("Baseline {before:.1f} mL, follow-up {after:.1f} mL: {difference:+.1f} mL.").format(
        before=value["baseline volume"], after=value["follow-up volume"], difference=value["difference"]
    )
