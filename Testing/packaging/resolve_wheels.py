"""Does each extra install from wheels alone, on each platform that 3D Slicer runs on? Print the table.

    python Testing/packaging/resolve_wheels.py --out docs/results

Runs ``pip install --dry-run --only-binary=:all:`` for Python 3.12 and several platforms. pip reads a requirement's
environment markers for the machine it runs on, so a child process gives it the target's markers first.
"""

import argparse
import csv
import datetime
import json
import platform
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ("", "networks", "train", "cluster", "slicer", "test", "dev")
NUMPY = ("2.0.2", "2.4.6")
PLATFORMS = {
    "Linux x86_64": (
        [f"manylinux_2_{n}_x86_64" for n in range(39, 4, -1)] + [f"manylinux{n}_x86_64" for n in (2014, 2010, 1)],
        {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    ),
    "Windows x86_64": (
        ["win_amd64"],
        {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
    ),
    "macOS arm64": (
        [f"macosx_{n}_0_{arch}" for n in range(11, 16) for arch in ("arm64", "universal2")]
        + [f"macosx_10_{n}_universal2" for n in range(9, 16)],
        {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    ),
    "macOS x86_64": (
        [f"macosx_{n}_0_{arch}" for n in range(11, 16) for arch in ("x86_64", "universal2")]
        + [f"macosx_10_{n}_{arch}" for n in range(9, 16) for arch in ("x86_64", "universal2", "intel")],
        {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "x86_64"},
    ),
}
ENGINE_ONLY = {"macOS x86_64"}
CHILD = """
import json, sys
from pip._vendor.packaging import markers
target, real = json.loads(sys.argv.pop(1)), markers.default_environment
markers.default_environment = lambda: {**real(), **target}
from pip._internal.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def resolve(extra: str, numpy: str, system: str, torch: str) -> tuple[str, str]:
    """Return (outcome, detail) of one dry run."""
    tags, environment = PLATFORMS[system]
    version = {"python_version": "3.12", "python_full_version": "3.12.0", "implementation_name": "cpython"}
    target = {**environment, **version}
    with tempfile.TemporaryDirectory() as folder:
        report, pins = Path(folder) / "report.json", Path(folder) / "pins.txt"
        pins.write_text(f"numpy=={numpy}\n{torch}\n", encoding="utf-8")
        project = requirements_of(extra)
        command = [
            sys.executable, "-c", CHILD, json.dumps(target), "install", "--dry-run", "--ignore-installed", "--quiet",
            "--only-binary=:all:", "--python-version", "3.12", "--implementation", "cp", "--abi", "cp312", "--abi",
            "abi3", "--abi", "none", "--target", folder, "--report", str(report), "--constraint", str(pins),
            *(a for tag in tags for a in ("--platform", tag)), "--platform", "any", f"numpy=={numpy}", *project,
        ]  # fmt: skip
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
        if run.returncode:
            errors = [line for line in run.stderr.splitlines() if line.startswith("ERROR")]
            return "FAILED", " ".join(errors)[:300] or run.stderr[-300:]
        install = json.loads(report.read_text(encoding="utf-8"))["install"]
        found = {item["metadata"]["name"].lower(): item["metadata"]["version"] for item in install}
        not_wheels = [i["download_info"]["url"] for i in install if not i["download_info"]["url"].endswith(".whl")]
        if not_wheels:
            return "FAILED", f"not wheels: {not_wheels}"
        shown = ("numpy", "scipy", "simpleitk", "numba", "torch", "monai", "lightning", "slicer-core")
        return f"{len(install)} wheels", ", ".join(f"{n} {found[n]}" for n in shown if n in found)


def requirements_of(extra: str) -> list[str]:
    """Return the requirements of the engine and of one extra, extras of our own unfolded."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    result, queue = list(project["dependencies"]), [extra] if extra else []
    while queue:
        for requirement in project["optional-dependencies"][queue.pop()]:
            if requirement.startswith("deepradiomics["):
                queue += requirement.removeprefix("deepradiomics[").rstrip("]").split(",")
            else:
                result.append(requirement)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for wheels.csv and wheels.json")
    parser.add_argument("--torch", default="torch==2.13.0", help="the PyTorch release to resolve with")
    parser.add_argument("--extras", default=",".join(EXTRAS))
    arguments = parser.parse_args()
    rows = []
    for system in PLATFORMS:
        for extra in arguments.extras.split(","):
            if system in ENGINE_ONLY and extra:
                continue
            for numpy in NUMPY:
                outcome, detail = resolve(extra, numpy, system, arguments.torch)
                rows.append({"platform": system, "extra": extra or "(engine)", "numpy": numpy, "outcome": outcome,
                             "detail": detail})  # fmt: skip
                print(f"{system:15} {extra or '(engine)':10} numpy {numpy}: {outcome:10} {detail}", flush=True)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        with open(arguments.out / "wheels.csv", "w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        record = {"command": "python Testing/packaging/resolve_wheels.py", "python": "3.12 (resolved for)",
                  "machine": platform.platform(), "date": datetime.date.today().isoformat(), "rows": rows}  # fmt: skip
        (arguments.out / "wheels.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return any(row["outcome"] == "FAILED" for row in rows)


if __name__ == "__main__":
    sys.exit(main())
