"""The blocker lets through what a Slicer bundles and nothing else that is installed; the list cannot grow unseen."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from Testing.packaging.extension_tree import module_names
from Testing.slicer.bare import bundled
from Testing.slicer.bare.bundled import normal, read_release, read_superbuild, releases, version_of_sources

ROOT = Path(__file__).resolve().parents[3]
# Change it only together with a release's sources: whoever widens the list must say so here.
FROZEN = "93a5ca68fa2366638849f2ac67543305ea6fd2f1539df68416b0e7f73389ab2c"

_ASK = """
import importlib.metadata, importlib.util, json, sys
before = sys.argv[3].split(",") if sys.argv[3] else []
for name in before: __import__(name)
from Testing.slicer.bare.blocker import Blocker
from Testing.slicer.bare.bundled import read_release
Blocker(read_release(sys.argv[1])).install()
modules, distributions = json.loads(sys.stdin.read())
asking = '''
def importable(name):
    try: return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError): return False
def version(name):
    try: return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError: return None
def imported(name):
    try: __import__(name)
    except ImportError as error: return type(error).__name__
    try: importlib.import_module(name)
    except ImportError: return "only by import_module"
    return None
'''
scope = {"importlib": importlib}
exec(compile(asking, sys.argv[2], "exec"), scope)
print(json.dumps({"importable": [name for name in modules if scope["importable"](name)],
                  "refused": {name: scope["imported"](name) for name in before},
                  "versions": {name: scope["version"](name) for name in distributions}}))
"""


def ask(release: str, *, product: bool, before: tuple[str, ...] = (), modules: list[str] | None = None) -> Any:
    """What a blocked process answers to code of the product, or to code of the tests."""
    file = ROOT / ("deepradiomics/scene/asking.py" if product else "Testing/slicer/asking.py")
    done = subprocess.run(
        [sys.executable, "-c", _ASK, release, str(file), ",".join(before)],
        input=json.dumps([installed_modules() if modules is None else modules, installed_distributions()]),
        capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def installed_modules() -> list[str]:
    """Top-level modules of this environment: those of its distributions and those that lie in its folders."""
    names = set(importlib.metadata.packages_distributions())
    for key in ("purelib", "platlib"):
        for path in Path(sysconfig.get_path(key)).iterdir():
            if path.suffix in (".py", ".so", ".pyd") or (path.is_dir() and "." not in path.name):
                names.add(path.name.partition(".")[0])
    names |= {"deepradiomics", "Testing"}
    return sorted(name for name in names if name.isidentifier() and not name.startswith("__"))


def installed_distributions() -> list[str]:
    return sorted({distribution.name for distribution in importlib.metadata.distributions()})


def compiled_helpers(release: str) -> set[str]:
    """Compiled helpers of bundled packages, under names that change with each build."""
    distributions = read_release(release).distributions
    owners = importlib.metadata.packages_distributions()
    helpers = {name: of for name, of in owners.items() if name.endswith("__mypyc")}
    return {name for name, of in helpers.items() if all(normal(owner) in distributions for owner in of)}


@pytest.mark.parametrize("release", releases())
@pytest.mark.parametrize("product", [True, False], ids=["product", "tests"])
def test_exactly_the_bundled_list_can_be_imported_of_all_that_is_installed(release: str, product: bool) -> None:
    listed = json.loads(bundled.FILE.read_text(encoding="utf-8"))
    allowed = {module for about in listed["releases"][release]["distributions"].values() for module in about["modules"]}
    allowed |= {*listed["own_modules"]["modules"], "deepradiomics"}
    allowed |= set() if product else set(listed["harness"]["modules"])
    installed = installed_modules()
    expected = {name for name in installed if name in allowed or name in sys.stdlib_module_names}
    expected |= compiled_helpers(release) & set(installed)
    assert set(ask(release, product=product)["importable"]) == expected
    assert {"numpy", "scipy", "SimpleITK"} <= expected
    assert not {"yaml", "pywt", "typer", "torch", "pytest"} & expected


@pytest.mark.parametrize("release", releases())
def test_a_bundled_distribution_has_the_releases_version_and_no_other_is_installed(release: str) -> None:
    distributions = read_release(release).distributions
    versions = ask(release, product=True, modules=[])["versions"]
    assert versions == {
        name: distributions[normal(name)].version if normal(name) in distributions else None
        for name in installed_distributions()
    }
    assert versions["numpy"] == {"5.10": "2.0.2", "5.12": "2.4.6"}[release]
    assert versions["PyYAML"] is None


def test_what_was_imported_before_is_gone_and_qt_is_for_the_tests_alone() -> None:
    pytest.importorskip("PySide6")
    before = ("yaml", "PySide6", "numpy")
    assert ask("5.12", product=True, before=before)["refused"] == {
        "yaml": "ModuleNotFoundError", "PySide6": "ModuleNotFoundError", "numpy": None,
    }  # fmt: skip
    assert ask("5.12", product=False, before=before)["refused"]["PySide6"] is None


def test_only_the_older_release_has_no_slicer_packaging() -> None:
    from Testing.slicer.bare.blocker import Blocker

    older, newer = (Blocker(read_release(release)) for release in ("5.10", "5.12"))
    assert not older.allows("slicer.packaging")
    assert newer.allows("slicer.packaging")
    assert older.allows("slicer.util")
    assert not older.allows("highdicom")
    assert newer.allows("highdicom")


def test_the_modules_of_the_repository_are_the_product() -> None:
    from Testing.slicer.bare.blocker import Blocker

    modules = module_names(ROOT)
    blocker = Blocker(read_release("5.12"))
    assert len(modules) >= 3
    assert all(blocker.allows(f"{name}Lib.widget") for name in modules)
    assert blocker.allows("PySide6.QtCore", asker=str(ROOT / "Testing/slicer/panel/stand_in.py"))
    for name in ("deepradiomics", *modules):
        assert not blocker.allows("PySide6.QtCore", asker=f"{ROOT / name}/any.py")


def test_the_list_is_the_frozen_one() -> None:
    assert bundled.fingerprint() == FROZEN, "the list changed: compare it with Slicer's sources, then freeze it anew"


@pytest.mark.parametrize("where", ["own_modules", "harness", "5.10", "5.12"])
def test_a_wider_list_is_seen(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.loads(bundled.FILE.read_text(encoding="utf-8"))
    if where in content:
        content[where]["modules"].append("yaml")
    else:
        content["releases"][where]["distributions"]["six"]["modules"].append("yaml")
    (tmp_path / "bundled.json").write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr(bundled, "FILE", tmp_path / "bundled.json")
    assert bundled.fingerprint() != FROZEN


def test_the_list_is_what_slicers_sources_install() -> None:
    checkout = Path(os.environ.get("SLICER_SOURCE_DIR") or "absent")
    if not (checkout / "SuperBuild").is_dir():
        pytest.skip("SLICER_SOURCE_DIR names no Slicer checkout")
    version = version_of_sources(checkout)
    known = {read_release(name).slicer: name for name in releases()}
    if version not in known:
        pytest.skip(f"the checkout is Slicer {version}; the list is of {', '.join(known)}")
    release = read_release(known[version])
    listed = {key: (about.version, about.source) for key, about in release.distributions.items()}
    assert listed == read_superbuild(checkout)
    base = {path.stem for path in (checkout / "Base" / "Python").glob("*.py")}
    scripted = {path.name for path in (checkout / "Modules" / "Scripted").iterdir() if path.is_dir()}
    assert base <= release.own_modules
    outside = release.own_modules - base - scripted - {"slicer", "slicerqt", "qt", "ctk", "PythonQt"}
    assert outside == {"MarkupsLib", "SegmentEditorEffects", "SubjectHierarchyLib", "SubjectHierarchyPlugins"}
    assert ("slicer.packaging" in release.absent) is not (checkout / "Base/Python/slicer/packaging.py").is_file()
