"""Show one patient's haemorrhage: haematoma, ring, risk, features and their shares, Grad-CAM, expansion; in a folder.

The table of risks refers to all other nodes, so that a scene that was saved can be read back (`nodes_of`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.files.results import must_be_there
from deepradiomics.ich.patient.result import GRADCAM_FILE, HAEMATOMA, KIND, RING, SEGMENTATION_FILE, CaseFolder
from deepradiomics.reports.palettes import GRADCAM
from deepradiomics.scene.nodes.atomic import all_or_nothing, nodes_of_class
from deepradiomics.scene.nodes.colours import make_legible
from deepradiomics.scene.nodes.map_place import ReferencePlace, reference_place
from deepradiomics.scene.nodes.own_image import OwnImage, files_beside, own_image
from deepradiomics.scene.nodes.placement import to_world
from deepradiomics.scene.nodes.segments import SegmentLook, add_segments
from deepradiomics.scene.nodes.volumes import segment_voxels
from deepradiomics.scene.show.ich.charts import calibration_chart, group_chart
from deepradiomics.scene.show.ich.expansion import ROLE as EXPANSION_ROLE
from deepradiomics.scene.show.ich.expansion import ExpansionNodes, add_expansion
from deepradiomics.scene.show.ich.tables import feature_node, number, risk_table, shap_table
from deepradiomics.scene.tree.folder import reference_inputs, referenced_inputs, result_folder_item, result_folder_of
from deepradiomics.scene.tree.names import cell_text
from deepradiomics.scene.tree.provenance import read_stamp, stamp
from deepradiomics.scene.tree.roles import references, role
from deepradiomics.scene.views.around import show_in_anatomy
from deepradiomics.scene.views.overlay import Look, add_overlay, set_window
from deepradiomics.scene.views.shown import show_result

GROUP_SHARES = "DeepRadiomics.group_shares"  # attribute of the table of shares: by outcome and group
ROLE = "DeepRadiomics.ich."  # from the table of risks to the other nodes
CHARTS = ("groups", "calibration")
HAEMATOMA_NAME, RING_NAME = "haematoma", "ring"
LOOKS = (
    SegmentLook(HAEMATOMA, HAEMATOMA_NAME, (0.86, 0.08, 0.10), fill=0.20, surface=1.0),
    SegmentLook(RING, RING_NAME, (1.0, 0.55, 0.05), fill=0.10, surface=0.25),
)
BRAIN_WINDOW_HU = (0.0, 80.0)  # level 40, width 80: what radiologists look for blood with
LEGEND_LETTERS = 14  # in a line of the legend's title, which must fit beside the anatomy
GRADCAM_HIDDEN_BELOW = 0.3  # of its maximum: a class activation map is faintly positive almost everywhere
# What of ich.json goes onto the nodes: nothing that names a file.
KEPT = ("volumes", "lesions_policy", "leaking", "followup")


@dataclass(frozen=True, eq=False)
class IchNodes:
    """The nodes of one patient.

    Attributes
    ----------
    risk, features, shap
        Table nodes: a row per outcome; a row per volume or feature; a row per outcome and component.
    segmentation
        Segmentation node with the segments "haematoma" and "ring".
    gradcam
        Volume nodes by outcome, transparent below a share of their maximum; empty if the model knows no latents.
    charts
        By outcome: plot chart nodes by name ("groups", "calibration").
    expansion
        None without a follow-up.
    ct
        Volume node of the CT that the result was computed on; None where it is not in the scene.
    folder_item
        The subject-hierarchy item ID of the folder that holds them all.
    notes
        What must be said of the result, such as that the model is synthetic or the run was leaking.
    """

    risk: Any
    features: Any
    shap: Any
    segmentation: Any
    gradcam: Mapping[str, Any]
    charts: Mapping[str, Mapping[str, Any]]
    expansion: ExpansionNodes | None
    ct: Any | None
    folder_item: int
    notes: tuple[str, ...] = field(default=())


def show_ich_case(
    result_folder: Path,
    ct: Any | None,
    scene: Any,
    *,
    place: ReferencePlace | None = None,
    nodes: Mapping[str, Any] | None = None,
    foreground: bool = True,
    verified: bool = False,
) -> IchNodes:
    """Add the output of `deepradiomics ich apply` to the scene.

    Parameters
    ----------
    ct
        The volume node of the CT; it is referred to, and neither moved nor changed. None: it is looked for in the scene
        by what it holds, then beside the result's files (`own_image`); without it everything lies at its own place in
        the world, on an empty background.
    place
        Where the CT lay when the computation began (`map_place.reference_place`); by default as the result says.
    nodes
        What else the result came from, by role ("followup", "segmentation"), referred to by each node.
    foreground
        Show the CT with the first outcome's Grad-CAM in the slice views, and hide other results.
    verified
        The result was computed on `ct` just now; otherwise its voxels are compared.

    Raises
    ------
    InputError
        The folder is incomplete or damaged (the message names the file), or `ct` is another image. Whatever fails,
        nothing is left in the scene.
    """
    case = CaseFolder.read(result_folder, spelled=cell_text)
    if "gradcam" in (case.record.get("files") or {}):
        must_be_there(case.folder / GRADCAM_FILE)
    if not case.haematoma.any():
        raise InputError(f"{case.folder / SEGMENTATION_FILE} holds no haematoma (label {HAEMATOMA}); run again")
    with all_or_nothing(scene):
        if verified and ct is not None:
            image = OwnImage(ct, place or reference_place(ct))
        else:
            record = (case.record.get("inputs") or {}).get("ct") or {}
            files = files_beside(case.folder, str(record.get("file") or ""))
            image = own_image(scene, record, ct, files, name=f"CT: {case.record['case_id']}", what="the CT")
            if image.node is not None and ct is None:
                set_window(image.node, *BRAIN_WINDOW_HU)
        inputs = {"ct": image.node, **(nodes or {})}
        sources = {name: node for name, node in inputs.items() if node is not None}
        return _show(case, image, sources, scene, foreground)


def ich_tables(scene: Any) -> list[Any]:
    """The tables of risks in the scene, such as those of a scene that was loaded, oldest first."""
    tables = nodes_of_class(scene, "vtkMRMLTableNode")
    return [node for node in tables if node.GetNodeReferenceID(ROLE + "segmentation") is not None]


def nodes_of(risk: Any) -> IchNodes:
    """The nodes of the patient that a table of risks belongs to. Raises InputError if some are gone, or it is none."""
    parts = {name: risk.GetNodeReference(ROLE + name) for name in ("features", "shap", "segmentation")}
    missing = [name for name, node in parts.items() if node is None]
    if missing:
        raise InputError(
            f"'{risk.GetName()}' is not the table of a whole result: {', '.join(missing)} not in the scene; show the "
            "result again"
        )
    column = risk.GetTable().GetColumnByName("outcome")
    outcomes = [column.GetValue(row) for row in range(column.GetNumberOfValues())]
    charts = {name: references(risk, f"{ROLE}{name}.") for name in CHARTS}
    return IchNodes(
        risk,
        parts["features"],
        parts["shap"],
        parts["segmentation"],
        references(risk, f"{ROLE}gradcam."),
        {outcome: {name: of[outcome] for name, of in charts.items() if outcome in of} for outcome in outcomes},
        _expansion_of(risk),
        referenced_inputs(risk).get("ct"),
        result_folder_of(risk) or 0,
        tuple(read_stamp(risk).get("shown_notes", ())),
    )


def group_shares(shap: Any, outcome: str) -> dict[str, float]:
    """The share of each feature group in an outcome's risk, by a result's table of shares; largest first.

    Empty for a scene of an earlier version.
    """
    shares = json.loads(shap.GetAttribute(GROUP_SHARES) or "{}").get(outcome) or {}
    return dict(sorted(shares.items(), key=lambda share: -abs(share[1])))


def jump_to_haematoma(nodes: IchNodes, slice_nodes: Sequence[Any]) -> None:
    """Move slice views to the middle of the haematoma, across their planes alone; 3D views look at it.

    The anatomy stays where it is in the slice views, beside the legend.
    """
    centre = haematoma_centre(nodes.segmentation)
    for view in slice_nodes:
        view.JumpSliceByOffsetting(*centre)
    show_in_anatomy(nodes.segmentation.GetScene(), centre, nodes.ct)


def haematoma_centre(segmentation: Any) -> np.ndarray:
    """World RAS of the middle of the haematoma's voxels."""
    segment = segmentation.GetSegmentation().GetSegmentIdBySegmentName(HAEMATOMA_NAME)
    voxels, to_local = segment_voxels(segmentation, segment)
    middle = np.argwhere(voxels > 0).mean(axis=0)[::-1]
    return to_world(segmentation, (to_local[:3, :3] @ middle + to_local[:3, 3])[None])[0]


def _show(case: CaseFolder, image: OwnImage, sources: Mapping[str, Any], scene: Any, foreground: bool) -> IchNodes:
    name = str(case.record["case_id"])
    ct, place = image.node, image.place
    segmentation = add_segments(scene, f"Haematoma: {name}", case.segmentation, LOOKS, ct, place)
    look = Look(GRADCAM, GRADCAM_HIDDEN_BELOW, from_zero=True, interpolate=True)
    gradcam = {
        outcome: add_overlay(
            scene,
            drawn,
            ct if place is not None else None,
            replace(look, legend=_legend(case.title(outcome))),
            name=f"Grad-CAM: {case.title(outcome)}",
            place=place,
        )
        for outcome, drawn in case.gradcam.items()
    }
    for drawn in gradcam.values():
        make_legible(drawn)
    risk = risk_table(scene, f"Risk: {name}", case)
    features = feature_node(scene, f"Features: {name}", case)
    shap = shap_table(scene, f"SHAP: {name}", case)
    charts: dict[str, dict[str, Any]] = {}
    data = []
    for outcome in case.outcomes:
        both = {"groups": group_chart(scene, case, outcome), "calibration": calibration_chart(scene, case, outcome)}
        charts[outcome] = {key: chart for key, (chart, _) in both.items()}
        data += [table for _, table in both.values()]
        for key, chart in charts[outcome].items():
            risk.SetNodeReferenceID(role(f"{ROLE}{key}.", outcome), chart.GetID())
            stamp(chart, case.record, kind=KIND, outcome=outcome)
        if outcome in gradcam:
            risk.SetNodeReferenceID(role(f"{ROLE}gradcam.", outcome), gradcam[outcome].GetID())
            stamp(gradcam[outcome], case.record, kind=KIND, outcome=outcome)
    for key, node in (("features", features), ("shap", shap), ("segmentation", segmentation)):
        risk.SetNodeReferenceID(ROLE + key, node.GetID())
    notes = (*_notes(case), *([image.note] if image.note else []))
    stamped = {key: case.record[key] for key in KEPT if case.record.get(key) is not None}
    groups = {
        outcome: {group: number(share) for group, share in about["groups"].items()}
        for outcome, about in case.outcomes.items()
    }
    shap.SetAttribute(GROUP_SHARES, json.dumps(groups))
    for node in (risk, features, shap, segmentation, *data):
        stamp(node, case.record, **(stamped | {"kind": KIND, "shown_notes": list(notes)}))
    all_charts = [chart for of_outcome in charts.values() for chart in of_outcome.values()]
    for node in (risk, features, shap, segmentation, *gradcam.values(), *all_charts, *data):
        reference_inputs(node, sources)
    expansion_nodes: list[Any] = []
    expansion = None
    if case.expansion is not None:
        expansion = add_expansion(scene, case.expansion, ct, place, sources)
        expansion.change.GetDisplayNode().SetVisibility(False)  # it covers the haematoma; shown on demand
        risk.SetNodeReferenceID(ROLE + "expansion", expansion.table.GetID())
        expansion_nodes = [expansion.table, expansion.change, expansion.followup]
    subfolders = {
        "Tables": [features, shap],
        "Grad-CAM": gradcam.values(),
        "Charts": all_charts,
        "Expansion": expansion_nodes,
    }
    item = result_folder_item(scene, _folder_name(case), [risk, segmentation], subfolders)
    if expansion is not None:
        expansion = replace(expansion, folder_item=item)
    if foreground:
        show_result(scene, risk, image=ct, drawn=next(iter(gradcam.values()), None))
    return IchNodes(risk, features, shap, segmentation, gradcam, charts, expansion, ct, item, notes)


def _expansion_of(risk: Any) -> ExpansionNodes | None:
    table = risk.GetNodeReference(ROLE + "expansion")
    if table is None:
        return None
    change, followup = (table.GetNodeReference(EXPANSION_ROLE + part) for part in ("change", "followup"))
    if change is None or followup is None:
        return None
    return ExpansionNodes(table, change, followup, result_folder_of(table) or 0)


def _folder_name(case: CaseFolder) -> str:
    name = f"Haemorrhage: {case.record['case_id']}"
    if case.record.get("leaking"):
        name += " (LEAKING model)"
    return f"{name} (SYNTHETIC model)" if case.record.get("synthetic_model") else name


def _notes(case: CaseFolder) -> tuple[str, ...]:
    notes = []
    if case.record.get("leaking"):
        notes.append("LEAKING: the model was made from latents of networks that had seen its patients")
    if case.record.get("synthetic_model"):
        notes.append("SYNTHETIC: the model learned from made-up images; this result means nothing clinically")
    return tuple(dict.fromkeys([*notes, *map(str, case.record.get("notes") or ())]))


def _legend(title: str) -> str:
    """``Grad-CAM`` and the outcome, in lines that fit beside a slice."""
    lines = ["Grad-CAM", ""]
    for word in title.split():
        joined = f"{lines[-1]} {word}".strip()
        if len(joined) > LEGEND_LETTERS:
            lines.append(word)
        else:
            lines[-1] = joined
    return "\n".join(lines)


__all__ = ["IchNodes", "haematoma_centre", "ich_tables", "jump_to_haematoma", "nodes_of", "show_ich_case"]
