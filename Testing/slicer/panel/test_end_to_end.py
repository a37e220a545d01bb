"""From the panel's Apply to the result with the real child and the sample model: a synthetic knee, simulated panel."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.panel.conftest import MODULE

BUNDLE = Path(os.environ.get("DEEPRADIOMICS_TEST_BUNDLE") or MODULE / "Resources" / "Bundles" / "knee-synthetic-tiny")


@pytest.mark.skipif(not (BUNDLE / "bundle.json").is_file(), reason="no model has been trained in this checkout")
def test_a_synthetic_knee_is_explained(
    widget: Any, simulated: Any, errors: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from RadiomicFingerprintLib import widget as module
    from RadiomicFingerprintLib.samples import load_synthetic_knee

    from Testing.slicer.fake_child import HandTimer
    from Testing.slicer.panel.driving import cut_off, pictured, unreadable

    load_synthetic_knee()
    widget.logic._make_timer = HandTimer
    widget.initializeParameterNode()
    p = widget.parameters
    monkeypatch.setattr(module, "SAMPLE_BUNDLE", BUNDLE)
    p.outputFolder = str(tmp_path / "kept")
    assert p.sagittal is not None
    assert widget.ui.applyButton.enabled
    widget.ui.applyButton.click()
    deadline = time.monotonic() + 240
    while widget.logic.running:
        HandTimer.made[-1].call()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert errors == [], widget.ui.logText.toPlainText()
    assert widget.ui.openReportButton.enabled
    assert widget.ui.copyMethodsButton.enabled
    assert "means nothing clinically" in widget.ui.predictionLabel.text
    widget.ui.fingerprintTable.selectRow(0)
    assert simulated.mrmlScene.GetFirstNodeByClass("vtkMRMLMarkupsROINode") is not None
    pictured(widget, "panel", tmp_path, 1340)
    assert unreadable(widget.ui.fingerprintTable, 0) == []
    assert cut_off(widget) == []
