"""The features' panel, simulated: series of the DICOM database as a batch. Not in Slicer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import generate_uid

from Testing.slicer.panel.driving import cut_off, pictured
from Testing.slicer.runs.dicom_database import FakeDatabase, write_ct, write_rtstruct


@pytest.fixture
def database(widget: Any, simulated: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDatabase:
    """Slicer's database with a CT and an RTSTRUCT of two regions."""
    _, source = write_ct(tmp_path / "database", "Ada", generate_uid())
    write_rtstruct(tmp_path / "database", source, {"core": (slice(2, 5), slice(4, 10), slice(4, 12))})
    database = FakeDatabase(tmp_path / "database")
    monkeypatch.setattr(simulated, "dicomDatabase", database, raising=False)
    return database


def test_series_are_ticked_and_remembered_by_their_uids(widget: Any, database: FakeDatabase, tmp_path: Path) -> None:
    import qt
    from RadiomicFeaturesLib.choices import BatchSource

    p, shown, button = widget.parameters, widget.ui.batchPairsList, widget.ui.batchButton
    p.batchOutput, p.batchSource = str(tmp_path / "out"), BatchSource.DICOM
    assert "Tick at least one series" in button.toolTip
    assert not button.enabled
    (title,) = [shown.item(row).text() for row in range(shown.count)]
    assert title.startswith("CT ")
    assert "Nobody Ada, 2: CT of a test, RTSTRUCT 9: RTSTRUCT of a test" in title
    shown.item(0).setCheckState(qt.Qt.Checked)
    assert len(p.batchSeries) == 1
    assert button.enabled
    widget.ui.batchSection.collapsed = False
    pictured(widget, "features-dicom", tmp_path, 1250, width=520)
    assert cut_off(widget) == []


def test_what_was_imported_meanwhile_is_offered_when_the_module_is_opened_again(
    widget: Any, database: FakeDatabase, tmp_path: Path
) -> None:
    from RadiomicFeaturesLib.choices import BatchSource

    widget.parameters.batchSource = BatchSource.DICOM
    _, source = write_ct(database.folder, "Ben", generate_uid(), 4)
    write_rtstruct(database.folder, source, {"rim": (slice(2, 5), slice(4, 10), slice(4, 12))})
    assert widget.ui.batchPairsList.count == 1
    widget.exit()
    widget.enter()
    assert widget.ui.batchPairsList.count == 2


def test_a_closed_database_offers_nothing_and_disturbs_nobody(
    widget: Any, database: FakeDatabase, errors: list[str]
) -> None:
    from RadiomicFeaturesLib.choices import BatchSource

    database.isOpen = False
    widget.parameters.batchSource = BatchSource.DICOM
    assert widget.ui.batchPairsList.count == 0
    assert errors == []


def test_a_series_that_has_left_the_database_ends_the_start_with_words(
    widget: Any, database: FakeDatabase, errors: list[str], tmp_path: Path
) -> None:
    from RadiomicFeaturesLib.choices import BatchSource

    p = widget.parameters
    p.batchOutput, p.batchSource, p.batchSeries = str(tmp_path / "out"), BatchSource.DICOM, ["1.2 3.4"]
    widget.ui.batchButton.click()
    assert "no longer in the DICOM database" in " ".join(errors) + widget.ui.logText.toPlainText()
    assert widget.ui.batchButton.text == "Run batch"
