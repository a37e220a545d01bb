"""A map over the anatomy: voxel-exact on the reference volume, moving with it, transparent where it is zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import slicer.util

from deepradiomics.images import Volume
from deepradiomics.reports.palettes import MAP_OPACITY, RELEVANCE, Palette
from deepradiomics.scene.nodes.atomic import nodes_of_class, redraw_legends
from deepradiomics.scene.nodes.colours import add_legend, colour_node
from deepradiomics.scene.nodes.map_place import ReferencePlace, put_in_place
from deepradiomics.scene.nodes.placement import ijk_to_ras, matrix_of, placement
from deepradiomics.scene.nodes.volumes import node_from_volume
from deepradiomics.scene.views.legend_room import has_legend, leave_room

FOREGROUND_OPACITY = MAP_OPACITY  # in the scene as in the reports
SPACING_TOLERANCE = 1e-3  # relative: NIfTI keeps single precision


@dataclass(frozen=True, eq=False)
class Look:
    """How a map is coloured.

    Args:
        colours: of its values.
        hide_below: fraction of the greatest value below which the map is transparent; zero is always transparent.
        from_zero: begin the colours at zero; otherwise they span the positive values (see `display_range`), because the
            mean relevances of patches lie close together and would all look alike.
        interpolate: smooth between voxels when shown; leave it off for maps whose edges mean something.
        legend: title of the colour legend; None for none.
    """

    colours: Palette = RELEVANCE
    hide_below: float = 0.0
    from_zero: bool = False
    interpolate: bool = False
    legend: str | None = None


def add_overlay(
    scene: Any,
    overlay: Volume,
    reference: Any | None,
    look: Look,
    *,
    name: str,
    place: ReferencePlace | None = None,
) -> Any:
    """Add a map as a scalar volume node.

    Parameters
    ----------
    overlay
        The map with its geometry in world space (LPS), as a result folder has it.
    reference
        The volume node it was computed on.
    look
        How it is coloured.
    place
        Where that volume lay at the computation: the map then follows it from there to where it lies now, and
        whatever happens to its transform later. Without it, a map that has the node's voxel grid takes the node's own
        matrix and transform. Otherwise (the volume had to be resampled to the world, or there is none) the map lies at
        its own place in the world.
    """
    node = node_from_volume(overlay, scene, name)
    if reference is not None and place is not None:
        put_in_place(node, overlay.geometry, reference, place)
    elif reference is not None and shares_grid(overlay, reference):
        node.SetIJKToRASMatrix(matrix_of(ijk_to_ras(reference)))
        node.SetAndObserveTransformNodeID(reference.GetTransformNodeID())
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(colour_node(scene, look.colours).GetID())
    threshold, low, high = display_range(overlay.voxels, look.hide_below)
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0.0 if look.from_zero else low, high)
    display.SetAutoThreshold(False)
    display.SetThreshold(threshold, high * 2)  # generous above: nothing may vanish at the top by rounding
    display.SetApplyThreshold(True)
    display.SetInterpolate(look.interpolate)
    if look.legend is not None:
        add_legend(node, look.legend)
    return node


def shares_grid(overlay: Volume, reference: Any) -> bool:
    """Whether a map has the voxel grid of a volume node: same counts and spacings, and the node lies exactly.

    Positions are not compared: the user may have moved the transform while the job ran, and voxels stay voxels.
    """
    place = placement(reference)
    return (
        place.exact
        and place.geometry.size == overlay.geometry.size
        and np.allclose(place.geometry.spacing_mm, overlay.geometry.spacing_mm, rtol=SPACING_TOLERANCE)
    )


def display_range(voxels: np.ndarray, hide_below: float) -> tuple[float, float, float]:
    """Threshold, lowest and highest colour for a map.

    The threshold is half the least positive value, or `hide_below` of the greatest where that is more. The colours span
    the positive values, but at least the top tenth of them, so that what is practically equal looks so.
    A map without positive values gives (0.5, 0.0, 1.0): all of it is transparent.
    """
    positive = voxels[voxels > 0]
    if positive.size == 0:
        return 0.5, 0.0, 1.0
    least, greatest = float(positive.min()), float(positive.max())
    return max(least / 2, hide_below * greatest), min(least, 0.9 * greatest), greatest


def show_in_slices(
    scene: Any, *, foreground: Any | None = None, background: Any | None = None, opacity: float = FOREGROUND_OPACITY
) -> int:
    """Show a map over a volume in all slice views of the scene (None leaves what is there); return their number.

    A scene without a layout, as outside the application, has no slice views.
    """
    composites = nodes_of_class(scene, "vtkMRMLSliceCompositeNode")
    for composite in composites:
        if background is not None:
            composite.SetBackgroundVolumeID(background.GetID())
        if foreground is not None:
            composite.SetForegroundVolumeID(foreground.GetID())
            composite.SetForegroundOpacity(opacity)
    return len(composites)


def show_over(
    scene: Any, background: Any | None, foreground: Any | None = None, *, opacity: float = FOREGROUND_OPACITY
) -> int:
    """Show an image, and a map over it, in all slice views, and nothing else; return the number of views.

    None empties a layer: a map never stays over an image that it does not belong to. Where the image changes the views
    are fitted to it; beside a map's legend, which would else lie on the anatomy. Views that are made later show the
    same.
    """
    composites = nodes_of_class(scene, "vtkMRMLSliceCompositeNode")
    ids = [None if node is None else node.GetID() for node in (background, foreground)]
    changed = any(composite.GetBackgroundVolumeID() != ids[0] for composite in composites)
    legend = has_legend(foreground)
    shown = {composite.GetForegroundVolumeID() for composite in composites}
    first = legend and not any(has_legend(scene.GetNodeByID(node_id)) for node_id in shown if node_id)
    for composite in composites:
        composite.SetBackgroundVolumeID(ids[0])
        composite.SetForegroundVolumeID(ids[1])
        composite.SetForegroundOpacity(opacity if foreground is not None else 0.0)
        composite.SetLabelVolumeID(None)
    selection = slicer.app.applicationLogic().GetSelectionNode()
    if selection is not None:
        selection.SetActiveVolumeID(ids[0])
        selection.SetSecondaryVolumeID(ids[1])
        selection.SetActiveLabelVolumeID(None)
    if changed and background is not None:
        slicer.util.setSliceViewerLayers(fit=True)  # without windows it does nothing
    if background is not None and legend and (changed or first):
        leave_room(scene, background)
    redraw_legends(scene)
    return len(composites)


def set_window(node: Any, low: float, high: float) -> None:
    """Show a volume's values from `low` (black) to `high` (white); makes its display node if it has none."""
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(low, high)
