"""Functions that are long or ask for much."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from Testing.house.sources import Source

MANY = 8


def functions(sources: Sequence[Source]) -> list[tuple[int, str]]:
    """(lines, ``file:line name``) of every function and method, longest first."""
    return sorted(
        ((node.end_lineno - node.lineno + 1, place) for node, place in _definitions(sources) if node.end_lineno),
        key=lambda entry: (-entry[0], entry[1]),
    )


def parameters(sources: Sequence[Source], at_least: int = MANY) -> list[tuple[int, str]]:
    """(parameters, ``file:line name``) of functions of so many or more, most first."""
    counted = ((_parameters(node.args), place) for node, place in _definitions(sources))
    return sorted(((n, place) for n, place in counted if n >= at_least), key=lambda entry: (-entry[0], entry[1]))


def _parameters(arguments: ast.arguments) -> int:
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return sum(argument.arg not in ("self", "cls") for argument in listed)


def _definitions(sources: Sequence[Source]) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node, f"{source.path}:{node.lineno} {node.name}"
