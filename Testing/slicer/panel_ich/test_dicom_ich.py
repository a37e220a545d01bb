"""The haemorrhage's panel, simulated: a patient goes out as DICOM where the CT came from the DICOM database."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from Testing.cli.run_cli import run_cli
from Testing.slicer.fake_child import FakeStart, HandTimer
from Testing.slicer.ich_result import SyntheticIch
from Testing.slicer.instance_database import InstanceDatabase
from Testing.slicer.panel.driving import cut_off, pictured
from Testing.slicer.panel_ich.driving import applied, with_child
from Testing.unit.dicom_out.series import write_volume_as_series

hd = pytest.importorskip("highdicom", reason="highdicom is not installed: nothing writes DICOM")


@pytest.fixture
def stored(simulated: Any, made: SyntheticIch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The head CT as a node that was loaded from the DICOM database."""
    from deepradiomics.images import read_volume
    from deepradiomics.scene.nodes.volumes import node_from_volume

    write_volume_as_series(tmp_path / "ct", np.rint(made.ct.voxels), made.ct.geometry.affine)
    database = InstanceDatabase(tmp_path / "ct")
    monkeypatch.setattr(simulated, "dicomDatabase", database, raising=False)
    node = node_from_volume(read_volume(tmp_path / "ct"), simulated.mrmlScene, "head")
    node.CreateDefaultDisplayNodes()
    node.SetAttribute("DICOM.instanceUIDs", " ".join(database.instances))
    return node


def test_haematoma_ring_and_features_go_out(
    widget: Any, stored: Any, made: SyntheticIch, tmp_path: Path, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import qt

    applied(widget, stored, tmp_path)
    assert errors == [], widget.ui.exportDicomButton.toolTip
    assert widget.ui.exportDicomButton.enabled, widget.ui.exportDicomButton.toolTip
    monkeypatch.setattr(qt.QFileDialog, "getExistingDirectory", staticmethod(lambda *_: str(tmp_path / "out")))

    def child(words: list[str]) -> dict[str, Any]:
        done = run_cli([*words, "--json"])
        assert done.code == 0, done.out + done.err
        return {name: value for name, value in done.result.items() if name != "event"}

    with_child(widget, FakeStart(child))
    widget.ui.exportDicomButton.click()
    HandTimer.made[-1].wind()
    assert errors == []
    [folder] = (tmp_path / "out").iterdir()
    segmentation = hd.seg.segread(folder / "segmentation.dcm")
    assert [segment.SegmentLabel for segment in segmentation.SegmentSequence] == ["haematoma", "ring"]
    sums = [segmentation.get_volume(segment_numbers=[number]).array.sum() for number in (1, 2)]
    assert sums == [(made.labels == 1).sum(), (made.labels == 2).sum()]
    with open(made.folder / "features.csv", encoding="utf-8", newline="") as stream:
        values = sorted(float(row["value"]) for row in csv.DictReader(stream) if row["label"] == "1" and row["value"])
    [group] = hd.sr.srread(folder / "measurements.dcm").content.get_volumetric_roi_measurement_groups()
    assert sorted(part.value for part in group.get_measurements()) == values


def test_a_ct_that_is_not_of_the_database_keeps_the_button_off(widget: Any, ct: Any, tmp_path: Path) -> None:
    assert not widget.ui.exportDicomButton.enabled
    assert "no result" in widget.ui.exportDicomButton.toolTip
    applied(widget, ct, tmp_path)
    assert not widget.ui.exportDicomButton.enabled
    assert "was not loaded from Slicer's DICOM database" in widget.ui.exportDicomButton.toolTip
    pictured(widget, "ich-dicom", tmp_path, 1400, width=440)
    assert cut_off(widget) == []
