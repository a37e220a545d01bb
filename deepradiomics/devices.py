"""Which processor a computation runs on: ``auto``, ``cpu``, ``cuda`` or ``mps``."""

import sys
from importlib.util import find_spec
from typing import Literal, get_args

from deepradiomics.errors import InputError, MissingDependencyError

Device = Literal["auto", "cpu", "cuda", "mps"]


def checked_device(device: str) -> str:
    """Return a device's name as it is, after a check that needs no torch.

    Raises:
        InputError: no such device, or one that this system never has.
    """
    if not isinstance(device, str) or device.partition(":")[0] not in get_args(Device):
        raise InputError(f"device: expected one of {', '.join(get_args(Device))}, got {device!r}.")
    if device == "mps" and sys.platform != "darwin":
        raise InputError("device='mps' cannot be used: it exists on macOS only. Choose 'auto' or 'cpu'.")
    return device


def resolve_device(device: str = "auto", *, float64: bool = False) -> str:
    """Return ``"cpu"``, ``"cuda"``, ``"cuda:N"`` or ``"mps"`` for what the user asked.

    ``auto`` takes CUDA, then MPS, then the CPU, and the CPU where torch is not installed.

    Args:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        float64: the computation needs double precision, which MPS lacks.

    Raises:
        InputError: the device is unknown or not present on this machine.
        MissingDependencyError: a GPU is asked for and torch is not installed.
    """
    kind = checked_device(device).partition(":")[0]
    if kind == "cpu":
        return "cpu"
    if find_spec("torch") is None:
        if kind == "auto":
            return "cpu"
        raise MissingDependencyError(
            f"device={device!r} needs PyTorch, which is not installed. Install it with 'pip install torch', "
            "in 3D Slicer through the PyTorch extension, or choose device='cpu'."
        )
    import torch

    has_mps = torch.backends.mps.is_available() and not float64
    if kind == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    if kind == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"device={device!r}: PyTorch {torch.__version__} sees no CUDA GPU here. Choose 'auto' or 'cpu'."
        )
    if kind == "mps" and not has_mps:
        why = "it has no double precision, which this computation needs" if float64 else "none is available here"
        raise InputError(f"device='mps' cannot be used: {why}. Choose 'auto' or 'cpu'.")
    return device
