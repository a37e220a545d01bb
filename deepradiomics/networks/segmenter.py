"""Segmenters of haematomas: load one, give it a head CT, get a mask on the CT's own grid.

::

    load_segmenter("run/bundle")     a bundle of `deepradiomics ich train-segmenter` (or the run's folder)
    load_segmenter("nnUNetTrainer…") a model folder of nnU-Net v2 (see nnunet.py)

A bundle's encoders also give the latent features: the bottlenecks of the whole head, resized to the network's cube.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from deepradiomics.devices import resolve_device
from deepradiomics.errors import BundleError, InputError
from deepradiomics.files.reading import UNUSABLE, reason
from deepradiomics.images import Volume
from deepradiomics.networks.bundle import INFO_FILE, load_bundle, load_info, loading_bundle, save_bundle
from deepradiomics.networks.dual_unet import DualScaleUNet
from deepradiomics.networks.nnunet import NnUnetSegmenter, is_nnunet_folder
from deepradiomics.networks.segmented import THRESHOLD, VOLUME_OFF, Segmented, Segmenter, finished
from deepradiomics.networks.weights import built
from deepradiomics.prepare.head.head import HeadRecipe, PreparedHead, prepare_head, to_volume_grid
from deepradiomics.prepare.head.hu import check_hu
from deepradiomics.progress import Progress, silent
from deepradiomics.public import one_line

KIND = "ich-segmenter"
ARCHITECTURE = "dual-scale-unet"
_INSIDE = ("bundle", "encoder")  # where a run, and the bundle of an experiment, hold theirs


@one_line
class BundleSegmenter:
    """A dual-scale U-Net, or its single-scale twin, with the cube that it sees.

    Args:
        module: the network.
        recipe: how a CT becomes its cube.
        name: what a person calls it.
        info: description of the bundle (``seen``, ``training``, …); empty for a network that was never saved.
        sha256: hash of the bundle; it covers weights, architecture, recipe and description.
        source: the bundle's folder.
        device: as in :mod:`deepradiomics.devices`.

    Raises:
        BundleError: the network cannot see cubes of the recipe's size.
    """

    kind: Literal["bundle", "nnunet"] = "bundle"

    def __init__(
        self,
        module: DualScaleUNet,
        recipe: HeadRecipe,
        *,
        name: str = "segmenter",
        info: Mapping[str, Any] | None = None,
        sha256: str = "",
        source: Path | None = None,
        device: str = "cpu",
    ) -> None:
        check_size(module, recipe)
        self.device = resolve_device(device)
        self.module = module.to(self.device).eval()
        self.recipe, self.name, self.source = recipe, name, source
        self.info: dict[str, Any] = dict(info or {})
        self.synthetic = bool(self.info.get("synthetic", False))
        self._sha256 = sha256

    @property
    def sha256(self) -> str:
        """Hash of the bundle's weights file, whose header vouches for the description."""
        return self._sha256

    @property
    def dual(self) -> bool:
        """Whether it has the coarse encoder."""
        return self.module.dual

    @property
    def latent_shapes(self) -> tuple[tuple[int, int, int, int], ...]:
        """Shapes (channels, z, y, x) of what :meth:`encoder_latents` returns."""
        return latent_shapes(self.module, self.recipe)

    def prepare(self, volume: Volume, case: str = "") -> PreparedHead:
        """Put a CT into the network's cube."""
        return prepare_head(volume, self.recipe, case=case)

    def encoder_latents(self, volume: Volume, *, case: str = "") -> tuple[np.ndarray, ...]:
        """Return the bottlenecks of a head CT in HU, float32 (channels, z, y, x), fine first.

        (512, 8, 8, 8) and (512, 4, 4, 4) in the preset ``paper``; one array from the single-scale twin.

        Raises:
            InputError: the CT cannot be used.
        """
        return self.latents_of(self.prepare(volume, case))

    def latents_of(self, head: PreparedHead) -> tuple[np.ndarray, ...]:
        """:meth:`encoder_latents` of a head that is in the cube already."""
        with torch.no_grad(), self._mixed():
            maps = self.module.encode(self._tensor(head))
        return tuple(probability[0].float().cpu().numpy() for probability in maps.bottlenecks)

    def probability_of(self, head: PreparedHead, *, flips: bool = False) -> np.ndarray:
        """Probability of haematoma in the cube, float32 (z, y, x).

        Args:
            head: in the cube.
            flips: also look at the mirror image (left and right exchanged) and take the mean.
        """
        image = self._tensor(head)
        with torch.no_grad(), self._mixed():
            probability = torch.sigmoid(self.module(image)[0].float())
            if flips:
                probability = (probability + torch.sigmoid(self.module(image.flip(-1))[0].float()).flip(-1)) / 2
        return probability[0, 0].cpu().numpy()

    def segment(
        self,
        volume: Volume,
        *,
        flips: bool = False,
        largest: bool = False,
        case: str = "",
        progress: Progress | None = None,
    ) -> Segmented:
        """Segment the haematoma in a head CT.

        Args:
            volume: head CT in HU.
            flips: average with the mirror image (twice the time).
            largest: keep the largest connected part alone.
            case: how messages call the CT.
            progress: may raise Cancelled.

        Raises:
            InputError: the grey levels cannot be HU.
        """
        report = progress or silent
        report(0.0, "checking the CT")
        notes = list(check_hu(volume, case=case))
        report(0.1, "preparing the head")
        head = self.prepare(volume, case)
        notes += [note for note in head.notes if note not in notes]
        report(0.3, f"segmenting with {self.name}")
        cube = self.probability_of(head, flips=flips)
        report(0.8, "back to the CT's grid")
        predicted = to_volume_grid(cube, head, volume.geometry)
        if self.synthetic:
            notes.append(f"The segmenter {self.name!r} was trained on SYNTHETIC images: not for real patients.")
        notes += self._volume_notes()
        probability = Volume(predicted, volume.geometry, "probability of haematoma")
        return finished(
            predicted >= THRESHOLD, volume.geometry, largest=largest, notes=tuple(notes), probability=probability
        )

    def save(self, folder: str | Path) -> Path:
        """Write the bundle, with :attr:`info` beside architecture and recipe."""
        known = described(self.module, self.recipe, self.name)
        return save_bundle(folder, self.module.state_dict(), {**_about(self.info), **known})

    def _volume_notes(self) -> list[str]:
        """What its held-out cases say of its volumes, where they were far off."""
        held_out = self.info.get("held_out")
        ratio = held_out.get("volume_ratio") if isinstance(held_out, Mapping) else None
        if held_out is None or not isinstance(ratio, int | float) or abs(ratio - 1) <= VOLUME_OFF:
            return []
        return [
            f"In {held_out['cases']} held-out cases the segmenter {self.name!r} found {ratio:.0%} of the volume that "
            "was drawn; its volumes lean the same way. Check the outline."
        ]

    def _tensor(self, head: PreparedHead) -> torch.Tensor:
        if head.image.shape != self.recipe.size_zyx:
            raise InputError(f"head: expected a cube of {self.recipe.size_zyx} voxels, got {head.image.shape}.")
        return torch.from_numpy(np.ascontiguousarray(head.image))[None, None].to(self.device)

    def _mixed(self) -> Any:
        """Mixed precision on CUDA: bfloat16 where the GPU has it."""
        cuda = self.device.startswith("cuda")
        kind = torch.bfloat16 if cuda and torch.cuda.is_bf16_supported() else torch.float16
        return torch.autocast("cuda", dtype=kind, enabled=cuda)


def load_segmenter(source: str | Path, *, device: str = "auto", folds: Sequence[int | str] | None = None) -> Segmenter:
    """Load a segmenter from a bundle (or the folder of a run or experiment that holds one) or a folder of nnU-Net v2.

    Args:
        source: the folder.
        device: as in :mod:`deepradiomics.devices`.
        folds: for nnU-Net: which folds vote (all that are there by default).

    Raises:
        BundleError: nothing of the kind is there, it is damaged, or it is of another kind.
    """
    folder = Path(source)
    if is_nnunet_folder(folder):
        return NnUnetSegmenter(folder, device=device, folds=folds)
    if folds is not None:
        raise InputError(f"folds: {folder} is no model folder of nnU-Net; a bundle is one network.")
    return load_bundle_segmenter(folder, device=device)


@loading_bundle
def load_bundle_segmenter(source: str | Path, *, device: str = "auto") -> BundleSegmenter:
    """Load a segmenter of ours, whose encoders can be asked for latents.

    Raises:
        BundleError: as :func:`load_segmenter`; also for a model folder of nnU-Net.
    """
    folder = bundle_folder(source)
    if is_nnunet_folder(folder):
        raise BundleError(
            f"{folder}: this is a model folder of nnU-Net, which segments but gives no latent features here. Name a "
            "bundle of 'deepradiomics ich train-segmenter'."
        )
    kind = load_info(folder).get("kind")
    if kind != KIND:
        raise BundleError(f"{folder}: expected a bundle of kind {KIND!r}, this one is of kind {kind!r}.")
    tensors, info = load_bundle(folder)
    architecture = info.get("architecture")
    if not isinstance(architecture, Mapping) or architecture.get("name") != ARCHITECTURE:
        raise BundleError(f"{folder}: unknown architecture {architecture!r}; expected {ARCHITECTURE}.")
    try:
        recipe = HeadRecipe.from_dict(info["recipe"])
        module = built(
            lambda: DualScaleUNet(
                architecture["widths"], dual=bool(architecture["dual"]), supervised=int(architecture["supervised"])
            ),
            tensors,
            str(folder),
        )
    except BundleError:
        raise
    except UNUSABLE as error:
        raise BundleError(
            f"{folder / INFO_FILE}: the description is not that of a segmenter ({reason(error)})."
        ) from error
    return BundleSegmenter(
        module,
        recipe,
        name=str(info.get("name") or folder.name),
        info=info,
        sha256=info["weights"]["sha256"],
        source=folder,
        device=device,
    )


def bundle_folder(source: str | Path) -> Path:
    """Return the folder that holds the bundle: the one named, or ``bundle`` or ``encoder`` inside it."""
    folder = Path(source)
    if not (folder / INFO_FILE).is_file():
        for name in _INSIDE:
            if (folder / name / INFO_FILE).is_file():
                return folder / name
    return folder


def described(module: DualScaleUNet, recipe: HeadRecipe, name: str) -> dict[str, Any]:
    """The part of a bundle's description that rebuilds the network."""
    return {
        "kind": KIND,
        "name": name,
        "architecture": {
            "name": ARCHITECTURE,
            "widths": list(module.widths),
            "dual": module.dual,
            "supervised": module.supervised,
        },
        "recipe": recipe.to_dict(),
        "latents": [list(shape) for shape in latent_shapes(module, recipe)],
    }


def latent_shapes(module: DualScaleUNet, recipe: HeadRecipe) -> tuple[tuple[int, int, int, int], ...]:
    """Shapes (channels, z, y, x) of the bottlenecks for cubes of the recipe's size, fine first."""
    strides = [2 ** (len(module.widths) - 1), *([2 ** len(module.widths)] if module.dual else [])]
    z, y, x = recipe.size_zyx
    return tuple((module.widths[-1], z // stride, y // stride, x // stride) for stride in strides)


def check_size(module: DualScaleUNet, recipe: HeadRecipe) -> None:
    """Raise BundleError unless the stages can halve the cube's sizes and the deepest maps are at least 2³."""
    step = module.smallest_step()
    if any(size % step or size < 2 * step for size in recipe.size_zyx):
        scales = "dual" if module.dual else "single"
        raise BundleError(
            f"recipe.size_zyx: a {scales}-scale network of {len(module.widths)} stages needs multiples of {step}, "
            f"{2 * step} at least, got {recipe.size_zyx}."
        )


def _about(info: Mapping[str, Any]) -> dict[str, Any]:
    known = ("format", "format_version", "weights", "kind", "name", "architecture", "recipe", "latents")
    return {key: value for key, value in info.items() if key not in known}
