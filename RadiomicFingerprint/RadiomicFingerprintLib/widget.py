"""The panel: controls bound to the parameter node, Apply that becomes Cancel, progress, log, results."""

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.nodes.volumes import volumes_of_scene
from deepradiomics.scene.panel.bundles import BundleReader, bundle_folder
from deepradiomics.scene.panel.lists import show_rows, show_text
from deepradiomics.scene.panel.module_panel import ModulePanel
from deepradiomics.scene.panel.parameter_node import options_of
from deepradiomics.scene.panel.roi_box import RoiBox
from deepradiomics.scene.panel.segments import SegmentChoice

from . import readiness
from .batch import BatchSection
from .bundles import SAMPLE_BUNDLE, BundleSummary, read_summary
from .choices import BatchSource, BundleSource, PatchGrid, ReferenceView, Registration, RoiSource
from .costs import panel_estimate
from .logic import RadiomicFingerprintLogic
from .parameters import RadiomicFingerprintParameterNode
from .results import ResultsSection
from .samples import load_synthetic_knee
from .settings import load_settings, save_settings
from .texts import bundle_text
from .training import TrainingSection
from .work import APPLY


class FingerprintPanel(ModulePanel):
    """The module's widget: what is chosen, in the parameter node; what it means, in the functions it calls."""

    title = _("Radiomic Fingerprint")
    logic: RadiomicFingerprintLogic

    parameter_type = RadiomicFingerprintParameterNode
    offline_feature = "train"
    warms_up = True

    def build(self) -> None:
        """Make the logic and the sections, connect the controls."""
        self.logic = RadiomicFingerprintLogic()
        self.segment = SegmentChoice(self, self.ui.segmentSelector, "segmentation", "segmentId")
        self.box = RoiBox(self)
        self.bundle = BundleReader(read_summary)
        self.results = ResultsSection(self)
        self.batch = BatchSection(self)
        self.training = TrainingSection(self)
        self.ui.loadSettingsButton.connect("clicked(bool)", self.onLoadSettings)
        self.ui.saveSettingsButton.connect("clicked(bool)", self.onSaveSettings)

    def run_buttons(self) -> tuple:
        return (self.ui.applyButton, self.ui.batchButton, self.ui.trainButton)

    def locked_sections(self) -> tuple:
        return (self.ui.inputsSection, self.ui.roiSection, self.ui.advancedSection)

    def nodes_changed(self) -> None:
        """The lists of volumes and of results to choose from may have changed."""
        self.batch.refresh()
        self.results.refresh()

    # --- parameters ------------------------------------------------------------------------------------------------

    def bundle_folder(self) -> Path | None:
        """The chosen model's folder; None when none is chosen."""
        return bundle_folder(self.parameters, SAMPLE_BUNDLE)

    def bundle_summary(self) -> BundleSummary | str | None:
        """The chosen model's description, or what is wrong with it."""
        return self.bundle.read(self.bundle_folder())

    def guess(self) -> None:
        """Choose volumes that are clearly meant."""
        p, volumes = self.parameters, volumes_of_scene(slicer.mrmlScene)
        if volumes and not readiness.chosen_views(p):
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
        p, summary = self.parameters, self.bundle_summary()
        if not self.segment.refresh():
            return  # the panel has been refreshed by the segment that was chosen
        views = readiness.chosen_views(p)
        reference = views.get(summary.reference_view) if isinstance(summary, BundleSummary) else None
        self.box.refresh(reference or next(iter(views.values()), None))
        show_rows(
            self.ui,
            bundleFolderArea=p.bundleSource is BundleSource.FOLDER,
            boxArea=p.roiSource is RoiSource.BOX,
            segmentArea=p.roiSource is RoiSource.SEGMENT,
            batchFolderArea=p.batchSource is BatchSource.FOLDER,
            batchVolumesArea=p.batchSource is BatchSource.SCENE,
        )
        show_text(self.ui.bundleSummary, bundle_text(summary))
        self.ui.caseIdEdit.placeholderText = readiness.case_name(p)
        self.results.refresh()
        self.batch.refresh()
        if not self.idle:
            return
        reason = readiness.why_not_apply(p, summary)
        tip = _("Start the computation in the background.")
        why_not = self.set_ready(self.ui.applyButton, reason, tip, "apply")
        self.ui.estimateLabel.text = why_not or panel_estimate(p, summary)
        batch, train = readiness.why_not_batch(p, summary), readiness.why_not_train(p)
        self.set_ready(self.ui.batchButton, batch, _("Apply the model to each case."), "apply")
        self.set_ready(self.ui.trainButton, train, _("Train in the background."), "train")

    # --- running ---------------------------------------------------------------------------------------------------

    def onApply(self, checked: bool = False) -> None:
        """Apply, or Cancel while it runs."""
        self.run(self.ui.applyButton, "apply", self._start_fingerprint, self.results.show)

    def _start_fingerprint(self, callbacks: dict):
        p, region = self.parameters, {}
        if p.roiSource is RoiSource.BOX:
            region = {"roi": p.roiNode}
        elif p.roiSource is RoiSource.SEGMENT:
            region = {"segmentation": p.segmentation, "segment_id": p.segmentId}
        return self.logic.start(
            readiness.chosen_views(p),
            self.bundle_folder(),
            **region,
            case_id=readiness.case_name(p),
            **options_of(p, (*APPLY, "registration", "output_folder")),
            **callbacks,
        )

    # --- settings --------------------------------------------------------------------------------------------------

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
