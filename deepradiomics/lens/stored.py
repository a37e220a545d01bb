"""The lens bundle: the shared layer and both heads in one checked folder, to be applied or compared later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.errors import BundleError
from deepradiomics.lens.config import LensConfig
from deepradiomics.networks.bundle import load_bundle, save_bundle

if TYPE_CHECKING:
    from deepradiomics.lens.estimator import RadiomicLens

KIND = "lens"


@dataclass(frozen=True, eq=False)
class LensBundle:
    """A fitted lens with what is known of it.

    Args:
        lens: the estimator; ``lens.predict(X, stage)`` gives radiomic features from embeddings.
        config: how it was made.
        about: task, modalities, ROI, encoders, seed, versions.
        sha256: hash of its weights; empty before it is saved.
    """

    lens: RadiomicLens
    config: LensConfig
    about: Mapping[str, Any]
    sha256: str = ""

    def save(self, folder: str | Path) -> Path:
        """Write the bundle as a whole or not at all."""
        tensors, state = self.lens.state()
        info = {"kind": KIND, **self.about, "config": self.config.to_dict(), "state": dict(state)}
        return save_bundle(folder, tensors, info)


def load_lens(folder: str | Path) -> LensBundle:
    """Read a lens bundle, or that of a result folder of ``lens fit``.

    Raises:
        BundleError: the bundle is damaged or of another kind.
    """
    from deepradiomics.lens.estimator import RadiomicLens

    folder = Path(folder)
    if (folder / "lens" / "bundle.json").is_file():
        folder = folder / "lens"
    tensors, info = load_bundle(folder)
    if info.get("kind") != KIND:
        raise BundleError(f"{folder}: expected a bundle of kind {KIND!r}, got {info.get('kind')!r}. Choose another.")
    try:
        lens = RadiomicLens.from_state(tensors, info["state"])
        config = LensConfig.from_dict(info["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{folder / 'bundle.json'}: an entry is missing or unusable ({error}).") from error
    own = {"format", "format_version", "weights", "kind", "config", "state"}
    about = {key: value for key, value in info.items() if key not in own}
    return LensBundle(lens, config, about, info["weights"]["sha256"])
