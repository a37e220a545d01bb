"""The lens bundle: the shared layer and both heads in one checked folder, to be applied or compared later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import BundleError
from deepradiomics.files.reading import UNUSABLE, reason
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.estimator.lens import RadiomicLens
from deepradiomics.networks.bundle import load_bundle, loading_bundle, save_bundle
from deepradiomics.public import one_line

KIND = "lens"
_NAN = ".nan"


@one_line
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
        nameless = {**state, "ids": [str(row) for row in range(len(state["ids"]))]}  # a bundle names no case
        info = {"kind": KIND, **self.about, "config": self.config.to_dict(), "state": nameless}
        return save_bundle(folder, _without_nan(tensors), info)


@loading_bundle
def load_lens(folder: str | Path) -> LensBundle:
    """Read a lens bundle, or that of a result folder of ``lens fit``.

    Raises:
        BundleError: the bundle is damaged or of another kind.
    """
    folder = Path(folder)
    if (folder / "lens" / "bundle.json").is_file():
        folder = folder / "lens"
    tensors, info = load_bundle(folder)
    if info.get("kind") != KIND:
        raise BundleError(f"{folder}: expected a bundle of kind {KIND!r}, got {info.get('kind')!r}. Choose another.")
    try:
        lens = RadiomicLens.from_state(_with_nan(tensors), info["state"])
        config = LensConfig.from_dict(info["config"])
    except UNUSABLE as error:
        raise BundleError(f"{folder / 'bundle.json'}: an entry is missing or unusable ({reason(error)}).") from error
    own = {"format", "format_version", "weights", "kind", "config", "state"}
    about = {key: value for key, value in info.items() if key not in own}
    return LensBundle(lens, config, about, info["weights"]["sha256"])


def _without_nan(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Bundles hold finite numbers: NaN (features not in use) become 0, and a second tensor says where they were."""
    found: dict[str, np.ndarray] = {}
    for name, values in tensors.items():
        found[name] = values
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            nothing = np.isnan(values)
            found[name] = np.where(nothing, 0, values)
            found[f"{name}{_NAN}"] = nothing.astype(np.uint8)
    return found


def _with_nan(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Inverse of :func:`_without_nan`."""
    return {
        name: np.where(tensors[f"{name}{_NAN}"] != 0, np.nan, values) if f"{name}{_NAN}" in tensors else values
        for name, values in tensors.items()
        if not name.endswith(_NAN)
    }
