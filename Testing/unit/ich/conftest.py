"""What tests of whole experiments share: made once, for every patient costs a few tenths of a second."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two SYNTHETIC cohorts (a of 18, b of 10), networks trained elsewhere, and a cache of features (few, by seed)."""
    from Testing.unit.ich import ich_heads as heads

    folder = tmp_path_factory.mktemp("ich")
    heads.write_cohort(folder / "a", 18)
    heads.write_cohort(folder / "b", 10, seed=1)
    heads.segmenter(folder / "encoder")
    heads.autoencoder(folder / "autoencoder")
    return folder
