"""The simulated Slicer itself, for tests and for scripts: PySide6 acts Qt, slicer-core is the scene."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from Testing.packaging.extension_tree import module_names

ROOT = Path(__file__).resolve().parents[3]
MODULES = tuple(module_names(ROOT))
_FOREIGN = ("qt", "ctk", "SampleData", *MODULES, *(f"{name}Lib" for name in MODULES))
_ON_SLICERS_OWN = (  # Slicer's own sources, and what is made from them
    "slicer.ScriptedLoadableModule", "slicer.i18n", "slicer.parameterNodeWrapper", "deepradiomics.scene.panel",
)  # fmt: skip
_ABSENT = object()


@contextlib.contextmanager
def simulated_slicer(slicer_sources: Path) -> Iterator[Any]:
    """Slicer with its Qt side and the modules on the path; all is taken back at the end.

    Parameters
    ----------
    slicer_sources
        `Base/Python/slicer` of a Slicer checkout. A scene must be up (`scene.job.headless.headless_slicer`),
        and QT_QPA_PLATFORM be "offscreen" where there is no screen.
    """
    import slicer

    from Testing.slicer.panel import stand_in

    stand_in.application().setStyle("Fusion")
    _forget()
    with contextlib.ExitStack() as taken_back:

        def put(target: Any, name: str, value: Any) -> None:
            before = getattr(target, name, _ABSENT)
            undo = (delattr, target, name) if before is _ABSENT else (setattr, target, name, before)
            taken_back.callback(*undo)
            setattr(target, name, value)

        for name, module in stand_in.make_modules(slicer).items():
            taken_back.callback(sys.modules.pop, name, None)
            sys.modules[name] = module
        put(slicer, "__path__", [*slicer.__path__, str(slicer_sources)])
        put(sys, "path", [*(str(ROOT / name) for name in reversed(MODULES)), *sys.path])
        clipboard: list[str] = []
        quiet = types.SimpleNamespace(connect=lambda *a: None, disconnect=lambda *a: None)
        slicer.app.connect = lambda *a: None
        slicer.app.moduleManager = lambda: quiet
        slicer.app.clipboard = lambda: types.SimpleNamespace(setText=clipboard.append)
        slicer.app.clipboard_texts = clipboard
        put(slicer.util, "settingsValue", lambda key, default, converter=None, settings=None: default)
        put(slicer.util, "modulePath", lambda name: str(ROOT / name / f"{name}.py"))
        put(slicer.util, "findChildren", _find_children)
        yield slicer
    _forget()


def make_panel(slicer: Any, module_name: str) -> Any:
    """A module's widget in a parent as Slicer makes it, before `setup()`."""
    import importlib

    import qt

    module = importlib.import_module(module_name)
    parent = slicer.qMRMLWidget()
    parent.setLayout(qt.QVBoxLayout())
    return getattr(module, f"{module_name}Widget")(parent)


def _forget() -> None:
    for name in list(sys.modules):
        if name.split(".")[0] in _FOREIGN or name.startswith(_ON_SLICERS_OWN):
            del sys.modules[name]


def _find_children(widget: Any = None, **_: Any) -> list[Any]:
    from PySide6 import QtWidgets

    return widget.findChildren(QtWidgets.QWidget)
