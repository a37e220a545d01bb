"""The few array operations in which numpy and torch differ, so that one set of batched formulas serves both.

An array is a ``numpy.ndarray`` or a ``torch.Tensor``; what both spell alike (operators, ``sum(axis=...)``, indexing) is
written plainly. Everything works along the last axis.
"""

from typing import Any, Protocol

import numpy as np


class Arrays(Protocol):
    """Operations on arrays of one library and device."""

    def of(self, array: np.ndarray) -> Any:
        """Bring a numpy array there."""

    def to_numpy(self, array: Any) -> np.ndarray:
        """Bring an array back."""

    def like_float(self, array: Any) -> Any:
        """Return it as float64."""

    def index(self, array: Any) -> Any:
        """Return it as whole numbers, rounded towards zero."""

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        """Choose by element."""

    def join(self, arrays: list[Any]) -> Any:
        """Concatenate along the last axis."""

    def order(self, array: Any) -> Any:
        """Return the indices that sort it."""

    def take(self, array: Any, index: Any) -> Any:
        """Pick entries along the last axis, as many as ``index`` names for each row."""

    def running_sum(self, array: Any) -> Any:
        """Return the cumulative sum."""

    def running_max(self, array: Any) -> Any:
        """Return the cumulative maximum."""

    def flipped(self, array: Any) -> Any:
        """Return it in reverse order."""

    def largest(self, array: Any) -> Any:
        """Return the maximum."""

    def smallest(self, array: Any) -> Any:
        """Return the minimum."""

    def log2(self, array: Any) -> Any:
        """Return the logarithm to base two."""

    def exp(self, array: Any) -> Any:
        """Return the exponential."""

    def sqrt(self, array: Any) -> Any:
        """Return the square root."""

    def add_up(self, length: int, index: Any, values: Any) -> Any:
        """Add flat values up by flat index, (length,)."""

    def eigenvalues(self, matrices: Any) -> Any:
        """Return the ascending eigenvalues of symmetric matrices."""


class NumpyArrays:
    """numpy, on the CPU."""

    def of(self, array: np.ndarray) -> Any:
        return array

    def to_numpy(self, array: Any) -> np.ndarray:
        return array

    def like_float(self, array: Any) -> Any:
        return array.astype(float)

    def index(self, array: Any) -> Any:
        return array.astype(np.int64)

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        return np.where(condition, yes, no)

    def join(self, arrays: list[Any]) -> Any:
        return np.concatenate(arrays, axis=-1)

    def order(self, array: Any) -> Any:
        return np.argsort(array, axis=-1, kind="stable")

    def take(self, array: Any, index: Any) -> Any:
        return np.take_along_axis(array, index, axis=-1)

    def running_sum(self, array: Any) -> Any:
        return np.cumsum(array, axis=-1)

    def running_max(self, array: Any) -> Any:
        return np.maximum.accumulate(array, axis=-1)

    def flipped(self, array: Any) -> Any:
        return array[..., ::-1]

    def largest(self, array: Any) -> Any:
        return array.max(axis=-1)

    def smallest(self, array: Any) -> Any:
        return array.min(axis=-1)

    def log2(self, array: Any) -> Any:
        return np.log2(array)

    def exp(self, array: Any) -> Any:
        return np.exp(array)

    def sqrt(self, array: Any) -> Any:
        return np.sqrt(array)

    def add_up(self, length: int, index: Any, values: Any) -> Any:
        return np.bincount(index, values, length)

    def eigenvalues(self, matrices: Any) -> Any:
        return np.linalg.eigvalsh(matrices)


class TorchArrays:
    """torch, on a device that computes in double precision. Make one only where torch is installed."""

    def __init__(self, device: str) -> None:
        import torch

        self._torch = torch
        self._device = torch.device(device)

    def of(self, array: np.ndarray) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(array)).to(self._device)

    def to_numpy(self, array: Any) -> np.ndarray:
        return array.cpu().numpy()

    def like_float(self, array: Any) -> Any:
        return array.to(self._torch.float64)

    def index(self, array: Any) -> Any:
        return array.to(self._torch.int64)

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        return self._torch.where(condition, yes, no)

    def join(self, arrays: list[Any]) -> Any:
        return self._torch.cat(arrays, dim=-1)

    def order(self, array: Any) -> Any:
        return self._torch.argsort(array, dim=-1, stable=True)

    def take(self, array: Any, index: Any) -> Any:
        return self._torch.gather(array, -1, index)

    def running_sum(self, array: Any) -> Any:
        return self._torch.cumsum(array, dim=-1)

    def running_max(self, array: Any) -> Any:
        return self._torch.cummax(array, dim=-1).values

    def flipped(self, array: Any) -> Any:
        return self._torch.flip(array, (-1,))

    def largest(self, array: Any) -> Any:
        return array.amax(dim=-1)

    def smallest(self, array: Any) -> Any:
        return array.amin(dim=-1)

    def log2(self, array: Any) -> Any:
        return self._torch.log2(array)

    def exp(self, array: Any) -> Any:
        return self._torch.exp(array)

    def sqrt(self, array: Any) -> Any:
        return self._torch.sqrt(array)

    def add_up(self, length: int, index: Any, values: Any) -> Any:
        zeros = self._torch.zeros(length, dtype=values.dtype, device=self._device)
        return zeros.index_add_(0, index, values)

    def eigenvalues(self, matrices: Any) -> Any:
        return self._torch.linalg.eigvalsh(matrices)
