"""Feature maps in the real scene: each voxel lies where the anatomy lies, in the colour its value has in the legend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry, Volume, write_volume
from Testing.slicer.render import SliceView, has_opengl, write_png
from Testing.slicer.scene.test_volumes import rigid, under
from Testing.slicer.synthetic_result import oblique_geometry, rotation
from Testing.unit.lens.case.test_map_colours import capsule

KEY, OTHER = "original_glcm_Contrast", "wavelet-LLH_firstorder_Skewness"


def make_maps(folder: Path, geometry: Geometry, start: tuple[int, int, int], size: tuple[int, int, int]) -> np.ndarray:
    """Two maps on a part of a grid, NaN on their rim; returns the values of the first, (z, y, x)."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(4)
    values = rng.normal(-2, 5, size[::-1])
    rim = np.ones(values.shape, bool)
    rim[1:-1, 1:-1, 1:-1] = False
    values[rim] = np.nan
    write_volume(Volume(values, geometry.crop(start, size)), folder / "a.nrrd")
    write_volume(Volume(np.where(rim, np.nan, 7.0), geometry.crop(start, size)), folder / "b.nrrd")
    about = {"kind": "maps", "maps": {KEY: {"file": "a.nrrd"}, OTHER: {"file": "b.nrrd"}}, "methods_text": "Maps."}
    (folder / "maps.json").write_text(json.dumps(about), encoding="utf-8")
    return values


def anatomy(scene: Any, geometry: Geometry) -> Any:
    """A volume node whose voxels are all different: the voxel's number."""
    from deepradiomics.scene.nodes.volumes import node_from_volume

    numbers = np.arange(np.prod(geometry.shape), dtype=np.float32).reshape(geometry.shape)
    return node_from_volume(Volume(numbers, geometry, name="anatomy"), scene)


def world_of(node: Any, index: tuple[int, int, int]) -> np.ndarray:
    """World RAS of a voxel (x, y, z), asked of Slicer itself."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    point = matrix.MultiplyPoint((*index, 1.0))[:3]
    moved = [0.0, 0.0, 0.0]
    node.TransformPointToWorld(point, moved)
    return np.array(moved)


TRANSFORMS = {
    "none": None,
    "rigid": rigid(25, (12, -30, 7)),
    "flip and scale": np.diag([-1.0, 2.0, 0.5, 1.0]),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("moved_meanwhile", [False, True], ids=["still", "moved meanwhile"])
def test_every_voxel_of_a_map_lies_on_its_voxel_of_the_volume(
    scene: Any, tmp_path: Path, transform: str, moved_meanwhile: bool
) -> None:
    from deepradiomics.scene.nodes.map_place import reference_place
    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.show.maps import show_maps

    grid = oblique_geometry()
    if transform == "flip and scale":  # exact along the axes of a straight grid alone
        grid = Geometry((30, 28, 12), (1.0, 1.1, 3.0), (-12.0, 20.0, 35.0))
    volume = anatomy(scene, grid)
    if TRANSFORMS[transform] is not None:
        under(scene, volume, TRANSFORMS[transform])
    start, size = (5, 3, 2), (9, 8, 6)
    place = reference_place(volume)
    values = make_maps(tmp_path, placement(volume).geometry, start, size)
    if moved_meanwhile:
        under(scene, volume, rigid(-40, (3, 3, 50)) @ (TRANSFORMS[transform] if transform != "none" else np.eye(4)))
    nodes = show_maps(tmp_path, volume, scene, place=place)
    import slicer

    found = slicer.util.arrayFromVolume(nodes.maps[KEY])
    np.testing.assert_array_equal(found, values)
    for index in np.ndindex(size):
        of_volume = tuple(int(a + b) for a, b in zip(index, start, strict=True))
        np.testing.assert_allclose(world_of(nodes.maps[KEY], index), world_of(volume, of_volume), atol=1e-6)
    under(scene, volume, rigid(60, (1, 2, 3)))  # the map is below the same transform only as long as that is its parent
    nodes.maps[KEY].SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    np.testing.assert_allclose(world_of(nodes.maps[KEY], (0, 0, 0)), world_of(volume, start), atol=1e-6)


def test_a_map_follows_the_transform_of_its_volume(scene: Any, tmp_path: Path) -> None:
    import vtk

    from deepradiomics.scene.nodes.map_place import reference_place
    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.show.maps import show_maps

    volume = anatomy(scene, oblique_geometry())
    under(scene, volume, rigid())
    make_maps(tmp_path, placement(volume).geometry, (4, 5, 3), (8, 8, 5))
    node = show_maps(tmp_path, volume, scene, place=reference_place(volume)).maps[KEY]
    further = vtk.vtkTransform()
    further.RotateX(35)
    further.Translate(5, 6, 70)
    volume.GetParentTransformNode().SetMatrixTransformToParent(further.GetMatrix())
    np.testing.assert_allclose(world_of(node, (2, 1, 1)), world_of(volume, (6, 6, 4)), atol=1e-6)


def test_a_map_on_its_own_resampled_grid_lies_at_its_place_in_the_world(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.nodes.map_place import reference_place
    from deepradiomics.scene.show.maps import show_maps

    volume = anatomy(scene, oblique_geometry())
    under(scene, volume, rigid())
    turned = rotation(50, (3, 1, 1))
    own = Geometry((9, 8, 7), (2.0, 2.0, 2.0), (-5.0, 9.0, 20.0), tuple(turned.ravel()))  # LPS world
    make_maps(tmp_path, own, (0, 0, 0), own.size)
    node = show_maps(tmp_path, volume, scene, place=reference_place(volume)).maps[KEY]
    for index in ((0, 0, 0), (8, 0, 0), (3, 7, 6)):
        expected = own.index_to_physical(index) * (-1, -1, 1)
        np.testing.assert_allclose(world_of(node, index), expected, atol=1e-9)
    assert node.GetTransformNodeID() == volume.GetTransformNodeID()


def test_under_a_bent_transform_a_map_lies_in_the_world(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.nodes.map_place import reference_place
    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.show.maps import show_maps

    volume = anatomy(scene, Geometry((20, 18, 12), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0)))
    shear = np.eye(4)
    shear[0, 1] = 0.4
    under(scene, volume, shear)
    grid = placement(volume).geometry
    make_maps(tmp_path, grid, (2, 2, 2), (6, 6, 5))
    place = reference_place(volume)
    node = show_maps(tmp_path, volume, scene, place=place).maps[KEY]
    assert place is None
    assert node.GetTransformNodeID() is None
    np.testing.assert_allclose(world_of(node, (0, 0, 0)), grid.index_to_physical((2, 2, 2)) * (-1, -1, 1), atol=1e-9)


def test_the_table_holds_the_maps_numbers_and_refers_to_them(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.show.maps import maps_of, show_maps
    from deepradiomics.scene.tree.folder import referenced_inputs

    volume = anatomy(scene, oblique_geometry())
    values = make_maps(tmp_path, oblique_geometry(), (4, 5, 3), (8, 8, 5))
    nodes = show_maps(tmp_path, volume, scene, nodes={"segmentation": None})
    table = nodes.table.GetTable()
    inside = values[np.isfinite(values)]
    found = [table.GetColumnByName(name).GetValue(0) for name in ("feature", "minimum", "mean", "maximum", "voxels")]
    assert found == [KEY, inside.min(), pytest.approx(inside.mean(), rel=1e-12), inside.max(), inside.size]
    assert {key: node.GetID() for key, node in maps_of(nodes.table).items()} == {
        key: node.GetID() for key, node in nodes.maps.items()
    }
    assert referenced_inputs(nodes.maps[KEY]) == {"image": volume}
    assert nodes.maps[OTHER].GetDescription().startswith("How lopsided") or "LLH" in nodes.maps[OTHER].GetDescription()


@pytest.mark.parametrize("damage", ["no description", "no file", "other kind"])
def test_a_damaged_result_leaves_nothing_in_the_scene(scene: Any, tmp_path: Path, damage: str) -> None:
    from deepradiomics.scene.show.maps import show_maps
    from Testing.slicer.scene.test_fingerprint_scene import snapshot

    volume = anatomy(scene, oblique_geometry())
    make_maps(tmp_path, oblique_geometry(), (4, 5, 3), (8, 8, 5))
    if damage == "no description":
        (tmp_path / "maps.json").unlink()
    elif damage == "no file":
        (tmp_path / "b.nrrd").unlink()
    else:
        (tmp_path / "maps.json").write_text('{"kind": "features"}', encoding="utf-8")
    before = snapshot(scene)
    with pytest.raises(InputError, match=r"maps\.json|b\.nrrd"):
        show_maps(tmp_path, volume, scene)
    assert snapshot(scene) == before


@pytest.mark.parametrize("radius", [1, 2])
def test_the_edge_of_a_capsule_does_not_leave_the_inside_dark(scene: Any, tmp_path: Path, radius: int) -> None:
    from deepradiomics.scene.show.maps import show_maps

    values = capsule(radius)  # 40 to 60 inside; 1000 where a window reaches beyond the border
    write_volume(Volume(values, Geometry(values.shape[::-1])), tmp_path / "map.nrrd")
    about = {"kind": "maps", "maps": {KEY: {"file": "map.nrrd"}}, "settings": {"kernel_radius": radius}}
    (tmp_path / "maps.json").write_text(json.dumps(about), encoding="utf-8")
    display = show_maps(tmp_path, None, scene).maps[KEY].GetDisplayNode()
    assert 39 < display.GetWindowLevelMin() < 45
    assert 55 < display.GetWindowLevelMax() < 61
    assert display.GetUpperThreshold() == 1000  # the edge is drawn nevertheless, in the colour of the upper end
    assert np.nanpercentile(values, 99) == 1000


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("original_glcm_Contrast", "GLCM Contrast"),
        ("wavelet-LLH_firstorder_Skewness", "First order\nSkewness wavelet\nLLH"),
        ("original_glszm_LargeAreaLowGrayLevelEmphasis", "GLSZM LargeArea\nLowGrayLevel\nEmphasis"),
    ],
)
def test_a_legends_title_fits_beside_the_slice(key: str, title: str) -> None:
    from deepradiomics.radiomics.catalogue.explain import explain
    from deepradiomics.scene.show.maps import LEGEND_WIDTH, legend_title

    assert legend_title(explain(key)) == title
    assert max(len(line) for line in title.splitlines()) <= LEGEND_WIDTH


@pytest.mark.parametrize("orientation", ["own plane", "Axial"])
def test_each_voxel_is_drawn_in_the_colour_of_its_value_and_the_outside_is_clear(
    headless: Any, tmp_path: Path, orientation: str
) -> None:
    if not has_opengl():
        pytest.skip("no offscreen OpenGL here (apt-get install libegl1 libgl1-mesa-dri)")
    from deepradiomics.lens.case.colours import colour_range
    from deepradiomics.reports.palettes import table
    from deepradiomics.scene.nodes.map_place import reference_place
    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.show.maps import show_maps

    volume = anatomy(headless.scene, oblique_geometry())
    volume.CreateDefaultDisplayNodes()
    under(headless.scene, volume, rigid())
    start, size = (6, 5, 2), (16, 16, 8)
    values = make_maps(tmp_path, placement(volume).geometry, start, size)
    view = SliceView(headless, "Test", volume if orientation == "own plane" else orientation, (500, 500))
    nodes = show_maps(tmp_path, volume, headless.scene, place=reference_place(volume))
    node = nodes.maps[KEY]
    view.show(volume, node, opacity=1.0)
    view.slice_node.JumpSliceByOffsetting(*world_of(node, (8, 8, 4)))
    picture = view.picture()
    write_png(picture, tmp_path / "map.png")
    colours, (low, high) = (table("Plasma", 256) * 255).round(), colour_range(values)
    to_ras = view.slice_node.GetSliceToRAS()
    normal = np.array([to_ras.GetElement(axis, 2) for axis in range(3)])
    origin = np.array([to_ras.GetElement(axis, 3) for axis in range(3)])
    painted = clear = 0
    for index in np.ndindex(size):
        world = world_of(node, index)
        if abs((world - origin) @ normal) > 0.2:
            continue  # not in this slice
        row, column = view.pixel_of(world)
        if not (0 <= row < 460 and 0 <= column < 380):  # the legend is on the right, the ruler below
            continue
        value, colour = values[index[::-1]], picture[row, column].astype(float)
        if np.isfinite(value):
            step = int(np.clip((value - low) / (high - low), 0, 1) * 255 + 0.5)
            assert np.abs(colour - colours[step]).max() <= 6, (index, value, colour, colours[step])
            painted += 1
        else:
            assert np.ptp(colour) == 0, (index, colour)  # the grey of the anatomy
            clear += 1
    assert painted > (70 if orientation == "own plane" else 8)
    assert clear > 2
