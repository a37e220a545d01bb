"""The installed tree and the weight of imports: checks that can fail, and the real archive where Slicer's script is."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import extension_tree
import import_weight
import package_extension

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = "lib/Slicer-5.12/qt-scripted-modules"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small repository: one module and the package."""
    files = {
        "Fingers/CMakeLists.txt": "",
        "Fingers/Fingers.py": "import os",
        "Fingers/FingersLib/__init__.py": "",
        "Fingers/Resources/UI/Fingers.ui": "<ui/>",
        "Fingers/Resources/Icons/Fingers.png": "png",
        "Fingers/Resources/Bundles/tiny/model.safetensors": "weights",
        "deepradiomics/__init__.py": "",
        "deepradiomics/presets/a.yaml": "a: 1",
        "deepradiomics/__pycache__/x.pyc": "no",
        "Testing/test_x.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def packed(repository: Path) -> dict[str, bytes]:
    """What a sound archive of it holds."""
    expected = extension_tree.expected_files(repository)
    members = {f"{SCRIPTS}/{name}": path.read_bytes() for name, path in expected.items()}
    return {**members, "share/Slicer-5.12/Fingers.s4ext": b"scm git\ndepends PyTorch\n"}


def test_a_sound_archive_has_no_problem(repository: Path) -> None:
    assert extension_tree.problems(repository, packed(repository)) == []
    assert f"{SCRIPTS}/deepradiomics/presets/a.yaml" in packed(repository)
    assert f"{SCRIPTS}/Resources/Bundles/tiny/model.safetensors" in packed(repository)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({f"{SCRIPTS}/deepradiomics/presets/a.yaml": None}, "missing: deepradiomics/presets/a.yaml"),
        ({f"{SCRIPTS}/Fingers.py": b"other"}, "not the repository's file: Fingers.py"),
        ({f"{SCRIPTS}/helper.py": b""}, "unexpected file among the modules: helper.py"),
        ({f"{SCRIPTS}/fingers.py": b""}, "paths differ only in case"),
        ({"share/big.bin": b"0" * 2_000_001}, "larger than 2 MB: share/big.bin"),
        ({f"{SCRIPTS}/deepradiomics/__pycache__/a.pyc": b""}, "compiled file"),
        ({"share/Slicer-5.12/Fingers.s4ext": b"depends NA\n"}, "does not depend on PyTorch"),
    ],
)
def test_each_fault_is_named(repository: Path, change: dict[str, bytes | None], said: str) -> None:
    members = {name: content for name, content in {**packed(repository), **change}.items() if content is not None}
    assert any(said in problem for problem in extension_tree.problems(repository, members))


def test_a_module_without_icon_is_named(repository: Path) -> None:
    (repository / "Fingers/Resources/Icons/Fingers.png").unlink()
    said = extension_tree.problems(repository, packed(repository))
    assert said == ["module Fingers has no Resources/Icons/Fingers.png"]


def test_a_missing_checkout_is_told_in_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert package_extension.main(["--slicer-source", str(tmp_path)]) == 2
    assert "SLICER_SOURCE_DIR" in capsys.readouterr().err


def test_slicers_own_script_makes_a_sound_archive(tmp_path: Path) -> None:
    source = os.environ.get("SLICER_SOURCE_DIR")
    if not source or not (Path(source) / package_extension.SCRIPT).is_file():
        pytest.skip("SLICER_SOURCE_DIR names no Slicer checkout with the packaging script")
    if shutil.which("cmake") is None and not (Path(sys.executable).parent / "cmake").exists():
        pytest.skip("cmake is not installed")
    assert package_extension.main(["--slicer-source", source, "--out", str(tmp_path)]) == 0


@pytest.mark.parametrize("module", ["RadiomicFeatures", "RadiomicFingerprint", "RadiomicLens", "ICHLatentFeatures"])
@pytest.mark.parametrize("file", ["", "Lib.widget", "Lib.samples"])
def test_importing_a_module_file_pulls_in_nothing_heavy(module: str, file: str) -> None:
    weight = import_weight.weigh(ROOT / module, module + file)
    assert weight.heavy == ()


def test_the_weighing_notices_a_heavy_import(tmp_path: Path) -> None:
    (tmp_path / "heavy.py").write_text("import sqlite3, matplotlib\n", encoding="utf-8")
    pytest.importorskip("matplotlib")
    assert import_weight.weigh(tmp_path, "heavy").heavy == ("matplotlib",)


def test_every_python_file_of_the_modules_is_weighed() -> None:
    names = {name for _, name in import_weight.module_files()}
    modules = ("RadiomicFeatures", "RadiomicFingerprint", "RadiomicLens", "ICHLatentFeatures")
    assert {module + file for module in modules for file in ("", "Lib.logic", "Lib.widget")} <= names


def test_files_that_modules_bring_do_not_meet_in_the_folder_they_share() -> None:
    expected = extension_tree.expected_files(ROOT)  # a dictionary: of two equal paths one would be gone
    files = [path for name in extension_tree.module_names(ROOT) for path in (ROOT / name).rglob("*") if path.is_file()]
    brought = [path for path in files if path.suffix in (".py", ".ui", ".png") and "__pycache__" not in path.parts]
    assert len(brought) == sum(path in set(expected.values()) for path in brought)
