"""Every module's panel in the simulated Slicer, one after another: what they share is tested in each of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from Testing.slicer.panel.conftest import errors, simulated, slicer_sources  # noqa: F401 - fixtures
from Testing.slicer.panel.simulated import MODULES


@pytest.fixture
def make_panel(simulated: Any) -> Iterator[Callable[[str], Any]]:  # noqa: F811
    """Makes a module's panel, set up as Slicer does it; all are cleaned up at the end."""
    import qt

    panels: list[Any] = []

    def make(name: str) -> Any:
        module = importlib.import_module(name)
        parent = simulated.qMRMLWidget()
        parent.setLayout(qt.QVBoxLayout())
        panel = getattr(module, f"{name}Widget")(parent)
        if panel.warmUp is not None:
            panel.warmUp.start = lambda: None  # only its own tests start a child for it
        panel.setup()
        panels.append(panel)
        return panel

    yield make
    for panel in panels:
        panel.cleanup()


@pytest.fixture(params=MODULES)
def panel(request: pytest.FixtureRequest, make_panel: Callable[[str], Any], errors: list[str]) -> Any:  # noqa: F811
    """The panel of each module."""
    return make_panel(request.param)
