"""A haemorrhage as it is drawn: Grad-CAM, outlines and expansion at the right pixels, red and orange in 3D."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from Testing.slicer.ich_result import CENTRE_MM, OUTCOMES, make_ich_case
from Testing.slicer.render import SliceView, ThreeDView, write_png
from Testing.slicer.test_render import opengl  # noqa: F401 - a fixture

LPS_RAS = np.array([-1.0, -1.0, 1.0])


def test_slices_and_surface_show_each_thing_where_it_lies(opengl: None, headless: Any, tmp_path: Path) -> None:  # noqa: F811
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.show.ich.case import show_ich_case
    from deepradiomics.scene.views.overlay import set_window

    made = make_ich_case(tmp_path / "case")
    view = SliceView(headless, "Test", "Axial", (500, 500))
    ct = node_from_volume(made.ct, headless.scene, "CT")
    set_window(ct, 0, 80)
    nodes = show_ich_case(made.folder, ct, headless.scene)
    assert nodes.expansion is not None
    view.show(ct, nodes.gradcam[OUTCOMES[0]], opacity=1.0)
    view.slice_node.JumpSliceByOffsetting(*(CENTRE_MM * LPS_RAS))
    picture = view.picture().astype(int)
    write_png(picture.astype(np.uint8), tmp_path / "slices.png")

    def colour(offset_mm: tuple[float, float, float], of: np.ndarray) -> np.ndarray:
        """The mean colour of 3 × 3 pixels at a place beside the haematoma's middle (LPS)."""
        row, column = view.pixel_of((CENTRE_MM + offset_mm) * LPS_RAS)
        return of[row - 1 : row + 2, column - 1 : column + 2].reshape(-1, 3).mean(axis=0)

    front, back, brain = colour((0, -16, 0), picture), colour((0, 14, 0), picture), colour((0, 50, 0), picture)
    assert front[0] > 150  # Inferno's upper end
    assert front[0] - front[2] > 60
    assert back[0] - back[2] < 60  # the map is weak: blood below a light red
    assert back.min() > 120
    assert np.ptp(brain) < 6  # nothing is drawn over the brain
    nodes.segmentation.GetDisplayNode().SetVisibility(False)
    nodes.expansion.change.GetDisplayNode().SetVisibility(True)
    view.show(ct, None)
    view.slice_node.JumpSliceByOffsetting(*(CENTRE_MM * LPS_RAS))
    picture = view.picture().astype(int)
    grown, shrunk = colour((20, 0, 0), picture), colour((-11, 0, 0), picture)
    assert grown[0] - grown[2] > 40
    assert shrunk[2] - shrunk[0] > 20
    nodes.segmentation.GetDisplayNode().SetVisibility(True)
    nodes.expansion.change.GetDisplayNode().SetVisibility(False)
    solid = ThreeDView(headless, (300, 300)).picture().astype(int)
    write_png(solid.astype(np.uint8), tmp_path / "solid.png")
    red = (solid[..., 0] > 120) & (solid[..., 1] < 90)
    orange = (solid[..., 0] > 200) & (solid[..., 0] - solid[..., 2] > 25) & (solid[..., 1] > 150)
    assert red.mean() > 0.01
    assert orange.mean() > 0.02
