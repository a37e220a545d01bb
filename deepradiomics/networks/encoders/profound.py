"""Weights in the layout of ProFound's public checkpoints, turned into a state dict of our ConvNeXt-V2.

Two layouts are known (``docs/methods/encoders.md`` has the whole map):

- dense: the names of our network, possibly below ``encoder.`` or ``module.``, beside a decoder or a head;
- sparse pre-training: convolutions as ``kernel`` tensors, (k³, in, out) for a downsampling, (k³, channels) for a
  depthwise one and (in, out) for a kernel of one voxel, biases (1, channels), norms below ``ln.``, linear layers below
  ``linear.``, GRN parameters (1, channels). Along k³ the first spatial axis runs fastest.

Source: the names and shapes that ProFound's repository (branch ``demo``) loads. Not tried with the real weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from deepradiomics.errors import BundleError
from deepradiomics.networks.convnextv2 import SIZES, ConvNeXtV2
from deepradiomics.networks.encoders.encoder import Encoder
from deepradiomics.networks.weights import load_weights
from deepradiomics.prepare.stack import StackRecipe

SAFE_RELEASE = (2, 10)  # of torch: reads tensors of a stranger's pickle and nothing else
_WRAPPERS = ("state_dict", "model")  # a training checkpoint keeps its weights below one of these
_PREFIXES = ("module.", "encoder.")
_NOT_THE_ENCODER = ("decoder.", "mask_token", "proj.", "pred.", "head.")
# Size of the public scripts; every channel is z-scored, the apparent diffusion coefficient too.
RECIPE = StackRecipe(modalities=("t2", "highb", "adc"), size_zyx=(64, 224, 224), fixed_scale=())


def profound_encoder(source: str | Path | Mapping[str, Any], *, device: str = "cpu") -> Encoder:
    """Return the encoder of a checkpoint; size and channels are read from its shapes.

    Raises:
        BundleError: as :func:`load_profound`; or it has other channels than T2, high-b and ADC.
    """
    state = load_profound(source)
    size, channels = profound_size(state)
    where = _called(source)
    if channels != len(RECIPE.modalities):
        raise BundleError(
            f"{where}: the stem has {channels} channels, ProFound's are {', '.join(RECIPE.modalities)}. "
            "Write an entry point (module:function) that says what its channels are."
        )
    module = ConvNeXtV2(channels, size)
    load_weights(module, state, where)
    about = {"layout": "ProFound", "note": "loaded through the documented key map; untested with the real weights"}
    return Encoder(module, RECIPE, name=Path(where).stem, source="checkpoint", about=about, device=device)


def load_profound(source: str | Path | Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Return a state dict that fits ``ConvNeXtV2`` of :func:`profound_size`.

    A pre-training checkpoint has no final norm; it gets the identity (weight 1, bias 0).

    Args:
        source: a file (.safetensors; .pt and .pth, of which only tensors are read), or its content.

    Raises:
        BundleError: unreadable, not this layout, or keys that are missing, unknown or of the wrong shape, by name.
    """
    where = _called(source)
    tensors = _tensors(source) if isinstance(source, str | Path) else dict(source)
    for name in _WRAPPERS:
        if isinstance(tensors.get(name), Mapping):
            tensors = dict(tensors[name])
            break
    state: dict[str, torch.Tensor] = {}
    for key, value in tensors.items():
        if not isinstance(value, torch.Tensor):
            raise BundleError(f"{where}: {key!r} is a {type(value).__name__}; expected tensors by name.")
        name = _ours(key)
        if not name:
            continue
        if name in state:
            raise BundleError(f"{where}: two tensors, {key!r} one of them, stand for {name!r}.")
        state[name] = _dense(key, name, value, where)
    if "stages.0.0.pwconv1.weight" not in state:
        raise BundleError(
            f"{where}: this is not a ConvNeXt-V2 in ProFound's layout: expected names such as "
            f"'stages.0.0.pwconv1.weight', got {', '.join(list(tensors)[:4]) or 'none'}."
        )
    size, channels = profound_size(state, where)
    last = SIZES[size].dims[-1]
    if not any(name.startswith("norm.") for name in state):
        state |= {"norm.weight": torch.ones(last), "norm.bias": torch.zeros(last)}
    with torch.device("meta"):  # shapes only
        expected = ConvNeXtV2(channels, size)
    load_weights(expected, {name: tensor.to("meta") for name, tensor in state.items()}, where)
    return state


def profound_size(state: Mapping[str, torch.Tensor], where: str = "checkpoint") -> tuple[str, int]:
    """Read size and input channels from a state dict in our layout.

    Raises:
        BundleError: no known size has these channels and blocks.
    """
    stem = state.get("downsample_layers.0.0.weight")
    if stem is None or stem.ndim != 5:
        raise BundleError(f"{where}: the stem 'downsample_layers.0.0.weight' (d, channels, 4, 4, 4) is missing.")
    blocks = {tuple(name.split(".")[1:3]) for name in state if name.startswith("stages.")}
    depths = tuple(sum(stage == str(i) for stage, *_ in blocks) for i in range(4))
    for size, (wanted_depths, dims) in {name: (shape.depths, shape.dims) for name, shape in SIZES.items()}.items():
        if dims[0] == stem.shape[0] and wanted_depths == depths:
            return size, int(stem.shape[1])
    raise BundleError(
        f"{where}: blocks {depths} with {stem.shape[0]} channels in the first stage are no known size; expected one "
        f"of {', '.join(f'{name} {shape.depths} / {shape.dims[0]}' for name, shape in SIZES.items())}."
    )


def _ours(key: str) -> str:
    """Our name for a checkpoint's key; empty for what is not part of the encoder."""
    name = key
    while name.startswith(_PREFIXES):
        name = name.split(".", 1)[1]
    if name.startswith(_NOT_THE_ENCODER):
        return ""
    parts = [part for part in name.split(".") if part not in ("ln", "linear")]
    if parts[-1] == "kernel":
        parts[-1] = "weight"
    return ".".join(parts)


def _dense(key: str, name: str, value: torch.Tensor, where: str) -> torch.Tensor:
    """A tensor as our network has it: kernels unfolded, vectors without leading ones, GRN with them."""
    value = value.detach().to("cpu", torch.float32)
    if not value.isfinite().all():
        raise BundleError(f"{where}: {key!r} holds NaN or infinite values.")
    if key.endswith(".kernel"):
        return _unfolded(key, value, depthwise=name.endswith("dwconv.weight"), where=where)
    if ".grn." in name:
        return value.reshape(1, 1, 1, 1, -1)
    if name.endswith(".bias"):
        return value.reshape(-1)
    return value


def _unfolded(key: str, kernel: torch.Tensor, *, depthwise: bool, where: str) -> torch.Tensor:
    """(k³, channels) → (channels, 1, k, k, k); (k³, in, out) or (in, out) → (out, in, k, k, k)."""
    shape = tuple(kernel.shape)
    if depthwise:
        kernel = kernel.unsqueeze(1) if kernel.ndim == 2 else kernel  # (k³, 1, channels)
    elif kernel.ndim == 2:
        kernel = kernel.unsqueeze(0)  # a kernel of one voxel keeps no axis for it
    edge = round(kernel.shape[0] ** (1 / 3)) if kernel.ndim == 3 else 0
    if kernel.ndim != 3 or edge**3 != kernel.shape[0]:
        raise BundleError(
            f"{where}: {key!r} has shape {shape}; expected (k³, in, out), (k³, channels) for a depthwise "
            "kernel, or (in, out) for a kernel of one voxel."
        )
    places = kernel.permute(2, 1, 0).reshape(kernel.shape[2], kernel.shape[1], edge, edge, edge)
    return places.permute(0, 1, 4, 3, 2).contiguous()  # the first spatial axis ran fastest


def _tensors(path: str | Path) -> dict[str, Any]:
    path = Path(path)
    if not path.is_file():
        raise BundleError(f"{path}: this file of weights does not exist.")
    try:
        if path.suffix.lower() == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        content = _tensors_of_pickle(path)
    except Exception as error:  # both libraries raise many types for a damaged file
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BundleError(
            f"{path}: these weights cannot be read safely ({reason}). Only tensors are loaded, no pickled objects. If "
            "you trust the file, open it once with torch in an environment of your own and save its weights alone: "
            "safetensors.torch.save_file(checkpoint['model'], 'weights.safetensors')."
        ) from error
    if not isinstance(content, Mapping):
        raise BundleError(f"{path}: expected a dictionary of weights, got a {type(content).__name__}.")
    return dict(content)


def _tensors_of_pickle(path: Path) -> Any:
    """Read a .pt or .pth file without running anything in it.

    Training checkpoints carry their command line as an ``argparse.Namespace``, which is a bag of values: it may pass.
    Before torch 2.10 a crafted file can write beyond its memory all the same (CVE-2026-24747).
    """
    release = tuple(int(part) for part in torch.__version__.partition("+")[0].split(".")[:2])
    if release < SAFE_RELEASE:
        raise ValueError(f"torch {torch.__version__} cannot do so; torch 2.10 or later can, or .safetensors weights")
    with torch.serialization.safe_globals([argparse.Namespace]):
        return torch.load(path, map_location="cpu", weights_only=True)


def _called(source: Any) -> str:
    return str(source) if isinstance(source, str | Path) else "checkpoint"
