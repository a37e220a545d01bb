"""Colour tables for maps, and the legend beside the slice.

Slicer's own tables are taken where they are (its "Plasma" and "DivergingBlueRed" are files of an installation); else
the same colours are those of the reports (`deepradiomics.reports.palettes`).
"""

from __future__ import annotations

from typing import Any

import slicer

from deepradiomics.reports.palettes import Palette, table

_COUNT = 256
LEGEND_FORMAT = "%7.3g"  # a legend's letters grow until its numbers fill its width: shorter numbers would be huge


def colour_node(scene: Any, colours: Palette) -> Any:
    """The colour table node called `colours`; made if the scene has none."""
    node = scene.GetNodeByID(f"vtkMRMLColorTableNodeFile{colours}.txt")
    if node is not None:
        return node
    name = f"DeepRadiomics {colours}"
    node = scene.GetFirstNode(name, "vtkMRMLColorTableNode")
    if node is not None:
        return node
    node = slicer.vtkMRMLColorTableNode()
    node.SetTypeToUser()
    node.SetName(name)
    node.SetNumberOfColors(_COUNT)
    for index, (red, green, blue) in enumerate(table(colours, _COUNT)):
        node.SetColor(index, f"{index}", float(red), float(green), float(blue), 1.0)
    node.GetLookupTable().SetTableRange(0, _COUNT - 1)
    return scene.AddNode(node)


def add_legend(volume_node: Any, title: str, *, label_format: str = "%.2f") -> Any:
    """Show a colour legend for a volume that has a display node; return the legend's display node."""
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(volume_node)
    legend.SetTitleText(title)
    legend.SetLabelFormat(label_format)
    legend.SetNumberOfLabels(5)
    legend.SetVisibility(True)
    return legend


def make_legible(volume_node: Any) -> None:
    """Give a volume's legend letters of one size whatever the numbers, legible over bright anatomy."""
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volume_node)
    legend.SetLabelFormat(LEGEND_FORMAT)
    for text in (legend.GetTitleTextProperty(), legend.GetLabelTextProperty()):
        text.SetBold(True)
        text.SetShadow(True)
