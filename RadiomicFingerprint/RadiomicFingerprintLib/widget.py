"""The panel: controls bound to the parameter node, Apply that becomes Cancel, progress, log, results."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from deepradiomics.errors import DeepRadiomicsError

from . import readiness
from .batch import BatchSection, volumes_of_scene
from .bundles import BundleSummary, read_summary
from .choices import Mode, PatchGrid, RoiSource
from .costs import panel_estimate
from .logic import RadiomicFingerprintLogic
from .map_features import MapFeatureList, chosen, params_of
from .parameters import parameter_node
from .results import ResultsSection
from .rows import SegmentChoice, bundle_words, show_rows
from .settings import load_settings, save_settings
from .training import TrainingSection
from .warm_up import WarmUp


class FingerprintPanel(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The module's widget. State lives in the parameter node; this class only shows it and starts the logic."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: RadiomicFingerprintLogic | None = None
        self.warmUp = WarmUp()
        self.parameters = None
        self._gui_tag = None
        self._run_button = None  # the button that is Cancel while a run is under way
        self._idle_text = ""
        self._segmentation = None
        self._bundle_seen: tuple[str, float] | None = None
        self.bundle_summary: BundleSummary | str | None = None

    # --- Slicer's calls --------------------------------------------------------------------------------------------

    def setup(self) -> None:
        """Build the panel when the module is opened for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/RadiomicFingerprint.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = RadiomicFingerprintLogic()
        self.segments = SegmentChoice(self.ui.segmentSelector)
        self.mapFeatures = MapFeatureList(self)
        self.results = ResultsSection(self)
        self.batch = BatchSection(self)
        self.training = TrainingSection(self)

        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndImport)
        self.addObserver(scene, scene.NodeAddedEvent, self.onNodesChanged)
        self.addObserver(scene, scene.NodeRemovedEvent, self.onNodesChanged)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.ui.loadSettingsButton.connect("clicked(bool)", self.onLoadSettings)
        self.ui.saveSettingsButton.connect("clicked(bool)", self.onSaveSettings)
        self.ui.installOfflineButton.connect("clicked(bool)", self.onInstallOffline)
        self.ui.segmentSelector.connect("currentIndexChanged(int)", self.onSegmentChosen)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """End what runs, let go of the scene."""
        if self.logic is not None:
            self.logic.cancel()
        self.warmUp.cancel()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        """The user opens the module; what the first run needs is compiled in the background."""
        self.initializeParameterNode()
        self.warmUp.start()

    def exit(self) -> None:
        """The user opens another module; a run goes on in the background."""
        if self.parameters is not None and self._gui_tag is not None:
            self.parameters.disconnectGui(self._gui_tag)
            self._gui_tag = None
            self.removeObserver(self.parameters, vtk.vtkCommand.ModifiedEvent, self.refresh)

    def onSceneStartClose(self, caller, event) -> None:
        """The scene is about to go: so do the run that was to add to it, and the parameter node."""
        self.logic.cancel()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event) -> None:
        """A new, empty scene."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller, event) -> None:
        """A saved scene was loaded: show what it holds."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onNodesChanged(self, caller, event) -> None:
        """A node came or went: the list of volumes to choose from may have changed."""
        if self.parameters is not None and self._gui_tag is not None:
            self.batch.refresh()

    # --- parameters ------------------------------------------------------------------------------------------------

    def initializeParameterNode(self) -> None:
        """Make sure there is a parameter node and that the panel shows it; choose volumes that are clearly meant."""
        self.setParameterNode(parameter_node())
        p, volumes = self.parameters, volumes_of_scene()
        if volumes and not readiness.given_views(p) and p.featureVolume is None:
            guessed = readiness.guess_views([node.GetName() for node in volumes])
            guessed = guessed or ({"sagittal": 0} if len(volumes) == 1 else {})
            for view, index in guessed.items():
                setattr(p, view, volumes[index])
            if guessed:
                p.featureVolume = volumes[next(iter(guessed.values()))]

    def setParameterNode(self, parameters) -> None:
        """Bind the controls to this parameter node, or to none."""
        if self.parameters is not None:
            if self._gui_tag is not None:
                self.parameters.disconnectGui(self._gui_tag)
                self._gui_tag = None
            if self.hasObserver(self.parameters, vtk.vtkCommand.ModifiedEvent, self.refresh):
                self.removeObserver(self.parameters, vtk.vtkCommand.ModifiedEvent, self.refresh)
        self.parameters = parameters
        if self.parameters is not None:
            self._gui_tag = self.parameters.connectGui(self.ui)
            self.addObserver(self.parameters, vtk.vtkCommand.ModifiedEvent, self.refresh)
            self.results.restore()
            self.refresh()

    def refresh(self, caller=None, event=None) -> None:
        """Show what the parameters mean: the rows that matter, the model, what is missing, what a run will cost."""
        if self.parameters is None:
            return
        p = self.parameters
        self._observe_segmentation(p.segmentation)
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
        if self._run_button is not None:
            return
        reason = readiness.why_not_apply(p, summary)
        self.ui.applyButton.enabled = reason is None
        self.ui.applyButton.toolTip = reason or _("Start the computation in the background.")
        self.ui.estimateLabel.text = reason or panel_estimate(p, summary)
        self._set_ready(self.ui.batchButton, readiness.why_not_batch(p, summary), _("Apply the model to each case."))
        self._set_ready(self.ui.trainButton, readiness.why_not_train(p), _("Train in the background."))

    def _observe_segmentation(self, node) -> None:
        """Follow the segments of this segmentation, which come and go without a change of the parameters."""
        segmentation = node.GetSegmentation() if node is not None else None
        if segmentation is self._segmentation:
            return
        events = (slicer.vtkSegmentation.SegmentAdded, slicer.vtkSegmentation.SegmentRemoved)
        for event in (*events, slicer.vtkSegmentation.SegmentModified):
            if self._segmentation is not None:
                self.removeObserver(self._segmentation, event, self.refresh)
            if segmentation is not None:
                self.addObserver(segmentation, event, self.refresh)
        self._segmentation = segmentation

    def _set_ready(self, button, reason: str | None, otherwise: str) -> None:
        button.enabled = reason is None
        button.toolTip = reason or otherwise

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

    def run(self, button, feature: str, start: Callable[[dict], object], show: Callable[[object], None]) -> None:
        """Start a run whose button becomes Cancel, or cancel it when it is under way.

        Parameters
        ----------
        feature
            What must be installed: "extract", "apply" or "train".
        start
            Starts the logic, given the callbacks.
        show
            Shows what the logic returns.
        """
        if self._run_button is not None:
            self.logic.cancel()
            return
        callbacks = {
            "on_progress": self.onProgress,
            "on_log": self.log,
            "on_finished": lambda value: (self._set_running(None), show(value)),
            "on_failed": self._failed,
            "on_cancelled": lambda: (self._set_running(None), self.log(_("Cancelled."))),
        }
        try:
            from deepradiomics.scene import dependencies

            dependencies.ensure(feature)  # type: ignore[arg-type]
            self.ui.logText.clear()
            self._set_running(button)
            slicer.app.processEvents()  # shows Cancel before the volumes are written
            start(callbacks)
        except DeepRadiomicsError as error:
            self._failed(error)

    def _failed(self, error: DeepRadiomicsError) -> None:
        self._set_running(None)
        self.log(str(error))
        slicer.util.errorDisplay(str(error), windowTitle=_("Radiomic Fingerprint"))

    def _set_running(self, button) -> None:
        previous, self._run_button = self._run_button, button
        if button is not None:
            self._idle_text, button.text = button.text, _("Cancel")
        elif previous is not None:
            previous.text = self._idle_text
        running = button is not None
        for section in (self.ui.inputsSection, self.ui.roiSection, self.ui.advancedSection):
            section.enabled = not running
        for other in (self.ui.applyButton, self.ui.batchButton, self.ui.trainButton):
            other.enabled = other is button
        self.ui.progressBar.visible = running
        self.ui.statusLabel.visible = running
        self.ui.progressBar.value = 0
        self.ui.statusLabel.text = _("Starting…") if running else ""
        self.refresh()

    def onProgress(self, fraction: float, message: str) -> None:
        """What the child says of its progress."""
        self.ui.progressBar.value = round(100 * fraction)
        self.ui.statusLabel.text = message

    def log(self, line: str) -> None:
        """Add a line to the log."""
        self.ui.logText.appendPlainText(line)

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
        folder = qt.QFileDialog.getExistingDirectory(self.parent, _("Folder of wheels"))
        if folder:
            with self.errors_shown():
                from deepradiomics.scene import dependencies

                installed = dependencies.ensure("train", wheels=Path(folder))
                slicer.util.infoDisplay(
                    _("Installed: {names}").format(names=", ".join(installed))
                    if installed
                    else _("All packages are there.")
                )

    @contextlib.contextmanager
    def errors_shown(self):
        """A context in which a mistake becomes a message box."""
        try:
            yield
        except DeepRadiomicsError as error:
            slicer.util.errorDisplay(str(error), windowTitle=_("Radiomic Fingerprint"))
