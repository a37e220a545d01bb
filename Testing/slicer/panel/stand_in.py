# ruff: noqa: N801, N805, N815 - the names are Qt's and Slicer's
"""The Qt side of Slicer, acted by PySide6: enough of `qt`, `ctk` and qMRML to load a .ui file and drive a panel.

This is a simulated panel. What it shows: that the .ui file loads, that each control is bound to a parameter, what the
panel does when it is driven. What it cannot show: PythonQt's conversions, the real ctk and qMRML widgets, the layout.

Slicer's own pure-Python sources (ScriptedLoadableModule, parameterNodeWrapper, i18n) are read from a Slicer checkout.
"""

import ctypes
import re
import sys
import types
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets
from PySide6.QtCore import Property, Signal

# --- PythonQt's manners: a property is an attribute, a signal is connected by its written signature -----------------

_keep_alive: list[Any] = []  # PySide forgets a Python class when the last Python reference to the widget goes


class PythonQtManners:
    """Mixed into each widget class: `widget.text`, `widget.enabled = False`, `widget.connect("clicked(bool)", f)`."""

    _properties: frozenset[str] = frozenset()

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_"):
            return object.__getattribute__(self, name)
        if name == "name":
            return QtCore.QObject.objectName(self)
        if name == "connect":
            return types.MethodType(_connect, self)
        if name in object.__getattribute__(self, "_properties"):
            return QtCore.QObject.property(self, name)
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "name":
            QtCore.QObject.setObjectName(self, value)
        elif name in self._properties:
            value = list(value) if isinstance(value, tuple) else value
            if not QtCore.QObject.setProperty(self, name, value):
                raise TypeError(f"{type(self).__name__}.{name} does not take {value!r}")
        elif name.startswith("_") or isinstance(value, QtCore.QObject):  # PySide's loader hangs children onto the top
            super().__setattr__(name, value)
        else:  # PythonQt lets nobody hang an attribute of his own onto a widget
            raise AttributeError(f"{type(self).__name__} has no property {name!r}")


def _connect(widget: Any, signal: str, slot: Callable) -> None:
    name, given = re.fullmatch(r"(\w+)\((.*)\)", signal).groups()  # type: ignore[union-attr]
    count = len([each for each in given.split(",") if each])
    found = object.__getattribute__(widget, name)
    if count:
        found = found[re.sub(r"[ *&]|const", "", given)] if "|" in given else found
    relay = lambda *values: slot(*values[:count])  # noqa: E731
    _keep_alive.append(relay)
    found.connect(relay)


_made: dict[type, type] = {}


def with_manners(cls: type) -> type:
    """The class with PythonQt's manners; one and the same for one class, since Slicer compares widget types."""
    if cls not in _made:
        meta = cls.staticMetaObject
        properties = {meta.property(index).name() for index in range(meta.propertyCount())}
        made = type(cls.__name__, (PythonQtManners, cls), {})
        made._properties = frozenset(properties - {"sizeHint", "minimumSizeHint"})
        _made[cls] = made
    return _made[cls]


# --- ctk -----------------------------------------------------------------------------------------------------------


class ctkCollapsibleButton(QtWidgets.QWidget):
    """A header that folds its content away."""

    contentsCollapsed = Signal(bool)
    HEADER = 24

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._collapsed = "", False
        self.setContentsMargins(6, self.HEADER + 4, 6, 4)

    def _set_text(self, text: str) -> None:
        self._text = text
        self.update()

    def _set_collapsed(self, collapsed: bool) -> None:
        self._collapsed = collapsed
        self.setMaximumHeight(self.HEADER if collapsed else 16777215)
        self.contentsCollapsed.emit(collapsed)
        self.update()

    text = Property(str, lambda self: self._text, _set_text)
    collapsed = Property(bool, lambda self: self._collapsed, _set_collapsed)

    def minimumSizeHint(self) -> QtCore.QSize:
        hint = super().minimumSizeHint()
        return QtCore.QSize(hint.width(), self.HEADER if self._collapsed else hint.height())

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        # Called on the mannered class, whose properties are attributes: hence width and palette of the plain widget.
        header = QtCore.QRect(0, 0, QtWidgets.QWidget.width(self), self.HEADER - 2)
        arrow = "▸" if self._collapsed else "▾"
        with QtGui.QPainter(self) as painter:
            painter.fillRect(header, QtWidgets.QWidget.palette(self).button().color().darker(108))
            painter.drawText(
                header.adjusted(6, 0, 0, 0), QtCore.Qt.AlignmentFlag.AlignVCenter, f"{arrow}  {self._text}"
            )


class ctkSliderWidget(QtWidgets.QWidget):
    """A slider with a number beside it."""

    valueChanged = Signal(float)
    _STEPS = 1000

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self._slider.setMaximum(self._STEPS)
        self._box = QtWidgets.QDoubleSpinBox()
        layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self._box.valueChanged.connect(self._changed)
        self._slider.valueChanged.connect(self._slid)

    def _changed(self, value: float) -> None:
        span = self._box.maximum() - self._box.minimum()
        self._slider.blockSignals(True)
        self._slider.setValue(round(self._STEPS * (value - self._box.minimum()) / span) if span else 0)
        self._slider.blockSignals(False)
        self.valueChanged.emit(value)

    def _slid(self, step: int) -> None:
        self._box.setValue(self._box.minimum() + step / self._STEPS * (self._box.maximum() - self._box.minimum()))

    value = Property(float, lambda self: self._box.value(), lambda self, value: self._box.setValue(value))
    minimum = Property(float, lambda self: self._box.minimum(), lambda self, value: self._box.setMinimum(value))
    maximum = Property(float, lambda self: self._box.maximum(), lambda self, value: self._box.setMaximum(value))
    singleStep = Property(
        float, lambda self: self._box.singleStep(), lambda self, value: self._box.setSingleStep(value)
    )
    decimals = Property(int, lambda self: self._box.decimals(), lambda self, value: self._box.setDecimals(value))


class ctkPathLineEdit(QtWidgets.QWidget):
    """A path and a button to browse.

    As CTK does: a new path is told only when the validator (any text but none) accepts it, and what else is told is
    whether the input has become valid or invalid. So an edit that is emptied never tells of an empty path.
    """

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._edit, self._valid = QtWidgets.QLineEdit(), False
        browse = QtWidgets.QToolButton()
        browse.setText("…")
        layout.addWidget(self._edit)
        layout.addWidget(browse)
        self._edit.textChanged.connect(self._changed)

    def _changed(self, text: str) -> None:
        before, self._valid = self._valid, bool(text)
        if self._valid:
            self.currentPathChanged.emit(text)
        if self._valid != before:
            self.validInputChanged.emit(self._valid)

    currentPath = Property(str, lambda self: self._edit.text(), lambda self, path: self._edit.setText(path))


# --- qMRML ---------------------------------------------------------------------------------------------------------


class qMRMLWidget(QtWidgets.QWidget):
    """The top widget: hands the scene on to the widgets connected to `mrmlSceneChanged`."""

    mrmlSceneChanged = Signal(object)
    isEntered = True

    def setMRMLScene(self, scene: Any) -> None:
        for child in self.findChildren(QtWidgets.QWidget):
            if isinstance(child, qMRMLNodeComboBox):
                child.setMRMLScene(scene)


class qMRMLSortFilterProxyModel(QtCore.QObject):
    """Which nodes a selector leaves out."""

    def __init__(self, selector: "qMRMLNodeComboBox") -> None:
        super().__init__(selector)
        self._selector, self._hidden = selector, []  # type: ignore[var-annotated]

    def _hide(self, ids: list[str]) -> None:
        self._hidden = list(ids)
        self._selector._refresh()

    hiddenNodeIDs = Property("QStringList", lambda self: self._hidden, _hide)


class qMRMLNodeComboBox(QtWidgets.QWidget):
    """The scene's nodes of some classes, "None" first where that is allowed.

    As qMRML's own: no QComboBox, but a widget around one; a current node that is removed is followed by its neighbour;
    the first node is chosen by itself only where neither "None" nor a new node could be; while a scene is imported
    nothing is chosen.
    """

    currentNodeChanged = Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._types: list[str] = []
        self._none, self._children, self._scene, self._ids = False, True, None, []
        self._adds, self._removes, self._renames, self._hidden = True, True, False, False
        self._filter = with_manners(qMRMLSortFilterProxyModel)(self)
        self._box = QtWidgets.QComboBox()
        self._box.setMinimumContentsLength(8)
        self._box.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.currentIndexChanged.connect(lambda index: self.currentNodeChanged.emit(self.currentNode()))

    def _flag(name: str) -> Property:  # type: ignore[misc]
        return Property(bool, lambda self: getattr(self, name), lambda self, value: setattr(self, name, value))

    nodeTypes = Property(
        "QStringList", lambda self: self._types, lambda self, value: setattr(self, "_types", list(value))
    )
    noneEnabled, showChildNodeTypes, showHidden = _flag("_none"), _flag("_children"), _flag("_hidden")
    addEnabled, removeEnabled, renameEnabled = _flag("_adds"), _flag("_removes"), _flag("_renames")
    currentNodeID = Property(str, lambda self: self._current_id(), lambda self, value: self.setCurrentNodeID(value))

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndImportEvent, scene.EndCloseEvent):
            scene.AddObserver(event, lambda *_: self._refresh())
        self._refresh()

    def sortFilterProxyModel(self) -> Any:
        return self._filter

    def nodeCount(self) -> int:
        return len([each for each in self._ids if each])

    def nodeFromIndex(self, index: int) -> Any:
        ids = [each for each in self._ids if each]
        return self._scene.GetNodeByID(ids[index]) if 0 <= index < len(ids) else None

    def _current_id(self) -> str:
        index = self._box.currentIndex()
        return self._ids[index] if 0 <= index < len(self._ids) else ""

    def currentNode(self) -> Any:
        return self._scene.GetNodeByID(self._current_id()) if self._scene and self._current_id() else None

    def setCurrentNodeID(self, node_id: str) -> None:
        self.setCurrentNode(self._scene.GetNodeByID(node_id) if node_id else None)

    def setCurrentNode(self, node: Any) -> None:
        if self._scene is not None and self._scene.IsImporting():
            return
        wanted = node.GetID() if node is not None else ""
        if wanted and wanted not in self._ids:
            self._refresh()
        self._box.setCurrentIndex(self._ids.index(wanted) if wanted in self._ids else -1)

    def _refresh(self) -> None:
        if self._scene is None or self._scene.IsImporting():
            return
        before, row = self._current_id(), self._box.currentIndex()
        nodes = self._scene.GetNodes()
        nodes = [nodes.GetItemAsObject(index) for index in range(nodes.GetNumberOfItems())]
        nodes = [node for node in nodes if self._is_listed(node)]
        self._box.blockSignals(True)
        self._box.clear()
        self._ids = ([""] if self._none else []) + [node.GetID() for node in nodes]
        for name in (["None"] if self._none else []) + [node.GetName() for node in nodes]:
            self._box.addItem(name)
        if before in self._ids:
            index = self._ids.index(before)
        elif before:
            index = min(row, len(self._ids) - 1)  # its neighbour takes its place
        else:
            index = 0 if self._ids and (self._none or not self._adds) else -1
        self._box.setCurrentIndex(index)
        self._box.blockSignals(False)
        if self._current_id() != before:
            self.currentNodeChanged.emit(self.currentNode())

    def _is_listed(self, node: Any) -> bool:
        if (node.GetHideFromEditors() and not self._hidden) or node.GetID() in self._filter.hiddenNodeIDs:
            return False
        return any(node.IsA(each) if self._children else node.GetClassName() == each for each in self._types)


# --- the modules Slicer's Python imports ------------------------------------------------------------------------------


class _Qt(types.ModuleType):
    """`qt`: everything of Qt in one module."""

    def __getattr__(self, name: str) -> Any:
        for module in (QtWidgets, QtGui, QtCore):
            found = getattr(module, name, None)
            if found is not None:
                mannered = (QtWidgets.QWidget, QtWidgets.QLayout, QtCore.QTimer, QtGui.QAction)
                if isinstance(found, type) and issubclass(found, mannered):
                    found = with_manners(found)
                setattr(self, name, found)
                return found
        raise AttributeError(name)


class _Ctk(types.ModuleType):
    """`ctk`: the widgets above; any other name is a class nothing is an instance of."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {})
        setattr(self, name, made)
        return made


class _Loader(QtUiTools.QUiLoader):
    """Makes the widgets that a .ui file names; an unknown name is an error, not an empty widget."""

    def __init__(self, classes: dict[str, type], qt: _Qt) -> None:
        super().__init__()
        self._classes, self._qt = classes, qt

    def createWidget(self, class_name: str, parent: QtWidgets.QWidget | None = None, name: str = "") -> Any:
        cls = self._classes.get(class_name) or getattr(self._qt, class_name, None)
        if cls is None:
            raise RuntimeError(f"the stand-in has no {class_name}; write one in {__file__}")
        widget = cls(parent) if parent is not None else cls()
        widget.setObjectName(name)
        _keep_alive.append(widget)
        return widget


def make_modules(slicer: types.ModuleType) -> dict[str, types.ModuleType]:
    """`qt` and `ctk` for `sys.modules`; the qMRML classes are put onto `slicer`."""
    qt, ctk = _Qt("qt"), _Ctk("ctk")
    qt.Signal = Signal
    for cls in (ctkCollapsibleButton, ctkSliderWidget, ctkPathLineEdit):
        setattr(ctk, cls.__name__, with_manners(cls))
    for cls in (qMRMLWidget, qMRMLNodeComboBox):
        setattr(slicer, cls.__name__, with_manners(cls))
    for name in ("qMRMLSliderWidget", "qMRMLSpinBox", "qMRMLRangeWidget"):  # compared with, never made
        setattr(slicer, name, type(name, (), {}))
    classes = {name: value for module in (ctk, slicer) for name, value in vars(module).items() if name[:1] in "cq"}
    classes = {name: value for name, value in classes.items() if isinstance(value, type)}
    qt.QUiLoader = lambda: _Loader(classes, qt)
    return {"qt": qt, "ctk": ctk}


# What Qt says of the .ui file because the widgets are acted: signals and flags with C++ types that do not exist here.
_EXPECTED_COMPLAINTS = (
    "mrmlSceneChanged(vtkMRMLScene*)",
    "sender name:",
    "receiver name:",
    "set-type property filters",
)


def _message(kind: Any, context: Any, text: str) -> None:
    if not any(each in text for each in _EXPECTED_COMPLAINTS):
        print(text, file=sys.stderr)


def _keep_none_alive() -> None:
    """On Python 3.11, which counts the references to None, each PySide call without a result takes one away; after some
    thousand calls the process would end ("deallocating None"). From 3.12 on they are not counted."""
    if sys.version_info < (3, 12):
        for value in (None, True, False):
            ctypes.c_ssize_t.from_address(id(value)).value += 1 << 40


def application() -> QtWidgets.QApplication:
    """The one Qt application of this process."""
    if QtWidgets.QApplication.instance() is None:
        _keep_none_alive()
    QtCore.qInstallMessageHandler(_message)
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication(sys.argv[:1])
