"""The panel, simulated: Apply, Cancel, Train; what is told when a run fails. Not a test in Slicer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from Testing.slicer.fake_child import FakeStart, HandTimer, write_bundle
from Testing.slicer.panel.driving import ready, result_writer, with_child


def test_apply_becomes_cancel_and_back(widget: Any, exam: Any, tmp_path: Path, errors: list[str]) -> None:
    ready(widget, exam, tmp_path / "bundle")
    start = with_child(widget, FakeStart(exit_code=None))
    ui = widget.ui
    ui.applyButton.click()
    HandTimer.made[-1].call()
    assert ui.applyButton.text == "Cancel"
    assert ui.applyButton.enabled
    assert ui.progressBar.value == 40
    assert ui.statusLabel.text == "half way"
    assert not ui.progressBar.isHidden()
    assert not ui.inputsSection.enabled
    assert not ui.trainButton.enabled
    ui.applyButton.click()
    assert start.child is not None
    assert start.child.killed
    assert ui.applyButton.text == "Apply"
    assert ui.applyButton.enabled
    assert ui.inputsSection.enabled
    assert ui.progressBar.isHidden()
    assert "Cancelled" in ui.logText.toPlainText()
    assert errors == []


def test_a_failing_child_is_told_and_the_panel_is_ready_again(
    widget: Any, exam: Any, tmp_path: Path, errors: list[str]
) -> None:
    ready(widget, exam, tmp_path / "bundle")
    with_child(widget, FakeStart(exit_code=2, error="the volume holds NaN"))
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    assert errors == ["the volume holds NaN"]
    assert widget.ui.applyButton.text == "Apply"
    assert widget.ui.applyButton.enabled


def test_what_the_panel_is_set_to_reaches_the_command_line(widget: Any, exam: Any, tmp_path: Path) -> None:
    from RadiomicFingerprintLib.choices import Device, Inference, Registration

    p = ready(widget, exam, tmp_path / "bundle")
    p.registration, p.inference, p.device, p.caseId = Registration.CPU, Inference.SOFT, Device.CPU, "knee 7"
    start = with_child(widget, FakeStart(result_writer))
    widget.ui.applyButton.click()
    given = {option: start.given(option) for option in ("--registration", "--backend", "--inference", "--device")}
    assert given == {"--registration": "reference", "--backend": "cpu", "--inference": "soft", "--device": "cpu"}
    assert start.given("--case-id") == "knee 7"
    assert start.words[2] == str(tmp_path / "bundle")
    widget.ui.applyButton.click()


def test_training_draws_the_loss_and_chooses_the_new_model(
    widget: Any, simulated: Any, tmp_path: Path, errors: list[str]
) -> None:
    from RadiomicFingerprintLib.choices import BundleSource

    out = tmp_path / "run"

    def train(words: list[str]) -> dict[str, Any]:
        out.mkdir()
        (out / "history.csv").write_text("epoch,train_loss,val_loss\n1,0.7,0.8\n2,0.5,0.6\n", encoding="utf-8")
        return {"bundle": str(write_bundle(out / "bundle"))}

    p = widget.parameters
    (tmp_path / "m.csv").write_text("id\n", encoding="utf-8")
    p.trainManifest, p.trainOutput, p.trainTasks = str(tmp_path / "m.csv"), str(out), "acl, meniscus"
    start = with_child(widget, FakeStart(train))
    widget.ui.trainButton.click()
    HandTimer.made[-1].wind()
    assert errors == []
    assert start.given("--tasks") == "acl,meniscus"
    assert (p.bundleSource, p.bundleFolder) == (BundleSource.FOLDER, str(out / "bundle"))
    chart = simulated.mrmlScene.GetFirstNodeByClass("vtkMRMLPlotChartNode")
    assert chart.GetNumberOfPlotSeriesNodes() == 2
    assert widget.ui.trainButton.text == "Train"
