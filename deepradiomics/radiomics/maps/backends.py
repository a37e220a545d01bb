"""Which backend computes the windows' features: compiled kernels, arrays of numpy, or arrays of torch on a device."""

import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

import numpy as np

from deepradiomics import kernels as compiled
from deepradiomics.devices import checked_device, resolve_device
from deepradiomics.errors import InputError
from deepradiomics.radiomics.maps.arrays import NumpyArrays, TorchArrays
from deepradiomics.radiomics.maps.batched import backend as batched_backend
from deepradiomics.radiomics.maps.field import Field
from deepradiomics.radiomics.maps.result import Backend, WindowFeatures
from deepradiomics.radiomics.memory import Budget

_MOST_WINDOWS = 16384


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

    def threads(self, allowed: int) -> int:
        """Return how many threads to use of those allowed."""
        return allowed if self.parallel else 1


def chosen_backend(device: str) -> ChosenBackend:
    """Return the backend for a device: ``auto`` and ``cpu`` take the compiled kernels, or numpy where numba is not.

    ``cuda`` takes torch. MPS computes no double precision, so that device also takes the CPU.

    Raises:
        InputError: the device is unknown or not there.
    """
    checked_device(device)
    resolved = resolve_device("cpu" if device in ("auto", "mps") else device, float64=True)
    return on_cpu() if resolved == "cpu" else with_torch(resolved)


def on_cpu() -> ChosenBackend:
    """Return the compiled backend, or numpy where numba is not installed."""
    if compiled.available():
        from deepradiomics.radiomics.maps.compiled import backend as compiled_backend

        return ChosenBackend("compiled", compiled_backend.window_features, True, False)
    return with_numpy()


def with_numpy() -> ChosenBackend:
    """Return the backend of plain numpy."""
    return ChosenBackend("numpy", partial(batched_backend.window_features, NumpyArrays()), True, True)


def with_torch(device: str) -> ChosenBackend:
    """Return the backend of torch; when the device runs out of memory it goes on in smaller parts, then on the CPU."""
    function = partial(batched_backend.window_features, TorchArrays(device))
    return ChosenBackend(f"torch ({device})", SmallerParts(function, device), False, True)


class SmallerParts:
    """A backend that halves its work whenever the device's memory is spent, and leaves the device when that is no help.

    It remembers the size that fitted.
    """

    def __init__(self, function: Backend, device: str, fallback: Callable[[], ChosenBackend] = on_cpu) -> None:
        self._function = function
        self._device = device
        self._fallback = fallback
        self._size = _MOST_WINDOWS
        self._told = False

    def __call__(self, field: Field, family: str, wanted: Collection[str], centres: np.ndarray) -> WindowFeatures:
        """See :data:`deepradiomics.radiomics.maps.result.Backend`."""
        parts: list[WindowFeatures] = []
        done = 0
        while done < len(centres):
            if self._size < 1:
                parts.append(self._fallback()(field, family, wanted, centres[done:]))
                break
            some = centres[done : done + self._size]
            try:
                parts.append(self._function(field, family, wanted, some))
            except RuntimeError as error:  # torch's OutOfMemoryError is one, and so is the CPU allocator's
                if "out of memory" not in str(error).lower() and "not enough memory" not in str(error).lower():
                    raise
                self._smaller(len(some))
                continue
            done += len(some)
        return _joined(parts)

    def _smaller(self, size: int) -> None:
        self._size = size // 2
        if self._size == 0:
            warnings.warn(f"feature maps: {self._device} is out of memory; the rest runs on the CPU.", stacklevel=4)
        elif not self._told:
            warnings.warn(
                f"feature maps: {self._device} ran out of memory at {size} windows; goes on with fewer at a time.",
                stacklevel=4,
            )
            self._told = True
        if self._device.startswith("cuda"):
            import torch

            torch.cuda.empty_cache()


def _joined(parts: list[WindowFeatures]) -> WindowFeatures:
    if len(parts) == 1:
        return parts[0]
    values = {name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values}
    present = [part.present for part in parts if part.present is not None]
    return WindowFeatures(values, np.concatenate(present) if present else None)


def windows_at_a_time(field: Field, backend: ChosenBackend, budget: Budget, workers: int) -> int:
    """Return how many windows to give the backend at a time, so that its memory stays below the budget.

    Raises:
        InputError: not even one window fits.
    """
    need = (window_bytes if backend.batched else scratch_bytes)(field) * (workers if backend.parallel else 1)
    if need > budget.bytes:
        raise InputError(
            f"max_memory_gb {budget.gigabytes:g}: windows of {field.window.size} voxels need {need / 1e9:.2g} GB in "
            "work. Take a smaller kernel_radius or fewer threads, or allow more memory."
        )
    return int(min(_MOST_WINDOWS, budget.bytes // need)) if backend.batched else _MOST_WINDOWS // 2


def scratch_bytes(field: Field) -> int:
    """Return about how many bytes a thread of the compiled kernels needs, however many windows there are."""
    side = min(field.window.size, field.highest)
    return 8 * (2 * side**2 + side * field.window.size + 8 * field.highest + 8 * len(field.window.pairs.items))


def window_bytes(field: Field) -> int:
    """Return about how many bytes the batched formulas need for one window, at their dearest family."""
    layout = field.window
    pairs = 2 * len(layout.offsets) * layout.pairs.padded(0).shape[1]
    matrices = 1 if field.merged else len(layout.offsets)
    width = min(layout.size, field.highest)
    largest = max(
        24 * pairs + 6 * matrices * width**2,  # GLCM: entries and MCC's matrices
        8 * width**2,  # NGTDM: every level with every other
        4 * layout.size * len(layout.neighbours.padded(0)[0]),  # neighbours of each position
        24 * len(layout.run_offsets) * layout.size,  # runs
    )
    return 8 * largest
