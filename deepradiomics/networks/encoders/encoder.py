"""An encoder in use: a network, the stack it wants to see, and the layer whose pooled output is the embedding.

::

    load_encoder("run/encoder")            a bundle folder (or a run folder that holds one)
    load_encoder("profound.safetensors")   weights in ProFound's published layout (see profound.py)
    load_encoder("my_package:my_encoder")  a function of yours that returns (nn.Module, StackRecipe), or an Encoder

How an output becomes one vector a case: ``pooling.py``.
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
from deepradiomics.files import content_hash
from deepradiomics.networks.bundle import INFO_FILE, load_bundle, load_info, save_bundle
from deepradiomics.networks.convnextv2 import SIZES, TOTAL_STRIDE, ConvNeXtV2
from deepradiomics.networks.entry_point import call_entry_point, is_entry_point
from deepradiomics.networks.pooling import pooled
from deepradiomics.prepare.stack import StackRecipe

KIND = "encoder"
WEIGHT_SUFFIXES = (".pt", ".pth", ".safetensors")
ChannelChange = Literal["slice", "replicate"]


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
            module, self.recipe.for_modalities(names), layer=self.layer, name=self.name, source=self.source,
            about=about, device=self.device,
        )  # fmt: skip

    def with_layer(self, layer: str | None) -> Encoder:
        """The same network with another layer as embedding. Raises BundleError where it does not exist."""
        return Encoder(
            self.module, self.recipe, layer=layer, name=self.name, source=self.source, about=self.about,
            device=self.device,
        )  # fmt: skip

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
        seen: list[Any] = []
        hook = None
        if self._layer_module is not None:
            hook = self._layer_module.register_forward_hook(lambda module, inputs, output: seen.append(output))
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
            if not seen:
                raise BundleError(f"Encoder {self.name!r}: the layer {self.layer!r} is not used on the way forward.")
            output = seen[-1]
        what = f"layer {self.layer!r}" if self.layer else "the network"
        return pooled(output, len(images), f"Encoder {self.name!r}: the output of {what}")


def load_encoder(source: str | Path, *, layer: str | None = None, device: str = "cpu") -> Encoder:
    """Load an encoder from a bundle folder, a weights file in ProFound's layout, or an entry point.

    Args:
        source: folder, file (.pt, .pth, .safetensors), or ``module:function``. The function's code is executed.
        layer: the layer to pool instead of the encoder's own choice.
        device: as in :mod:`deepradiomics.devices`.

    Raises:
        BundleError: nothing of the kind is there, or it is not an encoder; the message says what was found.
    """
    path = Path(source)
    if path.is_dir():
        encoder = _from_bundle(path, layer, device)
    elif path.suffix.lower() in WEIGHT_SUFFIXES:
        from deepradiomics.networks.profound import profound_encoder

        encoder = profound_encoder(path, device=device)
    elif isinstance(source, str) and is_entry_point(source):
        encoder = _from_entry_point(source, device)
    else:
        raise BundleError(
            f"encoder {str(source)!r}: there is no such folder. Expected a bundle folder, a file of weights "
            f"({', '.join(WEIGHT_SUFFIXES)}) or an entry point 'module:function'."
        )
    return encoder if layer is None or layer == encoder.layer else encoder.with_layer(layer)


def _from_bundle(folder: Path, layer: str | None, device: str) -> Encoder:
    if not (folder / INFO_FILE).exists() and (folder / KIND / INFO_FILE).is_file():
        folder = folder / KIND  # a pre-training run holds its encoder there
    kind = load_info(folder).get("kind")
    if kind != KIND:
        raise BundleError(f"{folder}: expected a bundle of kind {KIND!r}, this one is of kind {kind!r}.")
    tensors, info = load_bundle(folder)
    made = info.get("architecture")
    if not isinstance(made, Mapping) or made.get("name") != "convnextv2" or made.get("size") not in SIZES:
        raise BundleError(f"{folder}: unknown architecture {made!r}; expected convnextv2 of a size {', '.join(SIZES)}.")
    try:
        recipe = StackRecipe.from_dict(info["recipe"])
        module = ConvNeXtV2(int(made["in_channels"]), made["size"])
        load_weights(module, {name: torch.from_numpy(array) for name, array in tensors.items()}, str(folder))
    except BundleError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{folder / INFO_FILE}: the description is not that of an encoder ({error}).") from error
    return Encoder(
        module, recipe, layer=layer or info.get("layer"), name=str(info.get("name") or folder.name), source="bundle",
        about=info.get("about"), device=device,
    )  # fmt: skip


def load_weights(module: nn.Module, state: Mapping[str, torch.Tensor], where: str) -> None:
    """Load a state dict that must fit exactly. Raises BundleError naming what is missing, unknown or of other shape."""
    expected = module.state_dict()
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
    module.load_state_dict(dict(state))


def _from_entry_point(source: str, device: str) -> Encoder:
    made = call_entry_point(source)
    if isinstance(made, Encoder):
        made.source = "entry point"
        return made.to(device)
    match made:
        case (nn.Module() as module, StackRecipe() as recipe):
            return Encoder(module, recipe, name=source, source="entry point", device=device)
        case tuple():
            got = f"({', '.join(type(part).__name__ for part in made)})"
        case _:
            got = type(made).__name__
    raise BundleError(
        f"encoder {source!r}: the function returned {got}; expected (nn.Module, StackRecipe) or an Encoder."
    )


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
