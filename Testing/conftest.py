"""What every test may ask for."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

DATA_VARIABLE = "DEEPRADIOMICS_TEST_DATA"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real test images; tests skip where it is not named."""
    folder = os.environ.get(DATA_VARIABLE)
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"real test data not named by {DATA_VARIABLE}")
    return Path(folder).resolve()


@pytest.fixture(autouse=True)
def _torch_keeps_its_threads() -> Iterator[None]:
    """A test that limits torch's threads leaves no limit behind: sums in another order have other last digits."""
    before = sys.modules["torch"].get_num_threads() if "torch" in sys.modules else None
    yield
    if before is not None and sys.modules["torch"].get_num_threads() != before:
        sys.modules["torch"].set_num_threads(before)


@pytest.fixture(autouse=True)
def _environment_is_left_as_it_was() -> Iterator[None]:
    """A command run in this process changes nothing for the children that later tests start."""
    before = _our_environment()
    yield
    assert _our_environment() == before, "the test changed the environment of this process"


def _our_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in sorted(os.environ) if name.startswith(("PYTHON", "DEEPRADIOMICS"))}
