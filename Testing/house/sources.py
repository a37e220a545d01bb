"""The ``.py`` files of a checkout or of a commit, read and parsed."""

from __future__ import annotations

import ast
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PACKAGE, TESTS = "deepradiomics", "Testing"


class UnknownCommitError(LookupError):
    """The commit is not in this history."""


@dataclass(frozen=True)
class Source:
    """One file: its path relative to the checkout (with ``/``), its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def lines(self) -> int:
        return self.text.count("\n")


def read_sources(root: Path) -> dict[str, list[Source]]:
    """The files of ``root`` by group: ``package`` (with the Slicer modules' folders) and ``tests``."""
    return {
        "package": [source for top in (PACKAGE, *slicer_modules(root)) for source in _read(root, top)],
        "tests": list(_read(root, TESTS)),
    }


def slicer_modules(root: Path) -> list[str]:
    """Folders of Slicer modules: those with a file of their own name."""
    return sorted(path.name for path in root.iterdir() if (path / f"{path.name}.py").is_file())


@contextmanager
def checkout(repository: Path, commit: str) -> Iterator[Path]:
    """A temporary folder with the ``.py`` files of a commit."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", commit, "--", "*.py"], cwd=repository, capture_output=True, check=False
    )
    if archive.returncode:
        raise UnknownCommitError(
            f"Commit {commit} is not in the history at {repository.name}/ (a shallow clone, or no clone): "
            "`git fetch --unshallow` brings it."
        )
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")
        yield Path(folder)


def _read(root: Path, top: str) -> Iterator[Source]:
    for path in sorted((root / top).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        yield Source(path.relative_to(root).as_posix(), text, ast.parse(text))
