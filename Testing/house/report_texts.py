"""The words of every report, one sentence or table row a line, to compare two states of the code with ``diff``.

    python -m Testing.house.report_texts before          (at one commit)
    python -m Testing.house.report_texts after           (at another)
    diff -ru before after

Tags, styles and pictures are left out (a picture's alternative text stays), and so is what differs between two runs:
dates, versions, folders. ``summaries`` gives length and SHA-256 of each page and of the numbers in its tables.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

from Testing.house.report_pages import pages

BLOCKS = (
    "article", "aside", "blockquote", "body", "br", "caption", "dd", "details", "div", "dl", "dt", "figcaption",
    "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "li", "main", "nav", "ol",
    "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "title", "tr", "ul",
)  # fmt: skip
_VERSIONED = "deepradiomics|numpy|scipy|SimpleITK|scikit-learn|torch|matplotlib|Python|version"
_VOLATILE = (
    (r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+", "PICTURE"),
    (r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?", "DATE"),
    (rf"(\b(?:{_VERSIONED}) )\d+(?:\.\w+)+", r"\1VERSION"),
)
_NUMBER = re.compile(r"[-−+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


class _Words(HTMLParser):
    """Collects the text (a line for each block, bars between cells, pictures by their words) and the tables' cells."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.cells: list[str] = []
        self._hidden = False
        self._in_cell = False
        self._counted = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden = self._hidden or tag in ("style", "script")
        if tag in BLOCKS:
            self.text.append(" " if tag == "br" and self._in_cell else "\n")
        elif tag in ("td", "th"):
            self._in_cell = True
            self.cells += [""] if tag == "td" else []
            self._counted = tag == "td"
            self.text.append(" | ")
        elif tag == "img":
            self.text.append(f"\n[picture: {dict(attrs).get('alt', '')}]\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = self._hidden and tag not in ("style", "script")
        self._in_cell = self._in_cell and tag not in ("td", "th")
        if tag in BLOCKS and not self._in_cell:
            self.text.append("\n")

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        self.text.append(data.replace("\n", " "))
        if self._in_cell and self._counted:
            self.cells[-1] += data


def normalised(page: str, folder: Path | str = "") -> str:
    """The page with dates, versions, pictures and the path ``folder`` replaced by fixed words."""
    if folder:
        page = page.replace(str(folder), "FOLDER")
    for pattern, word in _VOLATILE:
        page = re.sub(pattern, word, page)
    return page


def plain_text(page: str) -> str:
    """The page's words: a line for each sentence, list item, heading or table row; Markdown is kept as it is."""
    if "<" not in page.partition("\n")[0]:
        return page
    reader = _Words()
    reader.feed(page)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.text).split("\n"))
    sentences = (sentence for line in lines for sentence in _sentences(line))
    return "\n".join(sentence for sentence in sentences if sentence) + "\n"


def table_numbers(page: str, *, intervals: bool = True) -> list[str]:
    """The numbers in the cells (not the headings) of all tables of a page, in order: rewording changes none of them.

    Without ``intervals`` those in square brackets are left out.
    """
    if "<" not in page.partition("\n")[0]:
        cells = [page]
    else:
        reader = _Words()
        reader.feed(page)
        reader.close()
        cells = reader.cells
    cells = cells if intervals else [re.sub(r"\[[^]]*\]", "", cell) for cell in cells]
    return [number for cell in cells for number in _NUMBER.findall(cell)]


def summaries(texts: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """For each normalised page: length and SHA-256 of the page, of its plain text and of its tables' numbers.

    The tables of experiments are taken without intervals: those of single AUCs moved to the logit scale by intent.
    """
    numbers = {
        name: table_numbers(page, intervals=not name.startswith("ich-experiment")) for name, page in texts.items()
    }
    return {
        name: {
            "page": [len(page), _sha256(page)],
            "text": [len(plain_text(page)), _sha256(plain_text(page))],
            "table_numbers": [len(numbers[name]), _sha256(" ".join(numbers[name]))],
        }
        for name, page in sorted(texts.items())
    }


def normalised_pages() -> dict[str, str]:
    """Every report of the invented results, normalised."""
    with tempfile.TemporaryDirectory() as folder:
        return {name: normalised(page, folder) for name, page in pages(Path(folder)).items()}


def main(arguments: list[str] | None = None) -> None:
    """Write ``OUT/<report>.txt`` and ``OUT/<report>.html`` (normalised) for every report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder to write into; made where it does not exist")
    parser.add_argument("--summary", type=Path, help="JSON of lengths and SHA-256 to write; must not exist yet")
    options = parser.parse_args(arguments)
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    written = normalised_pages()
    if options.summary is not None:
        with open(options.summary, "x", encoding="utf-8") as stream:
            stream.write(json.dumps(summaries(written), indent=1) + "\n")
    for name, page in sorted(written.items()):
        (out / f"{name}.txt").write_text(plain_text(page), encoding="utf-8")
        (out / f"{name}.html").write_text(page, encoding="utf-8")
        sys.stdout.write(f"{name}: {len(plain_text(page).splitlines())} lines\n")


def _sentences(line: str) -> list[str]:
    return re.split(r"(?<=[.!?]) (?=[A-Z0-9(])", line)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    main()
