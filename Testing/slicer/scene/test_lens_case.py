"""A case of a lens in the real scene: map and outlines to the voxel in the world, one case view, no node left over."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry, Mask, Volume, image_record, read_mask, read_volume, write_mask, write_volume
from deepradiomics.lens.case.colours import colour_range
from deepradiomics.reports.palettes import MAP_OPACITY
from Testing.slicer.scene.test_fingerprint_scene import snapshot
from Testing.slicer.scene.test_volumes import rigid, under
from Testing.unit.reports.fake_lens import write_fake_case

MODALITIES = ("t2", "highb", "adc")
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
FEATURE = "original_glcm_Contrast"


def write_case(folder: Path, modality: str = "t2", feature: str = FEATURE) -> Path:
    return write_fake_case(folder, {"modality": modality, "feature": feature, "delta_i": 0.25}, MODALITIES)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return write_case(tmp_path / "case")


def moved(case: Path, folder: Path, matrices: Mapping[str, np.ndarray]) -> Path:
    """The case of a run whose images lay under `matrices` (world from local, RAS): map and regions in that world."""
    shutil.copytree(case, folder)
    about = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    for modality, matrix in matrices.items():
        paths = [folder / f"roi_{modality}.nrrd", *([folder / "map.nrrd"] if about["modality"] == modality else [])]
        for path in paths:
            image = read_mask(path) if path.name.startswith("roi") else read_volume(path)
            grid = Geometry.from_affine(LPS @ matrix @ LPS @ image.geometry.affine, image.geometry.size)
            if isinstance(image, Mask):
                write_mask(Mask(image.labels, grid), path)
            else:
                write_volume(Volume(image.voxels, grid), path)
        then = Geometry.from_dict(about["modalities"][modality]["geometry"])
        there = Geometry.from_affine(LPS @ matrix @ LPS @ then.affine, then.size)
        about["modalities"][modality]["geometry"] = there.to_dict()
    (folder / "case.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def given(scene: Any, case: Path, matrices: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The case's images as nodes of the scene, each under its own transform."""
    from deepradiomics.scene.nodes.volumes import node_from_volume

    nodes = {}
    for modality in MODALITIES:
        nodes[modality] = node_from_volume(read_volume(case / f"image_{modality}.nrrd"), scene, f"scan of {modality}")
        nodes[modality].CreateDefaultDisplayNodes()
        if modality in matrices:
            under(scene, nodes[modality], matrices[modality])
    return nodes


def world_to_voxel(node: Any, points: np.ndarray) -> np.ndarray:
    """World RAS (n, 3) → voxel index (n, 3) of a volume node, asked of Slicer's transforms and VTK alone."""
    import vtk

    to_local, to_index = vtk.vtkGeneralTransform(), vtk.vtkMatrix4x4()
    if node.GetParentTransformNode() is not None:
        node.GetParentTransformNode().GetTransformFromWorld(to_local)
    node.GetRASToIJKMatrix(to_index)
    return np.array([to_index.MultiplyPoint((*to_local.TransformPoint(point), 1.0))[:3] for point in points])


def inside_segment(node: Any, points: np.ndarray) -> np.ndarray:
    """Whether world points (RAS) lie in a segmentation node's only segment: the nearest voxel of its labelmap."""
    import slicer
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(node.GetSegmentation().GetNthSegmentID(0), image)
    to_local, to_index = vtk.vtkGeneralTransform(), vtk.vtkMatrix4x4()
    if node.GetParentTransformNode() is not None:
        node.GetParentTransformNode().GetTransformFromWorld(to_local)
    image.GetWorldToImageMatrix(to_index)
    extent = np.array(image.GetExtent()).reshape(3, 2)
    labels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    found = np.zeros(len(points), bool)
    for row, point in enumerate(points):
        index = np.rint(to_index.MultiplyPoint((*to_local.TransformPoint(point), 1.0))[:3]).astype(int)
        if ((index >= extent[:, 0]) & (index <= extent[:, 1])).all():
            found[row] = labels[tuple((index - extent[:, 0])[::-1])] > 0
    return found


def centres(geometry: Geometry, matrix: np.ndarray) -> np.ndarray:
    """(n, 3) world RAS of every voxel of a grid in the file, under a transform; numpy alone."""
    index = np.indices(geometry.shape)[::-1].reshape(3, -1)
    affine = matrix @ LPS @ geometry.affine
    return (affine[:3, :3] @ index + affine[:3, 3:]).T


MOVES = {
    "in the world": {},
    "one under a rigid transform": {"t2": rigid(25, (12, -30, 7))},
    "each under its own": {"t2": rigid(-35, (4, 9, 3)), "highb": rigid(10, (1, 2, 3)), "adc": rigid(70, (-40, 0, 20))},
    "reflected": {"t2": np.diag([-1.0, 1.0, 1.0, 1.0]), "adc": rigid(15)},
}


@pytest.mark.parametrize("moves", MOVES)
def test_map_and_outlines_lie_on_their_voxels_in_the_world(scene: Any, case: Path, tmp_path: Path, moves: str) -> None:
    import slicer

    from deepradiomics.scene.show.lens.case import show_case

    matrices = MOVES[moves]
    nodes = given(scene, case, matrices)
    shown = show_case(moved(case, tmp_path / "moved", matrices), scene, nodes)
    for modality in MODALITIES:
        roi = read_mask(case / f"roi_{modality}.nrrd")
        points = centres(roi.geometry, matrices.get(modality, np.eye(4)))
        np.testing.assert_array_equal(inside_segment(shown.rois[modality], points), roi.labels.ravel() > 0)
        if modality == shown.modality:
            values = read_volume(case / "map.nrrd").voxels.ravel()
            index = world_to_voxel(shown.map, points)
            np.testing.assert_allclose(index, np.rint(index), atol=1e-4)  # a voxel's centre is a voxel's centre
            np.testing.assert_allclose(index, world_to_voxel(nodes[modality], points), atol=1e-4)
            x, y, z = np.rint(index).astype(int).T
            np.testing.assert_array_equal(slicer.util.arrayFromVolume(shown.map)[z, y, x], values)
            np.testing.assert_array_equal(np.isfinite(values), roi.labels.ravel() > 0)  # exactly inside the outline


def test_map_and_outlines_follow_their_volumes_also_when_these_moved_during_the_computation(
    scene: Any, case: Path, tmp_path: Path
) -> None:
    from deepradiomics.scene.nodes.map_place import reference_place
    from deepradiomics.scene.nodes.placement import matrix_of
    from deepradiomics.scene.show.lens.case import show_case

    before, after = rigid(25, (12, -30, 7)), rigid(-50, (3, 60, 9))
    nodes = given(scene, case, dict.fromkeys(MODALITIES, before))
    places = {modality: reference_place(node) for modality, node in nodes.items()}
    for node in nodes.values():
        node.GetParentTransformNode().SetMatrixTransformToParent(matrix_of(after))
    run = moved(case, tmp_path / "moved", dict.fromkeys(MODALITIES, before))
    shown = show_case(run, scene, nodes, places=places)
    for modality in MODALITIES:
        roi = read_mask(case / f"roi_{modality}.nrrd")
        points = centres(roi.geometry, after)
        np.testing.assert_array_equal(inside_segment(shown.rois[modality], points), roi.labels.ravel() > 0)
    index = world_to_voxel(shown.map, centres(read_volume(case / "map.nrrd").geometry, after))
    np.testing.assert_allclose(index, np.rint(index), atol=1e-4)
    further = rigid(80, (0, 0, 200))  # and afterwards
    nodes["t2"].GetParentTransformNode().SetMatrixTransformToParent(matrix_of(further))
    roi = read_mask(case / "roi_t2.nrrd")
    assert inside_segment(shown.rois["t2"], centres(roi.geometry, further)).sum() == roi.labels.sum()


def test_a_map_on_a_part_of_the_grid_or_on_a_finer_one_lies_at_its_place(
    scene: Any, case: Path, tmp_path: Path
) -> None:
    import slicer

    from deepradiomics.scene.show.lens.case import show_case

    matrix = rigid(40, (5, -3, 8))
    nodes = given(scene, case, {"t2": matrix})
    grid = read_volume(case / "map.nrrd").geometry
    finer = Geometry((20, 18, 9), (0.5, 0.5, 1.0), tuple(grid.index_to_physical((31, 30, 4))), grid.direction)
    for part in (grid.crop((20, 18, 3), (30, 28, 7)), finer):
        folder = shutil.copytree(case, tmp_path / f"part{part.size[0]}")
        values = np.random.default_rng(1).normal(size=part.shape).astype(np.float32)
        write_volume(Volume(values, part), folder / "map.nrrd")
        run = moved(folder, tmp_path / f"moved{part.size[0]}", {"t2": matrix})
        shown = show_case(run, scene, nodes)
        index = np.rint(world_to_voxel(shown.map, centres(part, matrix))).astype(int)
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(shown.map)[tuple(index.T[::-1])], values.ravel())


def test_under_a_shear_map_and_outline_lie_in_the_world(scene: Any, case: Path) -> None:
    from deepradiomics.scene.show.lens.case import show_case

    shear = np.eye(4)
    shear[0, 1] = 0.4
    nodes = given(scene, case, {"t2": shear})
    shown = show_case(case, scene, nodes, verified=True)  # a run on the resampled image: its files say where it is
    assert shown.map.GetTransformNodeID() is None
    assert shown.rois["t2"].GetTransformNodeID() is None
    roi = read_mask(case / "roi_t2.nrrd")
    np.testing.assert_array_equal(
        inside_segment(shown.rois["t2"], centres(roi.geometry, np.eye(4))), roi.labels.ravel() > 0
    )


def test_the_region_is_an_outline_without_fill_or_surface(scene: Any, case: Path) -> None:
    from deepradiomics.scene.show.lens.case import show_case

    for roi in show_case(case, scene).rois.values():
        display = roi.GetDisplayNode()
        assert display.GetVisibility()
        assert display.GetVisibility2DOutline()
        assert not display.GetVisibility2DFill()
        assert not display.GetVisibility3D()
        assert not roi.GetSegmentation().ContainsRepresentation("Closed surface")


@pytest.mark.parametrize(
    ("roi", "note"), [("ellipsoid", ""), ("drawn", "ellipsoid in the middle: not a reader's contour")]
)
def test_a_region_that_no_reader_drew_says_so_wherever_it_is_named(scene: Any, case: Path, roi: str, note: str) -> None:
    import slicer

    from deepradiomics.scene.show.lens.case import show_case

    about = json.loads((case / "case.json").read_text(encoding="utf-8"))
    (case / "case.json").write_text(json.dumps({**about, "roi": roi, "roi_note": note}), encoding="utf-8")
    shown = show_case(case, scene)
    assert shown.note == "not a reader's contour"
    assert shown.rois["adc"].GetName() == f"{roi} (not a reader's contour) on adc"
    assert "not a reader's contour" in shown.rois["t2"].GetSegmentation().GetNthSegment(0).GetName()
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(shown.map)
    assert legend.GetTitleText() == f"GLCM Contrast\non t2\nROI: {roi},\nnot a reader's contour\nSYNTHETIC"
    assert legend.GetVisibility()


def names(scene: Any) -> list[str]:
    """Every node by class and name, without the numbers of display nodes."""
    from deepradiomics.scene.nodes.atomic import nodes_of_class

    nodes = nodes_of_class(scene, "vtkMRMLNode")
    return sorted(f"{each.GetClassName()} {(each.GetName() or '').rstrip('_0123456789')}" for each in nodes)


def test_another_feature_takes_the_maps_place_and_no_node_is_left_over(scene: Any, tmp_path: Path) -> None:
    import slicer

    from deepradiomics.scene.show.lens.case import case_shown, show_case

    first = show_case(write_case(tmp_path / "a"), scene)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    nodes, items = names(scene), hierarchy.GetNumberOfItems()
    volumes = {modality: node.GetID() for modality, node in first.volumes.items()}
    second = show_case(write_case(tmp_path / "b", "adc", "wavelet-LLH_firstorder_Mean"), scene)
    assert {modality: node.GetID() for modality, node in second.volumes.items()} == volumes  # not read again
    assert second.map.GetName() == "wavelet-LLH_firstorder_Mean on adc"
    assert second.folder_item == first.folder_item
    assert len(names(scene)) == len(nodes)
    assert hierarchy.GetNumberOfItems() == items
    third = show_case(write_case(tmp_path / "c"), scene)
    assert names(scene) == nodes
    assert hierarchy.GetNumberOfItems() == items
    found = case_shown(scene)
    assert found is not None
    assert found.map is third.map
    assert found.rois == third.rois


def test_another_case_takes_the_place_of_the_first_but_given_volumes_stay(scene: Any, tmp_path: Path) -> None:
    import slicer

    from deepradiomics.scene.show.lens.case import remove_case, show_case

    before = names(scene)
    nodes = given(scene, write_case(tmp_path / "a"), {})
    mine = names(scene)
    show_case(tmp_path / "a", scene, nodes, layout=False)
    other = write_case(tmp_path / "b")
    about = json.loads((other / "case.json").read_text(encoding="utf-8"))
    (other / "case.json").write_text(json.dumps({**about, "case_id": "synthetic-002"}), encoding="utf-8")
    shown = show_case(other, scene, layout=False)
    assert all(scene.IsNodePresent(node) for node in nodes.values())
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    assert hierarchy.GetItemName(shown.folder_item) == "Lens case synthetic-002 (SYNTHETIC)"
    assert hierarchy.GetItemByName("Lens case synthetic-001 (SYNTHETIC)") == hierarchy.GetInvalidItemID()
    remove_case(scene)
    left = [name for name in names(scene) if "vtkMRMLColorTableNode" not in name]  # the colours are shared
    assert left == [name for name in mine if "vtkMRMLColorTableNode" not in name]
    assert len(before) < len(mine)


def test_nodes_refer_to_the_images_the_outlines_and_the_lens(scene: Any, case: Path) -> None:
    from deepradiomics.scene.show.lens.case import SHIFT_ROLE, show_case
    from deepradiomics.scene.show.lens.result import show_lens
    from deepradiomics.scene.tree.folder import referenced_inputs
    from deepradiomics.scene.tree.provenance import read_stamp
    from Testing.unit.reports.fake_lens import write_fake_lens

    lens = show_lens(write_fake_lens(case.parent / "lens", case=False), scene)
    nodes = given(scene, case, {})
    shown = show_case(case, scene, nodes, lens=lens)
    assert referenced_inputs(shown.map) == nodes == dict(shown.volumes)
    assert shown.map.GetNodeReference(SHIFT_ROLE) is lens.shift
    about = read_stamp(shown.map)
    assert (about["kind"], about["modality"], about["feature"]) == ("lens-case", "t2", FEATURE)
    assert about["delta_i"]["delta_i"] == 0.25
    assert about["modalities"] == list(MODALITIES)
    for node in (shown.map, *shown.rois.values()):
        assert str(case) not in json.dumps(read_stamp(node))
        assert ".nrrd" not in json.dumps(read_stamp(node))


def test_colours_span_the_range_that_the_result_gives(scene: Any, case: Path) -> None:
    from deepradiomics.scene.show.lens.case import show_case

    about = json.loads((case / "case.json").read_text(encoding="utf-8"))
    (case / "case.json").write_text(json.dumps({**about, "range": [0.25, 0.75]}), encoding="utf-8")
    display = show_case(case, scene).map.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.25, 0.75)
    (case / "case.json").write_text(json.dumps({**about, "range": None}), encoding="utf-8")
    display = show_case(case, scene).map.GetDisplayNode()
    values = read_volume(case / "map.nrrd").voxels
    expected = colour_range(values)
    np.testing.assert_allclose((display.GetWindowLevelMin(), display.GetWindowLevelMax()), expected, rtol=1e-6)


def test_a_saved_scene_restores_map_outlines_and_views(headless: Any, case: Path, tmp_path: Path) -> None:
    import slicer

    from deepradiomics.scene.nodes.atomic import nodes_of_class
    from deepradiomics.scene.show.lens.case import case_shown, show_case

    matrices = {"t2": rigid(25, (12, -30, 7)), "adc": rigid(-20, (1, 2, 3))}
    nodes = given(headless.scene, case, matrices)
    show_case(moved(case, tmp_path / "moved", matrices), headless.scene, nodes)
    headless.save_mrb(tmp_path / "case.mrb")
    headless.load_mrb(tmp_path / "case.mrb")
    again = case_shown(headless.scene)
    assert again is not None
    assert (again.case_id, again.modality, again.feature) == ("synthetic-001", "t2", FEATURE)
    assert (tuple(again.volumes), again.note) == (MODALITIES, "synthetic contour")
    for modality in MODALITIES:
        roi = read_mask(case / f"roi_{modality}.nrrd")
        points = centres(roi.geometry, matrices.get(modality, np.eye(4)))
        np.testing.assert_array_equal(inside_segment(again.rois[modality], points), roi.labels.ravel() > 0)
        assert not again.rois[modality].GetDisplayNode().GetVisibility2DFill()
    index = np.rint(world_to_voxel(again.map, centres(read_volume(case / "map.nrrd").geometry, matrices["t2"])))
    x, y, z = index.astype(int).T
    np.testing.assert_array_equal(
        slicer.util.arrayFromVolume(again.map)[z, y, x], read_volume(case / "map.nrrd").voxels.ravel()
    )
    assert slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(again.map).GetTitleText().startswith("GLCM Contrast")
    layers = {
        node.GetLayoutName(): (node.GetBackgroundVolumeID(), node.GetForegroundVolumeID(), node.GetForegroundOpacity())
        for node in nodes_of_class(headless.scene, "vtkMRMLSliceCompositeNode")
    }
    ids = {modality: node.GetID() for modality, node in again.volumes.items()}
    assert layers["Lens1"] == (ids["t2"], again.map.GetID(), MAP_OPACITY)
    assert [layers[name][:2] for name in ("Lens2", "Lens3")] == [(ids["highb"], None), (ids["adc"], None)]
    next_one = show_case(write_case(tmp_path / "next", "adc"), headless.scene, again.volumes)  # and it goes on
    assert len(nodes_of_class(headless.scene, "vtkMRMLSegmentationNode")) == 3
    assert next_one.modality == "adc"
    assert again.map.GetScene() is None


MISTAKES = {
    "no description": (lambda case: (case / "case.json").unlink(), r"case\.json is missing"),
    "other kind": (lambda case: (case / "case.json").write_text('{"kind": "maps"}'), "not written by `lens case`"),
    "no map": (lambda case: (case / "map.nrrd").unlink(), r"map\.nrrd is missing"),
    "broken map": (lambda case: (case / "map.nrrd").write_bytes(b"NRRD0004\n"), r"map\.nrrd is damaged"),
    "no roi": (lambda case: (case / "roi_adc.nrrd").unlink(), r"roi_adc\.nrrd is missing"),
    "empty roi": (
        lambda case: write_mask(Mask(np.zeros((2, 2, 2), np.uint8), Geometry((2, 2, 2))), case / "roi_highb.nrrd"),
        r"roi_highb\.nrrd holds no voxel",
    ),
}


def visible(node: Any) -> bool:
    return bool(node.GetDisplayNode().GetVisibility())


@pytest.mark.parametrize("way", ["removed", "its folder deleted", "another case", "another result of the image"])
def test_the_segmentation_that_a_case_draws_is_hidden_and_comes_back(
    scene: Any, case: Path, tmp_path: Path, way: str
) -> None:
    import slicer

    from deepradiomics.scene.nodes.outline import add_outline
    from deepradiomics.scene.show.lens.case import remove_case, show_case
    from deepradiomics.scene.tree.folder import reference_inputs, result_folder_item
    from deepradiomics.scene.views.shown import show_result

    nodes = given(scene, case, {})
    gland = add_outline(scene, "gland", read_mask(case / "roi_t2.nrrd"), nodes["t2"], None)
    shown = show_case(case, scene, nodes, region=gland)
    assert not visible(gland)  # one outline a modality
    assert all(map(visible, shown.rois.values()))
    shown = show_case(write_case(case, "adc"), scene, nodes, region=gland)
    assert not visible(gland)
    if way == "removed":
        remove_case(scene)
    elif way == "its folder deleted":
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        hierarchy.RemoveItem(shown.folder_item, True, True)
    elif way == "another case":
        show_case(write_case(tmp_path / "next"), scene)
    else:
        table = scene.AddNewNodeByClass("vtkMRMLTableNode", "features of t2")
        reference_inputs(table, {"image": nodes["t2"]})
        result_folder_item(scene, "features", [table])
        show_result(scene, table, image=nodes["t2"])
        assert not any(map(visible, shown.rois.values()))
    assert visible(gland)


def test_the_segmentation_of_a_case_stays_hidden_below_another_patients_result(scene: Any, case: Path) -> None:
    from deepradiomics.scene.nodes.outline import add_outline
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.show.lens.case import show_case
    from deepradiomics.scene.tree.folder import reference_inputs, result_folder_item
    from deepradiomics.scene.views.shown import hide_others, show_result

    nodes = given(scene, case, {})
    gland = add_outline(scene, "gland", read_mask(case / "roi_t2.nrrd"), nodes["t2"], None)
    shown = show_case(case, scene, nodes, region=gland)
    other = node_from_volume(Volume(np.zeros((4, 4, 4), np.float32), Geometry((4, 4, 4))), scene, "another patient")
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", "features of another patient")
    reference_inputs(table, {"image": other})
    result_folder_item(scene, "features", [table])
    show_result(scene, table, image=other)
    assert not visible(gland)
    assert not any(map(visible, shown.rois.values()))
    hide_others(scene, shown.map)
    assert not visible(gland)
    assert all(map(visible, shown.rois.values()))


def test_a_segmentation_that_the_user_hid_stays_hidden(scene: Any, case: Path) -> None:
    from deepradiomics.scene.nodes.outline import add_outline
    from deepradiomics.scene.show.lens.case import remove_case, show_case

    nodes = given(scene, case, {})
    gland = add_outline(scene, "gland", read_mask(case / "roi_t2.nrrd"), nodes["t2"], None)
    gland.GetDisplayNode().SetVisibility(False)
    show_case(case, scene, nodes, region=gland)
    remove_case(scene)
    assert not visible(gland)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_and_the_case_shown_before_stays(scene: Any, tmp_path: Path, mistake: str) -> None:
    from deepradiomics.scene.show.lens.case import case_shown, show_case

    shown = show_case(write_case(tmp_path / "good"), scene, given(scene, tmp_path / "good", {}))
    bad = write_case(tmp_path / "bad")
    spoil, message = MISTAKES[mistake]
    spoil(bad)
    before = snapshot(scene)
    with pytest.raises(InputError, match=message):
        show_case(bad, scene)
    assert snapshot(scene) == before
    again = case_shown(scene)
    assert again is not None
    assert again.map is shown.map


def test_a_failure_on_the_way_leaves_the_case_shown_before(
    scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepradiomics.scene.show.lens import case as lens_case

    shown = lens_case.show_case(write_case(tmp_path / "a"), scene)
    before = snapshot(scene)

    def fail(*_arguments: Any) -> int:
        raise RuntimeError("late")

    monkeypatch.setattr(lens_case, "_into_folder", fail)
    with pytest.raises(RuntimeError, match="late"):
        lens_case.show_case(write_case(tmp_path / "b", "adc"), scene)
    assert snapshot(scene) == before
    again = lens_case.case_shown(scene)
    assert again is not None
    assert again.map is shown.map


def test_a_modality_that_the_case_lacks_is_told(scene: Any, case: Path) -> None:
    from deepradiomics.scene.show.lens.case import show_case

    with pytest.raises(InputError, match="the case has no modality dwi; it has t2, highb, adc"):
        show_case(case, scene, {"dwi": given(scene, case, {})["t2"]})


def test_images_that_are_read_are_windowed_around_the_region(scene: Any, case: Path) -> None:
    from deepradiomics.scene.show.lens.case import show_case

    image = read_volume(case / "image_t2.nrrd")
    voxels = image.voxels.copy()
    voxels[:, :3, :] = 1e6  # a bright table far from the region
    write_volume(Volume(voxels, image.geometry), case / "image_t2.nrrd")
    about = json.loads((case / "case.json").read_text(encoding="utf-8"))
    about["modalities"]["t2"] |= image_record(Volume(voxels, image.geometry))
    (case / "case.json").write_text(json.dumps(about), encoding="utf-8")
    shown = show_case(case, scene)
    display = shown.volumes["t2"].GetDisplayNode()
    assert -50 < display.GetWindowLevelMin() < 60
    assert 100 < display.GetWindowLevelMax() < 250
    assert "image_t2" not in shown.volumes["t2"].GetName()


def test_a_modality_that_does_not_show_the_region_has_no_outline(scene: Any, case: Path) -> None:
    from deepradiomics.scene.show.lens.case import case_shown, show_case

    about = json.loads((case / "case.json").read_text(encoding="utf-8"))
    (case / about["modalities"]["highb"].pop("roi")).unlink()
    (case / "case.json").write_text(json.dumps(about), encoding="utf-8")
    shown = show_case(case, scene)
    assert (tuple(shown.volumes), tuple(shown.rois)) == (MODALITIES, ("t2", "adc"))
    found = case_shown(scene)
    assert found is not None
    assert tuple(found.rois) == ("t2", "adc")
    del about["modalities"]["t2"]["roi"]
    (case / "case.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(InputError, match="names no region on t2, whose map it is"):
        show_case(case, scene)


def test_an_image_that_is_found_nowhere_or_was_changed_leaves_its_view_empty(scene: Any, case: Path) -> None:
    from deepradiomics.scene.nodes.atomic import nodes_of_class
    from deepradiomics.scene.show.lens.case import case_shown, show_case

    (case / "image_t2.nrrd").unlink()
    other = read_volume(case / "image_adc.nrrd")
    write_volume(Volume(other.voxels + 1, other.geometry), case / "image_adc.nrrd")  # another patient's, say
    shown = show_case(case, scene)
    assert tuple(shown.volumes) == ("highb",)
    assert len(shown.missing) == 2
    layers = {
        node.GetLayoutName(): (node.GetBackgroundVolumeID(), node.GetForegroundVolumeID())
        for node in nodes_of_class(scene, "vtkMRMLSliceCompositeNode")
    }
    assert (None, shown.map.GetID()) in layers.values()
    assert layers["Lens1"] == (shown.volumes["highb"].GetID(), None)
    again = case_shown(scene)
    assert again is not None
    assert tuple(again.volumes) == ("highb",)
    assert again.missing == shown.missing
