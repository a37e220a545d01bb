"""Pictures of a patient's haemorrhage in Slicer's scene without the application: slices, 3D view and charts, as PNG.

    python Testing/slicer/render_ich.py RESULT_FOLDER OUTDIR [--ct CT] [--size 460]

RESULT_FOLDER is the output of `ich apply`. For pictures in the repository use synthetic images only.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from Testing.slicer.render import SliceView, ThreeDView, _pixels, write_png

CHART_SIZES = {"narrow": (550, 420), "full_hd": (1900, 950)}


def line_chart_picture(chart: Any, size: tuple[int, int] = CHART_SIZES["narrow"]) -> np.ndarray:
    """A plot chart node of lines and points as Slicer's plot view draws it: the same VTK classes and settings."""
    import slicer
    import vtk

    kinds = slicer.vtkMRMLPlotSeriesNode
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
        plot = drawn.AddPlot(vtk.vtkChart.LINE)
        plot.SetInputData(series.GetTableNode().GetTable(), series.GetXColumnName(), series.GetYColumnName())
        plot.SetColorF(*series.GetColor())
        plot.SetLabel(series.GetName())
        plot.SetWidth(series.GetLineWidth())
        dashed = series.GetLineStyle() == kinds.LineStyleDash
        none = series.GetLineStyle() == kinds.LineStyleNone
        plot.GetPen().SetLineType(
            vtk.vtkPen.NO_PEN if none else vtk.vtkPen.DASH_LINE if dashed else vtk.vtkPen.SOLID_LINE
        )
        circle = series.GetMarkerStyle() == kinds.MarkerStyleCircle
        plot.SetMarkerStyle(vtk.vtkPlotPoints.CIRCLE if circle else vtk.vtkPlotPoints.NONE)
        plot.SetMarkerSize(series.GetMarkerSize())
    drawn.SetTitle(chart.GetTitle())
    drawn.SetShowLegend(chart.GetLegendVisibility())
    drawn.GetLegend().GetLabelProperties().SetFontSize(chart.GetLegendFontSize())
    for at, title, auto, given in (
        (vtk.vtkAxis.LEFT, chart.GetYAxisTitle(), chart.GetYAxisRangeAuto(), chart.GetYAxisRange()),
        (vtk.vtkAxis.BOTTOM, chart.GetXAxisTitle(), chart.GetXAxisRangeAuto(), chart.GetXAxisRange()),
    ):
        axis = drawn.GetAxis(at)
        axis.SetTitle(title)
        if not auto:
            axis.SetBehavior(vtk.vtkAxis.FIXED)
            axis.SetRange(*given)
    window.Render()
    return _pixels(window)


def render_ich(folder: Path, out: Path, ct: Path | None, size: int) -> list[Path]:
    """Show the folder in a scene and write its pictures; returns the files."""
    from deepradiomics.images import read_volume
    from deepradiomics.scene.job.headless import headless_slicer
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.show.ich.case import haematoma_centre, jump_to_haematoma, show_ich_case
    from deepradiomics.scene.views.overlay import set_window
    from Testing.slicer.render_lens import chart_picture

    out.mkdir(parents=True, exist_ok=True)
    written = []

    def keep(picture: np.ndarray, name: str) -> None:
        write_png(picture, out / f"{name}.png")
        written.append(out / f"{name}.png")

    with tempfile.TemporaryDirectory() as temporary, headless_slicer(Path(temporary)) as headless:
        scene = headless.scene
        planes = (("Red", "Axial"), ("Yellow", "Sagittal"), ("Green", "Coronal"))
        views = {name: SliceView(headless, name, plane, (size, size)) for name, plane in planes}
        solid = ThreeDView(headless, (size, size))
        node = node_from_volume(read_volume(ct), scene, "CT") if ct is not None else None
        if node is not None:
            set_window(node, 0, 80)
        nodes = show_ich_case(folder, node, scene)
        centre = haematoma_centre(nodes.segmentation)
        first = next(iter(nodes.gradcam.values()), None)

        def slices(foreground: Any) -> np.ndarray:
            pictures = []
            for view in views.values():
                view.show(node or foreground, foreground)
                view.slice_node.JumpSliceByOffsetting(*centre)
                pictures.append(view.picture())
            return np.hstack(pictures)

        keep(slices(first), "ich_slices")
        jump_to_haematoma(nodes, [view.slice_node for view in views.values()])
        keep(solid.picture(as_set=True), "ich_3d")
        if nodes.expansion is not None:
            nodes.segmentation.GetDisplayNode().SetVisibility(False)
            nodes.expansion.change.GetDisplayNode().SetVisibility(True)
            keep(slices(None), "ich_expansion")
            nodes.expansion.change.GetDisplayNode().SetVisibility(False)
        charts = next(iter(nodes.charts.values()))
        for name, chart_size in CHART_SIZES.items():
            keep(chart_picture(charts["groups"], chart_size), f"ich_groups_{name}")
            keep(line_chart_picture(charts["calibration"], chart_size), f"ich_calibration_{name}")
    return written


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw a patient's haemorrhage as Slicer's scene shows it.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--ct", type=Path)
    parser.add_argument("--size", type=int, default=460)
    options = parser.parse_args()
    for each in render_ich(options.folder, options.out, options.ct, options.size):
        print(each)
