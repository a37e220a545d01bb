"""Lists and combo boxes whose content comes and goes: what is chosen lives in the parameter node, they only show it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import qt


class Following:
    """True inside its `with` block: the panel sets a control, so that the control's signal is no choice of the user."""

    def __init__(self) -> None:
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *error: object) -> None:
        self._depth -= 1

    def __bool__(self) -> bool:
        return self._depth > 0


class ComboList:
    """A combo box of entries that come and go.

    Parameters
    ----------
    combo
        The combo box.
    changed
        Called with the key of the entry that the user chose.
    """

    def __init__(self, combo: Any, changed: Callable[[Any], None]) -> None:
        self._combo, self._changed = combo, changed
        self._entries: list[tuple[Any, str]] = []
        self._following = Following()
        combo.connect("currentIndexChanged(int)", self.onChosen)

    @property
    def keys(self) -> list[Any]:
        """What can be chosen, in order."""
        return [key for key, _text in self._entries]

    def show(self, entries: Sequence[tuple[Any, str]], key: Any) -> None:
        """Show entries (key, text) with this one chosen; none where it is not among them."""
        with self._following:
            if list(entries) != self._entries:
                self._entries = list(entries)
                self._combo.clear()
                for _key, text in self._entries:
                    self._combo.addItem(text)
            self._combo.currentIndex = self.keys.index(key) if key in self.keys else -1

    def onChosen(self, index: int) -> None:
        """The user chose an entry."""
        if not self._following and 0 <= index < len(self._entries):
            self._changed(self.keys[index])


class TickList:
    """A list widget with a box before each entry.

    Parameters
    ----------
    widget
        The list.
    changed
        Called with the ticked keys when the user ticks or unticks one.
    """

    def __init__(self, widget: Any, changed: Callable[[list[Any]], None]) -> None:
        self._widget, self._changed = widget, changed
        self._items: list[Any] = []  # PythonQt lets go of an item that nobody else holds
        self._entries: list[tuple[Any, str, str]] = []
        self._following = Following()
        widget.connect("itemChanged(QListWidgetItem*)", self.onTicked)

    @property
    def keys(self) -> list[Any]:
        """What is listed, in order."""
        return [key for key, _text, _tip in self._entries]

    @property
    def items(self) -> list[Any]:
        """The entries of the list, in the order of `keys`."""
        return self._items

    def show(self, entries: Sequence[tuple[Any, str, str]], ticked: Collection[Any]) -> bool:
        """Show entries (key, text, tooltip) with these ticked; returns whether the entries are others than before."""
        with self._following:
            changed = list(entries) != self._entries
            if changed:
                self._fill(entries)
            for key, item in zip(self.keys, self._items, strict=True):
                state = qt.Qt.Checked if key in ticked else qt.Qt.Unchecked
                if item.checkState() != state:
                    item.setCheckState(state)
            return changed

    def _fill(self, entries: Sequence[tuple[Any, str, str]]) -> None:
        self._widget.clear()
        self._items, self._entries = [], list(entries)
        for _key, text, tip in entries:
            item = qt.QListWidgetItem(text)
            item.setToolTip(tip or text)
            item.setCheckState(qt.Qt.Unchecked)
            self._widget.addItem(item)
            self._items.append(item)

    def onTicked(self, item: Any) -> None:
        """The user ticked or unticked an entry."""
        if not self._following:
            pairs = zip(self.keys, self._items, strict=True)
            self._changed([key for key, item in pairs if item.checkState() == qt.Qt.Checked])


def fill_list(widget: Any, headers: Sequence[str], rows: Sequence[Sequence[str]], tips: Sequence[str]) -> list[Any]:
    """Replace the content of a list; returns its items, which must be kept (PythonQt lets go of them otherwise)."""
    items = []
    widget.clear()
    widget.setColumnCount(len(headers))
    widget.setRowCount(len(rows))
    widget.setHorizontalHeaderLabels(list(headers))
    for row, (texts, tip) in enumerate(zip(rows, tips, strict=True)):
        for column, text in enumerate(texts):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(tip or text)
            items.append(item)
            widget.setItem(row, column, item)
    return items


def fit_columns(widget: Any, count: int, stretched: int) -> None:
    """Make all columns as wide as their texts, and let one take the room that is left."""
    header = widget.horizontalHeader()
    for column in range(count):
        stretch = column == stretched
        header.setSectionResizeMode(column, qt.QHeaderView.Stretch if stretch else qt.QHeaderView.ResizeToContents)


def show_text(label: Any, text: str) -> None:
    """Show a text in a label; hide the label where there is none."""
    label.text = text
    label.visible = bool(text)


def show_rows(ui: Any, **visible: bool) -> None:
    """Show the containers of the rows that matter for what is chosen; hide the others, which leave no gaps."""
    for name, shown in visible.items():
        getattr(ui, name).visible = shown
