"""Colour tables for maps, and the legend beside the slice.

Slicer's own tables are taken where they are (its "Plasma" and "DivergingBlueRed" are files of an installation); else
the same colours are interpolated from the few points below (matplotlib's Plasma and Inferno, CC0; Moreland's blue to
red).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import slicer

MapColours = Literal["Plasma", "Inferno", "DivergingBlueRed"]
_POINTS = {  # red, green, blue at equal steps from low to high
    "Plasma": "0d0887 350498 5302a3 6f00a8 8b0aa5 a31e9a b83289 cc4778 "
    "db5c68 e97158 f48849 fba238 febd2a fada24 f0f921",
    "Inferno": "000004 0d0829 280b53 470b6a 65156e 82206c 9f2a63 bc3754 "
    "d44842 e8602d f57d15 fc9f07 fac228 f3e55d fcffa4",
    "DivergingBlueRed": "3b4cc0 5977e3 7b9ff9 9ebeff c0d4f5 dddddd f2cab7 f7ac8e ee8468 d65244 b40426",
}
_COUNT = 256
LEGEND_FORMAT = "%7.3g"  # a legend's letters grow until its numbers fill its width: shorter numbers would be huge


def colour_node(scene: Any, colours: MapColours) -> Any:
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


def table(colours: MapColours, count: int) -> np.ndarray:
    """(count, 3) RGB in 0..1, interpolated linearly."""
    points = np.array([[int(word[i : i + 2], 16) for i in (0, 2, 4)] for word in _POINTS[colours].split()]) / 255.0
    at = np.linspace(0, len(points) - 1, count)
    return np.stack([np.interp(at, np.arange(len(points)), points[:, channel]) for channel in range(3)], axis=-1)


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
