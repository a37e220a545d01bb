"""The three counting backends by name, for the tests that hold each of them against the same truth."""

import pytest

from deepradiomics import kernels as compiled
from deepradiomics.radiomics.counting import reference as counting_reference
from deepradiomics.radiomics.counting.plan import CountFunction

BACKENDS = ("reference", "cpu", "torch")


def counting_backend(name: str) -> CountFunction:
    """Return a backend, or skip the test where what it needs is not installed."""
    if name == "cpu":
        if not compiled.available():
            pytest.skip("numba is not installed")
        from deepradiomics.radiomics.counting import compiled as counting_cpu

        return counting_cpu.count
    if name == "torch":
        pytest.importorskip("torch")
        from deepradiomics.radiomics.counting import on_torch as counting_torch

        return counting_torch.on_device("cpu")
    return counting_reference.count
