"""Makes this process as bare as a Slicer: what that Slicer does not bundle can neither be imported nor be found.

An allow-list. A top-level module can be imported when it belongs to the standard library, to what the release bundles,
to Slicer itself or to the product; the stand-in's needs (Qt) can be imported by the tests alone. Everything else that
is installed on this machine is absent: to `import`, to `importlib.util.find_spec` and to `importlib.metadata`, which
also gives for a bundled distribution the version that the release bundles, not the one that is installed here.

::

    import ──► builtins.__import__ ─┐
    import_module, find_spec ───────┤──► allowed?(name, who asks) ──► the finders that were there before
    metadata.version, distribution ─┘

Install it first of all in a process of its own: what was imported before and is not allowed is forgotten, but objects
that others hold of it live on.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from Testing.packaging.extension_tree import module_names
from Testing.slicer.bare.bundled import Release, normal

ROOT = Path(__file__).resolve().parents[3]
_STARTUP = frozenset({"__main__", "__mp_main__", "sitecustomize", "usercustomize"})
_ASKS_FOR_OTHERS = ("importlib/", "importlib\\", "<frozen importlib", "<frozen runpy", __file__)


class Blocker(importlib.abc.MetaPathFinder):
    """Stands in front of all finders of `sys.meta_path` and lets through what a release has.

    Parameters
    ----------
    release
        The Slicer whose bareness is wanted.
    """

    def __init__(self, release: Release) -> None:
        self.release = release
        modules = module_names(ROOT)
        self.product = frozenset({"deepradiomics", *modules, *(f"{name}Lib" for name in modules)})
        self._product_folders = tuple(f"{ROOT / name}/" for name in ("deepradiomics", *modules))
        self._compiled_helpers = _compiled_helpers(release.distributions)
        self.refused: dict[str, str] = {}  # module → the file that asked for it first
        self._finders: Sequence[Any] = ()

    # --- the list ---------------------------------------------------------------------------------------------------

    def allows(self, name: str, *, asker: str = "") -> bool:
        """Whether a module (dotted) can be imported by code of the file `asker`."""
        top = name.partition(".")[0]
        if any(name == absent or name.startswith(absent + ".") for absent in self.release.absent):
            return False
        if top in sys.stdlib_module_names or top in _STARTUP or top.startswith("_sysconfigdata_"):
            return True
        if top in self.release.modules or top in self.product or top in self._compiled_helpers:
            return True
        return top in self.release.harness and not asker.startswith(self._product_folders)

    # --- the places where Python looks --------------------------------------------------------------------------------

    def install(self) -> Blocker:
        """Take the place of all finders, and forget what was imported and is not allowed."""
        importlib.metadata.packages_distributions()  # imports what it needs while that is possible
        for name in [name for name in sys.modules if not self.allows(name)]:
            del sys.modules[name]
        self._finders = list(sys.meta_path)
        sys.meta_path[:] = [self]
        builtins.__import__ = self._guarded_import(builtins.__import__)
        importlib.import_module = self._guarded(importlib.import_module)
        importlib.util.find_spec = self._guarded_find_spec(importlib.util.find_spec)
        importlib.invalidate_caches()
        return self

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Ask the finders that were there before, for what is allowed."""
        if not self._passes(fullname):
            return None
        for finder in self._finders:
            spec = finder.find_spec(fullname, path, target) if hasattr(finder, "find_spec") else None
            if spec is not None:
                return spec
        return None

    def find_distributions(self, *arguments: Any, **keywords: Any) -> Iterator[importlib.metadata.Distribution]:
        """The distributions that the release bundles, of those that are installed here, with the release's versions."""
        for finder in self._finders:
            for installed in getattr(finder, "find_distributions", lambda *_, **__: ())(*arguments, **keywords):
                bundled = self.release.distributions.get(normal(installed.name or ""))
                if bundled is not None:
                    yield _BundledDistribution(installed, bundled.version)

    def invalidate_caches(self) -> None:
        """Hand the call on."""
        for finder in self._finders:
            if hasattr(finder, "invalidate_caches"):
                finder.invalidate_caches()

    # --- modules that are there already -------------------------------------------------------------------------------

    def _guarded_import(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(
            name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] | None = (), level: int = 0
        ) -> Any:
            if level == 0:
                self._refuse_unless_passes(name)
                for part in fromlist or ():
                    if f"{name}.{part}" in self.release.absent:
                        self._refuse_unless_passes(f"{name}.{part}", ImportError)
            return original(name, globals, locals, fromlist, level)

        return guarded

    def _guarded(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(name: str, package: str | None = None) -> Any:
            self._refuse_unless_passes(importlib.util.resolve_name(name, package))
            return original(name, package)

        return guarded

    def _guarded_find_spec(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(name: str, package: str | None = None) -> Any:
            return original(name, package) if self._passes(importlib.util.resolve_name(name, package)) else None

        return guarded

    def _passes(self, name: str) -> bool:
        asker = _asker(sys._getframe(1))
        allowed = self.allows(name, asker=asker)
        if not allowed:
            self.refused.setdefault(name, asker)
        return allowed

    def _refuse_unless_passes(self, name: str, kind: type[ImportError] = ModuleNotFoundError) -> None:
        if not self._passes(name):
            raise kind(f"No module named {name!r}", name=name)


class _BundledDistribution(importlib.metadata.Distribution):
    """An installed distribution with the version that a release bundles."""

    def __init__(self, installed: importlib.metadata.Distribution, version: str) -> None:
        self._installed, self._version = installed, version

    def read_text(self, filename: str) -> str | None:
        text = self._installed.read_text(filename)
        if filename != "METADATA" or text is None:
            return text
        head, separator, body = text.partition("\n\n")
        lines = [f"Version: {self._version}" if line.startswith("Version:") else line for line in head.split("\n")]
        return "\n".join(lines) + separator + body

    def locate_file(self, path: Any) -> Any:
        return self._installed.locate_file(path)


def _asker(frame: FrameType | None) -> str:
    """The file whose code asks: the nearest one that is not the import system."""
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith("<frozen") and not any(part in name for part in _ASKS_FOR_OTHERS):
            return name
        frame = frame.f_back
    return ""


def _compiled_helpers(bundled: Iterable[str]) -> frozenset[str]:
    """Top-level files that compiling with mypyc laid beside a bundled package: part of it, under a random name."""
    names = set(bundled)
    owners: Mapping[str, Sequence[str]] = importlib.metadata.packages_distributions()
    return frozenset(
        top for top, of in owners.items() if top.endswith("__mypyc") and {normal(name) for name in of} <= names
    )
