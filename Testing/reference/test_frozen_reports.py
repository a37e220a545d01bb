"""Rewritten templates show the numbers of the old ones: every number in every table of every report, in order.

``frozen/house_reports.json`` was written once, at commit 719adca, by
``python -m Testing.house.report_texts OUT --summary Testing/reference/frozen/house_reports.json``; it is not remade.
The words may change; ``Testing.house.report_texts`` writes them for comparing by eye.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from Testing.house.report_texts import normalised, normalised_pages, plain_text, summaries, table_numbers

FROZEN = Path(__file__).with_name("frozen") / "house_reports.json"
PAGE = """<html><head><style>p { top: 3px }</style><title>A</title></head><body>
<p>One sentence. <b>Another</b> of 2026-01-31,
with numpy 2.4.6.</p><img src="data:image/png;base64,iVBO=" alt="a curve">
<table><tr><th>95 % interval</th></tr><tr><td>0.5 [−0.1, 1e-3]</td><td>12 of <em>40</em></td></tr></table>
</body></html>"""


@pytest.mark.slow
def test_the_tables_of_all_reports_show_the_numbers_they_showed() -> None:
    frozen, current = json.loads(FROZEN.read_text(encoding="utf-8")), summaries(normalised_pages())
    assert {name: page["table_numbers"] for name, page in current.items()} == {
        name: page["table_numbers"] for name, page in frozen.items()
    }


def test_a_page_becomes_lines_without_tags_pictures_dates_and_versions() -> None:
    assert plain_text(normalised(PAGE)).splitlines() == [
        "A", "One sentence.", "Another of DATE, with numpy VERSION.", "[picture: a curve]", "| 95 % interval",
        "| 0.5 [−0.1, 1e-3] | 12 of 40",
    ]  # fmt: skip


def test_numbers_are_those_of_cells_but_not_of_headings_or_sentences() -> None:
    assert table_numbers(PAGE) == ["0.5", "−0.1", "1e-3", "12", "40"]
    assert table_numbers(PAGE, intervals=False) == ["0.5", "12", "40"]
    assert table_numbers("| a | 3.5 |\n") == ["3.5"]
