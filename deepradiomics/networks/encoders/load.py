"""load_encoder: an encoder from wherever its weights lie.

::

    load_encoder("run/encoder")            a bundle folder (or a run folder that holds one)
    load_encoder("profound.safetensors")   weights in ProFound's published layout (see profound.py)
    load_encoder("my_package:my_encoder")  a function of yours that returns (nn.Module, StackRecipe), or an Encoder
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from deepradiomics.errors import BundleError
from deepradiomics.files.reading import UNUSABLE, reason
from deepradiomics.networks.bundle import INFO_FILE, load_bundle, load_info, loading_bundle
from deepradiomics.networks.convnextv2 import SIZES, ConvNeXtV2
from deepradiomics.networks.encoders.encoder import KIND, Encoder
from deepradiomics.networks.encoders.entry_point import call_entry_point, is_entry_point
from deepradiomics.networks.encoders.profound import profound_encoder
from deepradiomics.networks.weights import built
from deepradiomics.prepare.stack import StackRecipe

WEIGHT_SUFFIXES = (".pt", ".pth", ".safetensors")


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
        encoder = profound_encoder(path, device=device)
    elif isinstance(source, str) and is_entry_point(source):
        encoder = _from_entry_point(source, device)
    else:
        raise BundleError(
            f"encoder {str(source)!r}: there is no such folder. Expected a bundle folder, a file of weights "
            f"({', '.join(WEIGHT_SUFFIXES)}) or an entry point 'module:function'."
        )
    return encoder if layer is None or layer == encoder.layer else encoder.with_layer(layer)


@loading_bundle
def _from_bundle(folder: Path, layer: str | None, device: str) -> Encoder:
    if not (folder / INFO_FILE).exists() and (folder / KIND / INFO_FILE).is_file():
        folder = folder / KIND  # a pre-training run holds its encoder there
    kind = load_info(folder).get("kind")
    if kind != KIND:
        raise BundleError(f"{folder}: expected a bundle of kind {KIND!r}, this one is of kind {kind!r}.")
    tensors, info = load_bundle(folder)
    architecture = info.get("architecture")
    if (
        not isinstance(architecture, Mapping)
        or architecture.get("name") != "convnextv2"
        or architecture.get("size") not in SIZES
    ):
        raise BundleError(
            f"{folder}: unknown architecture {architecture!r}; expected convnextv2 of a size {', '.join(SIZES)}."
        )
    try:
        recipe = StackRecipe.from_dict(info["recipe"])
        module = built(lambda: ConvNeXtV2(int(architecture["in_channels"]), architecture["size"]), tensors, str(folder))
    except BundleError:
        raise
    except UNUSABLE as error:
        raise BundleError(
            f"{folder / INFO_FILE}: the description is not that of an encoder ({reason(error)})."
        ) from error
    return Encoder(
        module,
        recipe,
        layer=layer or info.get("layer"),
        name=str(info.get("name") or folder.name),
        source="bundle",
        about=info.get("about"),
        device=device,
    )


def _from_entry_point(source: str, device: str) -> Encoder:
    returned = call_entry_point(source)
    if isinstance(returned, Encoder):
        returned.source = "entry point"
        return returned.to(device)
    match returned:
        case (nn.Module() as module, StackRecipe() as recipe):
            return Encoder(module, recipe, name=source, source="entry point", device=device)
        case tuple():
            got = f"({', '.join(type(part).__name__ for part in returned)})"
        case _:
            got = type(returned).__name__
    raise BundleError(
        f"encoder {source!r}: the function returned {got}; expected (nn.Module, StackRecipe) or an Encoder."
    )
