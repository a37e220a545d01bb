"""Tests on Slicer's real scene; they skip where slicer-core is not installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def headless(tmp_path: Path) -> Iterator[Any]:
    """A real MRML scene with the module logics, able to save and load .mrb files."""
    pytest.importorskip("vtk", reason="slicer-core is not installed")
    if importlib.util.find_spec("slicer") is None:
        pytest.skip("slicer-core is not installed")
    from deepradiomics.scene.job.headless import headless_slicer

    folder = tmp_path / "slicer-temporary"
    folder.mkdir()
    with headless_slicer(folder) as slicer_:
        yield slicer_


@pytest.fixture
def scene(headless: Any) -> Any:
    """The scene alone."""
    return headless.scene


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A result folder of `fingerprint apply`, made by hand; see synthetic_result.py."""
    from Testing.slicer.synthetic_result import make_result

    return make_result(tmp_path_factory.mktemp("synthetic") / "result")
