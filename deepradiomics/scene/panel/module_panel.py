"""The frame of every panel: its life in Slicer, its parameter node, Apply that becomes Cancel, progress, log, errors.

A module's panel derives from `ModulePanel` and says what it builds, what its parameters are and what they mean. Its
.ui file must have `applyButton`, `progressBar`, `statusLabel`, `logText`, `sampleButton`, `installOfflineButton`, and
the empty widget `imageToolsArea`, which takes the sections that all panels share (`image_tools`).

Nothing here, up to the press of a button, needs a package that Slicer does not bundle: where packages are missing, the
button that needs them says *Install packages…*.
"""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ctk
import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.scene.job import dependencies
from deepradiomics.scene.job.warm_up import WarmUp
from deepradiomics.scene.nodes.volumes import result_volumes
from deepradiomics.scene.runs.image_tools import ImageTools

from .image_tools import ImageToolsSection, load_image_tools
from .parameter_node import GuiBinding, singleton


class ModulePanel(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The module's widget. State lives in the parameter node; a panel only shows it and starts the logic."""

    logic: ImageTools | None = None
    parameters: Any = None
    results: Any = None  # the section that shows them

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.warmUp = WarmUp() if self.warms_up else None
        self._binding: GuiBinding | None = None
        self._wrapper: Any = None  # of the parameter node; one for each node, since a wrapper observes for ever
        self._run_button: Any = None  # the button that is Cancel while a run is under way
        self._texts: dict[str, str] = {}  # of the buttons that start runs, by name, as the .ui file has them
        self._reasons: dict[str, str | None] = {}  # against pressing them, by name
        self._missing: dict[str, str] = {}  # by feature: which packages it lacks, in words

    # --- what a module's panel says of itself ----------------------------------------------------------------------

    title = ""
    parameter_type: Callable[[Any], Any]
    """The wrapper of the module's parameter node."""
    offline_feature: dependencies.Feature = "extract"
    """What is installed from a folder of wheels."""
    warms_up = False
    """Whether the first run would wait for the engine's kernels, so that they are compiled when the panel is opened."""

    def build(self) -> None:
        """Make the logic and the sections, connect the controls of `self.ui`."""
        raise NotImplementedError

    def make_parameters(self) -> Any:
        """A wrapper of the scene's parameter node of this module; the node is made when there is none."""
        return type(self).parameter_type(singleton(self.moduleName))

    def onApply(self, checked: bool = False) -> None:
        """Start the module's main run, or cancel it."""
        raise NotImplementedError

    def load_sample(self) -> None:
        """Put a synthetic case into the scene, and set the parameters to it and to the sample model."""
        raise NotImplementedError

    def sample_button(self) -> Any:
        """The button that *Try it with sample data* presses."""
        return self.ui.applyButton

    def bound(self) -> None:
        """The panel has been bound to a parameter node: open the results that its scene holds."""
        self.results.restore()

    def guess(self) -> None:
        """Choose in a fresh parameter node what is clearly meant."""

    def refresh(self, caller: Any = None, event: Any = None) -> None:
        """Show what the parameters mean."""
        raise NotImplementedError

    def nodes_changed(self) -> None:
        """A node of the scene came or went."""

    def device(self) -> str:
        """Where networks run, as chosen in the panel."""
        return str(self.parameters.device.value)

    def segmented(self, nodes: Any) -> None:
        """A network has made a segment (`deepradiomics.scene.runs.image_tools.SegmentedNodes`)."""

    def run_buttons(self) -> tuple[Any, ...]:
        """Buttons of which one is Cancel while a run is under way, and the others cannot be pressed."""
        return (self.ui.applyButton,)

    def locked_sections(self) -> tuple[Any, ...]:
        """What cannot be changed while a run is under way."""
        return ()

    # --- Slicer's calls --------------------------------------------------------------------------------------------

    def setup(self) -> None:
        """Build the panel when the module is opened for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath(f"UI/{self.moduleName}.ui"))
        self.layout.addWidget(widget)
        load_image_tools(slicer.util.childWidgetVariables(widget).imageToolsArea)
        self.ui = slicer.util.childWidgetVariables(widget)
        self._let_sections_be_narrow()
        widget.setMRMLScene(slicer.mrmlScene)
        self.build()
        self.tools = ImageToolsSection(self)
        self._texts = {button.name: button.text for button in self._all_buttons()}
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.ui.sampleButton.connect("clicked(bool)", self.onTrySample)
        self.ui.installOfflineButton.connect("clicked(bool)", self.onInstallOffline)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndImport)
        self.addObserver(scene, scene.NodeAboutToBeRemovedEvent, self.onNodeAboutToBeRemoved)
        self.addObserver(scene, scene.NodeAddedEvent, self.onNodesChanged)
        self.addObserver(scene, scene.NodeRemovedEvent, self.onNodesChanged)
        self.addObserver(scene, scene.EndBatchProcessEvent, self.onNodesChanged)
        self.initializeParameterNode()

    def _let_sections_be_narrow(self) -> None:
        """Let the user make the panel narrow: CTK's sections insist on the width of their longest line of text."""
        for section in vars(self.ui).values():
            if type(section) is ctk.ctkCollapsibleButton:
                section.setSizePolicy(qt.QSizePolicy.Preferred, section.sizePolicy.verticalPolicy())

    def cleanup(self) -> None:
        """End what runs, let go of the scene."""
        if self.warmUp is not None:
            self.warmUp.cancel()
        if self.logic is not None:
            self.logic.cancel()
        self.setParameterNode(None)
        self._wrapper = None
        self.removeObservers()

    def onReload(self) -> None:
        """Reload this module's library as well. The package stays: the other modules hold its classes."""
        library = f"{self.moduleName}Lib"
        for name in [name for name in sys.modules if name.split(".")[0] == library]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def enter(self) -> None:
        """The user opens the module; packages may have been installed meanwhile."""
        self._missing.clear()
        if self._binding is None:
            self.initializeParameterNode()
        else:  # bound already, as between setup and the first time
            self.onParametersModified()
            self.guess()
        if self.warmUp is not None:
            self.warmUp.start()

    def exit(self) -> None:
        """The user opens another module; a run goes on in the background."""
        self._unbind()

    def onSceneStartClose(self, caller: Any, event: Any) -> None:
        """The scene is about to go: so do the run that was to add to it, and the parameter node."""
        if self.logic is not None and self.logic.running:
            self.logic.cancel()
            self.log(_("The scene was closed, so the run was ended. Load its images again and start it again."))
        self.setParameterNode(None)

    def onSceneEndClose(self, caller: Any, event: Any) -> None:
        """A new, empty scene."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller: Any, event: Any) -> None:
        """A saved scene was loaded: show what it holds."""
        if self._wrapper is not None:
            self._wrapper.parameterNode.Modified()  # the wrapper keeps values that it read before the nodes were there
        if self.parent.isEntered:
            self.initializeParameterNode()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeAboutToBeRemoved(self, caller: Any, event: Any, node: Any) -> None:
        """A chosen input goes: then nothing is chosen. A selector by itself would take its neighbour in silence."""
        if self.parameters is None or self._binding is None or caller.IsClosing():
            return
        for selector in self.node_selectors():
            if selector.noneEnabled and selector.currentNode() is node:
                selector.setCurrentNode(None)

    def onNodesChanged(self, caller: Any, event: Any) -> None:
        """A node came or went: what there is to choose from may have changed; of many at once only the end counts."""
        if self.parameters is not None and self._binding is not None and not slicer.mrmlScene.IsBatchProcessing():
            self.hide_results_from_inputs()
            self.nodes_changed()

    def hide_results_from_inputs(self) -> None:
        """Offer images as inputs, and not the maps that results have added."""
        results = [node.GetID() for node in result_volumes(slicer.mrmlScene)]
        for selector in self.volume_selectors():
            model = selector.sortFilterProxyModel()
            if list(model.hiddenNodeIDs) != results:
                model.hiddenNodeIDs = results

    def volume_selectors(self) -> list[Any]:
        """The selectors in which the user chooses an image."""
        return [selector for selector in self.node_selectors() if "vtkMRMLScalarVolumeNode" in selector.nodeTypes]

    def node_selectors(self) -> list[Any]:
        """All selectors of nodes of the scene."""
        return [widget for widget in vars(self.ui).values() if hasattr(widget, "sortFilterProxyModel")]

    # --- parameters ------------------------------------------------------------------------------------------------

    def initializeParameterNode(self) -> None:
        """Make sure there is a parameter node and that the panel shows it."""
        node = singleton(self.moduleName)
        if self._wrapper is None or self._wrapper.parameterNode is not node:
            self._wrapper = self.make_parameters()
        self.setParameterNode(self._wrapper)
        self.hide_results_from_inputs()
        self.guess()

    def setParameterNode(self, parameters: Any) -> None:
        """Bind the controls to this parameter node, or to none."""
        self._unbind()
        self.parameters = parameters
        if self.parameters is not None:
            self._binding = GuiBinding(self.parameters, self.ui)
            self.addObserver(self.parameters, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)
            self.bound()
            self.onParametersModified()

    def onParametersModified(self, caller: Any = None, event: Any = None) -> None:
        """A parameter has changed, or all may have."""
        self.refresh()
        self.tools.refresh()

    def _unbind(self) -> None:
        if self.parameters is None:
            return
        if self._binding is not None:
            self._binding.end()
            self._binding = None
        if self.hasObserver(self.parameters, vtk.vtkCommand.ModifiedEvent, self.onParametersModified):
            self.removeObserver(self.parameters, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)

    # --- running ---------------------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Whether no run is under way."""
        return self._run_button is None

    def run(
        self,
        button: Any,
        feature: dependencies.Feature,
        start: Callable[[dict[str, Any]], object],
        show: Callable[[Any], None],
    ) -> None:
        """Start a run whose button becomes Cancel, or cancel it when it is under way.

        Parameters
        ----------
        feature
            What must be installed (`scene.job.dependencies`): it is offered to the user now.
        start
            Starts the logic, given the callbacks.
        show
            Shows what the logic returns.
        """
        if self._run_button is not None:
            assert self.logic is not None
            self.logic.cancel()
            if not self.logic.running:
                self._set_running(None)  # nothing runs that could tell of its end
            return

        def finished(value: Any) -> None:
            self._set_running(None)
            show(value)

        callbacks = {
            "on_progress": self.onProgress,
            "on_log": self.log,
            "on_finished": finished,
            "on_failed": self._failed,
            "on_cancelled": self._cancelled,
        }
        try:
            if not self._installed(feature, button):
                return
            self.ui.logText.clear()
            self._set_running(button)
            slicer.app.processEvents()  # shows Cancel before the volumes are written
            start(callbacks)
        except DeepRadiomicsError as error:
            self._failed(error)
        except Exception as error:  # whatever it is, the panel must not stay locked
            logging.getLogger(__name__).exception("a run could not be started")
            self._failed(
                DeepRadiomicsError(_("The run could not be started: {reason}").format(reason=reason_of(error)))
            )

    def _installed(self, feature: dependencies.Feature, button: Any) -> bool:
        """Install what is missing; True when the run can go on.

        Raises what `dependencies.ensure` raises.
        """
        if not dependencies.missing(feature):
            return True
        self.log(_("Installing Python packages…"))
        try:
            names = dependencies.ensure(feature)
        finally:
            self._missing.clear()
            self.onParametersModified()
        self.log(_("Installed: {names}").format(names=", ".join(names)))
        reason = self._reasons.get(button.name)
        if reason:
            self.log(reason)
        return reason is None

    def set_ready(self, button: Any, reason: str | None, tip: str, feature: dependencies.Feature = "extract") -> str:
        """Let a button that starts a run be pressed unless there is a reason against it, which its tooltip says.

        Where packages of `feature` (`scene.job.dependencies`) are missing the button installs them, whatever
        else is missing. Returns the sentence to show beside the button: what is missing, or the reason; else nothing.
        """
        if feature not in self._missing:
            self._missing[feature] = dependencies.missing_words(feature)
        missing = self._missing[feature]
        self._reasons[button.name] = reason
        if button is not self._run_button:
            button.text = _("Install packages…") if missing else self._texts.get(button.name, button.text)
        button.enabled = bool(missing) or reason is None
        button.toolTip = missing or reason or tip
        return missing or reason or ""

    def onTrySample(self, checked: bool = False) -> None:
        """Load the synthetic case and run the sample model on it."""
        if not self.idle:
            return
        try:
            self.load_sample()
        except Exception as error:
            logging.getLogger(__name__).exception("the sample could not be loaded")
            text = _("The sample could not be loaded: {reason}").format(reason=reason_of(error))
            self.log(text)
            slicer.util.errorDisplay(text, windowTitle=self.title)
            return
        self.onParametersModified()
        if self.sample_button().enabled:
            self.sample_button().click()

    def _failed(self, error: DeepRadiomicsError) -> None:
        self._set_running(None)
        self.log(str(error))
        slicer.util.errorDisplay(str(error), windowTitle=self.title)

    def _cancelled(self) -> None:
        self._set_running(None)
        self.log(_("Cancelled."))

    def _all_buttons(self) -> tuple[Any, ...]:
        return (*self.run_buttons(), *self.tools.buttons)

    def _set_running(self, button: Any) -> None:
        previous, self._run_button = self._run_button, button
        if button is not None:
            button.text = _("Cancel")
        elif previous is not None:
            previous.text = self._texts.get(previous.name, previous.text)
        running = button is not None
        for section in self.locked_sections():
            section.enabled = not running
        for other in self._all_buttons():
            other.enabled = other is button
        self.ui.sampleButton.enabled = not running
        self.ui.progressBar.visible = running
        self.ui.statusLabel.visible = running
        self.ui.progressBar.value = 0
        self.ui.statusLabel.text = _("Starting…") if running else ""
        self.onParametersModified()

    def onProgress(self, fraction: float, message: str) -> None:
        """What the child says of its progress."""
        self.ui.progressBar.value = round(100 * fraction)
        self.ui.statusLabel.text = message

    def log(self, line: str) -> None:
        """Add a line to the log."""
        self.ui.logText.appendPlainText(line)

    @contextlib.contextmanager
    def errors_shown(self) -> Iterator[None]:
        """A context in which a mistake becomes a message box."""
        try:
            yield
        except DeepRadiomicsError as error:
            slicer.util.errorDisplay(str(error), windowTitle=self.title)

    # --- installation ----------------------------------------------------------------------------------------------

    def onInstallOffline(self, checked: bool = False) -> None:
        """Install the packages from a folder of wheels that the user chooses."""
        folder = qt.QFileDialog.getExistingDirectory(self.parent, _("Folder of wheels"))
        if folder:
            with self.errors_shown():
                installed = dependencies.ensure(self.offline_feature, wheels=Path(folder))
                slicer.util.infoDisplay(
                    _("Installed: {names}").format(names=", ".join(installed))
                    if installed
                    else _("All packages are there.")
                )
            self._missing.clear()
            self.onParametersModified()


def reason_of(error: Exception) -> str:
    """What went wrong, and what to do about it, for errors that are not raised on purpose."""
    if isinstance(error, MemoryError):
        return _("the computer ran out of memory. Close other programs, or choose a smaller volume.")
    if isinstance(error, OSError):
        return _("{error}. Check the disk's space and the folder's permissions.").format(error=error)
    return f"{type(error).__name__}: {error}"
