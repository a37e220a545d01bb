"""Labelled tables given to the lens: rows by their index, columns by their names, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.modelling.labelled import align_rows, check_numbers, column_names, in_columns


@dataclass(frozen=True, eq=False)
class Aligned:
    """The arguments of a fit as arrays whose rows are one order of cases, with notes on what was put in order."""

    pre: Any
    ft: Any
    targets: Any
    split: Sequence[str] | None
    groups: Sequence[Any] | None
    ids: Sequence[str] | None
    feature_names: Sequence[Any] | None
    notes: tuple[str, ...]


def aligned(
    X_pre: Any, X_ft: Any, R: Any, split: Any, groups: Any, ids: Sequence[Any] | None, feature_names: Any
) -> Aligned:
    """Bring labelled tables into one order of rows and of embedding columns.

    Raises:
        InputError: rows or columns that do not belong together, or a column of texts; the message names them.
    """
    tables = {"X_pre": X_pre, "X_ft": X_ft, "R": R, "split": split, "groups": groups}
    arrays, names, notes = align_rows(tables, ids)
    for name in ("X_pre", "X_ft", "R"):
        check_numbers(tables[name], arrays[name], name)
    before, after = column_names(X_pre), column_names(X_ft)
    ft = arrays["X_ft"]
    if before is not None and after is not None and before != after:
        if not set(before) & set(after):
            notes.append("X_ft: its columns have other names than those of X_pre; they were taken by position.")
        elif set(before) == set(after):
            ft = in_columns(ft, after, before, "X_ft")
            notes.append("X_ft: its columns were in another order than those of X_pre; they were put in order.")
        else:
            lacking = [name for name in before if name not in set(after)] or [n for n in after if n not in set(before)]
            raise InputError(
                f"X_ft: some of its columns are those of X_pre and some are not (the first: {lacking[0]!r}). "
                "Give the same columns of both, or arrays (to_numpy())."
            )
    names_of_targets = column_names(R) if feature_names is None else feature_names
    return Aligned(
        arrays["X_pre"], ft, arrays["R"], arrays["split"], arrays["groups"], names, names_of_targets, tuple(notes)
    )
