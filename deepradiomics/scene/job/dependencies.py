"""What each feature needs beyond Slicer's own Python, whether it is there, and how to install it on request.

Nothing is imported to look: `importlib` says what is installed. Installing happens only when the user presses the
button: through `slicer.packaging.pip_ensure` (Slicer 5.11 and later: asks, shows progress, offers a restart) or, after
a question of our own, `slicer.util.pip_install` before that; PyTorch comes from the PyTorch extension, which picks the
build that fits the computer; without internet everything comes from a folder of wheels. A package that Slicer bundles
is never given to pip: where that is too old, Slicer itself is.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from deepradiomics.errors import DeepRadiomicsError, InputError, MissingDependencyError

Feature = Literal[
    "extract", "apply", "train", "lens", "lens-case", "ich", "segment", "register", "register-gpu", "parquet"
]
REQUESTER = "DeepRadiomics"


@dataclass(frozen=True)
class Dependency:
    """A package.

    Attributes
    ----------
    distribution
        What pip installs.
    module
        What Python imports.
    at_least
        The oldest version that will do.
    purpose
        What it is needed for, in words for the user.
    """

    distribution: str
    module: str
    at_least: str
    purpose: str = ""

    @property
    def requirement(self) -> str:
        """As pip writes it, e.g. "lightning>=2.6.4"."""
        return f"{self.distribution}>={self.at_least}"


# As in pyproject.toml (a test compares them); numba is left out: the engine is faster with it and right without it.
_ENGINE = (
    Dependency("numpy", "numpy", "2.0", "arrays"),
    Dependency("scipy", "scipy", "1.13", "filters and statistics"),
    Dependency("SimpleITK", "SimpleITK", "2.4", "images"),
    Dependency("pydicom", "pydicom", "2.4.4", "DICOM images and masks"),
    Dependency("PyWavelets", "pywt", "1.7", "wavelet features"),
    Dependency("PyYAML", "yaml", "6", "parameter files"),
    Dependency("typer", "typer", "0.15", "the background run"),
    Dependency("rich", "rich", "13", "the background run"),
)
_TORCH = (
    Dependency("torch", "torch", "2.6", "networks"),  # before it weights_only can be got round (CVE-2025-32434)
    Dependency("safetensors", "safetensors", "0.4.4", "model files"),
)
_DRAWING = (Dependency("matplotlib", "matplotlib", "3.9", "the report's pictures"),)
_REPORTS = (*_DRAWING, Dependency("Jinja2", "jinja2", "3.1", "the report's pages"))
_NETWORKS = (*_TORCH, Dependency("monai", "monai", "1.4", "networks"), *_REPORTS)
_PARQUET = (Dependency("pyarrow", "pyarrow", "17", "tables of features"),)
_LEARNING = (Dependency("scikit-learn", "sklearn", "1.5", "classifiers"),)
_TRAINING = (
    Dependency("lightning", "lightning", "2.6.4", "training"),  # 2.6.2 and 2.6.3 were malicious
    *_PARQUET,
    *_LEARNING,
)
# Not shap: its requirement "slicer" is another package of that name, which would take the place of Slicer's own.
_OUTCOMES = (*_LEARNING, Dependency("xgboost", "xgboost", "3.0", "classifiers"), *_PARQUET)
NEEDS: dict[Feature, tuple[Dependency, ...]] = {
    "extract": _ENGINE,
    "apply": _ENGINE + _NETWORKS,
    "train": _ENGINE + _NETWORKS + _TRAINING,
    "lens": _ENGINE + _TORCH + _REPORTS + _PARQUET,
    "lens-case": _ENGINE + _DRAWING,
    "ich": _ENGINE + _NETWORKS + _OUTCOMES,
    "segment": _ENGINE + _NETWORKS,
    "register": _ENGINE,
    "register-gpu": _ENGINE + _TORCH,
    "parquet": _PARQUET,
}
# Bundled with Slicer: an installation may never replace these (Slicer issues 6711, 7661), nor bring them.
BUNDLED = ("numpy", "scipy", "SimpleITK", "pydicom")
_PROTECTED = (*BUNDLED, "torch")


class Installer(Protocol):
    """How packages arrive. Tests pass a fake; `SlicerInstaller` is the real one."""

    def install(self, requirements: Sequence[str], constraints: Path) -> None:
        """Install from the internet, asking the user first. Raises RuntimeError, MissingDependencyError if declined."""

    def install_torch(self, requirement: str) -> None:
        """Install PyTorch in the build that fits this computer."""

    def install_from_folder(self, requirements: Sequence[str], wheels: Path, constraints: Path) -> None:
        """Install from a folder of wheels, without internet."""


def missing(feature: Feature) -> tuple[Dependency, ...]:
    """The packages that `feature` needs and that are absent or too old. Imports none of them."""
    if feature not in NEEDS:
        raise InputError(f"unknown feature {feature!r}; expected one of {', '.join(NEEDS)}")
    return tuple(dependency for dependency in NEEDS[feature] if not is_installed(dependency))


def is_installed(dependency: Dependency) -> bool:
    """Whether the package can be imported and is new enough (a package without a version counts as new enough)."""
    try:
        if importlib.util.find_spec(dependency.module) is None:
            return False
    except (ImportError, ValueError):
        return False
    version = _version(dependency)
    if version is None:
        return True  # bundled without metadata
    return _numbers(version) >= _numbers(dependency.at_least)


def missing_words(feature: Feature) -> str:
    """Which packages `feature` lacks and what each is for, as one sentence for the user; empty when all is there."""
    absent = missing(feature)
    if not absent:
        return ""
    old = [dependency for dependency in absent if dependency.distribution in BUNDLED]
    if old:
        return _too_old(old)
    purposes: dict[str, list[str]] = {}
    for dependency in absent:
        purposes.setdefault(dependency.purpose, []).append(dependency.distribution)
    named = "; ".join(f"{', '.join(names)} ({purpose})" for purpose, names in purposes.items())
    return f"Python packages that Slicer does not bring are missing: {named}."


def _too_old(dependencies: Sequence[Dependency]) -> str:
    """What to say when a package that Slicer bundles is too old: pip must not replace it."""
    named = ", ".join(
        f"{dependency.requirement} (this one brings {_version(dependency) or 'none'})" for dependency in dependencies
    )
    return f"This Slicer is too old: {named} is needed, which Slicer brings itself. Install Slicer 5.10 or later."


def _version(dependency: Dependency) -> str | None:
    try:
        return importlib.metadata.version(dependency.distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def require(feature: Feature) -> None:
    """Raise MissingDependencyError naming what `feature` lacks and how to get it; do nothing if all is there."""
    absent = missing(feature)
    if absent:
        names = ", ".join(dependency.requirement for dependency in absent)
        raise MissingDependencyError(
            f"'{feature}' needs Python packages that are not installed: {names}. In Slicer press Apply and agree to "
            "the installation, or choose a folder of wheels; elsewhere: pip install "
            + " ".join(f'"{dependency.requirement}"' for dependency in absent)
        )


def ensure(feature: Feature, *, wheels: Path | None = None, installer: Installer | None = None) -> tuple[str, ...]:
    """Install what `feature` lacks; return the requirements that were installed (none if all was there).

    Parameters
    ----------
    wheels
        A folder of wheel files: installs from it alone, without internet.
    installer
        Defaults to Slicer's.

    Raises
    ------
    MissingDependencyError
        The user declined, the installation failed, or something is still missing after it; or a package that Slicer
        bundles is too old, and so is this Slicer.
    InputError
        `wheels` is not a folder with wheels.
    """
    absent = missing(feature)
    if not absent:
        return ()
    old = [dependency for dependency in absent if dependency.distribution in BUNDLED]
    if old:
        raise MissingDependencyError(_too_old(old))
    if wheels is not None and not any(Path(wheels).glob("*.whl")):
        raise InputError(f"{wheels} is not a folder with .whl files; choose the folder the wheels were copied to")
    installer = installer or SlicerInstaller()
    requirements = [dependency.requirement for dependency in absent]
    with tempfile.TemporaryDirectory(prefix="deepradiomics-pip-") as folder:
        constraints = Path(folder) / "constraints.txt"
        try:
            if wheels is not None:
                constraints.write_text(_pins(), encoding="utf-8")
                installer.install_from_folder(requirements, Path(wheels), constraints)
            else:
                for dependency in absent:
                    if dependency.module == "torch":
                        installer.install_torch(dependency.requirement)
                others = [dependency.requirement for dependency in absent if dependency.module != "torch"]
                importlib.invalidate_caches()
                constraints.write_text(_pins(), encoding="utf-8")  # now with torch: nothing may replace its build
                if others:
                    installer.install(others, constraints)
        except DeepRadiomicsError:
            raise
        except Exception as error:  # pip_ensure: RuntimeError when declined, CalledProcessError when pip fails
            raise MissingDependencyError(
                f"{', '.join(requirements)} could not be installed: {error}. If the package index cannot be reached "
                "from here, copy the wheel files into a folder and choose Install from a folder of wheels."
            ) from error
    importlib.invalidate_caches()
    require(feature)
    return tuple(requirements)


class SlicerInstaller:
    """Installs into Slicer's Python, by Slicer's own means; the user is asked before anything is installed."""

    def install(self, requirements: Sequence[str], constraints: Path) -> None:
        try:
            from slicer import packaging  # Slicer 5.11 and later: asks by itself
        except ImportError:
            self._ask(requirements)
            self._pip([*requirements, "-c", str(constraints)])
            return
        from packaging.requirements import Requirement

        packaging.pip_ensure(
            [Requirement(requirement) for requirement in requirements], constraints=constraints, requester=REQUESTER
        )

    def install_torch(self, requirement: str) -> None:
        try:
            import PyTorchUtils
        except ImportError as error:
            raise MissingDependencyError(
                "this needs PyTorch, which comes with the PyTorch extension: install it from the Extensions Manager, "
                "restart Slicer and start again (features only works without it)"
            ) from error
        version = requirement.removeprefix("torch")
        torch = PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=True, torchVersionRequirement=version)
        if torch is None:
            raise MissingDependencyError("PyTorch was not installed: the installation was declined or failed")

    def install_from_folder(self, requirements: Sequence[str], wheels: Path, constraints: Path) -> None:
        self._pip(["--no-index", "--find-links", str(wheels), "-c", str(constraints), *requirements])

    def _ask(self, requirements: Sequence[str]) -> None:
        """The question of Slicer 5.10, whose `pip_install` asks none. Raises MissingDependencyError if declined."""
        from slicer import util

        text = "These Python packages will be downloaded and installed into Slicer:\n\n" + "\n".join(requirements)
        if not util.confirmOkCancelDisplay(text, windowTitle=f"{REQUESTER}: install packages"):
            raise MissingDependencyError("the installation was declined; nothing was installed")

    def _pip(self, arguments: Sequence[str]) -> None:
        try:
            from slicer import util
        except ImportError as error:
            raise MissingDependencyError(
                "not inside Slicer: install with pip install " + " ".join(f'"{word}"' for word in arguments)
            ) from error
        util.pip_install(list(arguments))


def _pins() -> str:
    lines = []
    for name in _PROTECTED:
        try:
            lines.append(f"{name}=={importlib.metadata.version(name)}\n")
        except importlib.metadata.PackageNotFoundError:
            continue
    return "".join(lines)


def _numbers(version: str) -> tuple[int, ...]:
    """ "2.13.0+cpu" -> (2, 13, 0). Enough for a lower bound."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match.group().split(".")) if match else ()
