"""What the tests of the haemorrhage reports share: reading a page as a reader does, and looking at figures' texts."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any


class Page(HTMLParser):
    """Collects attributes, and fails on tags that are not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes {self.open[-1:]}"
        assert self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()


def words(page: str) -> str:
    """The page's text alone."""
    without_style = re.sub(r"<style>.*?</style>", " ", page, flags=re.S)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", without_style)))


def check_page(page: str) -> None:
    """It is well formed, holds its pictures inside, each with words, and loads and runs nothing."""
    read = Page(page)
    assert read.open == []
    sources = [value for _, name, value in read.attributes if name in ("src", "href", "srcset", "data", "action")]
    assert all(source.startswith("data:image/png;base64,iVBORw0KGgo") for source in sources)
    assert "<script" not in page
    assert "url(" not in page
    assert "@import" not in page
    assert "http" not in words(page)
    alternatives = [value for tag, name, value in read.attributes if (tag, name) == ("img", "alt")]
    assert len(alternatives) == len(sources)
    assert all(alternatives)
    assert not re.search(r">\s*(nan|None|inf)\s*[<[]", page)
    assert "nan" not in words(page).split()
    assert "$" not in words(page)  # no place of the template was left


def texts(figure: Any) -> list[str]:
    """Every text drawn in a figure, after checking that none is cut off."""
    from matplotlib.text import Text

    figure.canvas.draw()
    hidden = {label for ax in figure.axes for label in _beyond(ax)}
    found = []
    for text in figure.findobj(Text):
        if not text.get_visible() or not text.get_text().strip() or text in hidden:
            continue
        box = text.get_window_extent()
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1
        assert inside, f"{text.get_text()!r} is cut"
        found.append(text.get_text())
    return found


def _beyond(ax: Any) -> list[Any]:
    """Labels of ticks outside the axes' limits, or of axes that are off: matplotlib keeps and does not draw them."""
    pairs = ((ax.xaxis, sorted(ax.get_xlim())), (ax.yaxis, sorted(ax.get_ylim())))
    return [
        label
        for axis, (low, high) in pairs
        for tick in axis.get_major_ticks()
        if not ax.axison or not low <= tick.get_loc() <= high
        for label in (tick.label1, tick.label2)
    ]
