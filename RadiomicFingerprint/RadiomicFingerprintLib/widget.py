"""The panel: controls bound to the parameter node, Apply that becomes Cancel, progress, log, results."""

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.scene.panel.module_panel import ModulePanel
from deepradiomics.scene.panel.segments import SegmentChoice, SegmentsWatch
from deepradiomics.scene.volumes import volumes_of_scene

from . import readiness
from .batch import BatchSection
from .bundles import BundleSummary, read_summary
from .choices import Mode, PatchGrid, RoiSource
from .costs import panel_estimate
from .logic import RadiomicFingerprintLogic
from .map_features import MapFeatureList, chosen, params_of
from .parameters import parameter_node
from .results import ResultsSection
from .rows import bundle_words, show_rows
from .settings import load_settings, save_settings
from .training import TrainingSection
from .warm_up import WarmUp


class FingerprintPanel(ModulePanel):
    """The module's widget: what is chosen, in the parameter node; what it means, in the functions it calls."""

    title = _("Radiomic Fingerprint")
    logic: RadiomicFingerprintLogic

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.warmUp = WarmUp()

    def build(self) -> None:
        """Make the logic and the sections, connect the controls."""
        self.logic = RadiomicFingerprintLogic()
        self.segments = SegmentChoice(self.ui.segmentSelector)
        self.segmentsWatch = SegmentsWatch(self, self.refresh)
        self.bundle_summary: BundleSummary | str | None = None
        self._bundle_seen: tuple[str, float] | None = None
        self.mapFeatures = MapFeatureList(self)
        self.results = ResultsSection(self)
        self.batch = BatchSection(self)
        self.training = TrainingSection(self)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.ui.loadSettingsButton.connect("clicked(bool)", self.onLoadSettings)
        self.ui.saveSettingsButton.connect("clicked(bool)", self.onSaveSettings)
        self.ui.installOfflineButton.connect("clicked(bool)", self.onInstallOffline)
        self.ui.segmentSelector.connect("currentIndexChanged(int)", self.onSegmentChosen)

    def run_buttons(self) -> tuple:
        return (self.ui.applyButton, self.ui.batchButton, self.ui.trainButton)

    def locked_sections(self) -> tuple:
        return (self.ui.inputsSection, self.ui.roiSection, self.ui.advancedSection)

    def cleanup(self) -> None:
        """End what runs, let go of the scene."""
        self.warmUp.cancel()
        super().cleanup()

    def enter(self) -> None:
        """The user opens the module; what the first run needs is compiled in the background."""
        super().enter()
        self.warmUp.start()

    def nodes_changed(self) -> None:
        """The list of volumes to choose from may have changed."""
        self.batch.refresh()

    # --- parameters ------------------------------------------------------------------------------------------------

    def make_parameters(self):
        """The scene's parameter node of this module."""
        return parameter_node()

    def bound(self) -> None:
        """Open the results that the scene holds."""
        self.results.restore()

    def guess(self) -> None:
        """Choose volumes that are clearly meant."""
        p, volumes = self.parameters, volumes_of_scene(slicer.mrmlScene)
        if volumes and not readiness.given_views(p) and p.featureVolume is None:
            guessed = readiness.guess_views([node.GetName() for node in volumes])
            guessed = guessed or ({"sagittal": 0} if len(volumes) == 1 else {})
            for view, index in guessed.items():
                setattr(p, view, volumes[index])
            if guessed:
                p.featureVolume = volumes[next(iter(guessed.values()))]

    def refresh(self, caller=None, event=None) -> None:
        """Show what the parameters mean: the rows that matter, the model, what is missing, what a run will cost."""
        if self.parameters is None:
            return
        p = self.parameters
        self.segmentsWatch.follow(p.segmentation)
        self.segments.follow(p.segmentation, p.segmentId, allow_all=p.mode is not Mode.FINGERPRINT)
        if p.roiSource is RoiSource.SEGMENT and self.segments.current() != p.segmentId:
            p.segmentId = self.segments.current()  # comes back here through the parameter node
            return
        self._read_bundle()
        show_rows(self.ui, p)
        self.mapFeatures.refresh()
        summary = self.bundle_summary
        self.ui.bundleSummary.text = bundle_words(summary)
        self.results.refresh()
        self.batch.refresh()
        self.training.refresh()
        if not self.idle:
            return
        reason = readiness.why_not_apply(p, summary)
        feature = "apply" if p.mode is Mode.FINGERPRINT else "extract"
        why_not = self.set_ready(self.ui.applyButton, reason, _("Start the computation in the background."), feature)
        self.ui.estimateLabel.text = why_not or panel_estimate(p, summary)
        batch, train = readiness.why_not_batch(p, summary), readiness.why_not_train(p)
        self.set_ready(self.ui.batchButton, batch, _("Apply the model to each case."), "apply")
        self.set_ready(self.ui.trainButton, train, _("Train in the background."), "train")

    def _read_bundle(self) -> None:
        folder = readiness.bundle_folder(self.parameters)
        file = folder / "bundle.json" if folder is not None else None
        seen = (str(folder), file.stat().st_mtime if file is not None and file.is_file() else 0.0)
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

    # --- running ---------------------------------------------------------------------------------------------------

    def onApply(self, checked: bool = False) -> None:
        """Apply, or Cancel while it runs."""
        if self.parameters.mode is Mode.FEATURES:
            self.run(self.ui.applyButton, "extract", self._start_features, self.results.show_features)
        elif self.parameters.mode is Mode.MAPS:
            self.run(self.ui.applyButton, "extract", self._start_maps, self.results.show_maps)
        else:
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
            inference=p.inference.value, device=p.device.value, case_id=p.caseId.strip() or "case",
            output_folder=p.outputFolder or None, **callbacks,
        )  # fmt: skip

    def _regions(self) -> dict:
        """The region of a run that can take all segments."""
        region = self._region()
        if "segmentation" in region:
            region["segment_ids"] = [self.parameters.segmentId] if self.parameters.segmentId else None
        return region

    def _start_maps(self, callbacks: dict):
        p = self.parameters
        return self.logic.start_feature_maps(
            p.featureVolume, chosen(p), **self._regions(), kernel_radius=p.kernelRadius, params=params_of(p),
            device=p.device.value, output_folder=p.outputFolder or None, **callbacks,
        )  # fmt: skip

    def _start_features(self, callbacks: dict):
        p = self.parameters
        grid = (1, 1, 1) if p.patchGrid is PatchGrid.AS_TRAINED else p.patchGrid.value
        return self.logic.start_features(
            p.featureVolume, **self._regions(), patch_grid=grid, device=p.device.value, params=params_of(p),
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
