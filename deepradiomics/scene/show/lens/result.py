"""Show the result of `deepradiomics lens fit` in the scene: two tables and three charts, in one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.lens.readings import EXPLAINED
from deepradiomics.lens.result import LensResult
from deepradiomics.scene.nodes.atomic import all_or_nothing, nodes_of_class
from deepradiomics.scene.nodes.lens import LensNodes
from deepradiomics.scene.show.lens.charts import r2_chart, shift_chart
from deepradiomics.scene.show.lens.tables import family_table, shift_table
from deepradiomics.scene.tree.folder import result_folder_item, result_folder_of
from deepradiomics.scene.tree.provenance import read_stamp, stamp

KIND = "lens"
ROLE = "DeepRadiomics.lens."  # from the shift table to the lens's other nodes
CHARTS = ("explained", "shift", "r2")  # the first is the one that a layout shows
# What of lens.json goes onto the nodes. Neither files' paths nor anything of a patient is among it.
KEPT = ("task", "modalities", "seed", "config", "counts", "synthetic", "summary", "leakage", "warnings", "software")


def show_lens(result_folder: Path, scene: Any) -> LensNodes:
    """Add the tables and charts of a lens to the scene.

    Raises
    ------
    InputError
        The folder is incomplete or damaged; the message names the file. Whatever fails, nothing is left in the scene.
    """
    result = LensResult.read(result_folder)
    with all_or_nothing(scene):
        shift = shift_table(scene, f"Shift: {result.task}", result.shift)
        family = family_table(scene, f"Families: {result.task}", result.table1)
        r2, r2_data = r2_chart(scene, f"R² per modality: {result.task}", result)
        moved, moved_data = shift_chart(scene, f"Shifts of importance: {result.task}", result)
        name = f"Shifts of explained spread: {result.task}"
        explained, explained_data = shift_chart(scene, name, result, EXPLAINED)
        everything = (shift, family, explained, explained_data, moved, moved_data, r2, r2_data)
        more = {key: result.about[key] for key in KEPT if result.about.get(key) is not None}
        for node in everything:
            stamp(node, result.about, **(more | {"kind": KIND}))
        charts = {"explained": explained, "shift": moved, "r2": r2}
        for role, node in {"family": family, **charts}.items():
            shift.SetNodeReferenceID(ROLE + role, node.GetID())
        item = result_folder_item(scene, _folder_name(result), [shift, family], {"Charts": charts.values()})
        return LensNodes(shift, family, charts, item, _warnings(result.about))


def lens_tables(scene: Any) -> list[Any]:
    """The shift tables in the scene, such as those of a scene that was loaded, oldest first."""
    tables = nodes_of_class(scene, "vtkMRMLTableNode")
    return [node for node in tables if node.GetNodeReferenceID(ROLE + "family") is not None]


def nodes_of(shift: Any) -> LensNodes:
    """The nodes of the lens that a shift table belongs to. Raises InputError if some are gone, or it is none."""
    parts = {name: shift.GetNodeReference(ROLE + name) for name in ("family", *CHARTS)}
    missing = [name for name, node in parts.items() if node is None]
    if missing:
        raise InputError(
            f"'{shift.GetName()}' is not the shift table of a whole lens: {', '.join(missing)} not in the scene; show "
            "the result again"
        )
    charts = {name: parts[name] for name in CHARTS}
    return LensNodes(shift, parts["family"], charts, result_folder_of(shift) or 0, _warnings(read_stamp(shift)))


def _folder_name(result: LensResult) -> str:
    name = f"Radiomic lens: {result.task}"
    return f"{name} (SYNTHETIC)" if result.about.get("synthetic") else name


def _warnings(about: Mapping[str, Any]) -> tuple[str, ...]:
    leakage = about.get("leakage")
    return tuple(dict.fromkeys([*([str(leakage)] if leakage else []), *map(str, about.get("warnings") or ())]))
