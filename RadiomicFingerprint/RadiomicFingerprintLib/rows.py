"""Which rows of the panel are shown, and the model in words."""

from slicer.i18n import tr as _

from .bundles import BundleSummary
from .choices import BatchSource, BundleSource, FeatureSet, Mode, RoiSource

_FINGERPRINT_ROWS = ("sagittal", "coronal", "axial", "referenceView", "registration", "bundleSource")
_FIELD_SUFFIXES = ("Selector", "Edit", "List", "Spin")


def show_rows(ui, parameters) -> None:
    """Show the rows that matter for what is chosen; hide the others, label and field."""
    p = parameters
    fingerprint = p.mode is Mode.FINGERPRINT
    for name in _FINGERPRINT_ROWS:
        _show(ui, name, fingerprint)
    _show(ui, "bundleFolder", fingerprint and p.bundleSource is BundleSource.FOLDER)
    ui.bundleSummary.visible = fingerprint
    _show(ui, "featureVolume", not fingerprint)
    _show(ui, "featureSet", not fingerprint)
    _show(ui, "parameterFile", not fingerprint and p.featureSet is FeatureSet.FILE)
    maps = p.mode is Mode.MAPS
    _show(ui, "mapSearch", maps)
    _show(ui, "kernelRadius", maps)
    ui.mapFeaturesList.visible = maps
    width = 2 * p.kernelRadius + 1
    ui.kernelRadiusSpin.suffix = _(" ({width} × {width} × {width} voxels)").format(width=width)
    _show(ui, "roiNode", p.roiSource is RoiSource.BOX)
    _show(ui, "segmentation", p.roiSource is RoiSource.SEGMENT)
    _show(ui, "segment", p.roiSource is RoiSource.SEGMENT)
    _show(ui, "patchGrid", fingerprint or (not maps and p.roiSource is not RoiSource.SEGMENT))
    _show(ui, "inference", fingerprint)
    _show(ui, "batchFolder", p.batchSource is BatchSource.FOLDER)
    _show(ui, "batchVolumes", p.batchSource is BatchSource.SCENE)


def _show(ui, name: str, visible: bool) -> None:
    getattr(ui, f"{name}Label").visible = visible
    for suffix in _FIELD_SUFFIXES:
        field = getattr(ui, name + suffix, None)
        if field is not None:
            field.visible = visible


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
