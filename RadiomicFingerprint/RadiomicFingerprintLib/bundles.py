"""Which model: the sample that comes with the module, or one in a folder; and what its description says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.errors import BundleError
from deepradiomics.networks.bundle import load_info
from deepradiomics.scene.panel.bundles import sample_bundle

SAMPLE_BUNDLE = sample_bundle(__file__, "knee-synthetic-tiny")


@dataclass(frozen=True)
class BundleSummary:
    """What the panel needs to know of a model.

    Attributes
    ----------
    patch_grid
        Patches along (z, y, x).
    synthetic
        Trained on synthetic images: it demonstrates the software only.
    config
        The whole configuration (`FingerprintConfig.to_dict`).
    """

    tasks: tuple[str, ...]
    views: tuple[str, ...]
    reference_view: str
    registration: str
    patch_grid: tuple[int, int, int]
    synthetic: bool
    config: Mapping[str, Any]


def read_summary(folder: Path) -> BundleSummary:
    """Read a bundle's description; its weights are checked when it is used.

    Raises:
        BundleError: there is no readable description in the folder, or it is of another kind of model.
    """
    info = load_info(folder)
    if info.get("kind") != "fingerprint":
        raise BundleError(
            f"{folder}: expected a model of kind 'fingerprint', got {info.get('kind')!r}. Choose another."
        )
    try:
        return summarise(info)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{folder}: bundle.json lacks or misspells {error}. Copy the bundle folder again.") from error


def summarise(info: Mapping[str, Any]) -> BundleSummary:
    """Pick what the panel shows out of a bundle's description."""
    recipe = info["config"]["recipe"]
    z, y, x = (int(count) for count in recipe["patch_grid"])
    return BundleSummary(
        tasks=tuple(str(task["name"]) for task in info["tasks"]),
        views=tuple(recipe["views"]),
        reference_view=str(recipe["reference_view"]),
        registration=str(recipe["registration"]),
        patch_grid=(z, y, x),
        synthetic=bool(info.get("synthetic")),
        config=info["config"],
    )
