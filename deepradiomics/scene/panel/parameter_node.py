"""A module's parameter node in the scene, and plain text for paths."""

from collections.abc import Iterable
from enum import Enum
from typing import Any

import ctk
import slicer
from slicer.parameterNodeWrapper import GuiConnector, parameterNodeGuiConnector


def singleton(module_name: str) -> Any:
    """The scene's node that holds a module's parameters; made when there is none."""
    node = slicer.mrmlScene.GetSingletonNode(module_name, "vtkMRMLScriptedModuleNode")
    if node is None:
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)  # owned by this variable now
        node.SetSingletonTag(module_name)
        node.SetName(module_name)
        node = slicer.mrmlScene.AddNode(node)
    node.SetAttribute("ModuleName", module_name)  # closing a scene may remove it
    return node


def options_of(parameters: Any, names: Iterable[str]) -> dict[str, Any]:
    """Parameters as options of the logic, by the logic's names: ``allow_leakage`` is the parameter ``allowLeakage``.

    A choice becomes its value.
    """
    options = {}
    for name in names:
        first, *others = name.split("_")
        value = getattr(parameters, first + "".join(word.capitalize() for word in others))
        options[name] = value.value if isinstance(value, Enum) else value
    return options


def names_in(text: str) -> tuple[str, ...]:
    """The names in a field of the panel, in which commas separate them.

    >>> names_in("acl, meniscus,")
    ('acl', 'meniscus')
    """
    return tuple(part.strip() for part in text.split(",") if part.strip())


class GuiBinding:
    """The controls of a panel, bound to a wrapper of its parameter node until `end`.

    Slicer 5.10 leaves its observer of the node behind when a wrapper lets go of the controls. That observer holds the
    wrapper, which holds the node: once the panel forgets the wrapper, Python's garbage collection empties the
    observer's function, and the next change of the node, which the scene keeps, ends the application.
    """

    def __init__(self, parameters: Any, ui: Any) -> None:
        self._parameters, self._node = parameters, parameters.parameterNode
        self._observers: list[int] = []
        parameters.AddObserver = self._observe
        try:
            self._tag = parameters.connectGui(ui)
        finally:
            del parameters.AddObserver  # the class has it

    def end(self) -> None:
        """Let go of the controls and leave no observer behind."""
        self._parameters.disconnectGui(self._tag)
        for tag in self._observers:
            self._node.RemoveObserver(tag)

    def _observe(self, event: Any, callback: Any, priority: float = 0.0) -> int:
        tag: int = self._node.AddObserver(event, callback, priority)
        self._observers.append(tag)
        return tag


@parameterNodeGuiConnector
class PathLineEditToStr(GuiConnector):
    """Connects a path edit to plain text: Slicer's own connector would show an empty path as a dot.

    CTK tells of a new path only when its validator accepts it, and an empty text never is: an edit that was emptied
    tells only that its input is no longer valid.
    """

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return type(widget) is ctk.ctkPathLineEdit and datatype is str

    @staticmethod
    def create(widget: Any, datatype: Any) -> Any:
        return PathLineEditToStr(widget) if PathLineEditToStr.canRepresent(widget, datatype) else None

    def __init__(self, widget: Any) -> None:
        super().__init__()
        self._widget = widget

    def _connect(self) -> None:
        self._widget.currentPathChanged.connect(self.changed)
        self._widget.validInputChanged.connect(self.changed)

    def _disconnect(self) -> None:
        self._widget.currentPathChanged.disconnect(self.changed)
        self._widget.validInputChanged.disconnect(self.changed)

    def widget(self) -> Any:
        return self._widget

    def read(self) -> str:
        return str(self._widget.currentPath)

    def write(self, value: str) -> None:
        if value != self._widget.currentPath:
            self._widget.currentPath = value
