"""What each feature needs, without importing it; installing goes through an injected installer."""

from __future__ import annotations

import re
import sys
import tomllib
import types
from collections.abc import Sequence
from pathlib import Path

import pytest

from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.scene.job import dependencies
from deepradiomics.scene.job.dependencies import (
    NEEDS,
    Dependency,
    SlicerInstaller,
    ensure,
    is_installed,
    missing,
    missing_words,
    require,
)

ABSENT = Dependency("package-of-nowhere", "package_of_nowhere", "1.0", "going nowhere")
TOO_NEW = Dependency("pytest", "pytest", "999.1", "testing")
OLD_SLICER = Dependency("scipy", "scipy", "99.0")
TORCH = Dependency("torch", "torch", "99.0")


class FakeInstaller:
    """Remembers what it was asked for; `arrives` makes the packages appear."""

    def __init__(self, arrives: pytest.MonkeyPatch | None = None) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.pins = ""
        self._arrives = arrives

    def _done(self) -> None:
        if self._arrives:
            self._arrives.setattr(dependencies, "is_installed", lambda dependency: True)

    def install(self, requirements: Sequence[str], constraints: Path) -> None:
        self.calls.append(("install", *requirements))
        self.pins = constraints.read_text(encoding="utf-8")
        self._done()

    def install_torch(self, requirement: str) -> None:
        self.calls.append(("torch", requirement))

    def install_from_folder(self, requirements: Sequence[str], wheels: Path, constraints: Path) -> None:
        self.calls.append(("folder", str(wheels), *requirements))
        self._done()


@pytest.fixture
def needs(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """'apply' needs one package that is absent, one that is too old here, and PyTorch."""
    monkeypatch.setitem(NEEDS, "apply", (Dependency("numpy", "numpy", "2.0"), ABSENT, TOO_NEW, TORCH))
    return monkeypatch


def test_absent_and_old_packages_are_missing_and_good_ones_are_not(needs: pytest.MonkeyPatch) -> None:
    assert missing("apply") == (ABSENT, TOO_NEW, TORCH)
    assert is_installed(Dependency("numpy", "numpy", "2.0"))
    with pytest.raises(InputError, match="unknown feature 'fly'"):
        missing("fly")  # type: ignore[arg-type]


def test_looking_imports_nothing() -> None:
    assert "this_module" not in sys.modules
    before = set(sys.modules)
    missing("train")
    assert not {"torch", "monai", "lightning", "sklearn", "pyarrow"} & (set(sys.modules) - before)


def test_the_message_says_what_is_missing_and_how_to_get_it(needs: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingDependencyError, match=r"'apply'.*package-of-nowhere>=1\.0.*In Slicer press Apply.*pip"):
        require("apply")


def test_pytorch_comes_first_and_by_its_own_way_and_slicers_numpy_is_pinned(needs: pytest.MonkeyPatch) -> None:
    import numpy

    installer = FakeInstaller(arrives=needs)
    assert ensure("apply", installer=installer) == ("package-of-nowhere>=1.0", "pytest>=999.1", "torch>=99.0")
    assert installer.calls == [
        ("torch", "torch>=99.0"),
        ("install", "package-of-nowhere>=1.0", "pytest>=999.1"),
    ]
    assert f"numpy=={numpy.__version__}\n" in installer.pins
    assert ensure("apply", installer=installer) == ()
    assert len(installer.calls) == 2


def test_without_internet_everything_comes_from_the_folder_of_wheels(needs: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installer = FakeInstaller(arrives=needs)
    with pytest.raises(InputError, match=r"not a folder with \.whl files"):
        ensure("apply", wheels=tmp_path, installer=installer)
    (tmp_path / "package_of_nowhere-1.0-py3-none-any.whl").touch()
    ensure("apply", wheels=tmp_path, installer=installer)
    assert [call[:2] for call in installer.calls] == [("folder", str(tmp_path))]


def test_a_declined_or_useless_installation_is_an_error(needs: pytest.MonkeyPatch) -> None:
    class Declined(FakeInstaller):
        def install(self, requirements: Sequence[str], constraints: Path) -> None:
            raise RuntimeError("User declined package installation")

    with pytest.raises(MissingDependencyError, match="could not be installed: User declined"):
        ensure("apply", installer=Declined())
    with pytest.raises(MissingDependencyError, match="not installed: package-of-nowhere"):
        ensure("apply", installer=FakeInstaller())  # it does nothing


def test_what_is_missing_is_told_with_its_purpose(needs: pytest.MonkeyPatch) -> None:
    words = missing_words("apply")
    assert "package-of-nowhere (going nowhere)" in words
    assert "pytest (testing)" in words
    assert missing_words("register") == ""


def test_a_bundled_package_that_is_too_old_is_never_given_to_pip(needs: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import scipy

    needs.setitem(NEEDS, "apply", (ABSENT, OLD_SLICER))
    (tmp_path / "scipy-99.0-py3-none-any.whl").touch()
    installer = FakeInstaller(arrives=needs)
    for wheels in (None, tmp_path):
        with pytest.raises(MissingDependencyError, match=rf"This Slicer is too old: scipy>=99\.0.*{scipy.__version__}"):
            ensure("apply", wheels=wheels, installer=installer)
    assert installer.calls == []
    assert missing_words("apply").startswith("This Slicer is too old")


def test_slicer_5_10_brings_all_that_is_never_given_to_pip() -> None:
    bundled = {"numpy": (2, 0, 2), "scipy": (1, 13, 1), "simpleitk": (2, 5, 2), "pydicom": (2, 4, 4)}
    for feature, needed in NEEDS.items():
        for each in needed:
            if each.distribution.lower() in bundled:
                version = tuple(int(part) for part in each.at_least.split("."))
                assert version <= bundled[each.distribution.lower()], feature


def test_on_slicer_5_10_the_user_is_asked_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    installed: list[list[str]] = []
    slicer = types.ModuleType("slicer")
    slicer.util = types.SimpleNamespace(  # type: ignore[attr-defined]
        pip_install=installed.append,
        confirmOkCancelDisplay=lambda text, windowTitle: bool(asked.append(text)),  # Cancel
    )
    monkeypatch.setitem(sys.modules, "slicer", slicer)
    with pytest.raises(MissingDependencyError, match="declined; nothing was installed"):
        SlicerInstaller().install(["monai>=1.4", "typer>=0.15"], tmp_path / "c.txt")
    assert len(asked) == 1
    assert "monai>=1.4" in asked[0]
    assert "typer>=0.15" in asked[0]
    assert installed == []


def test_new_slicers_use_pip_ensure_and_old_ones_pip_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[tuple[str, list[str]]] = []
    slicer = types.ModuleType("slicer")
    slicer.util = types.SimpleNamespace(  # type: ignore[attr-defined]
        pip_install=lambda words: calls.append(("pip_install", words)), confirmOkCancelDisplay=lambda *_, **__: True
    )
    monkeypatch.setitem(sys.modules, "slicer", slicer)
    constraints = tmp_path / "c.txt"
    SlicerInstaller().install(["monai>=1.4"], constraints)
    SlicerInstaller().install_from_folder(["monai>=1.4"], tmp_path, constraints)
    slicer.packaging = types.SimpleNamespace(  # type: ignore[attr-defined]
        pip_ensure=lambda needed, constraints, requester: calls.append((requester, [str(each) for each in needed]))
    )
    SlicerInstaller().install(["monai>=1.4"], constraints)
    assert calls == [
        ("pip_install", ["monai>=1.4", "-c", str(constraints)]),
        ("pip_install", ["--no-index", "--find-links", str(tmp_path), "-c", str(constraints), "monai>=1.4"]),
        ("DeepRadiomics", ["monai>=1.4"]),
    ]


def test_pytorch_without_its_extension_says_which_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)
    with pytest.raises(MissingDependencyError, match="PyTorch extension: install it from the Extensions Manager"):
        SlicerInstaller().install_torch("torch>=2.4")
    asked: list[str] = []

    class Logic:
        def installTorch(self, askConfirmation: bool, torchVersionRequirement: str) -> None:
            asked.append(torchVersionRequirement)

    monkeypatch.setitem(sys.modules, "PyTorchUtils", types.SimpleNamespace(PyTorchUtilsLogic=Logic))
    with pytest.raises(MissingDependencyError, match="declined or failed"):
        SlicerInstaller().install_torch("torch>=2.4")
    assert asked == [">=2.4"]


def test_the_versions_are_those_of_pyproject() -> None:
    path = Path(__file__).parents[3] / "pyproject.toml"
    with open(path, "rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"]
    written = {
        name.lower(): version
        for line in (*project["dependencies"], *extras["networks"], *extras["train"])
        for name, version in re.findall(r"^([\w-]+)>=([\d.]+)", line)
    }
    ours = {each.distribution.lower(): each.at_least for each in NEEDS["train"]}
    assert {name: written.get(name) for name in ours} == ours
    optional = {"numba", "pooch"}  # speed; the demo's download
    assert set(written) - set(ours) == optional


def test_the_haemorrhage_module_needs_what_its_extra_names_and_nothing_called_slicer() -> None:
    path = Path(__file__).parents[3] / "pyproject.toml"
    with open(path, "rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"]
    written = {
        name.lower(): version
        for line in (*project["dependencies"], *extras["networks"], *extras["ich"])
        for name, version in re.findall(r"^([\w-]+)>=([\d.]+)", line)
    }
    ours = {each.distribution.lower(): each.at_least for each in NEEDS["ich"]}
    assert {name: written.get(name) for name in ours} == ours
    assert set(written) - set(ours) == {"numba"}  # speed
    assert "shap" not in written  # it would install a package named slicer over Slicer's own
