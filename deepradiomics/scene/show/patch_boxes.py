"""Show where a row of the fingerprint table comes from: its patch as a ROI box in its view, and the slices there.

The boxes are kept on the table node in each view volume's own local space (below its parent transforms), so that they
follow the anatomy and work again in a saved and reloaded scene.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.prepare.exam.box import Box
from deepradiomics.scene.nodes.own_image import place_of
from deepradiomics.scene.nodes.placement import fit_axes, from_world, matrix_of, to_world
from deepradiomics.scene.tree.folder import referenced_inputs, result_folder_of
from deepradiomics.scene.tree.provenance import PREFIX
from deepradiomics.scene.views.around import show_in_anatomy
from deepradiomics.scene.views.overlay import show_in_slices

BOXES_ATTRIBUTE = PREFIX + "patch_boxes"
SOURCES_ATTRIBUTE = PREFIX + "view_sources"
ROI_ROLE = PREFIX + "patch_box"


def keep_boxes(table: Any, prediction: Mapping[str, Any], volumes: Mapping[str, Any]) -> None:
    """Keep the patches' boxes of prediction.json (LPS world) on a table node, in the local space of `volumes`.

    A view that was reformatted from another one lies in that one's volume; views without a volume are left out. A
    volume that has been moved since the computation takes its boxes with it.
    """
    sources = {}
    for view, about in prediction["views"].items():
        source = view if view in volumes else about.get("reformatted_from")
        if source in volumes:
            sources[view] = source
    boxes: dict[str, dict[str, Any]] = {}
    for patch in prediction["patches"]:
        for view, source in sources.items():
            if view in patch["boxes"]:
                record = prediction["views"].get(source) or {}
                local = _local_box(Box.from_dict(patch["boxes"][view]), volumes[source], record)
                boxes.setdefault(view, {})[str(patch["patch"])] = local
    table.SetAttribute(BOXES_ATTRIBUTE, json.dumps(boxes))
    table.SetAttribute(SOURCES_ATTRIBUTE, json.dumps(sources))


def patch_of_row(table: Any, row: int) -> tuple[int, str]:
    """Patch (from 1) and view of a row (from 0, without the header). Raises InputError if there is no such row."""
    patches, views = (table.GetTable().GetColumnByName(name) for name in ("patch", "view"))
    if patches is None or views is None:
        raise InputError(f"table '{table.GetName()}' is not a fingerprint: it has no columns 'patch' and 'view'")
    if not 0 <= row < patches.GetNumberOfValues():
        raise InputError(f"table '{table.GetName()}' has no row {row}; it has {patches.GetNumberOfValues()}")
    return int(patches.GetValue(row)), str(views.GetValue(row))


def show_patch(table: Any, row: int, *, slice_nodes: Iterable[Any] = (), background: bool = True) -> Any:
    """Put the ROI box around a row's patch, show its view's volume and move the slices to its centre.

    Parameters
    ----------
    table
        The fingerprint table node of `show_fingerprint`. One ROI node per table is made once and then moved.
    row
        Row of the table, from 0, without the header.
    slice_nodes
        The slice nodes to move, e.g. all of the scene.
    background
        Show the view's volume in the slice views, and with the first box a slice of it in the 3D views, around the box.

    Returns the ROI node. Raises InputError if the view's volume is not in the scene (any more).
    """
    patch, view = patch_of_row(table, row)
    box = json.loads(table.GetAttribute(BOXES_ATTRIBUTE) or "{}").get(view, {}).get(str(patch))
    source = json.loads(table.GetAttribute(SOURCES_ATTRIBUTE) or "{}").get(view)
    volume = referenced_inputs(table).get(source)
    if box is None or volume is None:
        raise InputError(f"the volume of view '{view}' is not in the scene, so patch {patch} cannot be shown in it")
    scene, first = table.GetScene(), table.GetNodeReference(ROI_ROLE) is None
    roi = _roi_of(table)
    matrix = np.array(box["object_to_local"])
    roi.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    roi.GetObjectToNodeMatrix().DeepCopy(matrix_of(matrix))
    roi.SetSize(*box["size_mm"])
    roi.SetName(f"Patch {patch}, {view}")
    if background:
        show_in_slices(scene, background=volume)
    centre = to_world(volume, matrix[None, :3, 3])[0]
    jump_slices(slice_nodes, centre)
    if background and first:  # later the user may have turned the 3D views
        show_in_anatomy(scene, centre, volume)
    return roi


def jump_slices(slice_nodes: Iterable[Any], point_ras: np.ndarray) -> None:
    """Move slices to a point (world RAS, mm) and centre them on it."""
    for node in slice_nodes:
        node.JumpSliceByCentering(*(float(coordinate) for coordinate in point_ras))


def _local_box(box: Box, volume: Any, record: Mapping[str, Any]) -> dict[str, Any]:
    unit = np.array(list(product((-0.5, 0.0, 0.5), repeat=3)))  # (27, 3)
    world = np.array(box.centre_mm) + (unit * box.size_mm) @ box.axes_array.T  # LPS
    ras, place = world * (-1.0, -1.0, 1.0), place_of(volume, record)
    if place is None:
        local = from_world(volume, ras)
    else:
        to_local = np.linalg.inv(place.local_to_world)
        local = ras @ to_local[:3, :3].T + to_local[:3, 3]
    axes, lengths = fit_axes(unit, local)
    if np.linalg.det(axes) < 0:
        axes[:, 2] *= -1  # a ROI's axes are right-handed; the box is symmetric, so it stays the same box
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = axes, local.mean(axis=0)
    return {"object_to_local": matrix.tolist(), "size_mm": lengths.tolist()}


def _roi_of(table: Any) -> Any:
    roi = table.GetNodeReference(ROI_ROLE)
    if roi is not None:
        return roi
    scene = table.GetScene()
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Patch")
    roi.SetCenter(0.0, 0.0, 0.0)
    roi.CreateDefaultDisplayNodes()
    roi.SetLocked(True)
    display = roi.GetDisplayNode()
    display.SetHandlesInteractive(False)
    display.SetFillVisibility(False)
    display.SetSelectedColor(1.0, 0.85, 0.0)
    display.SetColor(1.0, 0.85, 0.0)
    table.SetNodeReferenceID(ROI_ROLE, roi.GetID())
    result_folder_of(table, adopt=roi)
    return roi
