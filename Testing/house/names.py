"""Names that say nothing of the thing they name: pronouns and participles where the field has a noun."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from Testing.house.sources import Source

PRONOUNS = frozenset(
    {"found", "one", "each", "words", "own", "told", "said", "say", "says", "given", "kept", "seen", "made", "left",
     "whole", "several"}
)  # fmt: skip


def bindings(source: Source) -> Iterator[tuple[str, int]]:
    """(name, line) of every name that a file assigns, by whatever statement, and of every argument.

    ``self`` and ``cls``, attributes (``self.found = …``) and names of functions, classes and modules are not counted.
    """
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg) and node.arg not in ("self", "cls"):
            yield node.arg, node.lineno


def pronouns(sources: Sequence[Source]) -> tuple[list[str], int]:
    """Each binding of a pronoun as ``file:line name``, and the number of all bindings."""
    everything = [(source.path, name, line) for source in sources for name, line in bindings(source)]
    return [f"{path}:{line} {name}" for path, name, line in everything if name in PRONOUNS], len(everything)
