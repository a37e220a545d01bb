"""Show a volume in the slice views of the application so that all of it can be seen."""

from __future__ import annotations

from typing import Any

import slicer
import slicer.util

from deepradiomics.scene.overlay import show_in_slices


def show_fitted(scene: Any, volume: Any) -> None:
    """Show a volume in all slice views, also in those that a layout brings later, fitted into them.

    Without windows there is nothing to fit into: the slice views of the scene get the volume as background.
    """
    if slicer.app.layoutManager() is None:
        show_in_slices(scene, background=volume)
        return
    selection = slicer.app.applicationLogic().GetSelectionNode()
    if selection is not None:
        selection.SetActiveVolumeID(volume.GetID())
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
