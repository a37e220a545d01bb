"""Show what became of a haematoma: the change as segments over the baseline CT, the follow-up laid onto it, a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.ich.haematoma.result import GROWN, KIND, SHRUNK, STABLE, ExpansionFolder
from deepradiomics.reports import column_titles
from deepradiomics.scene.nodes.atomic import all_or_nothing
from deepradiomics.scene.nodes.map_place import ReferencePlace, put_in_place, reference_place
from deepradiomics.scene.nodes.own_image import OwnImage, own_image
from deepradiomics.scene.nodes.segments import SegmentLook, add_segments
from deepradiomics.scene.nodes.tables import add_table
from deepradiomics.scene.nodes.volumes import node_from_volume
from deepradiomics.scene.tree.folder import reference_inputs, result_folder_item
from deepradiomics.scene.tree.provenance import stamp
from deepradiomics.scene.views.overlay import set_window
from deepradiomics.scene.views.shown import show_result

ROLE = "DeepRadiomics.expansion."  # from the table to the other nodes
CHANGES = (
    SegmentLook(STABLE, "stable", (0.95, 0.85, 0.30), fill=0.25, surface=0.35),
    SegmentLook(GROWN, "grown", (0.85, 0.10, 0.10), fill=0.45, surface=1.0),
    SegmentLook(SHRUNK, "shrunk", (0.15, 0.45, 0.90), fill=0.45, surface=1.0),
)
LABEL_TITLES = {
    "expansion_3ml": "grew by more than 3 mL",
    "expansion_6ml": "grew by more than 6 mL",
    "expansion_9ml": "grew by more than 9 mL",
    "expansion_33pct": "grew by more than a third",
}


@dataclass(frozen=True, eq=False)
class ExpansionNodes:
    """The nodes of one comparison.

    Attributes
    ----------
    table
        Table node: volumes, difference, which limits were passed.
    change
        Segmentation node with the segments stable, grown and shrunk.
    followup
        Volume node: the follow-up CT on the baseline's grid.
    folder_item
        The subject-hierarchy item ID of the folder that holds them; 0 where another result's folder does.
    notes
        What must be said of the comparison.
    """

    table: Any
    change: Any
    followup: Any
    folder_item: int
    notes: tuple[str, ...] = ()


def show_expansion(
    result_folder: Path,
    baseline: Any | None,
    scene: Any,
    *,
    place: ReferencePlace | None = None,
    followup: Any | None = None,
    foreground: bool = True,
    verified: bool = False,
) -> ExpansionNodes:
    """Add the output of `deepradiomics ich expansion` to the scene.

    Parameters
    ----------
    baseline, followup
        The volume nodes of the two CTs; the results follow the baseline's transform and refer to both. None: the
        baseline is looked for in the scene by what it holds, then where the result says (`own_image`).
    place
        Where the baseline lay when the computation began; by default as the result says.
    foreground
        Show the baseline in the slice views, and hide other results; without it the follow-up laid onto its grid.
    verified
        The result was computed on these volumes just now; otherwise the baseline's voxels are compared.

    Raises
    ------
    InputError
        The folder is incomplete or damaged, or `baseline` is another image. Whatever fails, nothing is left in the
        scene.
    """
    result = ExpansionFolder.read(result_folder)
    with all_or_nothing(scene):
        if verified and baseline is not None:
            image = OwnImage(baseline, place or reference_place(baseline))
        else:
            image = _baseline(scene, result, baseline)
        nodes = add_expansion(scene, result, image.node, image.place, {"ct": image.node, "followup": followup})
        name = f"Expansion: {result.about.get('case_id', 'haematoma')}"
        item = result_folder_item(scene, name, [nodes.table, nodes.change, nodes.followup])
        if foreground:
            show_result(scene, nodes.table, image=image.node or nodes.followup)
        notes = (*nodes.notes, *([image.note] if image.note else []))
        return ExpansionNodes(nodes.table, nodes.change, nodes.followup, item, notes)


def _baseline(scene: Any, result: ExpansionFolder, node: Any | None) -> OwnImage:
    record = (result.about.get("images") or {}).get("baseline") or {}
    named = (result.about.get("inputs") or {}).get("baseline")
    files = [Path(str(named))] if named else []
    name = f"CT: {result.about.get('case_id', 'haematoma')}"
    return own_image(scene, record, node, files, name=name, what="the baseline CT")


def add_expansion(
    scene: Any,
    result: ExpansionFolder,
    baseline: Any | None,
    place: ReferencePlace | None,
    sources: Mapping[str, Any],
) -> ExpansionNodes:
    """Add the nodes of a comparison, in no folder yet; `sources` are the nodes it came from, by role."""
    change = add_segments(scene, "Expansion", result.change, CHANGES, baseline, place)
    followup = node_from_volume(result.followup, scene, "Follow-up on the baseline")
    put_in_place(followup, result.followup.geometry, baseline, place)
    followup.CreateDefaultDisplayNodes()
    _like_the_baseline(followup, baseline)
    table = add_table(
        scene,
        "Expansion",
        _rows(result.about),
        {"measure": str, "value": float, "unit": str},
        column_titles.columns("expansion", "help"),
        column_titles.EXPANSION,
    )
    table.SetNodeReferenceID(ROLE + "change", change.GetID())
    table.SetNodeReferenceID(ROLE + "followup", followup.GetID())
    stamped = {key: result.about[key] for key in ("difference_ml", "relative", "labels") if key in result.about}
    for node in (table, change, followup):
        stamp(node, result.about, **(stamped | {"kind": KIND}))
        reference_inputs(node, {role: source for role, source in sources.items() if source is not None})
    notes = tuple(str(note) for note in result.about.get("notes") or ())
    return ExpansionNodes(table, change, followup, 0, notes)


def _rows(about: Mapping[str, Any]) -> dict[str, list[Any]]:
    relative = about.get("relative")
    rows: list[tuple[str, float, str]] = [
        ("baseline volume", float(about["baseline_ml"]), "mL"),
        ("follow-up volume", float(about["followup_ml"]), "mL"),
        ("difference", float(about["difference_ml"]), "mL"),
        ("difference, share of the baseline", float("nan") if relative is None else 100 * float(relative), "%"),
    ]
    rows += [(LABEL_TITLES.get(name, name), float(bool(value)), "1: yes") for name, value in about["labels"].items()]
    return {name: [row[index] for row in rows] for index, name in enumerate(("measure", "value", "unit"))}


def _like_the_baseline(followup: Any, baseline: Any | None) -> None:
    """The same greys as the baseline CT, so that the two can be compared by switching."""
    shown = baseline.GetDisplayNode() if baseline is not None else None
    if shown is not None:
        set_window(followup, shown.GetWindowLevelMin(), shown.GetWindowLevelMax())
