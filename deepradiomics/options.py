"""Options declared once: a frozen dataclass whose types say what each value is, with range, unit and help beside it.

    @dataclass(frozen=True)
    class Schedule(Options):
        epochs: Annotated[int, Option("the most epochs", 1, 100_000)] = 100

From such a declaration come the check of every value, the JSON form and its file, the presets, the Args of the
docstring, the options of the command line (:mod:`deepradiomics.cli.groups`) and the command that a panel starts
(:func:`command_words`).
"""

from __future__ import annotations

import difflib
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from math import inf
from numbers import Integral, Real
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Literal, Self, Union, get_args, get_origin, get_type_hints

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_settings, write_json
from deepradiomics.words import short_repr

_NUMBER_WORDS = {2: "two", 3: "three"}


@dataclass(frozen=True)
class Option:
    """What is declared of an option beside its type and its default.

    Args:
        help: what it is; the text of docstring, command line and panel.
        low, high: the smallest and the largest number, of a list for each of its numbers.
        above: numbers must be larger than this one.
        or_zero: 0 is allowed although it is below ``low``.
        unit: of a number.
        axes: what the numbers of a list of fixed length are, such as ``(z, y, x)``.
        names: those that a list of names may hold; any where there are none.
        empty: whether a text may be empty.
    """

    help: str
    low: float = -inf
    high: float = inf
    above: float = -inf
    or_zero: bool = False
    unit: str = ""
    axes: str = ""
    names: tuple[str, ...] = ()
    empty: bool = False

    def allows(self, number: float) -> bool:
        """Whether a number lies in the range."""
        return (self.low <= number <= self.high and number > self.above) or (self.or_zero and number == 0)

    @property
    def range(self) -> str:
        """The range as messages end with it, such as `` from 1 to 1024``; nothing where there is none."""
        if self.above > -inf:
            return f" above {_plain(self.above)}" + (f" and at most {_plain(self.high)}" if self.high < inf else "")
        low = f" from {_plain(self.low)}" if self.low > -inf else ""
        return low + (f" to {_plain(self.high)}" if self.high < inf else "")


@dataclass(frozen=True)
class Declared:
    """One option of a class of options: its name, type, declaration and default; ``optional`` where None is allowed."""

    name: str
    kind: Any
    option: Option
    default: Any = None
    optional: bool = False

    def checked(self, value: Any) -> Any:
        """The value as the dataclass holds it: lists become tuples.

        Raises:
            InputError: the value has the wrong type or is out of range; the message names the option.
        """
        if value is None and self.optional:
            return None
        if get_origin(self.kind) is Literal:
            check_choice(self.name, value, get_args(self.kind))
        elif get_origin(self.kind) is tuple:
            return self._checked_list(value)
        elif self.kind is bool:
            if not isinstance(value, bool):
                raise InputError(f"{self.name}: expected true or false, got {short_repr(value)}.")
        elif self.kind is str:
            if not isinstance(value, str) or not (value or self.option.empty):
                what = "a name or nothing" if self.option.empty else "a name"
                raise InputError(f"{self.name}: expected {what}, got {short_repr(value)}.")
        elif self.kind in (int, float):
            self._check_number(value)
        elif not isinstance(value, self.kind):
            raise InputError(f"{self.name}: expected a {self.kind.__name__}, got {short_repr(value)}.")
        return value

    def _check_number(self, value: Any) -> None:
        number = not isinstance(value, bool) and isinstance(value, Integral if self.kind is int else Real)
        if not number or not self.option.allows(value):
            what = "a whole number" if self.kind is int else "a number"
            zero = "0 or " if self.option.or_zero else ""
            raise InputError(f"{self.name}: expected {zero}{what}{self.option.range}, got {short_repr(value)}.")

    def _checked_list(self, value: Any) -> tuple[Any, ...]:
        entry, *others = get_args(self.kind)
        if get_origin(entry) is tuple:  # pairs, which their class checks
            return tuple(tuple(pair) for pair in value)
        if entry is str:
            check_names(self.name, value, self.option.names)
            return tuple(value)
        length = None if others == [...] else 1 + len(others)
        count = "" if length is None else f"{_NUMBER_WORDS[length]} "
        axes = f" {self.option.axes}" if self.option.axes else ""
        what = f"{count}{'whole ' if entry is int else ''}numbers{axes}{self.option.range}"
        wrong = InputError(f"{self.name}: expected {what}, got {short_repr(value)}.")
        try:
            numbers = tuple(entry(number) for number in value)
        except (TypeError, ValueError, OverflowError) as error:
            raise wrong from error
        if (length is not None and len(numbers) != length) or numbers != tuple(value):
            raise wrong
        if not all(self.option.allows(number) for number in numbers):
            raise wrong
        return numbers


_DECLARED: dict[Any, Mapping[str, Declared]] = {}


def declared(kind: type[Options]) -> Mapping[str, Declared]:
    """The options of a class by name, in their order; worked out once."""
    if kind not in _DECLARED:
        hints = get_type_hints(kind, include_extras=True)
        _DECLARED[kind] = {field.name: _declared(field, hints[field.name]) for field in fields(kind)}
    return _DECLARED[kind]


def _declared(field: Any, hint: Any) -> Declared:
    option = next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Option)), Option(""))
    kind = getattr(hint, "__origin__", hint) if hasattr(hint, "__metadata__") else hint
    optional = get_origin(kind) in (Union, UnionType)
    if optional:
        kind = next(part for part in get_args(kind) if part is not type(None))
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return Declared(field.name, kind, option, default, optional)


@dataclass(frozen=True)
class Options:
    """A group of options: every value is checked when it is made, and it has a JSON form with a file.

    ``PRESETS`` of a subclass says by name what a preset has instead of the defaults, in the JSON form;
    ``_check_together`` refuses values that do not fit each other.
    """

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    TITLE: ClassVar[str] = "configuration"

    def __init_subclass__(cls) -> None:
        hints = get_type_hints(cls, include_extras=True)
        lines = [
            textwrap.fill(f"{name}: {_described(option)}", 116, initial_indent="    ", subsequent_indent="        ")
            for name, hint in hints.items()
            for option in getattr(hint, "__metadata__", ())
            if isinstance(option, Option)
        ]
        cls.__doc__ = "\n".join((inspect.cleandoc(cls.__doc__ or ""), "", "Args:", *lines))

    def __post_init__(self) -> None:
        for name, option in declared(type(self)).items():
            object.__setattr__(self, name, option.checked(getattr(self, name)))
        self._check_together()

    def _check_together(self) -> None:
        """Raise InputError where values do not fit each other."""

    @classmethod
    def of_preset(cls, preset: str = "paper") -> Self:
        """The options of a preset.

        Raises:
            InputError: the preset is unknown.
        """
        check_choice("preset", preset, tuple(cls.PRESETS))
        return cls().updated({**cls.PRESETS[preset], "preset": preset})

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with lists for tuples."""
        return {name: _plain_value(getattr(self, name)) for name in declared(type(self))}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_dict`; what is left out comes from the preset named by ``preset`` (default ``paper``).

        Raises:
            InputError: an unknown key, with the nearest known one, or a value out of range.
        """
        check_keys(cls.TITLE, stored, list(declared(cls)))
        return (cls.of_preset(stored.get("preset", "paper")) if cls.PRESETS else cls()).updated(stored)

    def updated(self, changes: Mapping[str, Any]) -> Self:
        """The same options with some changed, in the JSON form: a group's entry changes some options of the group.

        Raises:
            InputError: as :meth:`from_dict`; ``training.epochs: …`` where an option of a group is meant.
        """
        check_keys(self.TITLE, changes, list(declared(type(self))))
        return replace(self, **{name: _updated(getattr(self, name), name, changes) for name in changes})

    def write(self, path: str | Path) -> None:
        """Write as JSON."""
        write_json(path, self.to_dict())

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read JSON written by :meth:`write` or by hand.

        Raises:
            InputError: the file is missing, is not JSON, or says something unknown; the message names the file.
        """
        return read_settings(path, f"settings such as {', '.join(list(declared(cls))[:3])}", cls.from_dict)


def _updated(value: Any, name: str, changes: Mapping[str, Any]) -> Any:
    """The new value of an option; of a group, the group with what is changed of it."""
    if not isinstance(value, Options) or isinstance(changes[name], Options):
        return changes[name]
    settings = group_of(changes, name)
    check_keys(name, settings, list(declared(type(value))))
    try:
        return value.updated(settings)
    except InputError as error:
        raise InputError(f"{name}.{error}") from error


def _described(option: Option) -> str:
    unit = f" [{option.unit}]" if option.unit else ""
    return f"{option.help}{unit}."


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) and abs(number) < 1e7 else f"{number:g}"


def _plain_value(value: Any) -> Any:
    if isinstance(value, Options):
        return value.to_dict()
    return [_plain_value(entry) for entry in value] if isinstance(value, tuple) else value


def check_options(kind: type[Options], values: Mapping[str, Any]) -> None:
    """Check single values by the declarations of a class; names that it does not declare are left alone.

    Raises:
        InputError: a value has the wrong type or is out of range.
    """
    for name, option in declared(kind).items():
        if name in values:
            option.checked(values[name])


def command_words(**options: Any) -> list[str]:
    """Options as words of a command line, in their order; None, False and what is empty are left out.

    >>> command_words(preset="tiny", fit_on=None, sweep=True, modalities=("t2", "adc"), resume=False)
    ['--preset', 'tiny', '--sweep', '--modalities', 't2,adc']
    """
    words: list[str] = []
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif isinstance(value, Mapping):
            words += [word for key, entry in value.items() for word in (option, f"{key}={entry}")]
        elif isinstance(value, tuple | list):
            words += [option, ",".join(map(str, value))] if value else []
        elif value is not None and value is not False and str(value).strip():
            words += [option, str(value).strip()]
    return words


def check_choice(name: str, value: object, allowed: Sequence[str]) -> None:
    """Raise InputError unless ``value`` is one of the names allowed; the message tells the nearest of them."""
    if value not in allowed:
        near = difflib.get_close_matches(str(value), allowed, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InputError(f"{name}: expected one of {', '.join(allowed)}, got {short_repr(value)}.{hint}")


def check_names(name: str, value: Any, allowed: Sequence[str] = ()) -> None:
    """Raise InputError unless ``value`` is a list of names, none twice and (where some are) all among those allowed."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InputError(f"{name}: expected a list of names, got {short_repr(value)}.")
    if not all(isinstance(entry, str) and entry for entry in value):
        raise InputError(f"{name}: expected a list of names, got {short_repr(value)}.")
    if len(set(value)) < len(value):
        raise InputError(f"{name}: a name comes twice in {', '.join(value)}.")
    for entry in value:
        if allowed:
            check_choice(name, entry, allowed)


def check_number(name: str, value: object, low: float, high: float) -> None:
    """Raise InputError unless ``value`` is a number from ``low`` to ``high``."""
    Declared(name, float, Option("", low, high)).checked(value)


def check_whole(name: str, value: object, low: int, high: float = inf) -> None:
    """Raise InputError unless ``value`` is a whole number from ``low`` to ``high``."""
    Declared(name, int, Option("", low, high)).checked(value)


def check_keys(what: str, given: Mapping[str, Any], names: Sequence[str]) -> None:
    """Raise InputError for a key that is none of ``names``, with the nearest one."""
    for key in given:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(names)}."
            raise InputError(f"{what}: the setting {short_repr(key)} is unknown. {hint}")


def group_of(stored: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The settings of one group of a stored configuration; empty where there is none.

    Raises:
        InputError: the entry is no object.
    """
    group = stored.get(name, {})
    if not isinstance(group, Mapping):
        raise InputError(f"{name}: expected an object with settings, got {short_repr(group)}.")
    return dict(group)
