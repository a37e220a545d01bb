"""The panel: controls bound to the parameter node, Apply that becomes Cancel, progress, log, results, experiment."""

import slicer
from slicer.i18n import tr as _

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.scene.panel.module_panel import ModulePanel
from deepradiomics.scene.panel.segments import SegmentChoice, SegmentsWatch
from deepradiomics.scene.panel.why_not import bundle_state
from deepradiomics.scene.volumes import volumes_of_scene

from . import readiness, words
from .bundles import BundleSummary, read_summary
from .choices import Outline
from .experiment import ExperimentSection
from .hu import HuCheck
from .logic import ICHLatentFeaturesLogic
from .parameters import parameter_node
from .results import ResultsSection
from .samples import choose_sample


class IchPanel(ModulePanel):
    """The module's widget: what is chosen, in the parameter node; what it means, in the functions it calls."""

    title = _("ICH Latent Features")
    logic: ICHLatentFeaturesLogic

    def build(self) -> None:
        """Make the logic and the sections, connect the controls."""
        self.logic = ICHLatentFeaturesLogic()
        self.hu = HuCheck()
        self.bundle_summary: BundleSummary | str | None = None
        self._bundle_seen: tuple | None = None
        self.segments = {
            "segment": SegmentChoice(self.ui.segmentSelector),
            "followupSegment": SegmentChoice(self.ui.followupSegmentSelector),
        }
        self.watches = {name: SegmentsWatch(self, self.refresh) for name in self.segments}
        self.results = ResultsSection(self)
        self.experiment = ExperimentSection(self)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.ui.expansionButton.connect("clicked(bool)", self.onExpansion)
        self.ui.installOfflineButton.connect("clicked(bool)", lambda checked=False: self.install_offline("ich"))
        for name, choice in self.segments.items():
            selector = getattr(self.ui, f"{name}Selector")
            selector.connect("currentIndexChanged(int)", lambda index, n=name, c=choice: self.onSegmentChosen(n, c))

    def run_buttons(self) -> tuple:
        return (self.ui.applyButton, self.ui.expansionButton, self.ui.experimentButton)

    def locked_sections(self) -> tuple:
        return (self.ui.inputsSection, self.ui.optionsSection)

    def make_parameters(self):
        """The scene's parameter node of this module."""
        return parameter_node()

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
        for name, segmentation in (("segment", p.segmentation), ("followupSegment", p.followupSegmentation)):
            choice, kept = self.segments[name], getattr(p, f"{name}Id")
            self.watches[name].follow(segmentation)
            choice.follow(segmentation, kept, allow_all=False)
            if segmentation is not None and choice.current() != kept:
                setattr(p, f"{name}Id", choice.current())  # comes back here through the parameter node
                return
        self.hu.read(p.ct)
        self._read_bundle()
        words.show_rows(self.ui, p)
        self.ui.huLabel.visible = bool(self.hu.words)
        self.ui.huLabel.text = self.hu.words
        self.ui.bundleSummary.text = words.bundle_words(self.bundle_summary)
        self.ui.bundleSummary.visible = bool(self.ui.bundleSummary.text)
        self.results.refresh()
        self.experiment.refresh()
        if not self.idle:
            return
        reason = readiness.why_not_apply(p, self.bundle_summary, self.hu.problem)
        tip = _("Outline, measure and predict in the background.")
        self.ui.estimateLabel.text = self.set_ready(self.ui.applyButton, reason, tip, "ich") or words.estimate(p)
        alone = readiness.why_not_expansion(p, self.bundle_summary)
        tip = _("Measure the growth alone, without an outcome model.")
        self.set_ready(self.ui.expansionButton, alone, tip, "segment")

    def _read_bundle(self) -> None:
        from .bundles import PREDICTOR, bundle_of

        folder = readiness.bundle_folder(self.parameters)
        seen = bundle_state(bundle_of(folder) / PREDICTOR if folder is not None else None)
        if seen != self._bundle_seen:
            self._bundle_seen = seen
            try:
                self.bundle_summary = read_summary(folder) if folder is not None else None
            except DeepRadiomicsError as error:
                self.bundle_summary = str(error)

    def onSegmentChosen(self, name: str, choice: SegmentChoice) -> None:
        """The user chose a segment."""
        if self.parameters is not None and not choice.following:
            setattr(self.parameters, f"{name}Id", choice.current())

    # --- running ---------------------------------------------------------------------------------------------------

    def load_sample(self) -> None:
        """Put a synthetic head into the scene and choose it, its outline by the sample model's network."""
        choose_sample(self.parameters)

    def onApply(self, checked: bool = False) -> None:
        """Apply the model to the patient, or cancel."""
        self.run(self.ui.applyButton, "ich", self._start, self.results.show)

    def _start(self, callbacks: dict):
        p = self.parameters
        own = p.outline is Outline.SEGMENT
        return self.logic.start(
            p.ct, readiness.bundle_folder(p), segmentation=p.segmentation if own else None,
            segment_id=p.segmentId if own else None,
            segmenter=p.segmenterFolder if p.outline is Outline.NETWORK else None, flips=p.flips, largest=p.largest,
            lesions=p.lesions.value, followup=p.followup,
            **self._followup_segment(), clinical=p.clinical, case_id=p.caseId, device=p.device.value,
            output_folder=p.outputFolder or None, **callbacks,
        )  # fmt: skip

    def onExpansion(self, checked: bool = False) -> None:
        """Measure the growth alone, or cancel."""
        self.run(self.ui.expansionButton, "segment", self._start_expansion, self._expanded)

    def _start_expansion(self, callbacks: dict):
        p = self.parameters
        own = p.outline is Outline.SEGMENT
        return self.logic.start_expansion(
            p.ct, p.followup, baseline_segmentation=p.segmentation if own else None,
            baseline_segment_id=p.segmentId if own else None, **self._followup_segment(),
            segmenter=readiness.segmenter_of(p, self.bundle_summary), flips=p.flips, largest=p.largest,
            backend=p.toolBackend.value, case_id=p.caseId, device=p.device.value,
            output_folder=p.outputFolder or None, **callbacks,
        )  # fmt: skip

    def _followup_segment(self) -> dict:
        p = self.parameters
        if p.outline is not Outline.SEGMENT or p.followup is None or p.followupSegmentation is None:
            return {}
        return {"followup_segmentation": p.followupSegmentation, "followup_segment_id": p.followupSegmentId}

    def _expanded(self, nodes) -> None:
        for note in nodes.notes:
            self.log(note)
        self.log(words.expansion_words(nodes.table))
