"""A chart shows in a plot view that is in the layout, the first time and every time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def layout(scene: Any) -> Iterator[Any]:
    """The layout node, with Slicer's own layout logic; the application's views say whether they are in the layout."""
    import slicer

    from deepradiomics.scene.nodes.atomic import nodes_of_class

    logic = slicer.vtkMRMLLayoutLogic()
    logic.SetMRMLScene(scene)

    def follow(*_: Any) -> None:  # what the application's layout manager does
        views = logic.GetViewNodes()
        inside = {views.GetItemAsObject(index).GetID() for index in range(views.GetNumberOfItems())}
        for view in nodes_of_class(scene, "vtkMRMLAbstractViewNode"):
            view.SetMappedInLayout(view.GetID() in inside)

    node = logic.GetLayoutNode()
    tag = node.AddObserver("ModifiedEvent", follow)
    yield node
    node.RemoveObserver(tag)
    logic.SetMRMLScene(None)


def mapped_views(scene: Any) -> list[Any]:
    from deepradiomics.scene.nodes.atomic import nodes_of_class

    return [view for view in nodes_of_class(scene, "vtkMRMLPlotViewNode") if view.IsMappedInLayout()]


def test_a_chart_is_shown_whatever_the_layout_was(scene: Any, layout: Any) -> None:
    import slicer

    from deepradiomics.scene.views.layouts import show_chart

    layouts = slicer.vtkMRMLLayoutNode
    charts = [scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name) for name in ("first", "second")]
    for chart in (*charts, *charts):
        layout.SetViewArrangement(layouts.SlicerLayoutFourUpView)  # plot views of earlier layouts stay, unseen
        assert mapped_views(scene) == []
        show_chart(scene, chart)
        assert [view.GetPlotChartNodeID() for view in mapped_views(scene)] == [chart.GetID()]
        assert slicer.app.applicationLogic().GetSelectionNode().GetActivePlotChartID() == chart.GetID()


def test_a_layout_that_has_a_plot_view_stays(scene: Any, layout: Any) -> None:
    import slicer

    from deepradiomics.scene.views.layouts import show_chart

    layouts = slicer.vtkMRMLLayoutNode
    layout.SetViewArrangement(layouts.SlicerLayoutFourUpPlotView)
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", "chart")
    show_chart(scene, chart)
    assert layout.GetViewArrangement() == layouts.SlicerLayoutFourUpPlotView
    assert [view.GetPlotChartNodeID() for view in mapped_views(scene)] == [chart.GetID()]
