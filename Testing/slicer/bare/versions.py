"""The versions of a Slicer, for pip and to check: what `make slicer-python` builds its environment from.

Usage: python Testing/slicer/bare/versions.py {requirements,constraints,check} {5.10,5.12}

``requirements``  what the release bundles, for pip; without vtk, which slicer-core brings in its own build
``constraints``   what no later installation may replace: numpy, scipy, SimpleITK, pydicom
``check``         print what is installed beside what the release bundles; 1 when one of the constraints is not met
"""

import importlib.metadata
import platform
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from Testing.slicer.bare.bundled import PINNED, constraints, read_release, releases

NOT_FROM_PIP = ("vtk", "pip")  # slicer-core requires its own vtk; the environment's pip installs all this


def requirements(name: str) -> str:
    """The text of a pip requirements file of all that a release bundles."""
    distributions = read_release(name).distributions
    return "".join(f"{d.name}=={d.version}\n" for key, d in distributions.items() if key not in NOT_FROM_PIP)


def differences(name: str) -> tuple[list[str], list[str]]:
    """Lines that compare this environment with the release, and the constraints that it does not meet."""
    release = read_release(name)
    lines = [f"Python {platform.python_version()} (Slicer {release.slicer}: {release.python})"]
    wrong: list[str] = []
    for distribution in release.distributions.values():
        installed = _installed(distribution.name)
        remark = "" if installed == distribution.version else f"  (Slicer {release.slicer}: {distribution.version})"
        lines.append(f"{distribution.name} {installed}{remark}")
        if remark and distribution.name in PINNED:
            wrong.append(f"{distribution.name} is {installed}, expected {distribution.version}")
    lines.append(f"slicer-core {_installed('slicer-core')}, of Slicer 5.12.4 whatever the release above")
    return lines, wrong


def _installed(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def main(arguments: list[str]) -> int:
    """Print what is asked for; 2 when it is not understood."""
    if len(arguments) != 2 or arguments[1] not in releases():
        print(__doc__, file=sys.stderr)
        return 2
    wish, name = arguments
    if wish in ("requirements", "constraints"):
        print(requirements(name) if wish == "requirements" else constraints(name), end="")
        return 0
    lines, wrong = differences(name)
    print("\n".join(lines))
    for line in wrong:
        print(f"WRONG: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
