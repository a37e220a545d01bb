"""What every module promises, in the simulated Slicer: how it describes itself, its self-test, its sample."""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepradiomics.scene.job import dependencies
from Testing.slicer.panel.simulated import MODULES, ROOT
from Testing.slicer.panel_frame.test_frame import ABSENT


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest, simulated: Any) -> Any:
    """The module file of each module."""
    return importlib.import_module(request.param)


def test_a_module_links_its_documentation_and_names_its_contributors_institution(module: Any, simulated: Any) -> None:
    simulated.app.connect = lambda signal, slot: None
    name = module.__name__
    parent = types.SimpleNamespace(path=str(ROOT / name / f"{name}.py"))
    getattr(module, name)(parent)
    assert '<a href="https://github.com/DeepRadiomics/SlicerDeepRadiomics' in parent.helpText
    assert "not a medical device" in parent.helpText
    assert parent.categories == ["Quantification"]
    assert parent.contributors
    assert all(each.endswith(")") and "(" in each for each in parent.contributors)


def test_a_self_test_leaves_out_what_needs_absent_packages_and_says_so(
    module: Any, simulated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for feature in dependencies.NEEDS:
        monkeypatch.setitem(dependencies.NEEDS, feature, (ABSENT,))
    texts: list[str] = []
    test = getattr(module, f"{module.__name__}Test")()
    test.delayDisplay = lambda text, *_, **__: texts.append(text)
    test.runTest()
    assert any(text.startswith("Left out: ") and "package-of-nowhere" in text for text in texts), texts


def test_a_sample_is_fitted_into_the_views(
    make_panel: Callable[[str], Any], module: Any, simulated: Any, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[dict[str, Any]] = []
    monkeypatch.setattr(simulated.util, "setSliceViewerLayers", lambda **given: fits.append(given))
    panel = make_panel(module.__name__)
    monkeypatch.setattr(simulated.app, "layoutManager", lambda: types.SimpleNamespace())
    view = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
    panel.load_sample()
    assert errors == []
    assert fits
    assert fits[-1] == {"fit": True}
    assert view.GetBackgroundVolumeID()
    shown = simulated.app.applicationLogic().GetSelectionNode()  # views that a layout brings later show it too
    assert shown.GetActiveVolumeID() == view.GetBackgroundVolumeID()


def test_charts_are_made_visible_in_one_place_for_all_modules() -> None:
    names = ("ActivePlotChartID", "PropagatePlotChartSelection", "plotViewCount")
    files = [
        *(ROOT / "deepradiomics").rglob("*.py"),
        *(path for name in MODULES for path in (ROOT / name).rglob("*.py")),
    ]
    using = {path.relative_to(ROOT) for path in files if any(each in path.read_text("utf-8") for each in names)}
    assert using == {Path("deepradiomics/scene/views/layouts.py")}
