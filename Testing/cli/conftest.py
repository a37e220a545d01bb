"""One small model for all tests of the command line that need one."""

from pathlib import Path

import pytest

from Testing.cli import material


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a bundle trained for one epoch on noise."""
    pytest.importorskip("lightning")
    return material.tiny_bundle(tmp_path_factory.mktemp("model"))
