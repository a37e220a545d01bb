"""Imports go to the left only, and importing costs little."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "monai", "lightning", "sklearn", "pandas", "matplotlib", "pyarrow", "dask", "numba", "slicer", "vtk")


def test_the_import_contract_holds() -> None:
    pytest.importorskip("importlinter", reason="import-linter is not installed")
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


@pytest.mark.parametrize(
    "module",
    [
        "deepradiomics",
        "deepradiomics.images",
        "deepradiomics.prepare",
        "deepradiomics.radiomics",
        "deepradiomics.cohort",
        "deepradiomics.stats",
        "deepradiomics.fingerprint",
        "deepradiomics.fingerprint.model.config",
        "deepradiomics.reports",
        "deepradiomics.cli.main",
        "deepradiomics.scene",
        "deepradiomics.scene.job.job",
    ],
)
def test_importing_a_module_pulls_in_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"
