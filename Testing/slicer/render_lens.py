"""Pictures of a lens in Slicer's scene without the application: the case view side by side, and a chart, as PNG.

    python Testing/slicer/render_lens.py CASE_FOLDER OUT.png [--size 420]

CASE_FOLDER is the output of `lens case`. The views' labels and colours stand above them, where Slicer has its bar.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from Testing.slicer.render import SliceView, _pixels, write_png

GAP = 6


def case_views(headless: Any, count: int, size: tuple[int, int] = (400, 400)) -> list[SliceView]:
    """The layout's slice views, to be made before a case is shown in them: legends appear in views that are there."""
    from deepradiomics.scene.views.layouts import view_name

    views = [SliceView(headless, view_name(index), "Axial", size) for index in range(count)]
    for view in views:
        view._logic.ResizeSliceNode(*size)
        _add_label(view)
    return views


def side_by_side(views: list[SliceView]) -> np.ndarray:
    """(height, width, 3) uint8: all views from left to right, each with its label."""
    pictures = []
    for view in views:
        view.label.SetInput(f" {view.slice_node.GetLayoutLabel()} ")
        view.label.GetTextProperty().SetBackgroundColor(*view.slice_node.GetLayoutColor())
        picture = view.picture()
        pictures += [picture, np.full((picture.shape[0], GAP, 3), 255, np.uint8)]
    return np.hstack(pictures[:-1])


def chart_picture(chart: Any, size: tuple[int, int] = (760, 420)) -> np.ndarray:
    """A plot chart node of bars as Slicer's plot view draws it: the same VTK classes, with the node's settings."""
    import vtk

    view = vtk.vtkContextView()
    window = view.GetRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetShowWindow(False)
    window.SetSize(*size)
    view.GetRenderer().SetBackground(1, 1, 1)
    drawn = vtk.vtkChartXY()
    view.GetScene().AddItem(drawn)
    for index in range(chart.GetNumberOfPlotSeriesNodes()):
        series = chart.GetNthPlotSeriesNode(index)
        bars = drawn.AddPlot(vtk.vtkChart.BAR)
        table, x = series.GetTableNode().GetTable(), series.GetXColumnName()
        bars.SetUseIndexForXSeries(not series.IsXColumnRequired())
        bars.SetInputData(table, x if series.IsXColumnRequired() else series.GetYColumnName(), series.GetYColumnName())
        bars.SetColorF(*series.GetColor())
        bars.SetLabel(series.GetName())
    drawn.SetTitle(chart.GetTitle())
    drawn.GetTitleProperties().SetFontFamilyToArial()
    drawn.GetTitleProperties().SetFontSize(chart.GetTitleFontSize())
    drawn.SetShowLegend(chart.GetLegendVisibility())
    drawn.GetLegend().GetLabelProperties().SetFontFamilyToArial()
    drawn.GetLegend().GetLabelProperties().SetFontSize(chart.GetLegendFontSize())
    left, bottom = drawn.GetAxis(vtk.vtkAxis.LEFT), drawn.GetAxis(vtk.vtkAxis.BOTTOM)
    left.SetTitle(chart.GetYAxisTitle())
    bottom.SetTitle(chart.GetXAxisTitle())
    for axis in (left, bottom):
        axis.GetTitleProperties().SetFontFamilyToArial()
        axis.GetTitleProperties().SetFontSize(chart.GetAxisTitleFontSize())
        axis.GetTitleProperties().SetBold(False)
        axis.GetLabelProperties().SetFontFamilyToArial()
        axis.GetLabelProperties().SetFontSize(chart.GetAxisLabelFontSize())
    if not chart.GetXAxisRangeAuto():
        bottom.SetBehavior(vtk.vtkAxis.FIXED)
        bottom.SetRange(*chart.GetXAxisRange())
    window.Render()
    return _pixels(window)


def render_case(folder: Path, path: Path, size: int) -> None:
    """Show the output of `lens case` in the case layout and write the slice views side by side."""
    from deepradiomics.lens.case.result import CaseFolder
    from deepradiomics.scene.job.headless import headless_slicer
    from deepradiomics.scene.show.lens.case import show_case

    with tempfile.TemporaryDirectory() as temporary, headless_slicer(Path(temporary)) as headless:
        count = min(len(CaseFolder.read(folder).modalities), 4)
        views = case_views(headless, count, (size, size))
        show_case(folder, headless.scene)
        write_png(side_by_side(views), path)


def _add_label(view: SliceView) -> None:
    import vtk

    view.label = vtk.vtkTextActor()
    view.label.SetDisplayPosition(8, view._size[1] - 26)
    text = view.label.GetTextProperty()
    text.SetFontSize(16)
    text.SetBackgroundOpacity(1.0)
    view._window.GetRenderers().GetFirstRenderer().AddViewProp(view.label)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw a case of a lens as Slicer's case view shows it.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--size", type=int, default=420)
    options = parser.parse_args()
    render_case(options.folder, options.picture, options.size)
    print(options.picture)
