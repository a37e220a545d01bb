"""Where in the lesion does the risk come from? 3D Grad-CAM of a direction in a network's latent space.

An outcome model answers to components of the latents; along which direction v of the latents its risk rises is
computed elsewhere (:mod:`deepradiomics.ich.patient.risk_direction`). The scalar <v, latents> is differentiable, so that
Grad-CAM shows which places of the image push it up: α_k = mean over places of ∂<v, latents>/∂A_k for the maps A_k of a
layer, map = ReLU(Σ_k α_k A_k), brought to the image's size.

It is the same for the autoencoder (a lesion crop) and for the encoder of a segmenter (a cube of the head). It shows
where the network looks, not what is true of the tissue there: with randomised weights the map must change (Adebayo et
al., Sanity checks for saliency maps, NeurIPS 2018), and it does not resolve more than the layer's places (4³ of a crop
of 64 mm are 16 mm each).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

Latents = Callable[[Any, Any], Any]
"""From (module, image tensor) to the latents: a tensor, or several in the order in which they are flattened."""


def risk_gradcam(
    module: nn.Module,
    layer: nn.Module,
    image: np.ndarray,
    weights: np.ndarray,
    *,
    within: np.ndarray | None = None,
    latents: Latents | None = None,
) -> np.ndarray:
    """Return the Grad-CAM of <weights, latents>.

    Args:
        module: the network, in eval mode: an autoencoder (``encode`` gives μ and σ; the latents are μ) or a segmenter
            (``encode`` gives maps with ``bottlenecks``, fine before coarse).
        layer: the layer of the module whose maps are read, such as ``Autoencoder.last_layer``.
        image: float (z, y, x) as the network sees it: a crop, or a head cube.
        weights: (p,) the direction in the flattened latents, or (k, p) for k outcomes at once.
        within: bool (z, y, x), such as the dilated lesion: 0 outside, and scaled to a maximum of 1 inside.
        latents: how to get the latents of another kind of network.

    Returns:
        float32 (z, y, x), or (k, z, y, x) for k outcomes: in [0, 1]; all 0 where no place pushes the risk up.

    Raises:
        InputError: shapes do not fit, weights are not finite, or the layer does not take part.
    """
    import torch

    from deepradiomics.networks.attribution import grad_cam

    image = np.asarray(image, np.float32)
    rows = np.atleast_2d(np.asarray(weights, np.float64))
    if image.ndim != 3:
        raise InputError(f"image: expected one image (z, y, x), got shape {image.shape}.")
    if within is not None and np.shape(within) != image.shape:
        raise InputError(f"within: expected the image's shape {image.shape}, got {np.shape(within)}.")
    if not np.isfinite(rows).all():
        raise InputError("weights: expected finite numbers, some are NaN or infinite.")
    # The map forgets the length of v; a length of 1 keeps tiny slopes out of the rounding errors of float32.
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    parameter = next(module.parameters())
    direction = torch.from_numpy((rows / np.where(length > 0, length, 1)).astype(np.float32)).to(parameter.device)
    tensor = torch.from_numpy(image)[None, None].to(parameter.device).requires_grad_()

    def forward() -> Tensor:
        flat = _flat((latents or read_latents)(module, tensor))
        if flat.numel() != direction.shape[1]:
            raise InputError(f"weights: expected one for each of the {flat.numel()} latents, got {direction.shape[1]}.")
        return (direction @ flat)[None]

    maps = grad_cam(layer, forward, range(len(rows)), image.shape).numpy().astype(np.float32)
    if within is not None:
        maps *= np.asarray(within, bool)
    peaks = maps.max(axis=(1, 2, 3), keepdims=True)
    maps = np.divide(maps, peaks, out=np.zeros_like(maps), where=peaks > 0)
    return maps[0] if np.ndim(weights) == 1 else maps


def read_latents(module: Any, image: Any) -> Tensor | Sequence[Tensor]:
    """The latents of an autoencoder (posterior means) or of a segmenter (both bottlenecks) for (1, 1, z, y, x).

    Raises:
        InputError: the module is neither.
    """
    if not hasattr(module, "encode"):
        raise InputError(
            f"module: {type(module).__name__} has no encode(); say with latents= how its latents are computed."
        )
    encoded = module.encode(image)
    if hasattr(encoded, "bottlenecks"):
        return encoded.bottlenecks  # type: ignore[no-any-return]
    return encoded[0]  # type: ignore[no-any-return]


def _flat(latents: Tensor | Sequence[Tensor]) -> Tensor:
    import torch

    parts = [latents] if isinstance(latents, torch.Tensor) else list(latents)
    return torch.cat([part.float().flatten() for part in parts])
