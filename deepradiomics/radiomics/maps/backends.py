"""Which backend computes the windows' features: compiled kernels, arrays of numpy, or arrays of torch on a device."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from deepradiomics.devices import resolve_device
from deepradiomics.radiomics import compiled
from deepradiomics.radiomics.maps.field import Field
from deepradiomics.radiomics.maps.result import Backend, WindowFeatures

DEFAULT_MEMORY_GB = 2.0


@dataclass(frozen=True, eq=False)
class ChosenBackend:
    """A backend, what it is called, and how it likes to be used.

    Args:
        name: ``compiled``, ``numpy`` or ``torch (device)``.
        function: see :data:`deepradiomics.radiomics.maps.result.Backend`.
        parallel: several threads may call it at a time with profit.
        batched: its memory grows with the number of windows given at a time.
    """

    name: str
    function: Backend
    parallel: bool
    batched: bool

    def __call__(self, field: Field, family: str, wanted: Collection[str], centres: np.ndarray) -> WindowFeatures:
        """Compute the wanted features of one family for some voxels."""
        return self.function(field, family, wanted, centres)

    def threads(self, threads: int | None) -> int | None:
        """Return how many threads to use of those allowed."""
        return threads if self.parallel else 1


def chosen_backend(device: str) -> ChosenBackend:
    """Return the backend for a device: ``auto`` and ``cpu`` take the compiled kernels, or numpy where numba is not.

    MPS computes no double precision, so that device also takes the CPU.

    Raises:
        InputError: the device is unknown or not there.
    """
    resolved = resolve_device("cpu" if device in ("auto", "mps") else device, float64=True)
    if compiled.available():
        from deepradiomics.radiomics.maps import compiled_backend

        return ChosenBackend("compiled", compiled_backend.window_features, True, False)
    raise NotImplementedError(resolved)


def voxels_at_a_time(field: Field, backend: ChosenBackend, max_memory_gb: float | None, workers: int) -> int:
    """Return how many windows to give the backend at a time, so that its memory stays below the budget."""
    return 8192
