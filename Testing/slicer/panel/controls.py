"""Which control of a .ui file is bound to which parameter, and a check that it reaches the parameter node and back."""

from __future__ import annotations

import enum
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from Testing.slicer.panel.conftest import ROOT

IMAGE_TOOLS = ROOT / "deepradiomics" / "scene" / "panel" / "image_tools.ui"  # the sections that all panels have


def bound_parameters(*files: Path) -> dict[str, str]:
    """Control → parameter, as the .ui files say."""
    found = {}
    for file in files:
        for widget in ElementTree.parse(file).iter("widget"):
            for each in widget.findall("property"):
                if each.get("name") == "SlicerParameterName":
                    found[widget.get("name", "")] = each.findtext("string", "")
    return found


def reaches_the_parameter_and_back(widget: Any, scene: Any, control: str, name: str, path: Path) -> None:
    """Change the control, then the parameter: each time the other must follow."""
    field, p = getattr(widget.ui, control), widget.parameters
    default = getattr(p, name)
    if isinstance(default, enum.Enum):
        other = list(type(default))[-1] if list(type(default))[-1] is not default else next(iter(type(default)))
        field.currentIndex = list(type(default)).index(other)
        assert getattr(p, name) is other
        setattr(p, name, default)
        assert field.currentText == default.label()
    elif isinstance(default, bool):
        field.checked = not default
        assert getattr(p, name) is not default
        setattr(p, name, default)
        assert field.checked is default
    elif isinstance(default, float):
        field.value = 0.25
        assert getattr(p, name) == 0.25
        setattr(p, name, 0.75)
        assert field.value == 0.75
    elif isinstance(default, int):
        field.value = default + 2
        assert getattr(p, name) == default + 2
        setattr(p, name, default)
        assert field.value == default
    elif isinstance(default, str):
        attribute = "currentPath" if hasattr(type(field), "currentPath") else "text"
        setattr(field, attribute, str(path))
        assert getattr(p, name) == str(path)
        setattr(p, name, "")
        assert getattr(field, attribute) == ""
    else:
        first, second = (scene.AddNewNodeByClass(field.nodeTypes[0], text) for text in ("first", "second"))
        field.setCurrentNode(first)
        assert getattr(p, name).GetID() == first.GetID()
        setattr(p, name, second)
        assert field.currentNode().GetID() == second.GetID()
