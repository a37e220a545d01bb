"""A simulated Slicer around the panel: PySide6 acts Qt, slicer-core is the scene, base classes come from a checkout."""

import importlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.panel.simulated import ROOT, simulated_slicer

MODULE = ROOT / "RadiomicFingerprint"


@pytest.fixture(scope="session")
def slicer_sources() -> Path:
    """`Base/Python` of a Slicer checkout, named by SLICER_SOURCE_DIR."""
    named = os.environ.get("SLICER_SOURCE_DIR")
    folder = Path(named or ".") / "Base" / "Python" / "slicer"
    if not named or not (folder / "ScriptedLoadableModule.py").is_file():
        pytest.skip("SLICER_SOURCE_DIR names no Slicer checkout")
    if importlib.util.find_spec("PySide6") is None:
        pytest.skip("PySide6 is not installed")
    return folder


@pytest.fixture
def simulated(slicer_sources: Path, headless: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Slicer with a scene and the modules on the path; all is taken back at the end."""
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    with simulated_slicer(slicer_sources) as slicer:
        yield slicer


@pytest.fixture
def errors(simulated: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of the message boxes."""
    shown: list[str] = []
    monkeypatch.setattr(simulated.util, "errorDisplay", lambda text, **_: shown.append(text))
    return shown


@pytest.fixture
def exam(simulated: Any, tmp_path: Path) -> Any:
    """Volume nodes of an exam whose result is known, by view."""
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from Testing.slicer.synthetic_result import make_result

    made = make_result(tmp_path / "known")
    scene = simulated.mrmlScene
    return {view: node_from_volume(volume, scene, f"{view} knee") for view, volume in made.volumes.items()}


@pytest.fixture
def widget(simulated: Any, errors: list[str]) -> Iterator[Any]:
    """The panel, set up as Slicer does it."""
    import qt

    module = importlib.import_module("RadiomicFingerprint")
    parent = simulated.qMRMLWidget()
    parent.setLayout(qt.QVBoxLayout())
    made = module.RadiomicFingerprintWidget(parent)
    made.warmUp.start = lambda: None  # only its own tests start a child for it
    made.setup()
    yield made
    made.cleanup()
