"""The haemorrhage's panel in the simulated Slicer that the other panels' tests use, with what it can be set up on."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from Testing.slicer.ich_result import SyntheticIch, make_ich_case
from Testing.slicer.panel.conftest import errors, simulated, slicer_sources  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> SyntheticIch:
    """SYNTHETIC: a result folder of `ich apply`, made by hand."""
    return make_ich_case(tmp_path_factory.mktemp("ich") / "case")


@pytest.fixture
def widget(simulated: Any, errors: list[str]) -> Iterator[Any]:  # noqa: F811
    """The panel, set up as Slicer does it."""
    import qt

    module = importlib.import_module("ICHLatentFeatures")
    parent = simulated.qMRMLWidget()
    parent.setLayout(qt.QVBoxLayout())
    widget = module.ICHLatentFeaturesWidget(parent)
    widget.setup()
    yield widget
    widget.cleanup()


@pytest.fixture
def ct(simulated: Any, made: SyntheticIch) -> Any:  # noqa: F811
    """The head CT as a node."""
    from deepradiomics.scene.nodes.volumes import node_from_volume

    node = node_from_volume(made.ct, simulated.mrmlScene, "head")
    node.CreateDefaultDisplayNodes()
    return node


@pytest.fixture
def followup(simulated: Any, made: SyntheticIch) -> Any:  # noqa: F811
    """The later CT as a node."""
    from deepradiomics.scene.nodes.volumes import node_from_volume

    return node_from_volume(made.followup, simulated.mrmlScene, "head later")
