"""Which rows of the panel are shown; the model, the time a run takes and an expansion, in words."""

from typing import Any

from slicer.i18n import tr as _

from deepradiomics.scene.nodes.export import columns_of

from .bundles import BundleSummary
from .choices import BundleSource, Device, Outline

RADIOMICS_S, SEGMENT_S, FOLLOWUP_S, START_S = 15.0, 30.0, 40.0, 10.0  # rough, on one processor core
GPU_SPEEDUP = 5.0


def visible_rows(parameters: Any) -> dict[str, bool]:
    """Which containers of rows matter for what is chosen."""
    p = parameters
    by_hand, followed = p.outline is Outline.SEGMENT, p.followup is not None
    return {
        "bundleFolderArea": p.bundleSource is BundleSource.FOLDER,
        "segmenterFolderArea": p.outline is Outline.NETWORK,
        "segmentArea": by_hand,
        "followupSegmentationArea": by_hand and followed,
        "followupSegmentArea": by_hand and followed and p.followupSegmentation is not None,
        "networkArea": not by_hand,
    }


def bundle_text(summary: BundleSummary | str | None) -> str:
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


def expansion_text(table: Any) -> str:
    """An expansion in one line."""
    columns = columns_of(table)
    value = dict(zip(columns["measure"], columns["value"], strict=True))
    return _("Baseline {before:.1f} mL, follow-up {after:.1f} mL: {difference:+.1f} mL.").format(
        before=value["baseline volume"], after=value["follow-up volume"], difference=value["difference"]
    )
