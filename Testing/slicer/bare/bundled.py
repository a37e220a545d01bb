"""What a Slicer bundles: the frozen list (bundled.json), and an independent reading of Slicer's own build files.

bundled.json holds, for each release, the Python distributions that its SuperBuild installs (version, importable
top-level modules, the file that names them) and Slicer's own top-level modules; and, apart from them and for all
releases, what the tests' stand-in for Qt must import in the same process.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("bundled.json")
# Never replaced by an installation into Slicer; the environments of `make slicer-python` hold exactly these.
PINNED = ("numpy", "scipy", "SimpleITK", "pydicom")


@dataclass(frozen=True)
class Distribution:
    """A Python distribution that a release bundles; `source` is the file of Slicer's sources that names it."""

    name: str
    version: str
    modules: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Release:
    """A Slicer release: its distributions by normalised name, its own top-level modules, what it does not have."""

    slicer: str
    python: str
    distributions: Mapping[str, Distribution]
    own_modules: frozenset[str]
    absent: frozenset[str]  # dotted modules that other releases have
    harness: frozenset[str]  # what the tests' stand-in imports beside them

    @property
    def modules(self) -> frozenset[str]:
        """Top-level modules that anybody in this Slicer can import, beside the standard library."""
        bundled = {module for distribution in self.distributions.values() for module in distribution.modules}
        return frozenset(bundled | self.own_modules)


def releases() -> list[str]:
    """The releases that bundled.json knows, e.g. ["5.10", "5.12"]."""
    return list(_content()["releases"])


def read_release(name: str) -> Release:
    """The release "5.10" or "5.12". Raises KeyError for any other."""
    content = _content()
    about = content["releases"][name]
    distributions = {
        normal(distribution): Distribution(distribution, entry["version"], tuple(entry["modules"]), entry["source"])
        for distribution, entry in about["distributions"].items()
    }
    return Release(
        about["slicer"], about["python"], distributions, frozenset(content["own_modules"]["modules"]),
        frozenset(about["absent"]), frozenset(content["harness"]["modules"]),
    )  # fmt: skip


def fingerprint() -> str:
    """SHA-256 of what bundled.json allows: it changes when a name or a version is added, removed or changed."""
    content = _content()
    allowed = {
        "own": sorted(content["own_modules"]["modules"]),
        "harness": sorted(content["harness"]["modules"]),
        "releases": {
            name: {
                "distributions": {
                    normal(distribution): [entry["version"], sorted(entry["modules"])]
                    for distribution, entry in about["distributions"].items()
                },
                "absent": sorted(about["absent"]),
                "python": about["python"],
            }
            for name, about in content["releases"].items()
        },
    }
    return hashlib.sha256(json.dumps(allowed, sort_keys=True).encode()).hexdigest()


def normal(distribution: str) -> str:
    """A distribution's name as indexes compare it (PEP 503): "PySide6_Essentials" → "pyside6-essentials"."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def version_of_sources(slicer: Path) -> str:
    """The version of a Slicer checkout, e.g. "5.12.3"."""
    text = (slicer / "CMakeLists.txt").read_text(encoding="utf-8")
    parts = [re.search(rf'Slicer_VERSION_{part}\s+"?(\d+)', text) for part in ("MAJOR", "MINOR", "PATCH")]
    return ".".join(part.group(1) for part in parts if part)


def read_superbuild(slicer: Path) -> dict[str, tuple[str, str]]:
    """Distribution → (version, source file) that a checkout's SuperBuild installs.

    Most are pinned requirements ("numpy==2.4.6"); 5.10 builds SimpleITK from a tag that holds its version, and vtk gets
    its metadata from the version in External_VTK.cmake.
    """
    found: dict[str, tuple[str, str]] = {}
    for path in sorted((slicer / "SuperBuild").glob("External_*.cmake")):
        text, source = path.read_text(encoding="utf-8"), f"SuperBuild/{path.name}"
        for name, version in re.findall(r"^ +([A-Za-z][\w.-]*)==([0-9][\w.]*)", text, re.MULTILINE):
            found[normal(name)] = (version, source)
        if path.name == "External_SimpleITK.cmake":
            found["simpleitk"] = (_only(r"# slicer-v(\d[\d.]*)-", text), source)
        if path.name == "External_VTK.cmake":
            found["vtk"] = (re.findall(r'vtk_dist_info_version "([\d.]+)"', text)[-1], source)
    return found


def constraints(name: str) -> str:
    """The text of a pip constraints file that holds PINNED at a release's versions."""
    release = read_release(name)
    return "".join(f"{pinned}=={release.distributions[normal(pinned)].version}\n" for pinned in PINNED)


def _only(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"the checkout's build file does not say {pattern}")
    return match.group(1)


def _content() -> dict:
    return json.loads(FILE.read_text(encoding="utf-8"))
