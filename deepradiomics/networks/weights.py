"""Weights into networks: they fit exactly, or the message names what does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from deepradiomics.errors import BundleError

Network = TypeVar("Network", bound=nn.Module)


def built(build: Callable[[], Network], tensors: Mapping[str, np.ndarray], where: str) -> Network:
    """Build the network that a description asks for, with the weights that lie beside it.

    Their shapes are compared before the network takes any memory: a description may ask for one of any size.

    Raises:
        BundleError: the weights do not fit the network.
    """
    state = {name: torch.from_numpy(array) for name, array in tensors.items()}
    with torch.device("meta"):
        check_fit(build().state_dict(), state, where)
    module = build()
    load_weights(module, state, where)
    return module


def load_weights(module: nn.Module, state: Mapping[str, torch.Tensor], where: str) -> None:
    """Load a state dict that must fit exactly. Raises BundleError naming what is missing, unknown or of other shape."""
    check_fit(module.state_dict(), state, where)
    module.load_state_dict(dict(state))


def check_fit(expected: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor], where: str) -> None:
    """Raise BundleError naming what of a state dict is missing, unknown or of another shape than expected."""
    problems = [f"missing {name} {tuple(expected[name].shape)}" for name in expected if name not in state]
    problems += [f"unknown {name} {tuple(state[name].shape)}" for name in state if name not in expected]
    problems += [
        f"{name}: expected shape {tuple(expected[name].shape)}, got {tuple(state[name].shape)}"
        for name in expected
        if name in state and state[name].shape != expected[name].shape
    ]
    if problems:
        more = f"; and {len(problems) - 6} more" if len(problems) > 6 else ""
        raise BundleError(f"{where}: the weights do not fit the network: {'; '.join(problems[:6])}{more}.")
