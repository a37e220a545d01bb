"""Slice views in a scene made outside the application, so that the .mrb opens in Slicer with the map over the image."""

from __future__ import annotations

from typing import Any

import slicer

from deepradiomics.scene.views.legend_room import fit_beside_legend, has_legend

_VIEWS = (("Red", "Axial"), ("Yellow", "Sagittal"), ("Green", "Coronal"))


def add_slice_views(scene: Any, application_logic: Any) -> tuple[Any, ...]:
    """Add Slicer's three standard slice views (slice and composite nodes); returns their logics, which must be kept."""
    logics = []
    for name, orientation in _VIEWS:
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(application_logic)
        logic.SetMRMLScene(scene)
        application_logic.GetSliceLogics().AddItem(logic)
        logic.AddSliceNode(name).SetOrientation(orientation)
        logics.append(logic)
    return tuple(logics)


def fit_slices(logics: tuple[Any, ...]) -> None:
    """Zoom each view to its background volume, at its centre, or beside the legend of the map over it."""
    for logic in logics:
        logic.ResizeSliceNode(512, 512)
        logic.FitSliceToBackground()
        composite, scene = logic.GetSliceCompositeNode(), logic.GetMRMLScene()
        background, foreground = (
            scene.GetNodeByID(volume) if volume else None
            for volume in (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID())
        )
        if background is not None and has_legend(foreground):
            fit_beside_legend(logic.GetSliceNode(), background)
