"""Show a fingerprint result folder in the scene: maps over the anatomy, tables, charts, all in one folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.files.results import columns_of
from deepradiomics.fingerprint.apply.result import COLUMNS, FingerprintFolder
from deepradiomics.reports.palettes import GRADCAM
from deepradiomics.scene.nodes.atomic import all_or_nothing, nodes_of_class
from deepradiomics.scene.nodes.colours import make_legible
from deepradiomics.scene.nodes.own_image import files_beside, own_image, place_of
from deepradiomics.scene.nodes.plots import contribution_chart
from deepradiomics.scene.nodes.tables import fingerprint_table, prediction_table
from deepradiomics.scene.show.patch_boxes import BOXES_ATTRIBUTE, keep_boxes
from deepradiomics.scene.tree.folder import reference_inputs, referenced_inputs, result_folder_item
from deepradiomics.scene.tree.names import cell_text
from deepradiomics.scene.tree.provenance import read_stamp, stamp
from deepradiomics.scene.views.overlay import Look, add_overlay, shares_grid
from deepradiomics.scene.views.shown import show_result

GRADCAM_HIDDEN_BELOW = 0.2  # of its maximum: a class activation map is faintly positive almost everywhere


@dataclass(frozen=True, eq=False)
class FingerprintNodes:
    """The nodes of one result.

    Attributes
    ----------
    relevance, gradcam
        Volume nodes by task; gradcam is empty if the run made none.
    fingerprint, prediction
        Table nodes.
    charts
        Plot chart nodes by task: the ten greatest contributions.
    anatomy
        The volume that the maps lie over; None where it is not in the scene.
    folder_item
        The subject-hierarchy item ID of the folder that holds them all.
    notes
        What the user should know, e.g. that a map does not share the volume's grid.
    """

    relevance: Mapping[str, Any]
    gradcam: Mapping[str, Any]
    fingerprint: Any
    prediction: Any
    charts: Mapping[str, Any]
    anatomy: Any | None
    folder_item: int
    notes: tuple[str, ...] = field(default=())


def show_fingerprint(
    result_folder: Path,
    nodes: Mapping[str, Any] | None,
    scene: Any,
    *,
    foreground: bool = True,
    verified: bool = False,
) -> FingerprintNodes:
    """Add the results of `deepradiomics fingerprint apply` to the scene.

    Parameters
    ----------
    result_folder
        The output folder of the run.
    nodes
        The volume nodes the run was given, by view; they are referred to, and neither moved nor changed. Those not
        named are looked for in the scene by what they hold, then beside the result's files (`own_image`). Without the
        reference view's node the maps lie at their own place in the world, on an empty background.
    scene
        The MRML scene.
    foreground
        Show the first task's relevance over the reference volume in the slice views, and hide other results.
    verified
        The result was computed on `nodes` just now; otherwise their voxels are compared.

    Raises
    ------
    InputError
        The folder is incomplete or damaged, `nodes` names a view the result does not have, or a node is another image.
        Whatever fails, nothing is left in the scene.
    """
    result = FingerprintFolder.read(result_folder, spelled=cell_text)
    volumes = {view: node for view, node in (nodes or {}).items() if node is not None}
    unknown = sorted(set(volumes) - set(result.prediction["views"]))
    if unknown:
        raise InputError(f"the result has no view {', '.join(unknown)}; it has {', '.join(result.prediction['views'])}")
    with all_or_nothing(scene):
        missing: tuple[str, ...] = ()
        if not verified:
            volumes, missing = _own_images(scene, result, volumes)
        return _show(result, volumes, missing, scene, foreground)


def fingerprint_tables(scene: Any) -> list[Any]:
    """The fingerprint tables in the scene, such as those of a scene that was loaded, oldest first."""
    tables = nodes_of_class(scene, "vtkMRMLTableNode")
    return [node for node in tables if node.GetAttribute(BOXES_ATTRIBUTE) is not None]


def anatomy_of(table: Any) -> Any | None:
    """The volume under a fingerprint's maps, by its table node; None where it is not in the scene (any more)."""
    inputs = referenced_inputs(table)
    return inputs.get(str(read_stamp(table).get("anatomy_view", "")))


def _own_images(
    scene: Any, result: FingerprintFolder, nodes: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The result's images by view, and what must be said of those that are not there."""
    volumes, notes = {}, []
    for view, about in result.prediction["views"].items():
        if about.get("reformatted_from") and view not in nodes:
            continue  # it lies in another view's volume
        name = f"{result.prediction.get('case_id', 'case')} {view}"
        files = files_beside(result.path, str(about.get("file") or ""))
        image = own_image(scene, about, nodes.get(view), files, name=name, what=f"the {view} image")
        if image.node is not None:
            volumes[view] = image.node
        else:
            notes.append(image.note)
    return volumes, tuple(notes)


def _show(
    result: FingerprintFolder, volumes: Mapping[str, Any], missing: tuple[str, ...], scene: Any, foreground: bool
) -> FingerprintNodes:
    prediction = result.prediction
    reference_view = str(prediction["reference_view"])
    anatomy_view = str((prediction["views"].get(reference_view) or {}).get("reformatted_from") or reference_view)
    reference, anatomy = volumes.get(reference_view), volumes.get(anatomy_view)
    place = None if reference is None else place_of(reference, prediction["views"][reference_view])
    relevance = {
        task: add_overlay(
            scene, volume, reference, Look(legend=f"{task}\nrelevance"), name=f"{task} relevance", place=place
        )
        for task, volume in result.relevance.items()
    }
    for drawn in relevance.values():
        make_legible(drawn)
    look = Look(GRADCAM, GRADCAM_HIDDEN_BELOW, from_zero=True, interpolate=True)
    gradcam = {
        task: add_overlay(scene, volume, reference, look, name=f"{task} Grad-CAM", place=place)
        for task, volume in result.gradcam.items()
    }
    columns = columns_of(result.rows, COLUMNS)
    fingerprint = fingerprint_table(scene, "Fingerprint", columns)
    keep_boxes(fingerprint, prediction, volumes)
    predicted = prediction_table(scene, "Prediction", prediction)
    charts, chart_tables = {}, []
    for task in result.tasks:
        charts[task], table = contribution_chart(scene, f"{task}: top contributions", columns, task)
        chart_tables.append(table)
        for node in filter(None, (relevance.get(task), gradcam.get(task), charts[task])):
            stamp(node, prediction, task=task)
    for node in (predicted, fingerprint, *chart_tables):
        stamp(node, prediction, anatomy_view=anatomy_view)
    for node in (predicted, fingerprint, *relevance.values(), *gradcam.values(), *charts.values(), *chart_tables):
        reference_inputs(node, volumes)
    subfolders = {"Relevance": relevance.values(), "Grad-CAM": gradcam.values(), "Charts": charts.values()}
    item = result_folder_item(scene, _folder_name(prediction), [predicted, fingerprint], subfolders)
    if foreground and result.tasks:
        show_result(scene, fingerprint, image=anatomy, drawn=relevance[result.tasks[0]])
    notes = (*missing, *_notes(result, reference))
    return FingerprintNodes(relevance, gradcam, fingerprint, predicted, charts, anatomy, item, notes)


def _folder_name(prediction: Mapping[str, Any]) -> str:
    name = f"Fingerprint of {prediction.get('case_id', 'case')}"
    return f"{name} (demonstration model)" if prediction.get("synthetic_model") else name


def _notes(result: FingerprintFolder, reference: Any | None) -> tuple[str, ...]:
    notes = tuple(str(note) for note in result.prediction.get("notes", ()))
    if reference is not None and result.tasks and not shares_grid(result.relevance[result.tasks[0]], reference):
        notes += (f"the maps do not share the voxel grid of '{reference.GetName()}'; they lie at their own place",)
    return notes
