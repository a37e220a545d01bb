"""The panel: controls bound to the parameter node, Apply that becomes Cancel, progress, log, results."""

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.scene.panel.module_panel import ModulePanel
from deepradiomics.scene.panel.roi_watch import RoiWatch
from deepradiomics.scene.panel.segments import SegmentChoice, SegmentsWatch
from deepradiomics.scene.panel.why_not import bundle_state
from deepradiomics.scene.regions import is_placed, place_in_middle
from deepradiomics.scene.volumes import volumes_of_scene
from deepradiomics.scene.warm_up import WarmUp

from . import readiness
from .batch import BatchSection
from .bundles import BundleSummary, read_summary
from .choices import BundleSource, PatchGrid, ReferenceView, Registration, RoiSource
from .costs import panel_estimate
from .logic import RadiomicFingerprintLogic
from .parameters import parameter_node
from .results import ResultsSection
from .rows import bundle_words, show_rows
from .samples import load_synthetic_knee
from .settings import load_settings, save_settings
from .training import TrainingSection


class FingerprintPanel(ModulePanel):
    """The module's widget: what is chosen, in the parameter node; what it means, in the functions it calls."""

    title = _("Radiomic Fingerprint")
    logic: RadiomicFingerprintLogic

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.warmUp = WarmUp()
        self._new_roi = ""  # ID of a box that has no place yet

    def build(self) -> None:
        """Make the logic and the sections, connect the controls."""
        self.logic = RadiomicFingerprintLogic()
        self.segments = SegmentChoice(self.ui.segmentSelector)
        self.segmentsWatch = SegmentsWatch(self, self.refresh)
        self.roiWatch = RoiWatch(self, self.refresh)
        self.bundle_summary: BundleSummary | str | None = None
        self._bundle_seen: tuple[str, ...] | None = None
        self.results = ResultsSection(self)
        self.batch = BatchSection(self)
        self.training = TrainingSection(self)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.ui.loadSettingsButton.connect("clicked(bool)", self.onLoadSettings)
        self.ui.saveSettingsButton.connect("clicked(bool)", self.onSaveSettings)
        self.ui.installOfflineButton.connect("clicked(bool)", self.onInstallOffline)
        self.ui.segmentSelector.connect("currentIndexChanged(int)", self.onSegmentChosen)
        self.ui.roiNodeSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onRoiChosen)

    def run_buttons(self) -> tuple:
        return (self.ui.applyButton, self.ui.batchButton, self.ui.trainButton)

    def locked_sections(self) -> tuple:
        return (self.ui.inputsSection, self.ui.roiSection, self.ui.advancedSection)

    def nodes_changed(self) -> None:
        """The lists of volumes and of results to choose from may have changed."""
        self.batch.refresh()
        self.results.refresh()

    # --- parameters ------------------------------------------------------------------------------------------------

    def make_parameters(self):
        """The scene's parameter node of this module."""
        return parameter_node()

    def guess(self) -> None:
        """Choose volumes that are clearly meant."""
        p, volumes = self.parameters, volumes_of_scene(slicer.mrmlScene)
        if volumes and not readiness.given_views(p):
            guessed = readiness.guess_views([node.GetName() for node in volumes])
            guessed = guessed or ({"sagittal": 0} if len(volumes) == 1 else {})
            for view, index in guessed.items():
                setattr(p, view, volumes[index])

    def load_sample(self) -> None:
        """Put a synthetic knee into the scene, and set the panel to it and to the sample model."""
        p = self.parameters
        sagittal, coronal, axial = load_synthetic_knee()
        p.bundleSource, p.roiSource, p.patchGrid = BundleSource.SAMPLE, RoiSource.AUTOMATIC, PatchGrid.AS_TRAINED
        p.referenceView, p.registration = ReferenceView.AS_TRAINED, Registration.AS_TRAINED
        p.sagittal, p.coronal, p.axial = sagittal, coronal, axial

    def segmented(self, nodes) -> None:
        """A network has made a segment: it can be the region."""
        self.parameters.segmentation, self.parameters.segmentId = nodes.segmentation, nodes.segment_id

    def refresh(self, caller=None, event=None) -> None:
        """Show what the parameters mean: the rows that matter, the model, what is missing, what a run will cost."""
        if self.parameters is None:
            return
        p = self.parameters
        self.segmentsWatch.follow(p.segmentation)
        self.roiWatch.follow(p.roiNode)
        self.segments.follow(p.segmentation, p.segmentId, allow_all=False)
        if p.roiSource is RoiSource.SEGMENT and self.segments.current() != p.segmentId:
            p.segmentId = self.segments.current()  # comes back here through the parameter node
            return
        self._read_bundle()
        self._place_roi(p)
        show_rows(self.ui, p)
        summary = self.bundle_summary
        self.ui.bundleSummary.text = bundle_words(summary)
        self.ui.bundleSummary.visible = bool(self.ui.bundleSummary.text)
        self.ui.caseIdEdit.placeholderText = readiness.case_name(p)
        self.results.refresh()
        self.batch.refresh()
        self.training.refresh()
        if not self.idle:
            return
        reason = readiness.why_not_apply(p, summary)
        tip = _("Start the computation in the background.")
        why_not = self.set_ready(self.ui.applyButton, reason, tip, "apply")
        self.ui.estimateLabel.text = why_not or panel_estimate(p, summary)
        batch, train = readiness.why_not_batch(p, summary), readiness.why_not_train(p)
        self.set_ready(self.ui.batchButton, batch, _("Apply the model to each case."), "apply")
        self.set_ready(self.ui.trainButton, train, _("Train in the background."), "train")

    def _read_bundle(self) -> None:
        folder = readiness.bundle_folder(self.parameters)
        seen = bundle_state(folder)
        if seen == self._bundle_seen:
            return
        self._bundle_seen = seen
        try:
            self.bundle_summary = read_summary(folder) if folder is not None else None
        except DeepRadiomicsError as error:
            self.bundle_summary = str(error)

    def onSegmentChosen(self, index: int) -> None:
        """The user chose a segment."""
        if self.parameters is not None and not self.segments.following:
            self.parameters.segmentId = self.segments.current()

    def onRoiChosen(self, node) -> None:
        """A box that was just created has no place yet: it gets one in the middle of the reference view."""
        if node is not None and self.parameters is not None and not is_placed(node):
            self._new_roi = node.GetID()
            self.refresh()

    def _place_roi(self, p) -> None:
        """Give a new box its place, as soon as there is a volume."""
        if p.roiNode is None or p.roiNode.GetID() != self._new_roi:
            return
        views, summary = readiness.given_views(p), self.bundle_summary
        first = summary.reference_view if isinstance(summary, BundleSummary) else ""
        if views and place_in_middle(p.roiNode, views.get(first) or next(iter(views.values()))):
            self._new_roi = ""

    # --- running ---------------------------------------------------------------------------------------------------

    def onApply(self, checked: bool = False) -> None:
        """Apply, or Cancel while it runs."""
        self.run(self.ui.applyButton, "apply", self._start_fingerprint, self.results.show)

    def _region(self) -> dict:
        p = self.parameters
        if p.roiSource is RoiSource.BOX:
            return {"roi": p.roiNode}
        return {"segmentation": p.segmentation} if p.roiSource is RoiSource.SEGMENT else {}

    def _start_fingerprint(self, callbacks: dict):
        p = self.parameters
        region = self._region()
        if "segmentation" in region:
            region["segment_id"] = p.segmentId
        return self.logic.start(
            readiness.given_views(p), readiness.bundle_folder(p), **region, registration=p.registration.value,
            inference=p.inference.value, device=p.device.value, case_id=readiness.case_name(p),
            output_folder=p.outputFolder or None, **callbacks,
        )  # fmt: skip

    # --- settings and installation ---------------------------------------------------------------------------------

    def onLoadSettings(self, checked: bool = False) -> None:
        """Load the settings from a file that the user chooses."""
        path = qt.QFileDialog.getOpenFileName(self.parent, _("Load settings"), "", "JSON (*.json)")
        if path:
            with self.errors_shown():
                load_settings(self.parameters, Path(path))

    def onSaveSettings(self, checked: bool = False) -> None:
        """Save the settings to a file that the user chooses."""
        path = qt.QFileDialog.getSaveFileName(
            self.parent, _("Save settings"), "fingerprint-settings.json", "JSON (*.json)"
        )
        if path:
            with self.errors_shown():
                save_settings(self.parameters, Path(path))

    def onInstallOffline(self, checked: bool = False) -> None:
        """Install the packages from a folder of wheels that the user chooses."""
        self.install_offline("train")
