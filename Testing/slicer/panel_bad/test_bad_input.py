"""Every bad input on every kind of run of the simulated panels: a sentence, and nothing left of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from Testing.slicer.panel.simulated import MODULES
from Testing.slicer.panel_bad.desks import DESKS, Desk
from Testing.slicer.panel_bad.rows import ROWS, Row
from Testing.slicer.panel_bad.trial import Trial

CELLS = [(row, desk) for desk in DESKS for row in ROWS if all(desk.has(each) for each in row.needs)]


@pytest.mark.parametrize(("row", "desk"), CELLS, ids=[f"{desk.name}: {row.sentence}" for row, desk in CELLS])
def test_bad_input_is_told_and_leaves_nothing(row: Row, desk: Desk, make_trial: Callable[[Desk], Trial]) -> None:
    trial = make_trial(desk)
    row.function(trial)
    trial.host.sound = True


def test_every_panel_and_both_shared_tools_are_in_the_table() -> None:
    assert {desk.module for desk in DESKS} == set(MODULES)
    assert {"segmentButton", "registerButton"} <= {desk.button for desk in DESKS}
    assert {row.sentence for row, _desk in CELLS} == {row.sentence for row in ROWS}
