"""The overlay as it is drawn: patch colours at the right pixels, nothing outside the ROI. Skips without OpenGL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from Testing.slicer.render import SliceView, ThreeDView, has_opengl, write_png
from Testing.slicer.scene.test_fingerprint_scene import add_volumes, moved_result, rigid
from Testing.slicer.synthetic_result import Synthetic


@pytest.fixture(scope="session")
def opengl() -> None:
    pytest.importorskip("vtk", reason="slicer-core is not installed")
    if not has_opengl():
        pytest.skip("no offscreen OpenGL here (apt-get install libegl1 libgl1-mesa-dri)")


@pytest.mark.parametrize("orientation", ["own plane", "Axial"])
def test_each_patch_is_painted_in_its_colour_and_nothing_outside(
    opengl: None, headless: Any, synthetic: Synthetic, tmp_path: Path, orientation: str
) -> None:
    from deepradiomics.reports.palettes import table
    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.show.fingerprint import show_fingerprint

    nodes = add_volumes(headless.scene, synthetic, rigid())
    result = show_fingerprint(moved_result(synthetic, tmp_path / "moved", rigid()), nodes, headless.scene)
    relevance = result.relevance["acl"]
    view = SliceView(headless, "Test", nodes["sagittal"] if orientation == "own plane" else orientation, (500, 500))
    view.show(nodes["sagittal"], relevance, opacity=1.0)
    grid = placement(nodes["sagittal"]).geometry
    # The slice through the centre of a voxel of patches 1 to 4, so that pixels and voxel centres can be compared.
    view.slice_node.JumpSliceByOffsetting(*(grid.index_to_physical((10, 9, 4)) * (-1, -1, 1)))
    picture = view.picture()
    write_png(picture, tmp_path / "slice.png")
    colours = (table("Plasma", 256) * 255).round()
    to_ras = view.slice_node.GetSliceToRAS()
    normal = np.array([to_ras.GetElement(axis, 2) for axis in range(3)])
    origin = np.array([to_ras.GetElement(axis, 3) for axis in range(3)])
    painted, blank = 0, 0
    for index in np.ndindex(grid.shape):
        world = grid.index_to_physical(index[::-1]) * (-1, -1, 1)
        if abs((world - origin) @ normal) > 0.2:
            continue  # not in this slice
        row, column = view.pixel_of(world)
        if not (0 <= row < 460 and 0 <= column < 380):  # the legend is on the right, the ruler below
            continue
        value = synthetic.relevance["acl"][index]
        colour = picture[row, column].astype(float)
        if value > 0:
            expected = colours[min(255, int((value - 0.2) / 0.7 * 255 + 0.5))]
            assert np.abs(colour - expected).max() <= 6, (index, colour, expected)
            painted += 1
        else:
            assert np.ptp(colour) == 0, (index, colour)  # the grey of the anatomy
            blank += 1
    assert painted > (30 if orientation == "own plane" else 5)
    assert blank > 20


def test_the_default_overlay_is_half_transparent_and_the_legend_is_drawn(
    opengl: None, headless: Any, synthetic: Synthetic, tmp_path: Path
) -> None:
    from deepradiomics.scene.show.fingerprint import show_fingerprint
    from deepradiomics.scene.show.patch_boxes import show_patch

    nodes = add_volumes(headless.scene, synthetic)
    view = SliceView(headless, "Test", nodes["sagittal"], (500, 500))
    view.show(nodes["sagittal"], None)
    plain = view.picture().astype(int)
    result = show_fingerprint(synthetic.folder, nodes, headless.scene)
    view.show(nodes["sagittal"], result.relevance["abnormality"])
    show_patch(result.fingerprint, 9 * 4 + 6, slice_nodes=[], background=False)  # patch 5
    mixed = view.picture().astype(int)
    write_png(mixed.astype(np.uint8), tmp_path / "mixed.png")
    assert (np.abs(mixed - plain).max(axis=-1) > 10).mean() > 0.03
    assert np.ptp(plain[100:400, 100:350], axis=-1).max() == 0  # without the map all is grey
    assert np.ptp(mixed[:, 400:], axis=-1).max() > 60  # the legend's colours


def test_a_volume_and_a_box_can_be_drawn_in_three_dimensions(
    opengl: None, headless: Any, synthetic: Synthetic, tmp_path: Path
) -> None:
    from deepradiomics.scene.show.fingerprint import show_fingerprint
    from deepradiomics.scene.show.patch_boxes import show_patch

    result = show_fingerprint(synthetic.folder, add_volumes(headless.scene, synthetic), headless.scene)
    show_patch(result.fingerprint, 6)
    picture = ThreeDView(headless, (300, 300)).picture()
    write_png(picture, tmp_path / "three.png")
    assert (picture < 250).any(axis=-1).mean() > 0.002
