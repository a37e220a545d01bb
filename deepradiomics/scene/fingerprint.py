"""Show a fingerprint result folder in the scene: maps over the anatomy, tables, charts, all in one folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.scene.atomic import all_or_nothing
from deepradiomics.scene.folder import reference_inputs, result_folder_item
from deepradiomics.scene.overlay import add_overlay, shares_grid, show_in_slices
from deepradiomics.scene.patch_boxes import keep_boxes
from deepradiomics.scene.plots import contribution_chart
from deepradiomics.scene.provenance import stamp
from deepradiomics.scene.result_folder import FingerprintFolder, read_fingerprint_folder
from deepradiomics.scene.tables import fingerprint_table, prediction_table

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
        Plot chart nodes by task: the 20 greatest contributions.
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
    folder_item: int
    notes: tuple[str, ...] = field(default=())


def show_fingerprint(
    result_folder: Path, nodes: Mapping[str, Any] | None, scene: Any, *, foreground: bool = True
) -> FingerprintNodes:
    """Add the results of `deepradiomics fingerprint apply` to the scene.

    Parameters
    ----------
    result_folder
        The output folder of the run.
    nodes
        The volume nodes the run was given, by view; they are referred to, and neither moved nor changed. Without the
        reference view's node the maps lie at their own place in the world.
    scene
        The MRML scene.
    foreground
        Show the first task's relevance over the reference volume in the slice views.

    Raises
    ------
    InputError
        The folder is incomplete or damaged, or `nodes` names a view the result does not have. Whatever fails, nothing
        is left in the scene.
    """
    result = read_fingerprint_folder(Path(result_folder))
    volumes = {view: node for view, node in (nodes or {}).items() if node is not None}
    unknown = sorted(set(volumes) - set(result.prediction["views"]))
    if unknown:
        raise InputError(f"the result has no view {', '.join(unknown)}; it has {', '.join(result.prediction['views'])}")
    with all_or_nothing(scene):
        return _show(result, volumes, scene, foreground)


def _show(result: FingerprintFolder, volumes: Mapping[str, Any], scene: Any, foreground: bool) -> FingerprintNodes:
    prediction = result.prediction
    reference = volumes.get(prediction["reference_view"])
    relevance = {
        task: add_overlay(scene, each, reference, name=f"{task} relevance", legend=f"{task}\nrelevance")
        for task, each in result.relevance.items()
    }
    gradcam = {
        task: add_overlay(
            scene,
            each,
            reference,
            name=f"{task} Grad-CAM",
            colours="Inferno",
            hide_below=GRADCAM_HIDDEN_BELOW,
            from_zero=True,
            interpolate=True,
        )
        for task, each in result.gradcam.items()
    }
    fingerprint = fingerprint_table(scene, "Fingerprint", result.columns)
    keep_boxes(fingerprint, prediction, volumes)
    predicted = prediction_table(scene, "Prediction", prediction)
    charts, chart_tables = {}, []
    for task in result.tasks:
        charts[task], table = contribution_chart(scene, f"{task}: top contributions", result.columns, task)
        chart_tables.append(table)
        for node in filter(None, (relevance.get(task), gradcam.get(task), charts[task])):
            stamp(node, prediction, task=task)
    everything = [predicted, fingerprint, *relevance.values(), *gradcam.values(), *charts.values(), *chart_tables]
    for node in (predicted, fingerprint, *chart_tables):
        stamp(node, prediction)
    for node in everything:
        reference_inputs(node, volumes)
    item = result_folder_item(scene, _folder_name(prediction), everything)
    if foreground and result.tasks:
        show_in_slices(scene, foreground=relevance[result.tasks[0]], background=reference)
    return FingerprintNodes(relevance, gradcam, fingerprint, predicted, charts, item, _notes(result, reference))


def _folder_name(prediction: Mapping[str, Any]) -> str:
    name = f"Fingerprint of {prediction.get('case_id', 'case')}"
    return f"{name} (demonstration model)" if prediction.get("synthetic_model") else name


def _notes(result: FingerprintFolder, reference: Any | None) -> tuple[str, ...]:
    notes = tuple(str(note) for note in result.prediction.get("notes", ()))
    if reference is not None and result.tasks and not shares_grid(result.relevance[result.tasks[0]], reference):
        notes += (f"the maps do not share the voxel grid of '{reference.GetName()}'; they lie at their own place",)
    return notes
