"""Which rows of the panel are shown, and the model in words."""

from slicer.i18n import tr as _

from .bundles import BundleSummary
from .choices import BatchSource, BundleSource, RoiSource


def show_rows(ui, parameters) -> None:
    """Show the containers of the rows that matter for what is chosen; hide the others."""
    p = parameters
    ui.bundleFolderArea.visible = p.bundleSource is BundleSource.FOLDER
    ui.boxArea.visible = p.roiSource is RoiSource.BOX
    ui.segmentArea.visible = p.roiSource is RoiSource.SEGMENT
    ui.batchFolderArea.visible = p.batchSource is BatchSource.FOLDER
    ui.batchVolumesArea.visible = p.batchSource is BatchSource.SCENE


def bundle_words(summary: BundleSummary | str | None) -> str:
    """What a model does, in two or three short lines; what is wrong with one is said above Apply."""
    if not isinstance(summary, BundleSummary):
        return ""
    grid = " × ".join(str(count) for count in summary.patch_grid)
    lines = [
        _("Tasks: {tasks}").format(tasks=", ".join(summary.tasks)),
        _("Views: {views}; patches {grid}").format(views=", ".join(summary.views), grid=grid),
    ]
    if summary.synthetic:
        lines.append(_("Trained on synthetic images: demonstrates the software, means nothing clinically."))
    return "\n".join(lines)
