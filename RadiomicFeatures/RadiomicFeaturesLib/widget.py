"""The panel: controls bound to the parameter node, Apply that becomes Cancel, progress, log, results."""

import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.nodes.terminology import terminology_of
from deepradiomics.scene.nodes.volumes import volumes_of_scene
from deepradiomics.scene.panel.lists import TickList, show_rows
from deepradiomics.scene.panel.module_panel import ModulePanel
from deepradiomics.scene.panel.parameter_node import options_of
from deepradiomics.scene.panel.roi_box import RoiBox
from deepradiomics.scene.panel.segments import SegmentsWatch, segments_of

from . import readiness
from .batch.section import BatchSection
from .choices import Mode, RoiSource
from .costs import panel_estimate
from .logic import RadiomicFeaturesLogic
from .map_features import MapFeatureList, chosen
from .parameters import RadiomicFeaturesParameterNode
from .results import ResultsSection
from .samples import load_synthetic_prostate
from .settings.feature_sets import params_of
from .settings.section import SettingsSection


class FeaturesPanel(ModulePanel):
    """The module's widget: what is chosen, in the parameter node; what it means, in the functions it calls."""

    title = _("Radiomic Features")
    logic: RadiomicFeaturesLogic

    parameter_type = RadiomicFeaturesParameterNode
    warms_up = True

    def build(self) -> None:
        """Make the logic and the sections, connect the controls."""
        self.logic = RadiomicFeaturesLogic()
        self.segments = TickList(self.ui.segmentsList, self.onSegmentsTicked)
        self.segmentsWatch = SegmentsWatch(self, self.refresh)
        self.box = RoiBox(self)
        self.settings = SettingsSection(self)
        self.mapFeatures = MapFeatureList(self)
        self.results = ResultsSection(self)
        self.batch = BatchSection(self)

    def enter(self) -> None:
        """Series may have been imported meanwhile."""
        self.batch.look_again()
        super().enter()

    def run_buttons(self) -> tuple:
        return (self.ui.applyButton, self.ui.batchButton, self.ui.exportDicomButton)

    def locked_sections(self) -> tuple:
        return (self.ui.inputsSection, self.ui.roiSection, self.ui.settingsSection, self.ui.advancedSection)

    def nodes_changed(self) -> None:
        """The list of pairs to choose from may have changed."""
        self.batch.refresh()

    # --- parameters ------------------------------------------------------------------------------------------------

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
        self.box.refresh(p.volume)
        self.segmentsWatch.follow(p.segmentation)
        self._show_segments(p)
        show_rows(
            self.ui,
            segmentArea=p.roiSource is RoiSource.SEGMENTS,
            boxArea=p.roiSource is RoiSource.BOX,
            patchArea=p.roiSource is not RoiSource.SEGMENTS and p.mode is Mode.FEATURES,
            mapsArea=p.mode is Mode.MAPS,
        )
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
        entries = [
            (segment, name, terminology_of(p.segmentation.GetSegmentation().GetSegment(segment)))
            for segment, name in segments_of(p.segmentation)
        ]
        self.segments.show(entries, readiness.segment_ids(p))

    def onSegmentsTicked(self, ticked: list[str]) -> None:
        """The user ticked or unticked a segment."""
        self.parameters.skippedSegments = [segment for segment in self.segments.keys if segment not in ticked]

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
            p.volume,
            chosen(p),
            **readiness.region_of(p),
            params=params_of(p),
            **options_of(p, ("kernel_radius", "device", "output_folder")),
            **callbacks,
        )

    def _start_features(self, callbacks: dict):
        p = self.parameters
        options = options_of(p, ("device", "output_folder"))
        return self.logic.start_extract(p.volume, **readiness.region_of(p), params=params_of(p), **options, **callbacks)
