"""The frame of every panel: its life in Slicer, its parameter node, Apply that becomes Cancel, progress, log, errors.

A module's panel derives from `ModulePanel` and says what it builds, what its parameters are and what they mean. Its
.ui file must have `progressBar`, `statusLabel`, `logText`, and the empty widget `imageToolsArea`, which takes the
sections that all panels share (`image_tools`).
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.scene.image_tools import ImageTools

from .image_tools import ImageToolsSection, load_image_tools


class ModulePanel(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The module's widget. State lives in the parameter node; a panel only shows it and starts the logic."""

    logic: ImageTools | None = None
    parameters: Any = None

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self._gui_tag: Any = None
        self._run_button: Any = None  # the button that is Cancel while a run is under way
        self._idle_text = ""

    # --- what a module's panel says of itself ----------------------------------------------------------------------

    title = ""

    def build(self) -> None:
        """Make the logic and the sections, connect the controls of `self.ui`."""
        raise NotImplementedError

    def make_parameters(self) -> Any:
        """The wrapped parameter node of the scene."""
        raise NotImplementedError

    def bound(self) -> None:
        """The panel has been bound to a parameter node, perhaps of a scene that was loaded."""

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
        """A network has made a segment (`deepradiomics.scene.image_tools.SegmentedNodes`)."""

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
        widget.setMRMLScene(slicer.mrmlScene)
        self.build()
        self.tools = ImageToolsSection(self)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndImport)
        self.addObserver(scene, scene.NodeAddedEvent, self.onNodesChanged)
        self.addObserver(scene, scene.NodeRemovedEvent, self.onNodesChanged)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """End what runs, let go of the scene."""
        if self.logic is not None:
            self.logic.cancel()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        """The user opens the module."""
        self.initializeParameterNode()

    def exit(self) -> None:
        """The user opens another module; a run goes on in the background."""
        self._unbind()

    def onSceneStartClose(self, caller: Any, event: Any) -> None:
        """The scene is about to go: so do the run that was to add to it, and the parameter node."""
        if self.logic is not None:
            self.logic.cancel()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller: Any, event: Any) -> None:
        """A new, empty scene."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller: Any, event: Any) -> None:
        """A saved scene was loaded: show what it holds."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onNodesChanged(self, caller: Any, event: Any) -> None:
        """A node came or went: what there is to choose from may have changed."""
        if self.parameters is not None and self._gui_tag is not None:
            self.nodes_changed()

    # --- parameters ------------------------------------------------------------------------------------------------

    def initializeParameterNode(self) -> None:
        """Make sure there is a parameter node and that the panel shows it."""
        self.setParameterNode(self.make_parameters())
        self.guess()

    def setParameterNode(self, parameters: Any) -> None:
        """Bind the controls to this parameter node, or to none."""
        self._unbind()
        self.parameters = parameters
        if self.parameters is not None:
            self._gui_tag = self.parameters.connectGui(self.ui)
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
        if self._gui_tag is not None:
            self.parameters.disconnectGui(self._gui_tag)
            self._gui_tag = None
        if self.hasObserver(self.parameters, vtk.vtkCommand.ModifiedEvent, self.onParametersModified):
            self.removeObserver(self.parameters, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)

    # --- running ---------------------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Whether no run is under way."""
        return self._run_button is None

    def run(
        self, button: Any, feature: str, start: Callable[[dict[str, Any]], object], show: Callable[[Any], None]
    ) -> None:
        """Start a run whose button becomes Cancel, or cancel it when it is under way.

        Parameters
        ----------
        feature
            What must be installed (`deepradiomics.scene.dependencies`): it is offered to the user now.
        start
            Starts the logic, given the callbacks.
        show
            Shows what the logic returns.
        """
        if self._run_button is not None:
            assert self.logic is not None
            self.logic.cancel()
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
            from deepradiomics.scene import dependencies

            dependencies.ensure(feature)  # type: ignore[arg-type]
            self.ui.logText.clear()
            self._set_running(button)
            slicer.app.processEvents()  # shows Cancel before the volumes are written
            start(callbacks)
        except DeepRadiomicsError as error:
            self._failed(error)

    def set_ready(self, button: Any, reason: str | None, otherwise: str) -> None:
        """Let a button be pressed unless there is a reason against it, which its tooltip says."""
        button.enabled = reason is None
        button.toolTip = reason or otherwise

    def _failed(self, error: DeepRadiomicsError) -> None:
        self._set_running(None)
        self.log(str(error))
        slicer.util.errorDisplay(str(error), windowTitle=self.title)

    def _cancelled(self) -> None:
        self._set_running(None)
        self.log(_("Cancelled."))

    def _set_running(self, button: Any) -> None:
        previous, self._run_button = self._run_button, button
        if button is not None:
            self._idle_text, button.text = button.text, _("Cancel")
        elif previous is not None:
            previous.text = self._idle_text
        running = button is not None
        for section in self.locked_sections():
            section.enabled = not running
        for other in (*self.run_buttons(), *self.tools.buttons):
            other.enabled = other is button
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

    def install_offline(self, feature: str) -> None:
        """Install the packages that a feature needs from a folder of wheels that the user chooses."""
        folder = qt.QFileDialog.getExistingDirectory(self.parent, _("Folder of wheels"))
        if folder:
            with self.errors_shown():
                from deepradiomics.scene import dependencies

                installed = dependencies.ensure(feature, wheels=Path(folder))  # type: ignore[arg-type]
                slicer.util.infoDisplay(
                    _("Installed: {names}").format(names=", ".join(installed))
                    if installed
                    else _("All packages are there.")
                )
