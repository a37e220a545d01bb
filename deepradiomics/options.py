"""Checks that the dataclasses of options share: a choice, a number in a range, the keys of a stored configuration."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from deepradiomics.errors import InputError


def check_choice(name: str, value: object, allowed: Sequence[str]) -> None:
    """Raise InputError unless ``value`` is one of the names allowed."""
    if value not in allowed:
        raise InputError(f"{name}: expected one of {', '.join(allowed)}, got {value!r}.")


def check_number(name: str, value: object, low: float, high: float) -> None:
    """Raise InputError unless ``value`` is a number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{name}: expected a number from {low:g} to {high:g}, got {value!r}.")


def check_whole(name: str, value: object, low: int, high: int) -> None:
    """Raise InputError unless ``value`` is a whole number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name}: expected a whole number from {low} to {high}, got {value!r}.")


def check_keys(what: str, given: Mapping[str, Any], names: Sequence[str]) -> None:
    """Raise InputError for a key that is none of ``names``, with the nearest one."""
    for key in given:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(names)}."
            raise InputError(f"{what}: the setting {key!r} is unknown. {hint}")


def group_of(stored: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The settings of one group of a stored configuration; empty where there is none.

    Raises:
        InputError: the entry is no object.
    """
    group = stored.get(name, {})
    if not isinstance(group, Mapping):
        raise InputError(f"{name}: expected an object with settings, got {group!r}.")
    return dict(group)


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON form of options: lists for tuples."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
