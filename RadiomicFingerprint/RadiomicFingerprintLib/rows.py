"""Which rows of the panel are shown, the model in words, and the choice of a segment."""

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


class SegmentChoice:
    """A combo box of a segmentation's segments; the first entry may stand for all of them (empty ID)."""

    def __init__(self, combo) -> None:
        self._combo = combo
        self._ids: list[str] = []
        self._shown: list[tuple[str, str]] = []
        self.following = False

    def follow(self, segmentation, segment_id: str, *, allow_all: bool) -> None:
        """Show the segments there are, with this one chosen where it is among them."""
        entries = [("", _("All segments"))] if allow_all else []
        if segmentation is not None:
            segments = segmentation.GetSegmentation()
            ids = [segments.GetNthSegmentID(index) for index in range(segments.GetNumberOfSegments())]
            entries += [(each, segments.GetSegment(each).GetName()) for each in ids]
        self.following = True
        try:
            if entries != self._shown:
                self._shown, self._ids = entries, [each for each, _name in entries]
                self._combo.clear()
                for _id, name in entries:
                    self._combo.addItem(name)
            if self._ids:
                self._combo.currentIndex = self._ids.index(segment_id) if segment_id in self._ids else 0
        finally:
            self.following = False

    def current(self) -> str:
        """The chosen segment's ID; empty for all of them, or when there is none."""
        index = self._combo.currentIndex
        return self._ids[index] if 0 <= index < len(self._ids) else ""
