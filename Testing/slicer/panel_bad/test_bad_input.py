"""Every bad input on every kind of run of the simulated panels: a sentence, and nothing left of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from Testing.slicer.panel.simulated import MODULES
from Testing.slicer.panel_bad.desks import DESKS, Desk
from Testing.slicer.panel_bad.rows import ROWS, Row
from Testing.slicer.panel_bad.trial import Host, Trial

CELLS = [(row, desk) for desk in DESKS for row in ROWS if all(desk.has(each) for each in row.needs)]


@pytest.mark.parametrize(
    ("host", "row", "desk"),
    [pytest.param(desk.module, row, desk, id=f"{desk.name}: {row.sentence}") for row, desk in CELLS],
    indirect=["host"],
)
def test_bad_input_is_told_and_leaves_nothing(
    host: Host, row: Row, desk: Desk, make_trial: Callable[[Desk], Trial]
) -> None:
    row.function(make_trial(desk))
    host.sound = True


def test_every_panel_and_both_shared_tools_are_in_the_table() -> None:
    assert {desk.module for desk in DESKS} == set(MODULES)
    assert {"segmentButton", "registerButton"} <= {desk.button for desk in DESKS}
    assert {row.sentence for row, _desk in CELLS} == {row.sentence for row in ROWS}
