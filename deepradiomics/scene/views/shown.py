"""One result on show at a time: its image, map, outlines, tables and charts together; those of the others hidden.

Every node of a result carries the attribute `folder.RESULT`. What is hidden here is marked, and only what was hidden
here is shown again: what the user, or a check box, has hidden stays hidden.
"""

from __future__ import annotations

from typing import Any

from deepradiomics.scene.nodes.atomic import nodes_of_class
from deepradiomics.scene.tree.folder import RESULT, referenced_inputs
from deepradiomics.scene.tree.hidden import hide, redrawn_by, show_again
from deepradiomics.scene.views.layouts import show_chart, show_table
from deepradiomics.scene.views.overlay import FOREGROUND_OPACITY, show_over

DRAWN_CLASSES = ("vtkMRMLSegmentationNode", "vtkMRMLMarkupsNode", "vtkMRMLModelNode")


def show_result(
    scene: Any,
    table: Any,
    *,
    image: Any | None,
    drawn: Any | None = None,
    opacity: float = FOREGROUND_OPACITY,
) -> None:
    """Show the result that a table belongs to, and no other.

    Parameters
    ----------
    table
        The result's main table: it takes the place of another result's table in the table views, and so do its charts.
    image
        The volume that the result was computed on; None shows it on an empty background.
    drawn
        The map to lie over the image; None for none.
    """
    hide_others(scene, table)
    _show_tables(scene, table, table.GetAttribute(RESULT))
    show_over(scene, image, drawn, opacity=opacity)


def hide_others(scene: Any, node: Any) -> None:
    """Hide the outlines, surfaces and boxes of all results but that of `node`, and show its own again.

    So are the segmentations that a result was computed from, which belong to its patient; and the one whose outline the
    result draws itself, until another result of the same image is on show.
    """
    result = node.GetAttribute(RESULT)
    own_inputs = {volume.GetID() for volume in referenced_inputs(node).values()}
    others_inputs = _inputs_of_others(scene, result)
    for other, segmentation in _redrawn_by_others(scene, result):
        same_image = own_inputs & {volume.GetID() for volume in referenced_inputs(other).values()}
        (own_inputs if same_image else others_inputs).add(segmentation.GetID())
    redrawn = redrawn_by(node)
    if redrawn is not None:
        own_inputs.discard(redrawn.GetID())
        others_inputs.add(redrawn.GetID())
    others_inputs -= own_inputs
    for name in DRAWN_CLASSES:
        for drawn in nodes_of_class(scene, name):
            belongs = drawn.GetAttribute(RESULT)
            if (belongs is not None and belongs != result) or drawn.GetID() in others_inputs:
                hide(drawn)
            elif belongs is not None or drawn.GetID() in own_inputs:
                show_again(drawn)


def _inputs_of_others(scene: Any, result: str | None) -> set[str]:
    tables = nodes_of_class(scene, "vtkMRMLTableNode")
    others = [node for node in tables if node.GetAttribute(RESULT) not in (None, result)]
    return {volume.GetID() for other in others for volume in referenced_inputs(other).values()}


def _redrawn_by_others(scene: Any, result: str | None) -> list[tuple[Any, Any]]:
    """Maps of other results, each with the segmentation whose outline that result draws."""
    maps = [node for node in nodes_of_class(scene, "vtkMRMLScalarVolumeNode") if _is_of_another(node, result)]
    pairs = [(node, redrawn_by(node)) for node in maps]
    return [(node, segmentation) for node, segmentation in pairs if segmentation is not None]


def _show_tables(scene: Any, table: Any, result: str | None) -> None:
    """Put this result's table, and its chart of the same title or its first, where those of another one are shown."""
    if any(_is_of_another(view.GetTableNode(), result) for view in nodes_of_class(scene, "vtkMRMLTableViewNode")):
        show_table(scene, table)
    charts = [node for node in nodes_of_class(scene, "vtkMRMLPlotChartNode") if node.GetAttribute(RESULT) == result]
    for view in nodes_of_class(scene, "vtkMRMLPlotViewNode"):
        shown = view.GetPlotChartNode()
        if not _is_of_another(shown, result):
            continue
        alike = [chart for chart in charts if chart.GetTitle() == shown.GetTitle()] or charts
        if alike and view.IsMappedInLayout():
            show_chart(scene, alike[0])
        else:
            view.SetPlotChartNodeID(alike[0].GetID() if alike else None)


def _is_of_another(node: Any | None, result: str | None) -> bool:
    return node is not None and node.GetAttribute(RESULT) not in (None, result)
