"""The features' panel in the simulated Slicer that the fingerprint's panel tests use, and a volume with segments."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.panel.conftest import errors, exam, simulated, slicer_sources  # noqa: F401 - fixtures


@pytest.fixture
def widget(simulated: Any, errors: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:  # noqa: F811
    """The panel, set up as Slicer does it; settings are saved below the test's own folder."""
    import qt

    module = importlib.import_module("RadiomicFeatures")
    from RadiomicFeaturesLib.settings import saved as saved_settings

    monkeypatch.setattr(saved_settings, "user_folder", lambda: tmp_path / "user" / "RadiomicFeatures")
    parent = simulated.qMRMLWidget()
    parent.setLayout(qt.QVBoxLayout())
    made = module.RadiomicFeaturesWidget(parent)
    made.warmUp.start = lambda: None
    made.setup()
    yield made
    made.cleanup()


@pytest.fixture
def segmented(simulated: Any, exam: Any) -> tuple[Any, Any]:  # noqa: F811
    """A volume and a segmentation on it with the segments "a" (120 voxels) and "b" (24 voxels)."""
    from Testing.slicer.logic.test_fingerprint_logic import add_segment

    volume = exam["sagittal"]
    segmentation, _ = add_segment(simulated.mrmlScene, volume)
    add_segment(simulated.mrmlScene, volume, segmentation, "b", (slice(8, 10), slice(10, 13), slice(12, 16)))
    return volume, segmentation
