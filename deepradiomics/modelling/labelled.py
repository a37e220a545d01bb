"""Tables with names on their rows and columns (pandas data frames and series): aligned by them, or refused.

A labelled table is one that has an ``index`` of row names and ``to_numpy()``; pandas itself is never imported. Rows of
the same names in another order are put in order, with a note; other names, or a name that is there twice, are refused,
for a row beside another patient's row is a wrong result that nobody sees. Arrays are taken by position.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError


def row_names(table: Any) -> list[str] | None:
    """Names of a labelled table's rows as texts; None for an array.

    >>> row_names([[1.0], [2.0]]) is None
    True
    """
    index = getattr(table, "index", None)
    if index is None or callable(index) or not hasattr(table, "to_numpy"):
        return None
    return [str(name) for name in index]


def column_names(table: Any) -> list[Any] | None:
    """Names of a labelled table's columns (pairs where it has two levels of them), or of a series; None for an array.

    Columns that are merely numbered 0, 1, … have no names.
    """
    columns = getattr(table, "columns", None)
    if columns is None or callable(columns) or not hasattr(table, "to_numpy"):
        name = getattr(table, "name", None) if row_names(table) is not None else None
        return None if name is None else [str(name)]
    names = list(columns)
    if names == list(range(len(names))):
        return None
    return [name if isinstance(name, tuple) and len(name) == 2 else str(name) for name in names]


def align_rows(
    tables: Mapping[str, Any], ids: Sequence[Any] | None = None
) -> tuple[dict[str, Any], list[str] | None, list[str]]:
    """Rows of all tables in one order.

    Args:
        tables: arrays or labelled tables by argument's name; None is passed on. The order is that of ``ids``, else that
            of the first one where it is labelled.
        ids: names of the rows, which arrays have in this order too.

    Returns:
        the tables as arrays, the names of the rows where something gave any, and notes on what was put in order.

    Raises:
        InputError: a name is there twice, two tables have other names, or arrays stand beside labelled tables whose
            order is not the same, so that nobody can say which row is whose.
    """
    labels = {name: index for name, table in tables.items() if (index := row_names(table)) is not None}
    arrays = {name: plain(table) for name, table in tables.items()}
    if not labels:
        return arrays, None if ids is None else [str(name) for name in ids], []
    for name, index in labels.items():
        if twice := [label for label, count in Counter(index).items() if count > 1]:
            raise InputError(
                f"{name}: the row name {twice[0]!r} is more than once in its index, so rows cannot be "
                "told apart. Keep one row per case, or give each scan a name of its own."
            )
    first = next(iter(tables))
    order, owner = ([str(name) for name in ids], "ids") if ids is not None else _order(first, tables, labels)
    notes = []
    for name, index in labels.items():
        if index == order:
            continue
        if sorted(index) == sorted(order):
            place = {label: row for row, label in enumerate(index)}
            arrays[name] = arrays[name][[place[label] for label in order]]
            notes.append(f"{name}: its rows were in another order than {owner}; they were aligned by their index.")
        elif not (owner == "ids" and _numbered(index) and len(index) == len(order)):
            raise InputError(_differ(name, index, owner, order))
    return arrays, order, notes


def plain(table: Any) -> Any:
    """The numbers of a labelled table; anything else as it is."""
    labelled = row_names(table) is not None or column_names(table) is not None
    return np.asarray(table.to_numpy()) if labelled else table


def in_columns(values: Any, own: Sequence[Any] | None, wanted: Sequence[Any] | None, what: str) -> Any:
    """Values (n, columns) with the columns in the order of ``wanted``; as they are where either has no names.

    Raises:
        InputError: the columns are others, or one is there twice.
    """
    if own is None or wanted is None or list(own) == list(wanted) or getattr(values, "ndim", 0) != 2:
        return values
    if len(set(own)) < len(own):
        twice = next(name for name, count in Counter(own).items() if count > 1)
        raise InputError(f"{what}: the column {twice!r} is there twice; keep one.")
    if lacking := [name for name in wanted if name not in own]:
        raise InputError(f"{what}: it lacks the column {lacking[0]!r} of the fit ({len(lacking)} in all).")
    if strange := [name for name in own if name not in wanted]:
        raise InputError(f"{what}: the column {strange[0]!r} was not there at the fit; leave it out.")
    return values[:, [list(own).index(name) for name in wanted]]


def check_numbers(table: Any, values: NDArray[Any], what: str) -> None:
    """Refuse a labelled table with a column of texts, by its name."""
    names = column_names(table)
    if names is None or values.dtype != object or values.ndim != 2:
        return
    for name, cells in zip(names, values.T, strict=True):
        try:
            cells.astype(np.float64)
        except (TypeError, ValueError):
            raise InputError(
                f"{what}: the column {name!r} holds no numbers. Leave it out, or make it the index where it names the "
                "rows (set_index)."
            ) from None


def _order(first: str, tables: Mapping[str, Any], labels: Mapping[str, list[str]]) -> tuple[list[str], str]:
    """The order of rows where no ids are given, and which table has it."""
    if first in labels:
        return labels[first], first
    owner, order = next(iter(labels.items()))
    for name, index in labels.items():
        if index != order:
            raise InputError(
                f"{first} is an array without names of its rows, while {owner} and {name} are in different orders. Say "
                f"whose rows those of {first} are: give ids, or a data frame."
            )
    return order, owner


def _numbered(index: Sequence[str]) -> bool:
    """Whether rows are merely numbered 0, 1, …, as pandas does where nobody names them."""
    return list(index) == [str(number) for number in range(len(index))]


def _differ(name: str, index: Sequence[str], owner: str, order: Sequence[str]) -> str:
    lacking = [label for label in order if label not in set(index)]
    strange = [label for label in index if label not in set(order)]
    what = f"{lacking[0]!r} of {owner} is not in it" if lacking else f"{strange[0]!r} is not in {owner}"
    if len(lacking) + len(strange) > 1:
        what += f" ({len(lacking)} lack, {len(strange)} are others)"
    hint = "Take the same cases everywhere (for example with .loc)"
    if _numbered(index) or _numbered(order):
        hint = "Name the rows of both by the cases (set_index), or give arrays (to_numpy()) where the order is the same"
    return f"{name}: its index has other rows than {owner}: {what}. {hint}."
