"""The panels, simulated, in a process as bare as a fresh Slicer: nothing raises, whatever is opened or chosen.

Not a test in Slicer. The scenes are written in a process where everything is installed, and loaded in the bare one.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from Testing.packaging.extension_tree import module_names
from Testing.slicer.bare.bundled import read_release, releases
from Testing.slicer.bare.scenes import KINDS

ROOT = Path(__file__).resolve().parents[3]
MODULES = module_names(ROOT)


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved scene of each kind of result."""
    for name in ("vtk", "slicer", "PySide6"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    folder = tmp_path_factory.mktemp("scenes")
    child("Testing.slicer.bare.scenes", str(folder))
    return folder


@pytest.fixture(scope="session", params=releases())
def report(request: pytest.FixtureRequest, scenes: Path) -> dict[str, Any]:
    """What was driven in a Slicer of that release, and what it raised."""
    if not (Path(os.environ.get("SLICER_SOURCE_DIR") or "absent") / "Base" / "Python" / "slicer").is_dir():
        pytest.skip("SLICER_SOURCE_DIR names no Slicer checkout")
    path = scenes / f"report-{request.param}.json"
    child("Testing.slicer.bare.drive", request.param, str(scenes), str(path))
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def child(module: str, *arguments: str) -> None:
    """Run a module of the tests in a Python of its own, so that nothing that was imported here helps it."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


_MEMBERS = """
import importlib, json, sys, types
for name in ("slicer", "slicer.i18n"): sys.modules[name] = types.ModuleType(name)
sys.modules["slicer.i18n"].tr = lambda text: text
importlib.import_module(sys.argv[1])
from deepradiomics.scene.panel.choices import Choice
print(json.dumps([str(member) for kind in Choice.__subclasses__() for member in kind]))
"""


def choices_of(module: str) -> set[str]:
    """Each value of each choice that a module's panel offers: its own and those that all panels have."""
    folders = os.pathsep.join([str(ROOT), str(ROOT / module)])
    done = subprocess.run(
        [sys.executable, "-c", _MEMBERS, f"{module}Lib.choices"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": folders}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    values = set(json.loads(done.stdout))
    assert {"Device.AUTO", "Backend.GPU"} < values
    return values


def test_nothing_is_raised_and_no_box_is_shown(report: dict[str, Any]) -> None:
    assert [f"{raised['where']}\n{raised['traceback']}" for raised in report["raised"]] == []
    assert report["messages"] == []


def test_every_module_loads_and_every_scene_is_restored_in_every_panel(report: dict[str, Any]) -> None:
    assert list(report["panels"]) == MODULES
    assert len(MODULES) >= 3
    for panel in report["panels"].values():
        assert panel["loaded"]
        assert panel["scenes"] == list(KINDS)
    shown = sorted(kind for panel in report["panels"].values() for kind in panel["shown"])
    assert shown == sorted(set(KINDS) - {"ich-expansion", "ich-experiment"})  # those two are shown by no result table


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("scene", ["empty scene", "filled scene"])
def test_every_value_of_every_choice_was_chosen(report: dict[str, Any], module: str, scene: str) -> None:
    assert choices_of(module) <= set(report["panels"][module]["choices"].get(scene, ()))


def test_what_slicer_does_not_bundle_was_looked_for_and_not_there(report: dict[str, Any]) -> None:
    assert {"yaml", "pywt", "typer", "rich"} <= set(report["refused"])
    assert not set(report["refused"]) & read_release(report["release"]).modules


def test_the_button_offers_the_installation_and_a_declined_one_is_told(report: dict[str, Any]) -> None:
    for module, panel in report["panels"].items():
        for situation, button in panel["buttons"].items():
            assert button["enabled"], f"{module}, {situation}"
            assert button["text"].startswith("Install packages"), f"{module}, {situation}"
        assert len(panel["declined"]) == 1, module
