"""Lists in which the user ticks entries: their ticks live in the parameter node, the list only shows them."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import qt


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
        self._following = False
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
        self._following = True
        try:
            new = list(entries) != self._entries
            if new:
                self._fill(entries)
            for (key, _text, _tip), item in zip(self._entries, self._items, strict=True):
                state = qt.Qt.Checked if key in ticked else qt.Qt.Unchecked
                if item.checkState() != state:
                    item.setCheckState(state)
            return new
        finally:
            self._following = False

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
