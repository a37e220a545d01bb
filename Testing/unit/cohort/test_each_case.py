"""The loop over cases: results in the cohort's order, unusable cases refused or dropped, other errors raised."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from deepradiomics.cohort.each_case import each_case
from deepradiomics.errors import BundleError, Cancelled, InputError
from deepradiomics.files.store import StoreError


@dataclass(frozen=True)
class Row:
    id: str


ROWS = [Row(name) for name in "abcdefg"]


def length(row: Row) -> int:
    """Of the name; b and e cannot be used."""
    if row.id == "b":
        raise InputError("Case b lacks its mask")
    if row.id == "e":
        raise InputError("the mask is empty")
    return ord(row.id)


def test_what_can_be_used_comes_in_the_cohorts_order_and_the_others_with_reasons() -> None:
    messages: list[tuple[float, str]] = []
    work = each_case(ROWS, length, missing="drop", doing="length of", progress=lambda f, m: messages.append((f, m)))
    assert work.ids == ("a", "c", "d", "f", "g")
    assert work.positions == (0, 2, 3, 5, 6)
    assert work.results == tuple(map(ord, work.ids))
    assert work.unusable == (("b", "Case b lacks its mask"), ("e", "Case e: the mask is empty"))
    assert messages[0] == (1 / 7, "length of a (1 of 7)")
    assert messages[-1] == (1.0, "length of g (7 of 7)")


def test_a_refused_cohort_names_its_unusable_cases_after_all_were_tried() -> None:
    tried: list[str] = []
    with pytest.raises(InputError) as caught:
        each_case(ROWS, lambda row: tried.append(row.id) or length(row))
    assert str(caught.value) == (
        "2 of 7 cases cannot be used:\n  Case b lacks its mask\n  Case e: the mask is empty\n"
        "Fix the manifest, or leave such cases out with missing='drop' (--missing drop)."
    )
    assert tried == list("abcdefg")


def test_where_no_case_is_left_dropping_refuses_too_unless_the_caller_decides() -> None:
    with pytest.raises(InputError, match="2 of 2 cases cannot be used"):
        each_case([ROWS[1], ROWS[4]], length, missing="drop")
    assert each_case([ROWS[1], ROWS[4]], length, missing=None).results == ()


def test_of_many_unusable_cases_five_are_named() -> None:
    rows = [Row(f"b{number}") for number in range(8)]

    def refuse(row: Row) -> int:
        raise InputError("no")

    with pytest.raises(InputError, match=r"8 of 8 cases cannot be used:\n(.*\n){5}  … and 3 more\nFix"):
        each_case(rows, refuse)


@pytest.mark.parametrize("error", [BundleError, StoreError, Cancelled, ZeroDivisionError])
def test_what_is_no_fault_of_a_case_ends_the_loop(error: type[Exception]) -> None:
    def fail(row: Row) -> int:
        raise error("stop")

    with pytest.raises(error, match="stop") as caught:
        each_case(ROWS, fail, missing="drop")
    notes = getattr(caught.value, "__notes__", [])
    assert notes == (["This happened in case a."] if error is ZeroDivisionError else [])


def test_another_word_for_missing_is_refused() -> None:
    with pytest.raises(InputError, match="missing: expected 'refuse' or 'drop', got 'keep'"):
        each_case(ROWS, length, missing="keep")  # type: ignore[arg-type]


def test_several_processes_give_the_same() -> None:
    pytest.importorskip("distributed")
    alone, together = each_case(ROWS, length, missing="drop"), each_case(ROWS, length, missing="drop", workers=2)
    assert (alone.ids, alone.results, alone.unusable) == (together.ids, together.results, together.unusable)
