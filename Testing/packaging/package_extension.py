"""Build the installable extension archive with Slicer's own packaging script, list its tree and check it.

Usage: python Testing/packaging/package_extension.py [--slicer-source DIR] [--out dist]

``--slicer-source`` (or the variable SLICER_SOURCE_DIR) names a checkout of Slicer that has
``Utilities/Scripts/package_python_extension.py`` (commit 8c284eea96 or later). CMake 3.28 or later and Ninja are needed
(``pip install cmake ninja``); a compiler is not.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import extension_tree

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path("Utilities/Scripts/package_python_extension.py")


def main(arguments: list[str] | None = None) -> int:
    """Package, print the tree, check it; the exit status is 0 when the archive is sound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slicer-source", type=Path, default=os.environ.get("SLICER_SOURCE_DIR"))
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    options = parser.parse_args(arguments)
    if options.slicer_source is None or not (Path(options.slicer_source) / SCRIPT).is_file():
        print(
            f"package: no Slicer checkout with {SCRIPT} at {options.slicer_source or 'SLICER_SOURCE_DIR (unset)'}.\n"
            "Get one: git clone --filter=blob:none https://github.com/Slicer/Slicer, and name it in SLICER_SOURCE_DIR.",
            file=sys.stderr,
        )
        return 2
    archive = build(Path(options.slicer_source).resolve(), options.out.resolve())
    members = read_archive(archive)
    print("\n".join(extension_tree.draw(members)))
    problems = extension_tree.problems(ROOT, members)
    for problem in problems:
        print(f"package: {problem}", file=sys.stderr)
    print(f"package: {archive} ({archive.stat().st_size / 1e6:.2f} MB, {len(members)} files), ", end="")
    print("sound" if not problems else f"{len(problems)} problem(s)")
    return 1 if problems else 0


def build(slicer_source: Path, out: Path) -> Path:
    """Run Slicer's script in a temporary build tree and return the archive it made, moved into ``out``.

    Raises:
        SystemExit: CMake is missing, or the script failed or made no archive; the script's own output says why.
    """
    cmake = shutil.which("cmake", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if cmake is None:
        raise SystemExit("package: cmake is not installed; pip install 'cmake>=3.28' ninja")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="deepradiomics-package-") as temporary:
        base = Path(temporary)
        made = base / "made"
        environment = dict(os.environ)
        environment["PATH"] = os.pathsep.join([str(Path(cmake).parent), environment.get("PATH", "")])
        if shutil.which("ninja", path=environment["PATH"]):
            environment["CMAKE_GENERATOR"] = "Ninja"
        command = [
            sys.executable,
            str(slicer_source / SCRIPT),
            "--ext-src",
            str(ROOT),
            "--slicer-src",
            str(slicer_source),
        ]
        command += ["--cmake", cmake, "--dummy-build", str(base / "slicer"), "--build-dir", str(base / "build")]
        command += ["--install-prefix", str(base / "install"), "--output-dir", str(made)]
        command += ["--slicer-revision", revision(slicer_source)]
        command += ["--cmake-arg", "-DDeepRadiomics_LANGUAGES=NONE", "--cmake-arg", "-DBUILD_TESTING=OFF"]
        subprocess.run(command, env=environment, check=False)
        archives = sorted(made.glob("*DeepRadiomics*")) if made.is_dir() else []
        if len(archives) != 1:
            raise SystemExit("package: Slicer's script made no archive; its messages are above")
        return Path(shutil.move(archives[0], out / archives[0].name))


def revision(slicer_source: Path) -> str:
    """Short commit of the Slicer checkout, or ``unknown``: part of the archive's name only."""
    command = ["git", "-c", "safe.directory=*", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, cwd=slicer_source, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def read_archive(archive: Path) -> dict[str, bytes]:
    """Path inside the archive (without its top folder) → content.

    Raises:
        SystemExit: a path occurs twice in the archive.
    """
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as opened:
            entries = [(name, opened.read(name)) for name in opened.namelist() if not name.endswith("/")]
    else:
        with tarfile.open(archive) as opened_tar:
            files = [member for member in opened_tar.getmembers() if member.isfile()]
            entries = [(member.name, opened_tar.extractfile(member).read()) for member in files]  # type: ignore[union-attr]
    members = {name.split("/", 1)[1]: content for name, content in entries}
    if len(members) != len(entries):
        raise SystemExit("package: the archive holds a path twice")
    return members


if __name__ == "__main__":
    raise SystemExit(main())
