"""Show the result of `deepradiomics extract` (features only, no model) in the scene: tables that explain themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.files.results import columns_of, read_object, read_rows
from deepradiomics.radiomics.catalogue.explain import Explained, explain
from deepradiomics.scene.nodes.atomic import all_or_nothing
from deepradiomics.scene.nodes.tables import FEATURE_COLUMNS, feature_table, region_table
from deepradiomics.scene.tree.folder import reference_inputs, result_folder_item
from deepradiomics.scene.tree.provenance import stamp


@dataclass(frozen=True, eq=False)
class FeatureNodes:
    """The nodes of one features-only result.

    Attributes
    ----------
    features
        Table node with a row per region and feature.
    by_region
        The same values with a row per region and a column per feature, which explains itself by tooltips.
    folder_item
        The subject-hierarchy item ID of their folder.
    warnings
        What the computation says of its numbers, and the labels it left out.
    notes
        What was assumed, chosen or done while the files were read.
    """

    features: Any
    by_region: Any
    folder_item: int
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def show_features(
    result_folder: Path,
    nodes: Mapping[str, Any] | None,
    scene: Any,
    *,
    name: str = "Features",
    region_names: Mapping[int, str] | None = None,
    terminologies: Mapping[int, str] | None = None,
) -> FeatureNodes:
    """Add features.csv to the scene, with unit, IBSI code and a sentence per feature.

    `nodes`: what the features come from (e.g. "image", "segmentation"), referred to by the tables. `region_names`: of
    the labels, where the mask's file does not carry them. `terminologies`: what the labels are
    (`scene.nodes.terminology`). Raises InputError if the folder is incomplete or damaged; then nothing is left
    in the scene.
    """
    content = read_object(Path(result_folder) / "features.json")
    columns = columns_of(read_rows(Path(result_folder) / "features.csv", FEATURE_COLUMNS), FEATURE_COLUMNS)
    regions = {int(label): str(region.get("name", "")) for label, region in content.get("labels", {}).items()}
    regions |= region_names or {}
    about = {feature: explained(feature) for feature in dict.fromkeys(columns["feature"])}
    with all_or_nothing(scene):
        long = feature_table(scene, name, columns, regions, about, terminologies or {})
        wide = region_table(scene, f"{name} by region", columns, regions, about, terminologies or {})
        for table in (long, wide):
            stamp(table, content)
            reference_inputs(table, {role: node for role, node in (nodes or {}).items() if node is not None})
        item = result_folder_item(scene, name, [long, wide])
        notes = tuple(str(note) for note in content.get("notes") or ())
        return FeatureNodes(long, wide, item, _warnings(content, regions), notes)


def explained(feature: str, sentence: str = "", unit: str = "") -> Explained:
    """What a feature measures; for one that this version does not know its name, or the `sentence` that is given."""
    try:
        return explain(feature)
    except InputError:  # of a later version, or no radiomic feature
        return Explained(feature, "original", "", feature, sentence, unit=unit, label=feature)


def _warnings(content: Mapping[str, Any], regions: Mapping[int, str]) -> tuple[str, ...]:
    warnings = [
        f"{regions.get(int(label)) or f'label {label}'}: {text}"
        for label, region in content.get("labels", {}).items()
        for text in region.get("diagnostics", {}).get("warnings", ())
    ]
    left_out = [f"label {label} is left out: {why}" for label, why in content.get("skipped", {}).items()]
    return tuple(dict.fromkeys([*left_out, *warnings]))
