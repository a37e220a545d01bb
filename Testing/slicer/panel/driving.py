"""Drive the simulated panel: a child for it to start, a run to its end, a picture."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from Testing.slicer.fake_child import FakeStart, HandTimer, write_bundle
from Testing.slicer.synthetic_result import make_result


def result_writer(words: list[str]) -> None:
    make_result(Path(words[words.index("-o") + 1]))


def with_child(widget: Any, start: FakeStart) -> FakeStart:
    """Let the panel start this child."""
    from RadiomicFingerprintLib.logic import RadiomicFingerprintLogic

    HandTimer.made.clear()
    widget.logic = RadiomicFingerprintLogic(start, HandTimer)
    return start


def ready(widget: Any, exam: Any, bundle: Path) -> Any:
    """Set the panel up for a fingerprint that can run."""
    from RadiomicFingerprintLib.choices import BundleSource

    p = widget.parameters
    p.sagittal, p.coronal, p.axial = exam["sagittal"], exam["coronal"], exam["axial"]
    p.bundleFolder, p.bundleSource = str(write_bundle(bundle)), BundleSource.FOLDER
    return p


def applied(widget: Any, exam: Any, folder: Path) -> Any:
    """Run a fingerprint to its end."""
    p = ready(widget, exam, folder / "bundle")
    with_child(widget, FakeStart(result_writer))
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    return p


def pictured(widget: Any, name: str, tmp_path: Path, height: int, width: int = 440) -> Any:
    """A picture of the panel; kept in the folder that DEEPRADIOMICS_PICTURES names."""
    import qt

    widget.parent.resize(width, height)
    widget.parent.show()
    for _ in range(3):  # labels that wrap settle their height
        qt.QApplication.instance().processEvents()
    picture = widget.parent.grab()
    assert picture.deviceIndependentSize().width() <= width, "the panel cannot be made so narrow"
    picture.save(str(Path(os.environ.get("DEEPRADIOMICS_PICTURES") or tmp_path) / f"{name}.png"))
    return picture


def plain(item: Any) -> str:
    """The text of a list's cell, without the places where a line may end."""
    return str(item.text()).replace("\u200b", "")


def unreadable(table: Any, column: int) -> list[str]:
    """Texts of a column that do not fit into their cells, over as many lines as their rows have room for."""
    from PySide6 import QtCore

    metrics, found = table.fontMetrics(), []
    for row in range(table.rowCount):
        room = QtCore.QRect(0, 0, table.columnWidth(column) - 6, 1000)  # the style keeps 3 pixels at each side
        text = table.item(row, column).text()
        needed = metrics.boundingRect(room, QtCore.Qt.TextFlag.TextWordWrap, text)
        if needed.height() > table.rowHeight(row) or needed.width() > room.width():
            found.append(text)
    return found


def cut_off(widget: Any) -> list[str]:
    """Labels, buttons and combo boxes that are narrower than their text."""
    from PySide6 import QtWidgets

    fields = [each for each in widget.parent.findChildren(QtWidgets.QWidget) if hasattr(each, "name")]
    texts = [each for each in fields if type(each).__name__ in ("QLabel", "QPushButton", "QComboBox")]
    named = [each for each in texts if each.isVisible() and each.name and not each.property("wordWrap")]
    narrow = [each.name for each in named if QtWidgets.QWidget.width(each) < each.minimumSizeHint().width()]
    combos = [each for each in named if type(each).__name__ == "QComboBox"]
    return narrow + [each.name for each in combos if _text_width(each) > QtWidgets.QWidget.width(each)]


def _text_width(combo: Any) -> int:
    """What a combo box's text takes, with its arrow."""
    return int(combo.fontMetrics().horizontalAdvance(combo.currentText)) + 26
