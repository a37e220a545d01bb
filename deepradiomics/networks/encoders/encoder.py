"""An encoder in use: a network, the stack it wants to see, and the layer whose pooled output is the embedding.

Where encoders come from: ``load.py``; how an output becomes one vector per case: ``pooling.py``.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from deepradiomics.devices import resolve_device
from deepradiomics.errors import BundleError, DeepRadiomicsError, InputError
from deepradiomics.files.atomic import content_hash
from deepradiomics.networks.bundle import save_bundle
from deepradiomics.networks.convnextv2 import TOTAL_STRIDE, ConvNeXtV2
from deepradiomics.networks.encoders.pooling import pooled
from deepradiomics.prepare.stack import StackRecipe
from deepradiomics.public import one_line

KIND = "encoder"
ChannelChange = Literal["slice", "replicate"]


@one_line
class Encoder:
    """A network that turns prepared stacks into embeddings.

    Args:
        module: takes images (B, C, z, y, x) with the recipe's modalities as channels.
        recipe: how a case becomes such an image.
        layer: name of the sub-module whose output is pooled (such as ``stages.2``); None: the module's own output.
        name: what a person calls it.
        source: ``bundle``, ``checkpoint``, ``entry point`` or ``memory``.
        about: where it comes from (training, licence …), JSON-able; it does not enter the hash.
        device: as in :mod:`deepradiomics.devices`.

    Raises:
        BundleError: the layer does not exist, or the output cannot be pooled to a vector.
    """

    def __init__(
        self,
        module: nn.Module,
        recipe: StackRecipe,
        *,
        layer: str | None = None,
        name: str = "encoder",
        source: str = "memory",
        about: Mapping[str, Any] | None = None,
        device: str = "cpu",
    ) -> None:
        self.device = resolve_device(device)
        self.module = module.to(self.device).eval()
        self.recipe = recipe
        self.layer = layer
        self.name = name
        self.source = source
        self.about: dict[str, Any] = dict(about or {})
        if isinstance(module, ConvNeXtV2) and module.in_channels != len(recipe.modalities):
            raise BundleError(
                f"Encoder {name!r}: the network has {module.in_channels} channels, "
                f"its recipe {len(recipe.modalities)} modalities ({', '.join(recipe.modalities)})."
            )
        self._layer_module = None if layer is None else self._find(layer)
        self.dimension = self._probed_dimension()

    @property
    def channels(self) -> tuple[str, ...]:
        """The modalities it sees, in the order of its channels."""
        return self.recipe.modalities

    @property
    def hash(self) -> str:
        """SHA-256 of all that decides its embeddings: architecture, weights, layer, recipe."""
        return content_hash("encoder 1", self._architecture(), self.weights_sha256, self.layer, self.recipe.to_dict())

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of names and values of all weights."""
        parts: list[Any] = []
        for name, tensor in sorted(self.module.state_dict().items()):
            plain = tensor.detach().cpu()
            parts += [name, (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()]
        return content_hash(*parts)

    @property
    def identity(self) -> dict[str, Any]:
        """Who it is, for results: name, source, architecture, hashes, channels, layer, dimension, provenance."""
        return {
            "name": self.name,
            "source": self.source,
            "architecture": self._architecture(),
            "weights_sha256": self.weights_sha256,
            "hash": self.hash,
            "channels": list(self.channels),
            "layer": self.layer,
            "dimension": self.dimension,
            "recipe": self.recipe.to_dict(),
            "about": self.about,
        }

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Return the embeddings (B, d), float32 on the encoder's device, of images (B, C, z, y, x).

        On CUDA in mixed precision; a batch that overflows there is computed again in single precision.

        Raises:
            BundleError: the network refuses such an image, or its output cannot be pooled.
        """
        images = images.to(self.device, torch.float32)
        if images.ndim != 5 or images.shape[1] != len(self.channels):
            raise InputError(
                f"images: expected (batch, {len(self.channels)}, z, y, x), channels {', '.join(self.channels)}, "
                f"got shape {tuple(images.shape)}."
            )
        was_training = self.module.training
        self.module.eval()
        try:
            with torch.no_grad():
                if not self.device.startswith("cuda"):
                    return self._pooled_output(images).float()
                with torch.autocast("cuda", dtype=torch.float16):
                    embeddings = self._pooled_output(images).float()
                return embeddings if embeddings.isfinite().all() else self._pooled_output(images).float()
        finally:
            self.module.train(was_training)

    def require_channels(self, modalities: Sequence[str]) -> None:
        """Raise BundleError unless every channel is among the modalities that a cohort or scene has."""
        missing = [name for name in self.channels if name not in modalities]
        if missing:
            raise BundleError(
                f"Encoder {self.name!r} sees the modalities {', '.join(self.channels)}, but {', '.join(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} not among those given: {', '.join(modalities) or 'none'}. "
                "Name the columns alike (view_<modality>), or choose fewer channels: --modalities on the command line, "
                "Encoder.with_channels in Python."
            )

    def with_channels(self, names: Sequence[str], how: ChannelChange = "slice") -> Encoder:
        """Return a copy that sees other channels; only the first convolution (the stem) changes.

        Args:
            names: the modalities of the copy.
            how: "slice" keeps the stem's weights of those modalities, all of them channels of this encoder.
                "replicate" feeds the one modality named to every channel; since the stem is linear, its weights are
                summed over the channels.

        Raises:
            BundleError: the names do not fit, or no stem with as many channels is found.
        """
        names = tuple(names)
        if how not in ("slice", "replicate"):
            raise InputError(f"how: expected 'slice' or 'replicate', got {how!r}.")
        if names == self.channels:
            return self
        unknown = [name for name in names if name not in self.channels]
        if how == "slice" and (unknown or not names):
            raise BundleError(
                f"Encoder {self.name!r} has the channels {', '.join(self.channels)}, "
                f"so it cannot be reduced to {', '.join(names) or 'none'}. For another single modality: 'replicate'."
            )
        if how == "replicate" and len(names) != 1:
            raise BundleError(f"how='replicate' feeds one modality to every channel; got {len(names)} modalities.")
        module = copy.deepcopy(self.module)
        where, stem = _stem(module, len(self.channels), self.name)
        with torch.no_grad():
            if how == "slice":
                weight = stem.weight[:, [self.channels.index(name) for name in names]]
            else:
                weight = stem.weight.sum(dim=1, keepdim=True)
            stem.weight = nn.Parameter(weight.clone())
        stem.in_channels = len(names)
        if isinstance(module, ConvNeXtV2):
            module.in_channels = len(names)
        about = {**self.about, "channels_changed": {"from": list(self.channels), "how": how, "stem": where}}
        return Encoder(
            module,
            self.recipe.for_modalities(names),
            layer=self.layer,
            name=self.name,
            source=self.source,
            about=about,
            device=self.device,
        )

    def with_layer(self, layer: str | None) -> Encoder:
        """The same network with another layer as embedding. Raises BundleError where it does not exist."""
        return Encoder(
            self.module,
            self.recipe,
            layer=layer,
            name=self.name,
            source=self.source,
            about=self.about,
            device=self.device,
        )

    def to(self, device: str) -> Encoder:
        """Move the network to a device; returns itself."""
        self.device = resolve_device(device)
        self.module.to(self.device)
        return self

    def save(self, folder: str | Path, info: Mapping[str, Any] | None = None) -> Path:
        """Write the encoder as a bundle; ``info`` (training, cohort …) joins what is known about it.

        Raises:
            BundleError: the network is not our ConvNeXt-V2; give it as an entry point instead.
        """
        if not isinstance(self.module, ConvNeXtV2):
            raise BundleError(
                f"Encoder {self.name!r} ({type(self.module).__name__}) cannot be saved as a bundle: a bundle holds "
                "weights of a ConvNeXt-V2, no code. Keep it as an entry point ('module:function')."
            )
        described = {
            "kind": KIND,
            "name": self.name,
            "architecture": self._architecture(),
            "channels": list(self.channels),
            "recipe": self.recipe.to_dict(),
            "layer": self.layer,
            "dimension": self.dimension,
            "about": {**self.about, **(info or {})},
        }
        return save_bundle(folder, self.module.state_dict(), described)

    def _architecture(self) -> Any:
        if isinstance(self.module, ConvNeXtV2):
            return {"name": "convnextv2", "size": self.module.size, "in_channels": self.module.in_channels}
        return {"name": type(self.module).__name__, "structure_sha256": content_hash(repr(self.module))}

    def _find(self, layer: str) -> nn.Module:
        known = {name: module for name, module in self.module.named_modules() if name}
        if layer in known:
            return known[layer]
        near = difflib.get_close_matches(layer, known, n=5, cutoff=0.5)
        top = [name for name, _ in self.module.named_children()]
        raise BundleError(
            f"Encoder {self.name!r} has no layer {layer!r}; "
            f"{'similar: ' + ', '.join(near) + '; ' if near else ''}its first level: {', '.join(top) or 'none'}."
        )

    def _probed_dimension(self) -> int:
        if isinstance(self.module, ConvNeXtV2) and self.layer is None:
            return self.module.dimension
        # A ConvNeXt-V2 takes any size; another network may insist on the one it was built for.
        size = (TOTAL_STRIDE,) * 3 if isinstance(self.module, ConvNeXtV2) else self.recipe.size_zyx
        return int(self.embed(torch.zeros(1, len(self.channels), *size)).shape[1])

    def _pooled_output(self, images: torch.Tensor) -> torch.Tensor:
        outputs: list[Any] = []
        hook = None
        if self._layer_module is not None:
            hook = self._layer_module.register_forward_hook(lambda module, inputs, output: outputs.append(output))
        try:
            output = self.module(images)
        except DeepRadiomicsError:
            raise
        except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            raise BundleError(
                f"Encoder {self.name!r}: the network does not take images of shape {tuple(images.shape)} "
                f"(batch, channel, z, y, x): {_first_line(error)}. Change size_zyx or the modalities of its recipe."
            ) from error
        finally:
            if hook is not None:
                hook.remove()
        if self._layer_module is not None:
            if not outputs:
                raise BundleError(f"Encoder {self.name!r}: the layer {self.layer!r} is not used on the way forward.")
            output = outputs[-1]
        what = f"layer {self.layer!r}" if self.layer else "the network"
        return pooled(output, len(images), f"Encoder {self.name!r}: the output of {what}")


def _stem(module: nn.Module, channels: int, name: str) -> tuple[str, nn.Conv3d]:
    """The first convolution of a network and its name."""
    for where, part in module.named_modules():
        if isinstance(part, nn.Conv3d):
            if part.in_channels == channels and part.groups == 1:
                return where, part
            break
    raise BundleError(
        f"Encoder {name!r}: its first layer is no plain 3D convolution of {channels} channels, so its channels cannot "
        "be changed here. Let the entry point return a network for the modalities wanted."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
