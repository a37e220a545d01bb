"""The panel: controls bound to the parameter node, Apply that becomes Cancel, progress, log, results."""

import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.panel.module_panel import ModulePanel
from deepradiomics.scene.panel.roi_watch import RoiWatch
from deepradiomics.scene.panel.segments import SegmentsWatch
from deepradiomics.scene.regions import is_placed, place_in_middle
from deepradiomics.scene.volumes import volumes_of_scene
from deepradiomics.scene.warm_up import WarmUp

from . import readiness
from .batch import BatchSection
from .choices import Mode, RoiSource
from .costs import panel_estimate
from .feature_sets import params_of
from .lists import TickList
from .logic import RadiomicFeaturesLogic
from .map_features import MapFeatureList, chosen
from .parameters import parameter_node
from .results import ResultsSection
from .samples import load_synthetic_prostate
from .settings_section import SettingsSection


class FeaturesPanel(ModulePanel):
    """The module's widget: what is chosen, in the parameter node; what it means, in the functions it calls."""

    title = _("Radiomic Features")
    logic: RadiomicFeaturesLogic

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.warmUp = WarmUp()
        self._new_roi = ""  # ID of a box that has no place yet

    def build(self) -> None:
        """Make the logic and the sections, connect the controls."""
        self.logic = RadiomicFeaturesLogic()
        self.segments = TickList(self.ui.segmentsList, self.onSegmentsTicked)
        self.segmentsWatch = SegmentsWatch(self, self.refresh)
        self.roiWatch = RoiWatch(self, self.refresh)
        self.settings = SettingsSection(self)
        self.mapFeatures = MapFeatureList(self)
        self.results = ResultsSection(self)
        self.batch = BatchSection(self)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.ui.installOfflineButton.connect("clicked(bool)", self.onInstallOffline)
        self.ui.roiNodeSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onRoiChosen)

    def run_buttons(self) -> tuple:
        return (self.ui.applyButton, self.ui.batchButton)

    def locked_sections(self) -> tuple:
        return (self.ui.inputsSection, self.ui.roiSection, self.ui.settingsSection, self.ui.advancedSection)

    def nodes_changed(self) -> None:
        """The list of pairs to choose from may have changed."""
        self.batch.refresh()

    # --- parameters ------------------------------------------------------------------------------------------------

    def make_parameters(self):
        """The scene's parameter node of this module."""
        return parameter_node()

    def guess(self) -> None:
        """Choose the only volume and the only segmentation."""
        p, volumes = self.parameters, volumes_of_scene(slicer.mrmlScene)
        segmentations = [
            node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if not node.GetHideFromEditors()
        ]
        if p.volume is None and len(volumes) == 1:
            p.volume = volumes[0]
        if p.segmentation is None and len(segmentations) == 1 and p.volume is not None:
            p.segmentation = segmentations[0]

    def load_sample(self) -> None:
        """Put a synthetic prostate with gland and lesion into the scene, and set the panel to it."""
        volume, segmentation = load_synthetic_prostate()
        p = self.parameters
        p.mode, p.roiSource, p.featureSettings = Mode.FEATURES, RoiSource.SEGMENTS, "fingerprint-107"
        p.skippedSegments = []
        p.volume, p.segmentation = volume, segmentation

    def segmented(self, nodes) -> None:
        """A network has made a segment: it is the region."""
        self.parameters.segmentation, self.parameters.roiSource = nodes.segmentation, RoiSource.SEGMENTS

    def refresh(self, caller=None, event=None) -> None:
        """Show what the parameters mean: the rows that matter, what is missing, what a run will cost."""
        if self.parameters is None:
            return
        p = self.parameters
        self._place_roi(p)
        self.segmentsWatch.follow(p.segmentation)
        self.roiWatch.follow(p.roiNode)
        self._show_segments(p)
        self.ui.segmentArea.visible = p.roiSource is RoiSource.SEGMENTS
        self.ui.boxArea.visible = p.roiSource is RoiSource.BOX
        self.ui.patchArea.visible = p.roiSource is not RoiSource.SEGMENTS and p.mode is Mode.FEATURES
        self.ui.mapsArea.visible = p.mode is Mode.MAPS
        width = 2 * p.kernelRadius + 1
        self.ui.kernelRadiusSpin.suffix = _(" ({width} × {width} × {width} voxels)").format(width=width)
        self.settings.refresh()
        self.mapFeatures.refresh()
        self.results.refresh()
        self.batch.refresh()
        if not self.idle:
            return
        reason = readiness.why_not_apply(p)
        tip = _("Start the computation in the background.")
        why_not = self.set_ready(self.ui.applyButton, reason, tip, "extract")
        self.ui.estimateLabel.text = why_not or panel_estimate(p)
        batch = readiness.why_not_batch(p)
        self.set_ready(self.ui.batchButton, batch, _("Compute the features of each case."), "extract")

    def _show_segments(self, p) -> None:
        entries = []
        if p.segmentation is not None:
            from deepradiomics.scene.terminology import terminology_of

            segments = p.segmentation.GetSegmentation()
            for index in range(segments.GetNumberOfSegments()):
                segment = segments.GetNthSegment(index)
                entries.append((segments.GetNthSegmentID(index), segment.GetName(), terminology_of(segment)))
        self.segments.show(entries, readiness.segment_ids(p))

    def onSegmentsTicked(self, ticked: list[str]) -> None:
        """The user ticked or unticked a segment."""
        self.parameters.skippedSegments = [segment for segment in self.segments.keys if segment not in ticked]

    def onRoiChosen(self, node) -> None:
        """A box that was just created has no place yet: it gets one in the middle of the volume."""
        if node is not None and self.parameters is not None and not is_placed(node):
            self._new_roi = node.GetID()
            self.refresh()

    def _place_roi(self, p) -> None:
        """Give a new box its place, as soon as there is a volume."""
        if p.roiNode is not None and p.roiNode.GetID() == self._new_roi and place_in_middle(p.roiNode, p.volume):
            self._new_roi = ""

    # --- running ---------------------------------------------------------------------------------------------------

    def onApply(self, checked: bool = False) -> None:
        """Apply, or Cancel while it runs."""
        if self.parameters.mode is Mode.MAPS:
            self.run(self.ui.applyButton, "extract", self._start_maps, self.results.show_maps)
        else:
            self.run(self.ui.applyButton, "extract", self._start_features, self.results.show_features)

    def _start_maps(self, callbacks: dict):
        p = self.parameters
        return self.logic.start_maps(
            p.volume, chosen(p), **readiness.region_of(p), kernel_radius=p.kernelRadius, params=params_of(p),
            device=p.device.value, output_folder=p.outputFolder or None, **callbacks,
        )  # fmt: skip

    def _start_features(self, callbacks: dict):
        p = self.parameters
        return self.logic.start_extract(
            p.volume, **readiness.region_of(p), params=params_of(p), device=p.device.value,
            output_folder=p.outputFolder or None, **callbacks,
        )  # fmt: skip

    def onInstallOffline(self, checked: bool = False) -> None:
        """Install the packages from a folder of wheels that the user chooses."""
        self.install_offline("extract")
