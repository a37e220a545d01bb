"""What users call: packages whose names load on first use, and representations of one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sized
from importlib import import_module
from pathlib import PurePath
from typing import Any, TypeVar

from deepradiomics.words import short_repr

Class = TypeVar("Class", bound=type)


def lazy(package: str, names: Mapping[str, str]) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """``__all__``, ``__getattr__`` and ``__dir__`` of a package whose names load on first use.

    Args:
        package: its ``__name__``.
        names: by module (with a leading dot: within the package) the names that it defines, between spaces.
    """
    modules = {name: module for module, text in names.items() for name in text.split()}

    def load(name: str) -> Any:
        if name in modules:
            return getattr(import_module(modules[name], package), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    offered = sorted(modules)
    return offered, load, lambda: sorted(offered)


def one_line(cls: Class) -> Class:
    """Represent objects of a class in one line: short values, number of entries, shape of arrays; nothing empty."""

    def represented(self: Any) -> str:
        fields = [field.name for field in dataclasses.fields(self)] if dataclasses.is_dataclass(self) else vars(self)
        shown = [f"{name}={text}" for name in fields if name[0] != "_" and (text := _brief(getattr(self, name)))]
        return f"{type(self).__name__}({', '.join(shown)})"

    cls.__repr__ = represented  # type: ignore[assignment]
    return cls


def _brief(value: Any) -> str:
    """A value in a few letters; empty for None and what is empty."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"<{' × '.join(map(str, value.shape))} {value.dtype}>"
    if value is None or (isinstance(value, Sized) and not len(value)):
        return ""
    if isinstance(value, bool | int | float | str | PurePath):
        return short_repr(str(value) if isinstance(value, PurePath) else value, 60)
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return f"<{len(value)}>"
    return f"<{type(value).__name__}>"
