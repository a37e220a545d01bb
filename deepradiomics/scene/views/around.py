"""3D views show a lesion in the anatomy around it: a slice of the image seen obliquely, the lesion in the middle."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepradiomics.scene.nodes.atomic import nodes_of_class
from deepradiomics.scene.nodes.placement import placement

SLICE_VIEW = "Red"  # Slicer's axial view
DIRECTION = np.array([-0.6, 1.0, 0.7])  # RAS, from the lesion to the camera: the patient's front left, a little above
DISTANCE = 1.5  # times the image's diagonal: all of it fits into the cameras' 30 degrees


def show_in_anatomy(scene: Any, point_ras: np.ndarray, image: Any | None) -> None:
    """Show the axial slice in the 3D views, and turn their cameras to a point (world RAS, mm).

    Outside the application there are no views and no cameras: nothing happens. Without an image there is no slice to
    see; the cameras keep their distance.
    """
    for view in nodes_of_class(scene, "vtkMRMLSliceNode"):
        if view.GetLayoutName() == SLICE_VIEW:
            view.SetSliceVisible(image is not None)
    for camera in nodes_of_class(scene, "vtkMRMLCameraNode"):
        far = np.linalg.norm(np.subtract(camera.GetPosition(), camera.GetFocalPoint()))
        if image is not None and image.GetImageData() is not None:
            grid = placement(image).geometry
            far = DISTANCE * np.linalg.norm(np.array(grid.size) * grid.spacing_mm)
        position = np.asarray(point_ras) + far * DIRECTION / np.linalg.norm(DIRECTION)
        modifying = camera.StartModify()
        camera.SetFocalPoint(*(float(place) for place in point_ras))
        camera.SetPosition(*(float(place) for place in position))
        camera.SetViewUp(0.0, 0.0, 1.0)
        camera.ResetClippingRange()
        camera.EndModify(modifying)
