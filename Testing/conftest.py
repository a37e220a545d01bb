"""What every test may ask for."""

import os
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
