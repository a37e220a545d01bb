"""How the work is shared out changes no number: threads, and regions counted all at once on another device."""

import numpy as np
import pytest

from deepradiomics.radiomics import compute
from deepradiomics.radiomics.compute import feature_table
from deepradiomics.radiomics.region.region import Region
from deepradiomics.radiomics.settings.settings import Settings

SETTINGS = Settings.from_params({"setting": {"binWidth": 0.4}})


def _regions(count: int) -> list[Region]:
    rng, found = np.random.default_rng(0), []
    for k in range(count):
        mask = rng.random(rng.integers(3, 9, 3)) < 0.8
        mask[0, 0, 0] = mask[-1, -1, -1] = True
        found.append(Region(rng.normal(0, 1, mask.shape), mask, (2.0, 1.0, 1.0), mask, f"region {k}"))
    return found


@pytest.mark.parametrize("count", [1, 21])
@pytest.mark.parametrize("threads", [2, 5])
def test_threads_change_no_bit(count: int, threads: int) -> None:
    regions = _regions(count)
    alone, shared = (feature_table(regions, SETTINGS, threads=t) for t in (1, threads))
    assert alone.names == shared.names
    np.testing.assert_array_equal(alone.values, shared.values)


def test_regions_counted_together_on_a_device_have_the_same_features(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from deepradiomics.radiomics.counting.on_torch import on_device

    regions = _regions(21)
    expected = feature_table(regions, SETTINGS, threads=1)
    monkeypatch.setattr(compute, "counting_backend", lambda *_, **__: ("torch (cpu)", on_device("cpu")))
    for threads in (1, 3):
        found = feature_table(regions, SETTINGS, threads=threads)
        assert found.backend == "torch (cpu)"
        np.testing.assert_array_equal(found.values, expected.values)


def test_every_column_is_filled() -> None:
    table = feature_table(_regions(3), SETTINGS)
    assert np.isfinite(table.values).all()
