"""A trained lesion autoencoder: from the crop of a haematoma to its latents.

>>> network = load_autoencoder("run/bundle")                         # doctest: +SKIP
>>> crop = network.crop(ct, mask)                                    # doctest: +SKIP
>>> network.latents(crop).shape                                      # doctest: +SKIP
(512, 4, 4, 4)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.devices import resolve_device
from deepradiomics.errors import BundleError, InputError
from deepradiomics.files.reading import UNUSABLE, reason
from deepradiomics.ich.haematoma.lesion import CropRecipe, LesionCrop, lesion_crop
from deepradiomics.images import Mask, Volume
from deepradiomics.networks.bundle import INFO_FILE, load_bundle, load_info, loading_bundle, save_bundle
from deepradiomics.public import one_line

if TYPE_CHECKING:
    from torch import nn

    from deepradiomics.networks.vaegan import VaeGanSize

KIND = "ich-autoencoder"
_BATCH = 4  # crops at a time: bounds the memory of full-size ones


@one_line
class Autoencoder:
    """Encoder and decoder of lesion crops, in eval mode.

    Args:
        module: MONAI's AutoencoderKL.
        recipe: how lesions are cut out for it.
        size: its channels and blocks.
        name: what a person calls it.
        info: what is known about it: ``seen`` (marks of patients), ``metrics`` (active units, errors), ``synthetic`` …
        sha256: hash of the weights file, by which results name it; empty where it was never saved.
        device: where it computes.
    """

    def __init__(
        self,
        module: nn.Module,
        recipe: CropRecipe,
        size: VaeGanSize,
        *,
        name: str = "",
        info: Mapping[str, Any] | None = None,
        sha256: str = "",
        device: str = "cpu",
    ) -> None:
        self.device = resolve_device(device)
        self.module = module.to(self.device).eval()
        self.recipe, self.size, self.name, self.sha256 = recipe, size, name, sha256
        self.info = dict(info or {})

    @property
    def latent_shape(self) -> tuple[int, int, int, int]:
        """(C, z, y, x) of the latents of one crop."""
        return self.size.latent_shape(self.recipe.size)

    @property
    def synthetic(self) -> bool:
        """Whether it learned from synthetic heads."""
        return bool(self.info.get("synthetic", False))

    @property
    def last_layer(self) -> nn.Module:
        """The last residual block of the encoder, whose maps have the latents' places (4³): Grad-CAM's usual layer."""
        return self.layers[max(self.layers)]

    @property
    def layers(self) -> dict[int, nn.Module]:
        """Last layer of each level of the encoder, by how often the crop was halved there; finer maps come earlier."""
        from deepradiomics.networks.vaegan import level_ends

        return level_ends(self.module)

    def crop(self, volume: Volume, mask: Mask, *, label: int = 1, case: str = "") -> LesionCrop:
        """Cut a lesion out as this network was taught to see it; arguments as in :func:`lesion_crop`."""
        return lesion_crop(volume, mask, self.recipe, label=label, case=case)

    def latents(self, crop: LesionCrop | np.ndarray) -> np.ndarray:
        """Posterior means of one crop, float32 (C, z, y, x).

        Args:
            crop: as :meth:`crop` gives it, or its image (n, n, n) in [0, 1].

        Raises:
            InputError: the crop has another size than the network's.
        """
        image = self._checked(crop.image if isinstance(crop, LesionCrop) else crop)
        return self.latents_of(image[None, None])[0]

    def latents_of(self, images: np.ndarray) -> np.ndarray:
        """Posterior means of crops (N, 1, n, n, n), float32 (N, C, z, y, x)."""
        import torch

        latents = []
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                part = torch.from_numpy(np.ascontiguousarray(images[start : start + _BATCH], np.float32))
                latents.append(self.module.encode(part.to(self.device))[0].float().cpu().numpy())  # type: ignore[operator]
        return np.concatenate(latents)

    def reconstruct(self, crop: LesionCrop | np.ndarray) -> np.ndarray:
        """The reconstruction of a crop from its latents alone, float32 (n, n, n), about [0, 1]."""
        image = self._checked(crop.image if isinstance(crop, LesionCrop) else crop)
        return self.reconstructions(image[None, None])[0, 0]

    def reconstructions(self, images: np.ndarray) -> np.ndarray:
        """Reconstructions of crops (N, 1, n, n, n) from their latents, float32 of that shape."""
        import torch

        reconstructions = []
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                part = torch.from_numpy(np.ascontiguousarray(images[start : start + _BATCH], np.float32))
                batch = self.module.reconstruct(part.to(self.device))  # type: ignore[operator]
                reconstructions.append(batch.float().cpu().numpy())
        return np.concatenate(reconstructions)

    def save(self, folder: str | Path, info: Mapping[str, Any] | None = None) -> Path:
        """Write the bundle; ``info`` joins what is known about the network."""
        described = {
            **self.info,
            **(info or {}),
            "kind": KIND,
            "name": self.name,
            "recipe": self.recipe.to_dict(),
            "network": self.size.to_dict(),
            "latent_shape": list(self.latent_shape),
        }
        return save_bundle(folder, self.module.state_dict(), described)

    def _checked(self, image: np.ndarray) -> np.ndarray:
        wanted = (self.recipe.size,) * 3
        if np.shape(image) != wanted:
            raise InputError(
                f"crop: autoencoder {self.name!r} sees cubes of {wanted} voxels, got shape {np.shape(image)}. "
                "Cut the lesion out with the network's own recipe (Autoencoder.crop)."
            )
        return np.asarray(image, np.float32)


@loading_bundle
def load_autoencoder(source: str | Path, device: str = "auto") -> Autoencoder:
    """Load an autoencoder from its bundle, or from a run folder that holds it.

    Args:
        source: folder of the bundle, or one with ``bundle/`` (a training run) or ``autoencoder/`` (an outcome model).
        device: auto, cpu, cuda or mps.

    Raises:
        BundleError: nothing of the kind is there, or it is damaged; the message says what was found.
    """
    import torch

    from deepradiomics.networks.vaegan import VaeGanSize, autoencoder
    from deepradiomics.networks.weights import built

    folder = Path(source)
    if not (folder / INFO_FILE).exists():
        folder = next((folder / name for name in ("bundle", "autoencoder") if (folder / name).is_dir()), folder)
    kind = load_info(folder).get("kind")
    if kind != KIND:
        raise BundleError(f"{folder}: expected a bundle of kind {KIND!r}, this one is of kind {kind!r}.")
    tensors, info = load_bundle(folder)
    try:
        size, recipe = VaeGanSize.from_dict(info["network"]), CropRecipe.from_dict(info["recipe"])
        size.latent_shape(recipe.size)
    except UNUSABLE as error:
        raise BundleError(
            f"{folder / INFO_FILE}: the description is not that of a lesion autoencoder ({reason(error)})."
        ) from error
    with torch.random.fork_rng(devices=[]):  # its first weights are drawn, then replaced
        module = built(lambda: autoencoder(size), tensors, str(folder))
    return Autoencoder(
        module,
        recipe,
        size,
        name=str(info.get("name") or folder.name),
        info=info,
        sha256=str(info["weights"]["sha256"]),
        device=device,
    )
