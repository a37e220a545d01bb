"""The module file, simulated: what Slicer asks of it, and its *Reload and Test* with the real child process."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.panel.conftest import MODULE


def test_the_module_describes_itself(simulated: Any) -> None:
    connected: list[tuple[str, Any]] = []
    simulated.app.connect = lambda signal, slot: connected.append((signal, slot))
    parent = types.SimpleNamespace(path=str(MODULE / "RadiomicFingerprint.py"))
    module = importlib.import_module("RadiomicFingerprint")
    module.RadiomicFingerprint(parent)
    assert parent.title == "Radiomic Fingerprint"
    assert parent.categories == ["Quantification"]
    assert not parent.icon.isNull()
    assert "not a medical device" in parent.helpText
    assert connected == [("startupCompleted()", module.register_sample_data)]


def test_the_synthetic_knee_is_offered_as_sample_data(simulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    offered: list[dict[str, Any]] = []
    logic = types.SimpleNamespace(registerCustomSampleDataSource=lambda **about: offered.append(about))
    monkeypatch.setitem(sys.modules, "SampleData", types.SimpleNamespace(SampleDataLogic=logic))
    importlib.import_module("RadiomicFingerprint").register_sample_data()
    knee = next(each for each in offered if each["sampleName"] == "SyntheticKnee")
    assert Path(knee["thumbnailFileName"]).is_file()
    nodes = knee["customDownloader"](None)
    assert len(nodes) == 3
    assert all("SYNTHETIC" in node.GetDescription() for node in nodes)


def test_the_self_test_passes_with_the_real_child(simulated: Any) -> None:
    module = importlib.import_module("RadiomicFingerprint")
    test = module.RadiomicFingerprintTest()
    test.delayDisplay = lambda *a, **k: None
    test.runTest()


def test_the_self_test_leaves_out_what_cannot_run_and_says_why(simulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepradiomics.scene.job import dependencies

    said: list[str] = []
    absent = dependencies.Dependency("torch", "torch", "2.4")
    monkeypatch.setattr(dependencies, "missing", lambda feature: (absent,))
    test = importlib.import_module("RadiomicFingerprint").RadiomicFingerprintTest()
    test.delayDisplay = lambda text, *a, **k: said.append(text)
    test.runTest()
    assert said[0].startswith("Left out: ")
    assert said[-1] == "A mistake was reported"
