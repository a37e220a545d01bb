"""Show the result of `deepradiomics extract` (features only, no model) in the scene: a table that explains itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.radiomics.catalogue import describe
from deepradiomics.scene.atomic import all_or_nothing
from deepradiomics.scene.folder import reference_inputs, result_folder_item
from deepradiomics.scene.provenance import stamp
from deepradiomics.scene.result_folder import FEATURE_COLUMNS, read_columns, read_object
from deepradiomics.scene.tables import feature_table


@dataclass(frozen=True, eq=False)
class FeatureNodes:
    """The nodes of one features-only result: the table, and the folder's subject-hierarchy item ID."""

    features: Any
    folder_item: int


def show_features(
    result_folder: Path, nodes: Mapping[str, Any] | None, scene: Any, *, name: str = "Features"
) -> FeatureNodes:
    """Add features.csv to the scene, with a sentence per feature.

    `nodes`: what the features come from (e.g. "image", "segmentation"), referred to by the table. Raises InputError if
    the folder is incomplete or damaged; then nothing is left in the scene.
    """
    about = read_object(Path(result_folder) / "features.json")
    columns = read_columns(Path(result_folder) / "features.csv", FEATURE_COLUMNS)
    descriptions = {feature: _sentence(feature) for feature in dict.fromkeys(columns["feature"])}
    with all_or_nothing(scene):
        table = feature_table(scene, name, columns, descriptions)
        stamp(table, about)
        reference_inputs(table, {role: node for role, node in (nodes or {}).items() if node is not None})
        return FeatureNodes(table, result_folder_item(scene, name, [table]))


def _sentence(feature: str) -> str:
    try:
        return str(describe(feature))
    except (KeyError, ValueError):  # a feature of a custom setting, not in the catalogue
        return ""
