"""What an installed DeepRadiomics must look like: each module, library file, .ui, icon, the whole package, no more."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

LARGEST_FILE_BYTES = 2_000_000
_RESOURCE_SUFFIXES = {".ui", ".png", ".svg", ".json", ".safetensors", ".csv"}


def module_names(root: Path) -> list[str]:
    """Slicer modules of the repository: folders ``<Name>`` that hold ``<Name>.py`` and a CMakeLists.txt."""
    folders = (path for path in root.iterdir() if (path / "CMakeLists.txt").is_file())
    return sorted(path.name for path in folders if (path / f"{path.name}.py").is_file())


def expected_files(root: Path) -> dict[str, Path]:
    """Path below ``qt-scripted-modules`` → the repository's file that must lie there."""
    expected: dict[str, Path] = {}
    for name in module_names(root):
        folder = root / name
        expected[f"{name}.py"] = folder / f"{name}.py"
        library = sorted((folder / f"{name}Lib").rglob("*.py"))
        resources = [path for path in sorted((folder / "Resources").rglob("*")) if path.suffix in _RESOURCE_SUFFIXES]
        expected.update({path.relative_to(folder).as_posix(): path for path in [*library, *resources]})
    for path in sorted((root / "deepradiomics").rglob("*")):
        parts = path.relative_to(root).parts
        if path.is_file() and "__pycache__" not in parts and not any(part.startswith(".") for part in parts):
            expected[path.relative_to(root).as_posix()] = path
    return expected


def problems(root: Path, members: Mapping[str, bytes]) -> list[str]:
    """What is wrong with an archive's files (path → content); empty when it is sound.

    Checked: each expected file is there with the repository's content; each module has its widget's .ui and icon;
    nothing else lies among the scripts (Slicer loads every top-level .py there as a module); no compiled or oversized
    file; no two paths that differ only in case; the extension's description names the dependency on PyTorch.
    """
    found = {_below_scripts(name): content for name, content in members.items() if _below_scripts(name)}
    expected = expected_files(root)
    said = [f"missing: {name}" for name in expected if name not in found]
    said += [
        f"not the repository's file: {name}"
        for name in expected
        if name in found and found[name] != _bytes(expected[name])
    ]
    said += [f"unexpected file among the modules: {name}" for name in found if name not in expected]
    for module in module_names(root):
        for needed in (f"Resources/UI/{module}.ui", f"Resources/Icons/{module}.png", f"{module}Lib/__init__.py"):
            if needed not in expected:
                said.append(f"module {module} has no {needed}")
    lowered: dict[str, str] = {}
    for name, content in members.items():
        other = lowered.setdefault(name.lower(), name)
        if other != name:
            said.append(f"paths differ only in case: {other}, {name}")
        if len(content) > LARGEST_FILE_BYTES:
            said.append(f"larger than {LARGEST_FILE_BYTES / 1e6:.0f} MB: {name} ({len(content) / 1e6:.1f} MB)")
        if name.endswith((".pyc", ".pyo")) or "__pycache__" in name:
            said.append(f"compiled file: {name}")
    descriptions = [content.decode("utf-8", "replace") for name, content in members.items() if name.endswith(".s4ext")]
    if len(descriptions) != 1 or not re.search(r"^depends\s+PyTorch", descriptions[0], re.MULTILINE):
        said.append("the description file (.s4ext) is missing or does not depend on PyTorch")
    return said


def draw(members: Iterable[str]) -> list[str]:
    """The tree as lines of text, folders before their files.

    >>> draw(["lib/a.py", "lib/b/c.py"])
    ['lib/', '  a.py', '  b/', '    c.py']
    """
    lines: list[str] = []
    shown: set[str] = set()
    for name in sorted(members):
        parts = name.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if folder not in shown:
                shown.add(folder)
                lines.append("  " * (depth - 1) + parts[depth - 1] + "/")
        lines.append("  " * (len(parts) - 1) + parts[-1])
    return lines


def _below_scripts(name: str) -> str:
    return name.split("/qt-scripted-modules/", 1)[1] if "/qt-scripted-modules/" in name else ""


def _bytes(path: Path) -> bytes:
    return path.read_bytes()
