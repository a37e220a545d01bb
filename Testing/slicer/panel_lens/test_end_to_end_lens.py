"""From the panel's Apply to the lens and to a case of it with the real child: synthetic prostates, simulated panel."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from Testing.slicer.fake_child import HandTimer
from Testing.slicer.panel.driving import cut_off, pictured

FIRST_ORDER = "imageType:\n  Original: {}\nfeatureClass:\n  firstorder:\n"


def wait_for(widget: Any, seconds: float = 240) -> None:
    """Wind the timer until the run has ended."""
    deadline = time.monotonic() + seconds
    while widget.logic.running:
        HandTimer.made[-1].call()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def write_embeddings(manifest: Path) -> None:
    """SYNTHETIC: tables of embeddings before and after, random numbers, beside the cohort's folder."""
    with open(manifest, encoding="utf-8", newline="") as stream:
        ids = [row["id"] for row in csv.DictReader(stream)]
    rng = np.random.default_rng(0)
    before = rng.normal(size=(len(ids), 8))
    for name, numbers in (("before.csv", before), ("after.csv", before + 0.3 * rng.normal(size=before.shape))):
        rows = [",".join([case, *map(str, each)]) for case, each in zip(ids, numbers, strict=True)]
        header = ",".join(["id", *(f"e{column}" for column in range(8))])
        Path(name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def test_synthetic_prostates_are_fitted_and_one_is_shown(
    widget: Any, simulated: Any, errors: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("pyarrow")
    from RadiomicLensLib.choices import EncoderSource, FeatureSet, Preset

    from deepradiomics.phantoms.prostate.cohort import write_prostate_cohort
    from deepradiomics.scene.show.lens.case import case_shown

    monkeypatch.chdir(tmp_path)
    write_embeddings(Path(write_prostate_cohort("prostates", 16, 3)))
    Path("first-order.yaml").write_text(FIRST_ORDER, encoding="utf-8")
    widget.logic._make_timer = HandTimer
    p, ui = widget.parameters, widget.ui
    p.manifest, p.outputFolder = "prostates/manifest.csv", "lens"
    p.encoderSource, p.preEncoder, p.ftEncoder = EncoderSource.EACH, "before.csv", "after.csv"
    p.taskName = "Grade CLS"
    p.featureSet, p.parameterFile = FeatureSet.FILE, "first-order.yaml"
    p.preset, p.hidden, p.permutations, p.bootstraps = Preset.TINY, 2, 20, 50
    assert ui.applyButton.enabled, ui.estimateLabel.text
    ui.applyButton.click()
    wait_for(widget)
    assert errors == [], ui.logText.toPlainText()
    assert ui.shiftTable.rowCount > 40
    assert "SYNTHETIC" in ui.summaryLabel.text
    assert ui.resultSelector.currentText == "Grade CLS"
    assert ui.openReportButton.enabled
    assert ui.copyMethodsButton.enabled
    ui.shiftFilterEdit.text = "entropy adc"
    ui.shiftTable.selectRow(0)
    ui.caseSelector.currentIndex = 0
    assert ui.showCaseButton.enabled, ui.caseStatusLabel.text
    ui.showCaseButton.click()
    wait_for(widget)
    assert errors == [], ui.logText.toPlainText()
    shown = case_shown(simulated.mrmlScene)
    assert shown is not None
    assert shown.feature == "original_firstorder_Entropy"
    assert shown.modality == "adc"
    assert list(shown.volumes) == ["t2", "highb", "adc"]
    assert shown.case_id == p.caseId
    ui.shiftFilterEdit.text = ""
    ui.caseSection.collapsed = False
    pictured(widget, "lens_panel", tmp_path, 1450)
    assert cut_off(widget) == []
