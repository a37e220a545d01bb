"""The case layout: Slicer makes its views from the XML; one plane, place and scale in all; drawn as it should be."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deepradiomics.images import Geometry, Volume, read_mask, read_volume
from Testing.slicer.render import has_opengl
from Testing.slicer.scene.test_lens_case import MODALITIES, centres, given, moved, write_case
from Testing.slicer.scene.test_volumes import rigid, under
from Testing.slicer.synthetic_result import oblique_geometry, rotation
from Testing.unit.reports.fake_lens import write_fake_case, write_fake_lens


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return write_case(tmp_path / "case")


@pytest.fixture
def layouts(scene: Any) -> Any:
    """A scene with Slicer's own layout logic, as the application has it: it reads the XML and makes the views."""
    from deepradiomics.scene.views.layouts import scene_layouts

    with scene_layouts(scene):
        yield SimpleNamespace(node=scene.GetFirstNodeByClass("vtkMRMLLayoutNode"), views=lambda: mapped(scene))


def mapped(scene: Any, class_name: str = "vtkMRMLAbstractViewNode") -> list[Any]:
    """The views of a class that the layout on show has."""
    from deepradiomics.scene.nodes.atomic import nodes_of_class

    return [view for view in nodes_of_class(scene, class_name) if view.IsMappedInLayout()]


def matrix(view: Any) -> np.ndarray:
    """(4, 4) slice → world of a slice node."""
    from deepradiomics.scene.nodes.placement import array_of

    return array_of(view.GetSliceToRAS())


@pytest.mark.parametrize("lens", [True, False], ids=["with a lens", "without"])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_slicer_makes_the_views_of_each_layout(scene: Any, layouts: Any, count: int, lens: bool) -> None:
    from deepradiomics.scene.views.layouts import layout_id, register_layouts, view_name

    assert register_layouts(scene)
    assert layout_id(count, lens=lens) > 500
    node = layouts.node
    before = {index for index in node.GetLayoutIndices() if index < 500}
    node.SetViewArrangement(layout_id(count, lens=lens))
    found = layouts.views()
    slices = [view for view in found if view.IsA("vtkMRMLSliceNode")]
    assert [view.GetLayoutName() for view in slices] == [view_name(index) for index in range(count)]
    assert [view.GetLayoutName() for view in found[count:]] == (["TableView1", "PlotView1"] if lens else [])
    assert register_layouts(scene)  # again, as after a reload of the module
    assert node.GetViewArrangement() == layout_id(count, lens=lens)
    assert before == {index for index in node.GetLayoutIndices() if index < 500}  # Slicer's own are untouched


def test_without_a_layout_node_nothing_is_registered(scene: Any) -> None:
    from deepradiomics.scene.views.layouts import register_layouts

    assert not register_layouts(scene)


@pytest.mark.parametrize("where", ["in the application's scene", "without a layout"])
def test_each_modality_has_its_view_and_the_map_lies_over_its_own_alone(
    scene: Any, case: Path, where: str, request: pytest.FixtureRequest
) -> None:
    from deepradiomics.scene.show.lens.case import show_case
    from deepradiomics.scene.show.lens.result import show_lens
    from deepradiomics.scene.views.layouts import layout_id

    layouts = request.getfixturevalue("layouts") if where.startswith("in") else None
    lens = show_lens(write_fake_lens(case.parent / "lens", case=False), scene)
    write_case(case, "adc")
    shown = show_case(case, scene, lens=lens)
    if layouts is not None:
        assert layouts.node.GetViewArrangement() == layout_id(3)
        assert len(layouts.views()) == 5
    colours = set()
    for index, modality in enumerate(MODALITIES):
        view = scene.GetNodeByID(f"vtkMRMLSliceNodeLens{index + 1}")
        composite = scene.GetNodeByID(f"vtkMRMLSliceCompositeNodeLens{index + 1}")
        assert view.GetLayoutLabel() == modality
        assert composite.GetBackgroundVolumeID() == shown.volumes[modality].GetID()
        assert composite.GetForegroundVolumeID() == (shown.map.GetID() if modality == "adc" else None)
        assert composite.GetLinkedControl()
        colours.add(tuple(view.GetLayoutColor()))
        display = shown.rois[modality].GetDisplayNode()
        assert display.IsViewNodeIDPresent(view.GetID())
        assert display.GetNumberOfViewNodeIDs() >= 1
        others = [scene.GetNodeByID(f"vtkMRMLSliceNodeLens{each + 1}") for each in range(3) if each != index]
        assert not any(display.IsDisplayableInView(other.GetID()) for other in others)
    assert len(colours) == 3
    assert scene.GetNodeByID("vtkMRMLTableViewNodeTableView1").GetTableNode() is lens.shift
    assert scene.GetNodeByID("vtkMRMLPlotViewNodePlotView1").GetPlotChartNode() is lens.charts["explained"]
    if layouts is not None:  # in Slicer's other layouts the map's own outline alone is drawn
        for modality in MODALITIES:
            drawn = shown.rois[modality].GetDisplayNode().IsDisplayableInView("vtkMRMLSliceNodeRed")
            assert drawn == (modality == "adc")


def test_all_views_show_one_plane_through_the_maps_voxels_at_one_scale(scene: Any, case: Path, tmp_path: Path) -> None:
    from deepradiomics.scene.show.lens.case import show_case

    matrices = {each: rigid(20, (30, -10, 4)) for each in MODALITIES}
    nodes = given(scene, case, matrices)
    for index, (width, height) in enumerate(((500, 400), (300, 400), (410, 380)), start=1):
        view = scene.CreateNodeByClass("vtkMRMLSliceNode")
        view.UnRegister(None)
        view.SetLayoutName(f"Lens{index}")
        scene.AddNode(view).SetDimensions(width, height, 1)
    shown = show_case(moved(case, tmp_path / "moved", matrices), scene, nodes)
    views = [scene.GetNodeByID(f"vtkMRMLSliceNodeLens{index}") for index in (1, 2, 3)]
    for view in views:
        np.testing.assert_allclose(matrix(view), matrix(views[0]), atol=1e-9)
        scale = np.array(view.GetFieldOfView()[:2]) / np.array(view.GetDimensions()[:2])
        np.testing.assert_allclose(scale, np.array(views[0].GetFieldOfView()[0]) / views[0].GetDimensions()[0])
    # In the plane, by hand: along the slices of t2, through the centres of voxels that the map has, the region inside.
    roi = read_mask(case / "roi_t2.nrrd")
    points = centres(roi.geometry, matrices["t2"])
    inside = points[roi.labels.ravel() > 0]
    axes, middle = matrix(views[0])[:3, :3], matrix(views[0])[:3, 3]
    height = (points - middle) @ axes[:, 2]
    levels = np.sort(np.abs(height))
    voxels = roi.geometry.size[0] * roi.geometry.size[1]
    assert levels[voxels - 1] < 1e-3  # one whole slice of t2 (3 mm) lies in the plane
    assert levels[voxels] > 2.9
    assert (np.abs((inside - middle) @ axes[:, 2]) < 1e-3).any()
    for view in views:
        half = np.array(view.GetFieldOfView()[:2]) / 2
        assert (np.abs((inside - middle) @ axes[:, :2]) < half).all()
    extent = np.ptp((inside - middle) @ axes[:, :2], axis=0)
    narrow = views[1].GetFieldOfView()  # the narrowest decides
    assert min(narrow[0] / extent[0], narrow[1] / extent[1]) == pytest.approx(2.4, rel=1e-6)
    assert shown.modality == "t2"


def layers_of(scene: Any, view: Any) -> tuple[str | None, str | None]:
    """IDs of the image and of the map in a slice view."""
    from deepradiomics.scene.nodes.atomic import nodes_of_class

    composites = nodes_of_class(scene, "vtkMRMLSliceCompositeNode")
    composite = next(each for each in composites if each.GetLayoutName() == view.GetLayoutName())
    return composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()


def test_without_a_lens_no_row_of_empty_views_lies_below(scene: Any, layouts: Any, case: Path) -> None:
    from deepradiomics.scene.show.lens.case import show_case
    from deepradiomics.scene.show.lens.result import show_lens

    shown = show_case(case, scene)
    assert not mapped(scene, "vtkMRMLTableViewNode")
    assert not mapped(scene, "vtkMRMLPlotViewNode")
    assert [layers_of(scene, view)[0] for view in mapped(scene, "vtkMRMLSliceNode")] == [
        node.GetID() for node in shown.volumes.values()
    ]
    lens = show_lens(write_fake_lens(case.parent / "lens", case=False), scene)
    show_case(case, scene, lens=lens)
    (table,), (plot,) = mapped(scene, "vtkMRMLTableViewNode"), mapped(scene, "vtkMRMLPlotViewNode")
    assert table.GetTableNode() is lens.shift
    assert plot.GetPlotChartNode() is lens.charts["explained"]


@pytest.mark.parametrize(("count", "views"), [(1, 1), (2, 2), (3, 4), (4, 4)])
def test_in_slicers_own_layouts_no_view_is_empty(
    scene: Any, layouts: Any, tmp_path: Path, count: int, views: int
) -> None:
    from deepradiomics.scene.show.lens.case import show_case
    from deepradiomics.scene.views.layouts import show_case_in_slicers_views

    modalities = (*MODALITIES, "dce")[:count]
    row = {"modality": "t2", "feature": "original_glcm_Contrast", "delta_i": 0.25}
    shown = show_case(write_fake_case(tmp_path / "case", row, modalities), scene, layout=False)
    placed = show_case_in_slicers_views(scene, shown)
    assert tuple(placed) == modalities
    slices = mapped(scene, "vtkMRMLSliceNode")
    assert len(slices) == views
    assert all(layers_of(scene, view)[0] for view in slices)
    assert not mapped(scene, "vtkMRMLViewNode")
    more = [view for view in slices if view not in placed.values()]
    for view in more:  # the map over its modality once more, in a plane upright on the first
        assert layers_of(scene, view) == (shown.volumes["t2"].GetID(), shown.map.GetID())
        first, second = matrix(placed["t2"]), matrix(view)
        assert first[:3, 2] @ second[:3, 2] == pytest.approx(0, abs=1e-9)
        np.testing.assert_allclose(second[:3, 3], first[:3, 3])
        assert shown.rois["t2"].GetDisplayNode().IsDisplayableInView(view.GetID())
        assert view.GetViewGroup() != placed["t2"].GetViewGroup()


PLANES = {
    "Axial": np.eye(3),
    "Sagittal": [[0, 0, 1], [1, 0, 0], [0, -1, 0]],
    "Coronal": [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
}


@pytest.mark.parametrize("name", PLANES)
@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (1, -1, -1)])
def test_the_plane_of_a_straight_volume_is_slicers_own(scene: Any, name: str, flip: tuple[int, int, int]) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.views.layouts import plane_of

    axes = np.array(PLANES[name], float) * flip
    volume = node_from_volume(
        Volume(np.zeros((3, 4, 5), np.float32), Geometry((5, 4, 3), direction=tuple(axes.ravel()))), scene
    )
    view = scene.AddNewNodeByClass("vtkMRMLSliceNode", "view")
    view.SetOrientation(name)
    np.testing.assert_allclose(plane_of(volume, view), matrix(view)[:3, :3], atol=1e-12)


@pytest.mark.parametrize("turned", [False, True], ids=["oblique", "oblique under a transform"])
def test_the_plane_of_an_oblique_volume_is_where_slicer_rotates_to(scene: Any, turned: bool) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.views.layouts import plane_of

    grid = Geometry((8, 9, 5), (1.0, 1.0, 3.0), direction=tuple(rotation(20, (1, 2, 0.3)).ravel()))
    for geometry, name in ((grid, "Axial"), (oblique_geometry(), "Sagittal")):
        volume = node_from_volume(Volume(np.zeros(geometry.shape, np.float32), geometry), scene)
        if turned:
            under(scene, volume, rigid(15))
        view = scene.AddNewNodeByClass("vtkMRMLSliceNode", "view")
        view.SetOrientation(name)
        view.RotateToVolumePlane(volume)
        np.testing.assert_allclose(plane_of(volume, view), matrix(view)[:3, :3], atol=1e-6)


def test_a_fifth_modality_has_no_view_unless_the_map_is_its_own() -> None:
    pytest.importorskip("vtk", reason="slicer-core is not installed")
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from deepradiomics.scene.nodes.lens import CaseNodes
    from deepradiomics.scene.views.layouts import shown_modalities

    def shown(modality: str) -> tuple[str, ...]:
        return shown_modalities(CaseNodes("1", modality, "f", dict.fromkeys("abcde"), {}, None, 0))

    assert (shown("b"), shown("e")) == (tuple("abcd"), tuple("abce"))


@pytest.mark.parametrize("modality", MODALITIES)
def test_the_case_view_is_drawn_with_the_map_inside_the_outline_at_one_place_in_all_views(
    headless: Any, case: Path, tmp_path: Path, modality: str
) -> None:
    if not has_opengl():
        pytest.skip("no offscreen OpenGL here (apt-get install libegl1 libgl1-mesa-dri)")
    from deepradiomics.scene.nodes.outline import OUTLINE_COLOUR
    from deepradiomics.scene.show.lens.case import show_case
    from Testing.slicer.render import write_png
    from Testing.slicer.render_lens import GAP, case_views, side_by_side

    matrices = {each: rigid(20, (30, -10, 4)) for each in MODALITIES}
    nodes = given(headless.scene, case, matrices)
    write_case(case, modality)
    views = case_views(headless, 3, (400, 400))
    show_case(moved(case, tmp_path / "moved", matrices), headless.scene, nodes)
    picture = side_by_side(views).astype(int)
    write_png(picture.astype(np.uint8), tmp_path / "case.png")
    green = np.array(OUTLINE_COLOUR) * 255
    middles = []
    for index, (view, name) in enumerate(zip(views, MODALITIES, strict=True)):
        panel = picture[40:, index * (400 + GAP) :][:, :280]  # below the label, left of the legend
        outline = np.abs(panel - green).max(axis=-1) < 40
        assert outline.sum() > 150, name
        rows, columns = np.nonzero(outline)
        middles.append((rows.min() + rows.max(), columns.min()))
        coloured = (np.ptp(panel, axis=-1) > 25) & ~outline
        for _ in range(2):  # the outline's own edge is half green
            coloured &= ~(
                np.roll(outline, 1, 0) | np.roll(outline, -1, 0) | np.roll(outline, 1, 1) | np.roll(outline, -1, 1)
            )
        if name != modality:
            assert coloured.sum() == 0, name  # the map lies over its own modality alone
            continue
        roi = read_mask(case / f"roi_{name}.nrrd")
        points = centres(roi.geometry, matrices[name])
        to_ras = matrix(view.slice_node)
        near = np.abs((points - to_ras[:3, 3]) @ to_ras[:3, 2]) < 0.3
        seen = {True: 0, False: 0}
        for point, inside in zip(points[near], roi.labels.ravel()[near] > 0, strict=True):
            row, column = view.pixel_of(point)
            if (
                40 <= row < 396
                and 4 <= column < 280
                and not outline[row - 40 - 2 : row - 40 + 3, column - 2 : column + 3].any()
            ):
                assert (np.ptp(panel[row - 40, column]) > 25) == inside, (name, row, column)
                seen[bool(inside)] += 1
        assert min(seen.values()) > 40, seen
    assert np.ptp(np.array(middles), axis=0).max() <= 20  # the same anatomy at the same place, to a voxel or two


@pytest.mark.parametrize("size", [(300, 260), (640, 480)])
@pytest.mark.parametrize("feature", ["original_glcm_Contrast", "wavelet-LLH_gldm_LargeDependenceLowGrayLevelEmphasis"])
def test_the_legend_lies_beside_the_region(headless: Any, case: Path, size: tuple[int, int], feature: str) -> None:
    if not has_opengl():
        pytest.skip("no offscreen OpenGL here (apt-get install libegl1 libgl1-mesa-dri)")
    import slicer

    from deepradiomics.scene.nodes.outline import OUTLINE_COLOUR
    from deepradiomics.scene.show.lens.case import show_case
    from Testing.slicer.render_lens import case_views

    views = case_views(headless, 3, size)
    shown = show_case(write_case(case, "t2", feature), headless.scene)
    with_legend = views[0].picture().astype(int)
    slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(shown.map).SetVisibility(False)
    without = views[0].picture().astype(int)
    legend = np.nonzero((with_legend != without).any(axis=-1))[1]
    outline = np.nonzero(np.abs(without - np.array(OUTLINE_COLOUR) * 255).max(axis=-1) < 40)[1]
    assert len(legend) > 200
    assert len(outline) > 100
    assert outline.min() > 4
    assert outline.max() < legend.min()


@pytest.mark.parametrize("size", [(550, 350), (1920, 900)])
def test_the_charts_are_drawn_with_their_names_and_no_bar_lies_below_the_legend(
    headless: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    if not has_opengl():
        pytest.skip("no offscreen OpenGL here (apt-get install libegl1 libgl1-mesa-dri)")
    from deepradiomics.scene.show.lens.result import show_lens
    from Testing.slicer.render import write_png
    from Testing.slicer.render_lens import chart_picture

    nodes = show_lens(write_fake_lens(tmp_path / "lens", case=False), headless.scene)
    for name, chart in nodes.charts.items():
        picture = chart_picture(chart, size)
        write_png(picture, tmp_path / f"{name}.png")
        colours = {tuple(each) for each in picture.reshape(-1, 3).tolist()}
        for index in range(chart.GetNumberOfPlotSeriesNodes()):
            wanted = np.array(chart.GetNthPlotSeriesNode(index).GetColor()) * 255
            assert any(np.abs(wanted - colour).max() <= 2 for colour in colours), (name, index)
        chart.SetLegendVisibility(False)
        without = chart_picture(chart, size)
        below = without[(without != picture).any(axis=-1)]
        assert len(below) > 1000, name  # paper and grid lines, no bar, no letter
        assert below.min() > 200, name


def test_views_that_were_turned_and_zoomed_come_back(scene: Any, case: Path) -> None:
    from deepradiomics.scene.nodes.placement import array_of
    from deepradiomics.scene.show.lens.case import show_case
    from deepradiomics.scene.views.layouts import arrange_case

    shown = show_case(case, scene)
    view = scene.GetNodeByID("vtkMRMLSliceNodeLens2")
    before = matrix(view), array_of(view.GetXYToRAS()), view.GetFieldOfView()
    view.SetOrientation("Coronal")
    for zoom in (1.0, 0.5):
        view.SetFieldOfView(zoom * before[2][0], zoom * before[2][1], before[2][2])
        arrange_case(scene, shown)
        np.testing.assert_allclose(matrix(view), before[0])
        np.testing.assert_allclose(array_of(view.GetXYToRAS()), before[1])
        view.SetOrientation("Sagittal")
        view.SetXYZOrigin(5.0, 5.0, 0.0)


def test_a_volume_without_a_map_voxel_is_shown_in_its_middle(scene: Any, case: Path) -> None:
    from deepradiomics.images import write_volume
    from deepradiomics.scene.show.lens.case import show_case

    image = read_volume(case / "map.nrrd")
    write_volume(Volume(np.full_like(image.voxels, np.nan), image.geometry), case / "map.nrrd")
    show_case(case, scene)
    np.testing.assert_allclose(matrix(scene.GetNodeByID("vtkMRMLSliceNodeLens1"))[:3, 3], 0, atol=1e-6)
