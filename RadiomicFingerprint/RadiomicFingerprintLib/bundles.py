"""Which model: the sample that comes with the module, or one in a folder; and what its description says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLE_BUNDLE = Path(__file__).resolve().parents[1] / "Resources" / "Bundles" / "knee-synthetic-tiny"


@dataclass(frozen=True)
class BundleSummary:
    """What the panel needs to know of a model. `patch_grid` and `resized_shape` are (z, y, x); None where unsaid."""

    name: str
    tasks: tuple[str, ...]
    views: tuple[str, ...]
    reference_view: str
    registration: str
    patch_grid: tuple[int, int, int] | None
    resized_shape: tuple[int, int, int] | None
    synthetic: bool


def read_summary(folder: Path) -> BundleSummary:
    """Read a bundle's description; its weights are checked when it is used.

    Raises:
        BundleError: there is no readable description in the folder.
    """
    from deepradiomics.networks.bundle import load_info

    return summarise(load_info(folder), Path(folder).name)


def summarise(info: Mapping[str, Any], name: str = "") -> BundleSummary:
    """Pick what the panel shows out of a bundle's description."""
    config = info.get("config") or {}
    recipe = info.get("recipe") or config.get("recipe") or {}
    tasks = info.get("tasks") or {}
    names = tuple(str(task.get("name", task)) if isinstance(task, Mapping) else str(task) for task in tasks)
    return BundleSummary(
        name=str(info.get("name") or name),
        tasks=names,
        views=tuple(info.get("views") or recipe.get("views") or ()),
        reference_view=str(recipe.get("reference_view", "sagittal")),
        registration=str(recipe.get("registration", "off")),
        patch_grid=_three(recipe.get("patch_grid")),
        resized_shape=_three(recipe.get("resized_shape")),
        synthetic=bool(info.get("synthetic") or info.get("synthetic_model")),
    )


def _three(values: Any) -> tuple[int, int, int] | None:
    return (int(values[0]), int(values[1]), int(values[2])) if values else None
