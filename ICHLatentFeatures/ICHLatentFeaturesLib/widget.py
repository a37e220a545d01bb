"""The panel: controls bound to the parameter node, Apply that becomes Cancel, progress, log, results, experiment."""

import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.nodes.volumes import volumes_of_scene
from deepradiomics.scene.panel.bundles import BundleReader, bundle_folder
from deepradiomics.scene.panel.lists import show_rows, show_text
from deepradiomics.scene.panel.module_panel import ModulePanel
from deepradiomics.scene.panel.parameter_node import options_of, singleton
from deepradiomics.scene.panel.segments import SegmentChoice

from . import readiness, texts
from .bundles import PREDICTOR, SAMPLE_BUNDLE, bundle_of, read_summary
from .choices import BundleSource, Outline
from .experiment import ExperimentSection
from .hu import HuCheck
from .logic import ICHLatentFeaturesLogic
from .parameters import ICHLatentFeaturesParameterNode
from .results import ResultsSection
from .samples import choose_sample
from .work import APPLY, NETWORK


class IchPanel(ModulePanel):
    """The module's widget: what is chosen, in the parameter node; what it means, in the functions it calls."""

    title = _("ICH Latent Features")
    logic: ICHLatentFeaturesLogic

    parameter_type = ICHLatentFeaturesParameterNode
    offline_feature = "ich"

    def build(self) -> None:
        """Make the logic and the sections, connect the controls."""
        self.logic = ICHLatentFeaturesLogic()
        self.hu = HuCheck()
        self.bundle = BundleReader(read_summary, lambda folder: bundle_of(folder) / PREDICTOR)
        self.segments = (
            SegmentChoice(self, self.ui.segmentSelector, "segmentation", "segmentId"),
            SegmentChoice(self, self.ui.followupSegmentSelector, "followupSegmentation", "followupSegmentId"),
        )
        self.results = ResultsSection(self)
        self.experiment = ExperimentSection(self)
        self.ui.expansionButton.connect("clicked(bool)", self.onExpansion)

    def run_buttons(self) -> tuple:
        return (self.ui.applyButton, self.ui.expansionButton, self.ui.experimentButton, self.ui.exportDicomButton)

    def locked_sections(self) -> tuple:
        return (self.ui.inputsSection, self.ui.optionsSection)

    def make_parameters(self):
        """The scene's parameter node; one of an earlier version that names a model's folder has chosen it."""
        node = singleton(self.moduleName)
        if node.GetParameter("bundleFolder") and not node.GetParameter("bundleSource"):
            node.SetParameter("bundleSource", BundleSource.FOLDER.name)
        return super().make_parameters()

    def guess(self) -> None:
        """Choose the CT where the scene has one volume alone; the tools begin with the chosen CTs."""
        p, volumes = self.parameters, volumes_of_scene(slicer.mrmlScene)
        if p.ct is None and len(volumes) == 1:
            p.ct = volumes[0]

    def nodes_changed(self) -> None:
        """A result came or went."""
        if self.parameters.resultTable is not None:
            self.refresh()

    def segmented(self, nodes) -> None:
        """Take a new segment of the CT, or of the follow-up, as the haematoma."""
        p = self.parameters
        for ct, segmentation, segment in (
            (p.ct, "segmentation", "segmentId"),
            (p.followup, "followupSegmentation", "followupSegmentId"),
        ):
            if ct is not None and p.toolVolume is not None and ct.GetID() == p.toolVolume.GetID():
                p.outline = Outline.SEGMENT
                setattr(p, segmentation, nodes.segmentation)
                setattr(p, segment, nodes.segment_id)

    def refresh(self, caller=None, event=None) -> None:
        """Show what the parameters mean: the rows that matter, the CT, the model, what is missing."""
        if self.parameters is None:
            return
        p = self.parameters
        if not all(choice.refresh() for choice in self.segments):
            return  # the panel has been refreshed by the segment that was chosen
        self.hu.read(p.ct)
        summary = self.bundle.read(bundle_folder(p, SAMPLE_BUNDLE))
        show_rows(self.ui, **texts.visible_rows(p))
        show_text(self.ui.huLabel, self.hu.text)
        show_text(self.ui.bundleSummary, texts.bundle_text(summary))
        self.results.refresh()
        self.experiment.refresh()
        if not self.idle:
            return
        reason = readiness.why_not_apply(p, summary, self.hu.problem)
        tip = _("Outline, measure and predict in the background.")
        self.ui.estimateLabel.text = self.set_ready(self.ui.applyButton, reason, tip, "ich") or texts.estimate(p)
        alone = readiness.why_not_expansion(p, summary)
        tip = _("Measure the expansion alone, without an outcome model.")
        self.set_ready(self.ui.expansionButton, alone, tip, "segment")

    # --- running ---------------------------------------------------------------------------------------------------

    def load_sample(self) -> None:
        """Put a synthetic head into the scene and choose it, its outline by the sample model's network."""
        choose_sample(self.parameters)

    def onApply(self, checked: bool = False) -> None:
        """Apply the model to the patient, or cancel."""
        self.run(self.ui.applyButton, "ich", self._start, self.results.show)

    def _start(self, callbacks: dict):
        p = self.parameters
        return self.logic.start(
            p.ct,
            bundle_folder(p, SAMPLE_BUNDLE),
            **self._outline(""),
            **self._followup(),
            segmenter=p.segmenterFolder if p.outline is Outline.NETWORK else None,
            followup=p.followup,
            **options_of(p, (*APPLY, "case_id", "output_folder")),
            **callbacks,
        )

    def onExpansion(self, checked: bool = False) -> None:
        """Measure the expansion alone, or cancel."""
        self.run(self.ui.expansionButton, "segment", self._start_expansion, self._expanded)

    def _start_expansion(self, callbacks: dict):
        p = self.parameters
        summary = self.bundle.read(bundle_folder(p, SAMPLE_BUNDLE))
        return self.logic.start_expansion(
            p.ct,
            p.followup,
            **self._outline("baseline_"),
            **self._followup(),
            segmenter=readiness.segmenter_of(p, summary),
            backend=p.toolBackend.value,
            **options_of(p, (*NETWORK, "device", "case_id", "output_folder")),
            **callbacks,
        )

    def _outline(self, prefix: str) -> dict:
        """The chosen segment as options of the logic; none where a network segments."""
        p = self.parameters
        if p.outline is not Outline.SEGMENT:
            return {}
        return {f"{prefix}segmentation": p.segmentation, f"{prefix}segment_id": p.segmentId}

    def _followup(self) -> dict:
        p = self.parameters
        if p.outline is not Outline.SEGMENT or p.followup is None or p.followupSegmentation is None:
            return {}
        return {"followup_segmentation": p.followupSegmentation, "followup_segment_id": p.followupSegmentId}

    def _expanded(self, nodes) -> None:
        for note in nodes.notes:
            self.log(note)
        self.log(texts.expansion_text(nodes.table))
