"""A fingerprint result in the real scene: overlay to the voxel, tables, charts, folder, provenance, .mrb, rollback."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry, Volume
from Testing.slicer.synthetic_result import TASKS, Synthetic, rotation

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def rigid() -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation(33, (1, -2, 0.5)), (12.0, 30.0, -8.0)
    return matrix


def add_volumes(scene: Any, synthetic: Synthetic, parent: np.ndarray | None = None) -> dict[str, Any]:
    """The synthetic views as nodes; `parent` (world from local, RAS) moves the sagittal one."""
    from deepradiomics.scene.nodes.placement import matrix_of
    from deepradiomics.scene.nodes.volumes import node_from_volume

    nodes = {view: node_from_volume(volume, scene, view) for view, volume in synthetic.volumes.items()}
    for node in nodes.values():
        node.CreateDefaultDisplayNodes()
    if parent is not None:
        transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "patient moved")
        transform.SetMatrixTransformToParent(matrix_of(parent))
        nodes["sagittal"].SetAndObserveTransformNodeID(transform.GetID())
    return nodes


def moved_result(synthetic: Synthetic, folder: Path, matrix: np.ndarray) -> Path:
    """The result of a run whose reference lay under `matrix` (RAS): maps and boxes in that world."""
    from deepradiomics.images import write_stack
    from deepradiomics.prepare.affine import AffineTransform
    from deepradiomics.prepare.exam.box import Box

    shutil.copytree(synthetic.folder, folder)
    lps = LPS @ matrix @ LPS
    reference = synthetic.volumes["sagittal"].geometry
    world = Geometry.from_affine(lps @ reference.affine, reference.size)
    for name in ("relevance", "gradcam"):
        write_stack([Volume(synthetic.relevance[task], world) for task in TASKS], folder / f"{name}.nii.gz")
    prediction = json.loads((folder / "prediction.json").read_text(encoding="utf-8"))
    for patch in prediction["patches"]:
        box = Box.from_dict(patch["boxes"]["sagittal"]).transformed(AffineTransform(lps))
        patch["boxes"]["sagittal"] = box.to_dict()
    prediction["views"]["sagittal"]["geometry"] = world.to_dict()
    (folder / "prediction.json").write_text(json.dumps(prediction), encoding="utf-8")
    return folder


def value_at(node: Any, world_ras: np.ndarray) -> float:
    """The voxel value of a volume node at a world point, asked of Slicer's transforms and VTK alone."""
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(None, node.GetParentTransformNode(), matrix)
    local = matrix.MultiplyPoint((*world_ras, 1.0))
    to_index = vtk.vtkMatrix4x4()
    node.GetRASToIJKMatrix(to_index)
    i, j, k = (round(each) for each in to_index.MultiplyPoint(local)[:3])
    return float(slicer.util.arrayFromVolume(node)[k, j, i])


@pytest.mark.parametrize("moved", [False, True], ids=["oblique", "oblique under a rigid transform"])
def test_the_overlay_is_exact_to_the_voxel_in_the_world(
    scene: Any, synthetic: Synthetic, tmp_path: Path, moved: bool
) -> None:
    from deepradiomics.scene.show.fingerprint import show_fingerprint

    matrix = rigid() if moved else np.eye(4)
    folder = moved_result(synthetic, tmp_path / "moved", matrix) if moved else synthetic.folder
    nodes = add_volumes(scene, synthetic, matrix if moved else None)
    result = show_fingerprint(folder, nodes, scene)
    reference = synthetic.volumes["sagittal"].geometry
    # Brute force: the world position of every voxel of the anatomy, from its geometry and the transform by hand.
    z, y, x = np.indices(reference.shape)
    local = np.stack([x, y, z, np.ones_like(x)], -1) @ (LPS @ reference.affine).T
    world = (local @ matrix.T)[..., :3]
    for task in TASKS:
        overlay = result.relevance[task]
        assert overlay.GetTransformNodeID() == nodes["sagittal"].GetTransformNodeID()
        expected = synthetic.relevance[task]
        for index in np.ndindex(reference.shape):
            if index[0] % 2 or (index[1] + index[2]) % 3:
                continue  # a sixth of all voxels, on and off every patch edge
            assert value_at(overlay, world[index]) == pytest.approx(expected[index], abs=1e-6), (task, index)


def test_the_overlay_follows_when_the_anatomy_is_moved_later(scene: Any, synthetic: Synthetic, tmp_path: Path) -> None:
    from deepradiomics.scene.nodes.placement import matrix_of, placement
    from deepradiomics.scene.show.fingerprint import show_fingerprint

    nodes = add_volumes(scene, synthetic, rigid())
    result = show_fingerprint(moved_result(synthetic, tmp_path / "moved", rigid()), nodes, scene)
    nodes["sagittal"].GetParentTransformNode().SetMatrixTransformToParent(matrix_of(np.linalg.inv(rigid())))
    there = placement(nodes["sagittal"]).geometry
    for node in (*result.relevance.values(), *result.gradcam.values()):
        assert placement(node).geometry.is_close(there, 1e-9)


def test_without_the_volume_the_maps_lie_at_their_own_place_and_another_is_refused(
    scene: Any, synthetic: Synthetic
) -> None:
    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.show.fingerprint import show_fingerprint

    reference = synthetic.volumes["sagittal"].geometry
    alone = show_fingerprint(synthetic.folder, None, scene)
    assert placement(alone.relevance["acl"]).geometry.is_close(reference)
    assert alone.anatomy is None
    assert sum("neither in the scene" in note for note in alone.notes) == 3
    nodes = add_volumes(scene, synthetic)
    before = snapshot(scene)
    with pytest.raises(InputError, match="'axial' is not the sagittal image that this result was computed on"):
        show_fingerprint(synthetic.folder, {"sagittal": nodes["axial"]}, scene)
    assert snapshot(scene) == before


def test_a_sheared_volume_gets_its_maps_on_the_world_grid_it_was_resampled_to(
    scene: Any, synthetic: Synthetic, tmp_path: Path
) -> None:
    from deepradiomics.images import write_stack
    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.nodes.volumes import volume_from_node
    from deepradiomics.scene.show.fingerprint import show_fingerprint

    shear = np.eye(4)
    shear[0, 2] = 0.3
    nodes = add_volumes(scene, synthetic, shear)
    given = volume_from_node(nodes["sagittal"])  # what the job gets
    folder = tmp_path / "sheared"
    shutil.copytree(synthetic.folder, folder)
    maps = [Volume(given.voxels.astype(np.float32), given.geometry)] * 2
    write_stack(maps, folder / "relevance.nii.gz")
    write_stack(maps, folder / "gradcam.nii.gz")
    result = show_fingerprint(folder, nodes, scene, verified=True)
    assert result.relevance["acl"].GetParentTransformNode() is None
    assert placement(result.relevance["acl"]).geometry.is_close(given.geometry)


def test_zero_is_transparent_and_the_greatest_value_has_the_top_colour(scene: Any, synthetic: Synthetic) -> None:
    from deepradiomics.scene.show.fingerprint import show_fingerprint

    node = show_fingerprint(synthetic.folder, add_volumes(scene, synthetic), scene).relevance["abnormality"]
    display = node.GetDisplayNode()
    assert display.GetApplyThreshold() == 1
    assert 0 < display.GetLowerThreshold() < 0.1 < 0.8 < display.GetUpperThreshold()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((0.1, 0.8))
    assert display.GetColorNode().GetNumberOfColors() == 256
    rgba = [0.0] * 4
    display.GetColorNode().GetColor(255, rgba)
    assert rgba == pytest.approx([0xF0 / 255, 0xF9 / 255, 0x21 / 255, 1], abs=1e-3)


def test_a_map_of_zeros_is_wholly_transparent() -> None:
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from deepradiomics.scene.views.overlay import display_range

    assert display_range(np.zeros((2, 2, 2)), 0.0) == (0.5, 0.0, 1.0)


def test_the_colours_span_the_values_but_do_not_exaggerate_what_is_practically_equal() -> None:
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from deepradiomics.scene.views.overlay import display_range

    assert display_range(np.array([0, 0.2, 0.8]), 0.0) == pytest.approx((0.1, 0.2, 0.8))
    assert display_range(np.array([0, 0.2, 0.8]), 0.5) == pytest.approx((0.4, 0.2, 0.8))
    assert display_range(np.array([0, 0.55, 0.56]), 0.0) == pytest.approx((0.275, 0.504, 0.56))


def test_the_fingerprint_table_has_the_columns_of_the_csv_typed(scene: Any, synthetic: Synthetic) -> None:
    import vtk

    from deepradiomics.scene.show.fingerprint import show_fingerprint

    table = show_fingerprint(synthetic.folder, None, scene).fingerprint
    with open(synthetic.folder / "fingerprint.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [table.GetColumnName(i) for i in range(table.GetNumberOfColumns())] == list(rows[0])
    assert table.GetNumberOfRows() == len(rows) == 144
    kinds = {"task": vtk.VTK_STRING, "patch": vtk.VTK_INT, "value": vtk.VTK_DOUBLE, "selected": vtk.VTK_INT}
    for name, kind in kinds.items():
        assert table.GetTable().GetColumnByName(name).GetDataType() == kind
    for row in (0, 71, 143):
        assert table.GetCellText(row, 0) == rows[row]["task"]
        column = table.GetTable().GetColumnByName("contribution")
        assert column.GetValue(row) == float(rows[row]["contribution"])
    assert "logit" in table.GetColumnDescription("contribution")


def test_the_prediction_table_has_a_row_for_each_task(scene: Any, synthetic: Synthetic) -> None:
    from deepradiomics.scene.show.fingerprint import show_fingerprint

    table = show_fingerprint(synthetic.folder, None, scene).prediction.GetTable()
    cell = {
        name: [table.GetColumnByName(name).GetValue(row) for row in range(table.GetNumberOfRows())]
        for name in ("task", "class", "probability", "predicted", "masked", "pool")
    }
    assert cell == {
        "task": ["abnormality", "acl"],
        "class": ["present", "present"],
        "probability": [0.75, 0.25],
        "predicted": [1, 0],
        "masked": [0.7, 0.7],
        "pool": [72, 72],
    }


def test_a_multi_class_task_gets_a_row_for_each_class(scene: Any) -> None:
    from deepradiomics.scene.nodes.tables import prediction_table

    about = {
        "type": "multiclass",
        "classes": ["A", "B", "C"],
        "probabilities": [0.2, 0.7, 0.1],
        "predicted": 1,
        "decision_threshold": None,
    }
    table = prediction_table(scene, "P", {"tasks": {"grade": about}}).GetTable()
    assert [table.GetColumnByName("class").GetValue(row) for row in range(3)] == ["A", "B", "C"]
    assert [table.GetColumnByName("predicted").GetValue(row) for row in range(3)] == [0, 1, 0]
    assert np.isnan(table.GetColumnByName("decision_threshold").GetValue(0))


def test_outside_the_training_cohort_no_class_is_predicted(scene: Any) -> None:
    from deepradiomics.scene.nodes.tables import prediction_table
    from deepradiomics.stats.outside import outside_fields

    about = {"probability": 0.9, "probabilities": [0.1, 0.9], "predicted": 1, "decision_threshold": 0.5}
    node = prediction_table(scene, "P", {"tasks": {"acl": about}, **outside_fields(0.49)})
    table = node.GetTable()
    assert table.GetColumnByName("probability").GetValue(0) == 0.9
    assert np.isnan(table.GetColumnByName("predicted").GetValue(0))
    remark = table.GetColumnByName("remark").GetValue(0)
    assert remark == "outside the training cohort (49 % of features beyond 3 SD)"
    assert node.GetColumnTitle("predicted") == "Predicted (1: yes)"


def test_the_chart_shows_the_ten_greatest_contributions_in_order(scene: Any, synthetic: Synthetic) -> None:
    from deepradiomics.scene.show.fingerprint import show_fingerprint

    chart = show_fingerprint(synthetic.folder, None, scene).charts["acl"]
    with open(synthetic.folder / "fingerprint.csv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["task"] == "acl"]
    expected = sorted((float(row["contribution"]) for row in rows), key=abs, reverse=True)[:10]
    series = [chart.GetNthPlotSeriesNode(i) for i in range(chart.GetNumberOfPlotSeriesNodes())]
    assert [each.GetYColumnName() for each in series] == ["for", "against"]
    table = series[0].GetTableNode().GetTable()
    shown = [table.GetColumnByName("for").GetValue(i) + table.GetColumnByName("against").GetValue(i) for i in range(10)]
    assert table.GetNumberOfRows() == 10
    assert [each.GetName() for each in series] == ["for", "against"]
    assert all(each.IsXColumnRequired() and each.GetXColumnName() == "rank" for each in series)  # drawn at its rank
    assert chart.GetXAxisRange()[1] > 10 + 3  # room for the legend at the right of the bars
    assert shown == pytest.approx(expected)
    assert " · patch " in table.GetColumnByName("feature").GetValue(0)


def test_all_results_lie_in_one_folder_and_the_inputs_stay_where_they_were(scene: Any, synthetic: Synthetic) -> None:
    import slicer

    from deepradiomics.scene.show.fingerprint import show_fingerprint
    from deepradiomics.scene.tree.folder import referenced_inputs, result_folder_of

    nodes = add_volumes(scene, synthetic)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "study")
    item = hierarchy.CreateItem(study, nodes["sagittal"])
    result = show_fingerprint(synthetic.folder, nodes, scene)
    assert hierarchy.GetItemName(result.folder_item) == "Fingerprint of case (demonstration model)"
    for node in (
        *result.relevance.values(),
        *result.gradcam.values(),
        *result.charts.values(),
        result.fingerprint,
        result.prediction,
    ):
        assert result_folder_of(node) == result.folder_item
        assert referenced_inputs(node) == nodes
    assert hierarchy.GetItemParent(item) == study
    again = show_fingerprint(synthetic.folder, nodes, scene)
    assert hierarchy.GetItemName(again.folder_item) != hierarchy.GetItemName(result.folder_item)


def test_every_result_node_carries_its_provenance_and_the_methods_text(scene: Any, synthetic: Synthetic) -> None:
    from deepradiomics import __version__
    from deepradiomics.scene.show.fingerprint import show_fingerprint
    from deepradiomics.scene.tree.provenance import methods_text, read_stamp

    nodes = add_volumes(scene, synthetic)
    result = show_fingerprint(synthetic.folder, nodes, scene)
    for node in (*result.relevance.values(), *result.charts.values(), result.fingerprint, result.prediction):
        stamp = read_stamp(node)
        assert stamp["version"] == __version__
        assert stamp["inputs"]["sagittal"]["sha256"] == "sagittal".ljust(64, "0")
        assert stamp["settings"]["bin_width"] == 25.0
        assert stamp["versions"]["torch"] == "2.13"
        assert stamp["bundle"]["sha256"] == "b" * 64
        assert methods_text(node).startswith("Radiomic fingerprints")
    assert read_stamp(result.relevance["acl"])["task"] == "acl"
    with pytest.raises(InputError, match="no methods text"):
        methods_text(nodes["axial"])


def snapshot(scene: Any) -> tuple[set[str], int]:
    import slicer

    from deepradiomics.scene.nodes.atomic import nodes_of_class

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    return {node.GetID() for node in nodes_of_class(scene, "vtkMRMLNode")}, hierarchy.GetNumberOfItems()


@pytest.mark.parametrize("damage", ["no csv", "bad json", "bad map", "maps of another run", "late"])
def test_a_damaged_result_leaves_the_scene_as_it_was(
    headless: Any, synthetic: Synthetic, tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepradiomics.images import write_volume
    from deepradiomics.scene.show import fingerprint
    from deepradiomics.scene.views.slices import add_slice_views

    scene = headless.scene
    kept = add_slice_views(scene, headless.application_logic)
    nodes = add_volumes(scene, synthetic)
    folder = tmp_path / "damaged"
    shutil.copytree(synthetic.folder, folder)
    error: type[Exception] = InputError
    if damage == "no csv":
        (folder / "fingerprint.csv").unlink()
        message = "fingerprint.csv is missing"
    elif damage == "bad json":
        (folder / "prediction.json").write_text('{"tasks": ', encoding="utf-8")
        message = "prediction.json is damaged"
    elif damage == "bad map":
        (folder / "relevance.nii.gz").write_bytes(b"not an image")
        message = "relevance.nii.gz is damaged"
    elif damage == "maps of another run":
        write_volume(synthetic.volumes["axial"], folder / "relevance.nii.gz")
        message = "1 maps for 2 tasks"
    else:

        def fail(*_: Any) -> None:
            raise RuntimeError("in the last step")

        monkeypatch.setattr(fingerprint, "result_folder_item", fail)
        error, message = RuntimeError, "in the last step"
    before = snapshot(scene)
    with pytest.raises(error, match=message):
        fingerprint.show_fingerprint(folder, nodes, scene)
    assert snapshot(scene) == before
    assert len(kept) == 3


def test_a_view_the_result_does_not_have_is_refused(scene: Any, synthetic: Synthetic) -> None:
    from deepradiomics.scene.show.fingerprint import show_fingerprint

    nodes = add_volumes(scene, synthetic)
    with pytest.raises(InputError, match="no view oblique; it has axial, coronal, sagittal"):
        show_fingerprint(synthetic.folder, {"oblique": nodes["axial"]}, scene)


def test_choosing_a_row_puts_the_box_around_its_patch_and_moves_the_slices(
    headless: Any, synthetic: Synthetic, tmp_path: Path
) -> None:
    from deepradiomics.scene.nodes.atomic import nodes_of_class
    from deepradiomics.scene.show.fingerprint import show_fingerprint
    from deepradiomics.scene.show.patch_boxes import patch_of_row, show_patch
    from deepradiomics.scene.views.slices import add_slice_views

    scene = headless.scene
    kept = add_slice_views(scene, headless.application_logic)
    nodes = add_volumes(scene, synthetic, rigid())
    result = show_fingerprint(moved_result(synthetic, tmp_path / "moved", rigid()), nodes, scene)
    slices = nodes_of_class(scene, "vtkMRMLSliceNode")
    row = 72 + 9 * 4 + 6  # task acl, patch 5, sagittal
    assert patch_of_row(result.fingerprint, row) == (5, "sagittal")
    roi = show_patch(result.fingerprint, row, slice_nodes=slices)
    # Every voxel of the reference: inside the box that is seen if and only if it belongs to patch 5.
    patch = synthetic.relevance["acl"] == np.float32(np.linspace(0.9, 0.2, 8)[4])
    reference = synthetic.volumes["sagittal"].geometry
    z, y, x = np.indices(reference.shape)
    world = (np.stack([x, y, z, np.ones_like(x)], -1) @ (rigid() @ LPS @ reference.affine).T)[..., :3]
    inside = np.array([bool(roi.IsPointInROIWorld(point)) for point in world.reshape(-1, 3)]).reshape(patch.shape)
    np.testing.assert_array_equal(inside, patch)
    centre = world[patch].mean(axis=0)
    for node in slices:
        to_ras = node.GetSliceToRAS()
        at = np.array([to_ras.GetElement(axis, 3) for axis in range(3)])
        np.testing.assert_allclose(at, centre, atol=1e-6)
    assert {node.GetBackgroundVolumeID() for node in nodes_of_class(scene, "vtkMRMLSliceCompositeNode")} == {
        nodes["sagittal"].GetID()
    }
    assert show_patch(result.fingerprint, 0, slice_nodes=slices) is roi  # moved, not made again
    assert roi.GetName() == "Patch 1, axial"
    scene.RemoveNode(nodes["coronal"])
    with pytest.raises(InputError, match="'coronal' is not in the scene"):
        show_patch(result.fingerprint, 3, slice_nodes=slices)
    with pytest.raises(InputError, match="no row 144"):
        show_patch(result.fingerprint, 144)
    assert len(kept) == 3


def test_the_first_box_is_seen_in_the_anatomy_in_3d_and_the_next_leaves_the_camera(
    scene: Any, synthetic: Synthetic
) -> None:
    from deepradiomics.scene.show.fingerprint import show_fingerprint
    from deepradiomics.scene.show.patch_boxes import show_patch

    red = scene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    red.SetLayoutName("Red")
    camera = scene.AddNewNodeByClass("vtkMRMLCameraNode", "camera")
    table = show_fingerprint(synthetic.folder, add_volumes(scene, synthetic), scene).fingerprint
    centre = [0.0, 0.0, 0.0]
    show_patch(table, 0).GetCenterWorld(centre)
    assert red.GetSliceVisible()
    assert camera.GetFocalPoint() == pytest.approx(centre)
    place = tuple(camera.GetPosition())
    show_patch(table, 9 * 4 + 6)
    assert tuple(camera.GetPosition()) == place


def test_a_view_reformatted_from_another_is_shown_in_that_ones_volume(
    scene: Any, synthetic: Synthetic, tmp_path: Path
) -> None:
    from deepradiomics.scene.show.fingerprint import show_fingerprint
    from deepradiomics.scene.show.patch_boxes import show_patch

    folder = Path(shutil.copytree(synthetic.folder, tmp_path / "reformatted"))
    prediction = json.loads((folder / "prediction.json").read_text(encoding="utf-8"))
    prediction["views"]["axial"]["reformatted_from"] = "sagittal"
    (folder / "prediction.json").write_text(json.dumps(prediction), encoding="utf-8")
    nodes = {"sagittal": add_volumes(scene, synthetic, rigid())["sagittal"]}
    result = show_fingerprint(folder, nodes, scene, verified=True)
    roi = show_patch(result.fingerprint, 0)
    assert roi.GetName() == "Patch 1, axial"
    assert roi.GetTransformNodeID() == nodes["sagittal"].GetTransformNodeID()
    with pytest.raises(InputError, match="'coronal' is not in the scene"):
        show_patch(result.fingerprint, 3)


def test_a_scene_survives_saving_and_reloading(headless: Any, synthetic: Synthetic, tmp_path: Path) -> None:
    import slicer

    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.show.fingerprint import show_fingerprint
    from deepradiomics.scene.show.patch_boxes import show_patch
    from deepradiomics.scene.tree.folder import referenced_inputs, result_folder_of
    from deepradiomics.scene.tree.provenance import read_stamp

    scene = headless.scene
    nodes = add_volumes(scene, synthetic, rigid())
    result = show_fingerprint(moved_result(synthetic, tmp_path / "moved", rigid()), nodes, scene)
    there = placement(result.relevance["acl"]).geometry
    headless.save_mrb(tmp_path / "kept.mrb")
    headless.load_mrb(tmp_path / "kept.mrb")

    relevance = slicer.util.getNode("acl relevance")
    anatomy = slicer.util.getNode("sagittal")
    assert relevance.GetParentTransformNode().GetName() == "patient moved"
    # Slicer may turn a left-handed grid round when it reads one; what counts is the value at each place in the world.
    for k, j, i in np.ndindex(synthetic.relevance["acl"].shape):
        if (i + j + k) % 7 == 0:
            world = there.index_to_physical((i, j, k)) * (-1, -1, 1)
            assert value_at(relevance, world) == pytest.approx(synthetic.relevance["acl"][k, j, i], abs=1e-6)
    assert placement(relevance).geometry.is_close(placement(anatomy).geometry, 1e-9)
    display = relevance.GetDisplayNode()
    assert display.GetApplyThreshold() == 1
    assert display.GetWindowLevelMax() == pytest.approx(0.9)
    assert display.GetColorNode().GetNumberOfColors() == 256
    assert read_stamp(relevance)["inputs"]["axial"]["file"] == "axial.nii.gz"
    assert referenced_inputs(relevance)["sagittal"] is anatomy
    table = slicer.util.getNode("Fingerprint")
    assert table.GetNumberOfRows() == 144
    assert table.GetTable().GetColumnByName("patch").GetDataTypeAsString() == "int"
    assert "logit" in table.GetColumnDescription("contribution")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = result_folder_of(table)
    assert hierarchy.GetItemName(folder) == "Fingerprint of case (demonstration model)"
    assert result_folder_of(relevance) == folder
    chart = slicer.util.getNode("acl: top contributions")
    assert chart.GetNthPlotSeriesNode(0).GetTableNode().GetNumberOfRows() == 10
    assert show_patch(table, 6).GetParentTransformNode() is anatomy.GetParentTransformNode()
