"""Show the result of `deepradiomics maps`: a volume per feature, in colours over the anatomy, and a table of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util

from deepradiomics.errors import InputError
from deepradiomics.files.results import read_object
from deepradiomics.images import Volume
from deepradiomics.images.maps import read_map
from deepradiomics.lens.case.colours import colour_range, signed_range
from deepradiomics.radiomics.catalogue.explain import Explained, explain
from deepradiomics.reports.column_titles import columns
from deepradiomics.reports.palettes import FEATURE, SIGNED_FEATURE
from deepradiomics.scene.nodes.atomic import all_or_nothing
from deepradiomics.scene.nodes.colours import add_legend, colour_node
from deepradiomics.scene.nodes.map_place import ReferencePlace, put_in_place
from deepradiomics.scene.nodes.placement import ijk_to_ras, to_world
from deepradiomics.scene.nodes.tables import add_table
from deepradiomics.scene.nodes.volumes import node_from_volume
from deepradiomics.scene.tree.folder import reference_inputs, referenced_inputs, result_folder_item
from deepradiomics.scene.tree.provenance import stamp
from deepradiomics.scene.tree.roles import references, role
from deepradiomics.scene.views.overlay import FOREGROUND_OPACITY, show_over
from deepradiomics.scene.views.shown import hide_others

MAP_ROLE = "DeepRadiomics.map."  # from the table node to each map; ends in the feature's key
KIND = "maps"
LEGEND_WIDTH = 18  # letters in a line of the legend's title

MAP_COLUMNS: dict[str, type] = {
    "feature": str,
    "minimum": float,
    "mean": float,
    "maximum": float,
    "voxels": int,
    "unit": str,
    "description": str,
}


@dataclass(frozen=True, eq=False)
class MapNodes:
    """The nodes of one run.

    Attributes
    ----------
    maps
        Volume nodes by feature key; NaN, which Slicer draws as transparent, outside the region.
    table
        The table node with a row per map; it refers to them.
    folder_item
        The subject-hierarchy item ID of the folder that holds them all.
    notes
        What was assumed, chosen or done while the files were read.
    """

    maps: Mapping[str, Any]
    table: Any
    folder_item: int
    notes: tuple[str, ...] = ()


def show_maps(
    result_folder: Path,
    volume: Any | None,
    scene: Any,
    *,
    place: ReferencePlace | None = None,
    nodes: Mapping[str, Any] | None = None,
    name: str = "Feature maps",
    foreground: bool = True,
) -> MapNodes:
    """Add the maps of a result folder to the scene.

    Parameters
    ----------
    volume
        The volume node they were computed on; the maps follow its transform and lie over it in the slice views. None:
        they are shown alone, over no other volume.
    place
        Where that volume lay when the computation began (`map_place.reference_place`); None leaves the maps at their
        own place in the world.
    nodes
        What the maps come from, by role ("segmentation", "roi"), referred to by each.
    foreground
        Show the first map over the volume.

    Raises
    ------
    InputError
        The folder is incomplete or damaged; then nothing is left in the scene.
    """
    about, volumes = read_maps(Path(result_folder))
    sources = {"image": volume, **(nodes or {})}
    with all_or_nothing(scene):
        look = MapLook(kernel_radius=_kernel_radius(about))
        drawn = {key: add_map(scene, key, value, volume, place, look) for key, value in volumes.items()}
        table = _table(scene, name, volumes)
        for key, node in drawn.items():
            table.SetNodeReferenceID(role(MAP_ROLE, key), node.GetID())
            stamp(node, about, feature=key)
        stamp(table, about)
        for node in (table, *drawn.values()):
            reference_inputs(node, {role: value for role, value in sources.items() if value is not None})
        item = result_folder_item(scene, name, [table, *drawn.values()])
        if foreground and drawn:
            show_map(scene, next(iter(drawn.values())))
        return MapNodes(drawn, table, item, tuple(str(note) for note in about.get("notes") or ()))


def read_maps(folder: Path) -> tuple[dict[str, Any], dict[str, Volume]]:
    """The JSON of a maps folder, and its maps by feature key. Raises InputError naming what is missing or damaged."""
    about = read_object(folder / "maps.json")
    files = about.get("maps")
    if about.get("kind") != KIND or not isinstance(files, Mapping) or not files:
        raise InputError(f"{folder / 'maps.json'} does not describe feature maps: it was not written by `maps`")
    return about, {key: read_map(folder / _file_of(entry), key) for key, entry in files.items()}


def maps_of(table: Any) -> dict[str, Any]:
    """The map nodes that a table of maps refers to, by feature key; deleted ones are left out."""
    return references(table, MAP_ROLE)


def show_map(scene: Any, node: Any, opacity: float = FOREGROUND_OPACITY) -> Any | None:
    """Show a map in all slice views over the volume it was computed on, and over no other; returns that volume.

    None where that volume is not in the scene (any more): the map is shown alone.
    """
    volume = referenced_inputs(node).get("image")
    hide_others(scene, node)
    show_over(scene, volume, node, opacity=opacity)
    return volume


def jump_to(node: Any, slice_nodes: Sequence[Any]) -> None:
    """Move slice views to the middle of what a map draws; nothing for a map without values."""
    drawn = np.argwhere(np.isfinite(slicer.util.arrayFromVolume(node)))  # (n, 3) as z, y, x
    if len(drawn) == 0:
        return
    index = drawn.mean(axis=0)[::-1]
    local = ijk_to_ras(node)
    world = to_world(node, (local[:3, :3] @ index + local[:3, 3])[None])[0]
    for view in slice_nodes:
        view.JumpSliceByCentering(*world)


def legend_title(about: Explained) -> str:
    """A feature's short name in lines that fit beside a slice, with its unit below."""
    lines = [""]
    for word in about.label.replace(",", "").split():
        for piece in _pieces(word):
            joined = f"{lines[-1]} {piece}".strip()
            if len(joined) > LEGEND_WIDTH:
                lines.append(piece)
            else:
                lines[-1] = joined
    return "\n".join([*lines, *([f"[{about.unit}]"] if about.unit else [])])


def _pieces(word: str) -> list[str]:
    """A long CamelCase name in pieces that fit a line: ``LargeAreaLowGreyLevelEmphasis``."""
    pieces = [""]
    for position, letter in enumerate(word):
        begins = letter.isupper() and position > 0 and not word[position - 1].isupper()
        if begins and len(pieces[-1]) >= LEGEND_WIDTH // 2 and len(word) > LEGEND_WIDTH:
            pieces.append("")
        pieces[-1] += letter
    return pieces


@dataclass(frozen=True, eq=False)
class MapLook:
    """How a feature's map is coloured.

    Args:
        shown: lowest and highest colour; by default those of the region's interior.
        title: of the legend; by default the feature's name.
        diverging: values of both signs in colours that diverge from 0.
        kernel_radius: of the windows that the map was computed in, voxels on each side.
    """

    shown: tuple[float, float] | None = None
    title: str | None = None
    diverging: bool = False
    kernel_radius: int = 1


def add_map(
    scene: Any,
    key: str,
    volume: Volume,
    reference: Any | None,
    place: ReferencePlace | None,
    look: MapLook,
) -> Any:
    """Add one map in colours with its legend: below the transform of `reference` at `place`, else in the world."""
    about = explain(key)
    node = node_from_volume(volume, scene, key)
    put_in_place(node, volume.geometry, reference, place)
    node.SetDescription(about.text)
    node.SetAttribute("DeepRadiomics.kind", KIND)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    low, high = look.shown or colour_range(volume.voxels, look.kernel_radius)
    both = signed_range(low, high) if look.diverging else None
    low, high = both or (low, high)
    display.SetAndObserveColorNodeID(colour_node(scene, SIGNED_FEATURE if both else FEATURE).GetID())
    values = volume.voxels[np.isfinite(volume.voxels)]
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(low, high)
    if values.size:  # NaN lies in no range: outside the region nothing is drawn
        display.SetAutoThreshold(False)
        display.SetThreshold(min(low, float(values.min())), max(high, float(values.max())))
        display.SetApplyThreshold(True)
    display.SetInterpolate(False)
    add_legend(node, look.title or legend_title(about), label_format="%.3g")
    return node


def _table(scene: Any, name: str, volumes: Mapping[str, Volume]) -> Any:
    shown: dict[str, list[Any]] = {column: [] for column in MAP_COLUMNS}
    for key, volume in volumes.items():
        values = volume.voxels[np.isfinite(volume.voxels)]
        about = explain(key)
        none = float("nan")
        shown["feature"].append(key)
        shown["minimum"].append(float(values.min()) if values.size else none)
        shown["mean"].append(float(values.mean()) if values.size else none)
        shown["maximum"].append(float(values.max()) if values.size else none)
        shown["voxels"].append(int(values.size))
        shown["unit"].append(about.unit)
        shown["description"].append(about.text)
    return add_table(scene, name, shown, MAP_COLUMNS, columns("maps", "help"))


def _kernel_radius(about: Mapping[str, Any]) -> int:
    settings = about.get("settings")
    return int(settings.get("kernel_radius", 1)) if isinstance(settings, Mapping) else 1


def _file_of(entry: Any) -> str:
    return str(entry["file"] if isinstance(entry, Mapping) else entry)
