"""Imports inside functions, and the files that reach each other by imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from Testing.house.sources import PACKAGE, Source

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def inner_imports(sources: Sequence[Source], packages: Sequence[str]) -> list[str]:
    """Each import of ``packages`` inside a function, as ``file:line imported modules``."""
    return [
        f"{source.path}:{statement.lineno} {', '.join(targets)}"
        for source in sources
        for statement, inside in _statements(source.tree)
        if inside
        and (targets := sorted({name for name, _ in _targets(statement, source)}))
        and any(name.split(".")[0] in packages for name in targets)
    ]


def cycles(sources: Sequence[Source]) -> list[list[str]]:
    """Sets of two or more modules of the package that import each other, directly or through others; largest first."""
    modules = {_module(source.path): source for source in sources if source.path.startswith(f"{PACKAGE}/")}
    modules.pop(PACKAGE, None)
    graph = {name: _imported(source, modules) for name, source in modules.items()}
    return sorted((sorted(part) for part in _components(graph) if len(part) > 1), key=lambda part: (-len(part), part))


def _imported(source: Source, modules: Mapping[str, Source]) -> list[str]:
    """The modules that a file names in its imports."""
    own = _module(source.path)
    named = (
        f"{module}.{name}" if f"{module}.{name}" in modules else module
        for statement, _ in _statements(source.tree)
        for module, name in _targets(statement, source)
    )
    return sorted({module for module in named if module in modules and module != own})


def _targets(statement: ast.Import | ast.ImportFrom, source: Source) -> Iterator[tuple[str, str]]:
    """(module, name) for each name that is imported; the name is empty for ``import module``."""
    if isinstance(statement, ast.Import):
        yield from ((alias.name, "") for alias in statement.names)
        return
    parents = source.path.removesuffix(".py").split("/")[: -statement.level or None]
    module = ".".join([*parents, *filter(None, [statement.module])]) if statement.level else statement.module or ""
    yield from ((module, alias.name) for alias in statement.names)


def _statements(tree: ast.Module) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Every import that runs, and whether it stands inside a function; those for type checkers alone are left out."""
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, inside = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, inside
        children: Sequence[ast.AST] = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            children = node.orelse
        waiting += [(child, inside or isinstance(node, Function)) for child in reversed(children)]


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _components(graph: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Strongly connected components (Tarjan 1972), without recursion."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for start in graph:
        path = [] if start in number else [(start, iter(graph[start]))]
        while path:
            node, children = path[-1]
            if node not in number:
                number[node] = lowest[node] = len(number)
                stack.append(node)
                on_stack.add(node)
            child = next((c for c in children if c not in number or c in on_stack), None)
            if child is not None and child not in number:
                path.append((child, iter(graph[child])))
            elif child is not None:
                lowest[node] = min(lowest[node], number[child])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[node])
                if lowest[node] == number[node]:
                    component = stack[stack.index(node) :]
                    del stack[-len(component) :]
                    on_stack -= set(component)
                    yield component
