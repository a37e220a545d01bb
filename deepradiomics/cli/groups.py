"""Options of commands in groups: a parameter whose type is a group stands for all options of the group.

    @dataclass(frozen=True)
    class RunOptions:
        seed: Seed = 0
        device: DeviceName = "auto"

    @with_groups
    def fit(manifest: Path, run: RunOptions, lens: Annotated[dict[str, Any], Chosen(LensConfig, "roi", "hidden")]): ...

gives ``fit`` the options ``--seed``, ``--device``, ``--roi`` and ``--hidden``. Inside, ``run`` is a RunOptions, and
``lens`` holds those options of LensConfig that the user gave, by name. Help and range of the latter are those of the
declaration.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from math import inf
from typing import Annotated, Any, Literal, get_origin, get_type_hints

import typer

from deepradiomics.options import Declared, Options, declared

Changes = dict[str, Any]
"""Options that a user gave, by name: what they change in a preset or a file."""


@dataclass(frozen=True)
class Chosen:
    """Some options of a class, as options of a command; those that were given reach it by name."""

    kind: type[Options]
    names: tuple[str, ...]

    def __init__(self, kind: type[Options], *names: str) -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "names", names)

    def given(self, values: Mapping[str, Any]) -> Changes:
        """Those values that were given, lists of names as tuples."""
        options = declared(self.kind)
        return {
            name: comma_list(value) if get_origin(options[name].kind) is tuple else value
            for name, value in values.items()
            if value is not None
        }


def comma_list(text: str | None) -> tuple[str, ...] | None:
    """Split ``"a, b"`` into ``("a", "b")``; None stays None."""
    if text is None:
        return None
    return tuple(part.strip() for part in text.split(",") if part.strip())


def option_of(kind: type[Options], name: str, default: str = "") -> Any:
    """The typer option of a declared option; ``default`` is what help shows where it is not the declared one."""
    return _option(declared(kind)[name], default)


def _option(option: Declared, default: str = "") -> Any:
    rule = option.option
    flag = f"--{option.name.replace('_', '-')}"
    text = f"{rule.help[:1].upper()}{rule.help[1:]}{f' [{rule.unit}]' if rule.unit else ''}."
    if option.kind is bool:
        flag += f"/--no-{flag[2:]}"
    limits: dict[str, Any] = {}
    if option.kind in (int, float) and not rule.or_zero and rule.above == -inf:  # typer knows no other ranges
        limits = {"min": rule.low, "max": rule.high}
    shown = default or ("" if option.default in (None, "", ()) else _shown(option.default))
    return typer.Option(flag, help=text, show_default=shown or False, **limits)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _value_type(option: Declared) -> Any:
    """What typer reads: a choice and a list of names are texts, which their declaration checks."""
    return str if get_origin(option.kind) in (Literal, tuple) else option.kind


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of its groups, in the place of the parameters that take them."""
    hints = get_type_hints(command, include_extras=True)
    signature = inspect.signature(command)
    parts: dict[str, dict[str, inspect.Parameter]] = {}
    for name, parameter in signature.parameters.items():
        members = _members(hints[name])
        parts[name] = members or {name: _parameter(name, hints[name], parameter.default)}

    @functools.wraps(command)
    def run(**values: Any) -> None:
        command(**{name: _value(hints[name], {m: values[m] for m in parts[name]}) for name in parts})

    options = [option for members in parts.values() for option in members.values()]
    run.__signature__ = signature.replace(parameters=options)  # type: ignore[attr-defined]
    run.__annotations__ = {option.name: option.annotation for option in options}
    return run


def _chosen(hint: Any) -> Chosen | None:
    return next((entry for entry in getattr(hint, "__metadata__", ()) if isinstance(entry, Chosen)), None)


def _members(hint: Any) -> dict[str, inspect.Parameter]:
    """The options of a group; nothing for a parameter that is no group."""
    chosen = _chosen(hint)
    if chosen is not None:
        options = declared(chosen.kind)
        return {
            name: _parameter(name, Annotated[_value_type(options[name]) | None, _option(options[name])], None)
            for name in chosen.names
        }
    if not (isinstance(hint, type) and is_dataclass(hint)):
        return {}
    hints = get_type_hints(hint, include_extras=True)
    return {field.name: _parameter(field.name, hints[field.name], field.default) for field in fields(hint)}


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if default is MISSING else default
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _value(hint: Any, values: Mapping[str, Any]) -> Any:
    """What a parameter of the command gets: a group, the options given, or a single value."""
    chosen = _chosen(hint)
    if chosen is not None:
        return chosen.given(values)
    if isinstance(hint, type) and is_dataclass(hint):
        return hint(**values)
    (value,) = values.values()
    return value


__all__ = ["Changes", "Chosen", "comma_list", "option_of", "with_groups"]
