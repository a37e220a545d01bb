"""Grad-CAM: where in the image did the last maps of a network speak for a number it gave?

For a scalar s and the maps A_k of one layer, α_k = mean over voxels of ∂s/∂A_k, and the map is ReLU(Σ_k α_k A_k).
Source: Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2; here with three dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from deepradiomics.errors import InputError


def grad_cam(layer: nn.Module, forward: Callable[[], Tensor], targets: Sequence[int], shape: Sequence[int]) -> Tensor:
    """Return one map per target, resized to the image and scaled to a maximum of 1.

    Args:
        layer: the layer whose output (1, channels, z', y', x') is explained.
        forward: runs the network on one exam and returns its logits (1, outputs); gradients must be possible.
        targets: the logits to explain, by index.
        shape: (z, y, x) of the maps wanted.

    Returns:
        (len(targets), z, y, x) in [0, 1], on the CPU; all zero where no map speaks for the logit.

    Raises:
        InputError: the layer was not used, more than one exam was given, or a target does not exist.
    """
    maps: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _module, _inputs, output: maps.append(output))
    try:
        with torch.enable_grad():
            logits = forward()
    finally:
        hook.remove()
    if len(maps) != 1 or not maps[0].requires_grad:
        raise InputError(f"layer: expected it to run once with gradients, it ran {len(maps)} times.")
    if logits.ndim != 2 or logits.shape[0] != 1:
        raise InputError(f"forward: expected the logits of one exam (1, outputs), got shape {tuple(logits.shape)}.")
    cams = []
    for position, target in enumerate(targets):
        if not 0 <= target < logits.shape[1]:
            raise InputError(f"targets[{position}]: expected 0 to {logits.shape[1] - 1}, got {target}.")
        (gradient,) = torch.autograd.grad(logits[0, target], maps[0], retain_graph=True)
        weight = gradient.mean(dim=(2, 3, 4), keepdim=True)  # (1, channels, 1, 1, 1)
        cam = torch.relu((weight * maps[0]).sum(dim=1, keepdim=True)).detach().float()  # (1, 1, z', y', x')
        cam = interpolate(cam, size=tuple(shape), mode="trilinear", align_corners=False)[0, 0]
        peak = cam.max()
        cams.append((cam / peak if peak > 0 else torch.zeros_like(cam)).cpu())
    return torch.stack(cams)
