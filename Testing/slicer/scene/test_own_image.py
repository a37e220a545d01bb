"""A result is shown over its own image and no other: two patients in one scene, in both orders, after save and reload.

The patients' images have the same grid and lie at the same place; only their voxels differ.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from deepradiomics.errors import InputError
from deepradiomics.images import Volume, write_volume
from Testing.slicer.ich_result import make_ich_case
from Testing.slicer.scene.test_volumes import rigid, under
from Testing.slicer.synthetic_result import make_result

METHODS = ("fingerprint", "haemorrhage")


@dataclass(frozen=True, eq=False)
class Patient:
    """A result folder, the image it was computed on, and what shows it."""

    folder: Path
    image: Volume
    show: Callable[..., Any]


def patients(method: str, folder: Path) -> tuple[Patient, Patient]:
    """SYNTHETIC: two patients whose results were computed by one method."""
    if method == "haemorrhage":
        from deepradiomics.scene.show.ich.case import show_ich_case

        heads = [
            make_ich_case(folder / name, patient=number, case_id=name) for number, name in ((1, "Ann"), (2, "Bob"))
        ]
        return tuple(Patient(head.folder, head.ct, show_ich_case) for head in heads)  # type: ignore[return-value]
    from deepradiomics.scene.show.fingerprint import show_fingerprint

    knees = [make_result(folder / name, patient=number, case_id=name) for number, name in ((5, "Ann"), (6, "Bob"))]
    return tuple(  # type: ignore[return-value]
        Patient(knee.folder, knee.volumes["sagittal"], show_fingerprint) for knee in knees
    )


def add_views(scene: Any, count: int = 3) -> list[Any]:
    return [scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", f"view {index}") for index in range(count)]


def layers(scene: Any, views: list[Any]) -> set[tuple[str, str]]:
    """Names of background and foreground over all views."""

    def name(node_id: str | None) -> str:
        return scene.GetNodeByID(node_id).GetName() if node_id else ""

    return {(name(view.GetBackgroundVolumeID()), name(view.GetForegroundVolumeID())) for view in views}


def visible_outlines(scene: Any) -> set[str]:
    from deepradiomics.scene.nodes.atomic import nodes_of_class

    nodes = nodes_of_class(scene, "vtkMRMLSegmentationNode")
    return {node.GetName() for node in nodes if node.GetDisplayNode() and node.GetDisplayNode().GetVisibility()}


def main_table(nodes: Any) -> Any:
    return nodes.risk if hasattr(nodes, "risk") else nodes.fingerprint


def own_volume(nodes: Any) -> Any:
    return nodes.ct if hasattr(nodes, "risk") else nodes.anatomy


def first_map(nodes: Any) -> Any:
    return next(iter((nodes.gradcam if hasattr(nodes, "risk") else nodes.relevance).values()))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_patients_in_one_scene_are_each_shown_over_their_own_image(
    scene: Any, tmp_path: Path, method: str, order: tuple[int, int]
) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.views.shown import show_result

    both = patients(method, tmp_path)
    volumes = [node_from_volume(patient.image, scene, name) for patient, name in zip(both, ("Ann", "Bob"), strict=True)]
    views = add_views(scene)
    results = {}
    for index in order:
        results[index] = both[index].show(both[index].folder, None, scene)  # opened: it finds its image by itself
        assert own_volume(results[index]) is volumes[index]
        assert layers(scene, views) == {(volumes[index].GetName(), first_map(results[index]).GetName())}
    for index in (*order, *reversed(order)):  # and the user goes to and fro
        nodes = results[index]
        show_result(scene, main_table(nodes), image=own_volume(nodes), drawn=first_map(nodes))
        assert layers(scene, views) == {(volumes[index].GetName(), first_map(nodes).GetName())}
        if method == "haemorrhage":
            assert visible_outlines(scene) == {nodes.segmentation.GetName()}


@pytest.mark.parametrize("method", METHODS)
def test_the_image_of_another_patient_is_refused(scene: Any, tmp_path: Path, method: str) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from Testing.slicer.scene.test_fingerprint_scene import snapshot

    ann, bob = patients(method, tmp_path)
    wrong = node_from_volume(bob.image, scene, "Bob")
    before = snapshot(scene)
    given = wrong if method == "haemorrhage" else {"sagittal": wrong}
    with pytest.raises(InputError, match=r"'Bob' is not the .* that this result was computed on"):
        ann.show(ann.folder, given, scene)
    assert snapshot(scene) == before


@pytest.mark.parametrize("method", METHODS)
def test_without_its_image_a_result_lies_on_an_empty_background_and_says_so(
    scene: Any, tmp_path: Path, method: str
) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.views.overlay import show_over

    ann, bob = patients(method, tmp_path)
    views = add_views(scene)
    show_over(scene, node_from_volume(bob.image, scene, "Bob"))
    nodes = ann.show(ann.folder, None, scene)
    assert own_volume(nodes) is None
    assert any("neither in the scene nor beside its files" in each for each in nodes.notes)
    assert layers(scene, views) == {("", first_map(nodes).GetName())}


@pytest.mark.parametrize("method", METHODS)
def test_an_image_beside_the_result_is_read_and_a_file_of_another_is_not(
    scene: Any, tmp_path: Path, method: str
) -> None:
    ann, bob = patients(method, tmp_path)
    for patient, image in ((ann, ann.image), (bob, ann.image)):  # Bob's file was overwritten by Ann's
        for name in ("prediction.json", "ich.json"):
            path = patient.folder / name
            if path.is_file():
                about = json.loads(path.read_text(encoding="utf-8"))
                record = about["views"]["sagittal"] if name == "prediction.json" else about["inputs"]["ct"]
                record["file"] = "scan.nii.gz"
                path.write_text(json.dumps(about), encoding="utf-8")
        write_volume(image, patient.folder / "scan.nii.gz")
    nodes = ann.show(ann.folder, None, scene)
    assert own_volume(nodes) is not None
    assert "Ann" in own_volume(nodes).GetName()
    assert own_volume(bob.show(bob.folder, None, scene)) is None


@pytest.mark.parametrize("method", METHODS)
def test_after_save_and_reload_the_image_is_found_though_slicer_turned_its_axes(
    headless: Any, tmp_path: Path, method: str
) -> None:
    """Slicer turns a left-handed grid round when it reads one: the same voxels, counted the other way."""
    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.nodes.volumes import node_from_volume

    ann, bob = patients(method, tmp_path)
    for patient, name in ((ann, "Ann"), (bob, "Bob")):
        node_from_volume(patient.image, headless.scene, name)
    headless.save_mrb(tmp_path / "two.mrb")
    headless.load_mrb(tmp_path / "two.mrb")
    for patient, name in ((bob, "Bob"), (ann, "Ann")):
        nodes = patient.show(patient.folder, None, headless.scene)
        assert own_volume(nodes) is not None
        assert own_volume(nodes).GetName() == name
        drawn = placement(first_map(nodes)).geometry
        assert np.allclose(
            np.sort(drawn.corners_mm(), axis=0), np.sort(patient.image.geometry.corners_mm(), axis=0), atol=1e-2
        )


def test_a_result_lies_on_the_same_voxels_whichever_way_its_axes_are_counted(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.images import Geometry
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.show.ich.case import show_ich_case
    from Testing.slicer.scene.test_lens_case import centres, inside_segment

    head = make_ich_case(tmp_path / "head", followup=False)
    grid = head.ct.geometry
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, 0] * (grid.size[0] - 1)
    affine[:3, 0] *= -1  # x counted the other way
    turned = Volume(head.ct.voxels[:, :, ::-1], Geometry.from_affine(affine, grid.size))
    node = node_from_volume(turned, scene, "turned")
    matrix = rigid(35, (10, -20, 5))
    under(scene, node, matrix)  # and moved since
    nodes = show_ich_case(head.folder, None, scene)
    assert nodes.ct is node
    segments = nodes.segmentation.GetSegmentation()
    segments.RemoveSegment(segments.GetSegmentIdBySegmentName("ring"))
    near = np.flatnonzero(binary_dilation(head.labels > 0, iterations=2).ravel())[::5]
    inside = inside_segment(nodes.segmentation, centres(grid, matrix)[near])
    np.testing.assert_array_equal(inside, (head.labels == 1).ravel()[near])
    assert 50 < inside.sum() < len(near)


def items_go_with_their_nodes(scene: Any, hierarchy: Any) -> None:
    """What the application does when a node goes; without it the hierarchy never ends to empty a tree of folders."""
    import vtk

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def about_to_go(caller: Any, event: str, node: Any) -> None:
        item = hierarchy.GetItemByDataNode(node)
        if item != hierarchy.GetInvalidItemID():
            hierarchy.RemoveItem(item, False, False)

    scene.AddObserver(scene.NodeAboutToBeRemovedEvent, about_to_go)


@pytest.mark.parametrize("method", METHODS)
def test_deleting_the_folder_leaves_nothing_behind(scene: Any, tmp_path: Path, method: str) -> None:
    import slicer

    from deepradiomics.scene.nodes.atomic import nodes_of_class
    from deepradiomics.scene.nodes.volumes import node_from_volume

    ann, _bob = patients(method, tmp_path)
    node_from_volume(ann.image, scene, "Ann").CreateDefaultDisplayNodes()
    classes = ("vtkMRMLDisplayNode", "vtkMRMLPlotSeriesNode", "vtkMRMLPlotChartNode", "vtkMRMLTableNode",
               "vtkMRMLVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLStorageNode")  # fmt: skip
    before = {node.GetID() for name in classes for node in nodes_of_class(scene, name)}
    nodes = ann.show(ann.folder, None, scene)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    items_go_with_their_nodes(scene, hierarchy)
    hierarchy.RemoveItem(nodes.folder_item, True, True)
    left = [node.GetName() for name in classes for node in nodes_of_class(scene, name) if node.GetID() not in before]
    assert left == []


@pytest.mark.parametrize("method", METHODS)
def test_the_data_tree_shows_a_folder_with_subfolders_and_no_helpers(scene: Any, tmp_path: Path, method: str) -> None:
    import slicer

    from deepradiomics.scene.nodes.atomic import nodes_of_class

    ann, _bob = patients(method, tmp_path)
    ann.show(ann.folder, None, scene)
    hidden = slicer.vtkMRMLSubjectHierarchyConstants.GetSubjectHierarchyExcludeFromTreeAttributeName()
    for node in nodes_of_class(scene, "vtkMRMLPlotSeriesNode"):
        assert node.GetAttribute(hidden)
        assert node.GetHideFromEditors()
        assert node.GetTableNode().GetAttribute(hidden)
        assert node.GetTableNode().GetHideFromEditors()
    shown = [node for node in nodes_of_class(scene, "vtkMRMLTableNode") if not node.GetHideFromEditors()]
    assert not [node.GetName() for node in shown if node.GetName().endswith("data")]


NAMES = ("mRS: poor", "a;b", "Bleeding & <death>", '"quoted" größer', "50% %41 a/b")


@pytest.mark.parametrize("name", NAMES)
def test_names_that_users_give_survive_save_and_reload(headless: Any, tmp_path: Path, name: str) -> None:
    from deepradiomics.scene.nodes.atomic import nodes_of_class
    from deepradiomics.scene.show.ich.case import ich_tables, nodes_of, show_ich_case
    from deepradiomics.scene.tree.folder import reference_inputs, referenced_inputs
    from deepradiomics.scene.tree.names import cell_text

    head = make_ich_case(tmp_path / "head", followup=False)
    folder = Path(shutil.copytree(head.folder, tmp_path / "renamed"))
    about = json.loads((folder / "ich.json").read_text(encoding="utf-8"))
    about["case_id"] = name  # which the nodes are called after, and Slicer calls their files after them
    about["outcomes"] = {name if key == "poor_outcome" else key: each for key, each in about["outcomes"].items()}
    (folder / "ich.json").write_text(json.dumps(about), encoding="utf-8")
    nodes = show_ich_case(folder, None, headless.scene)
    volume = headless.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "plain")
    reference_inputs(nodes.risk, {name: volume})
    headless.save_mrb(tmp_path / "named.mrb")
    headless.load_mrb(tmp_path / "named.mrb")
    risk = ich_tables(headless.scene)[0]
    again = nodes_of(risk)
    shown = cell_text(name)
    assert shown in again.gradcam
    assert set(again.charts[shown]) == {"groups", "calibration"}
    assert shown in [risk.GetTable().GetColumnByName("outcome").GetValue(row) for row in range(4)]
    assert referenced_inputs(risk)[name].GetName() == "plain"
    assert again.segmentation.GetSegmentation().GetNumberOfSegments() == 2
    assert risk.GetNumberOfRows() == 4
    assert len(nodes_of_class(headless.scene, "vtkMRMLTableNode")) > 3


def lens_case_of(folder: Path, patient: int) -> dict[str, Volume]:
    """SYNTHETIC: a folder of `lens case`; another `patient` has other voxels on the same grids."""
    from deepradiomics.images import image_record, read_volume
    from Testing.unit.reports.fake_lens import CASE_FEATURE, write_fake_case

    write_fake_case(folder, {"modality": CASE_FEATURE[0], "feature": CASE_FEATURE[1]})
    about = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    images = {}
    for modality, entry in about["modalities"].items():
        image = read_volume(folder / entry["image"])
        noise = np.random.default_rng(patient).normal(0, 3, image.voxels.shape)
        images[modality] = Volume((image.voxels + noise).astype(np.float32), image.geometry, modality)
        write_volume(images[modality], folder / entry["image"])
        entry.update(image_record(images[modality]))
    (folder / "case.json").write_text(json.dumps(about), encoding="utf-8")
    return images


@pytest.mark.parametrize("order", [("Ann", "Bob"), ("Bob", "Ann")])
def test_the_map_of_a_lens_lies_over_its_own_patient(scene: Any, tmp_path: Path, order: tuple[str, str]) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.show.lens.case import show_case
    from deepradiomics.scene.tree.folder import referenced_inputs

    nodes = {}
    for number, patient in enumerate(("Ann", "Bob")):
        images = lens_case_of(tmp_path / patient, number)
        nodes[patient] = {name: node_from_volume(image, scene, f"{patient} {name}") for name, image in images.items()}
    for patient in (*order, *order):
        case = show_case(tmp_path / patient, scene)
        assert {name: node.GetName() for name, node in case.volumes.items()} == {
            name: f"{patient} {name}" for name in ("t2", "highb", "adc")
        }
        assert referenced_inputs(case.map)["t2"] is nodes[patient]["t2"]
        others = nodes["Bob" if patient == "Ann" else "Ann"]
        assert all(scene.IsNodePresent(node) for node in others.values())


@pytest.mark.parametrize("method", ["haemorrhage"])
def test_segmentations_of_results_have_the_grid_of_their_image(scene: Any, tmp_path: Path, method: str) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume

    ann, _bob = patients(method, tmp_path)
    volume = node_from_volume(ann.image, scene, "Ann")
    node = ann.show(ann.folder, None, scene).segmentation
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is volume


def test_outlines_of_a_lens_have_the_grid_of_their_image(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.show.lens.case import show_case

    images = lens_case_of(tmp_path / "Ann", 1)
    nodes = {name: node_from_volume(image, scene, name) for name, image in images.items()}
    for modality, outline in show_case(tmp_path / "Ann", scene).rois.items():
        assert outline.GetNodeReference(outline.GetReferenceImageGeometryReferenceRole()) is nodes[modality]


@pytest.mark.parametrize("method", METHODS)
def test_a_new_result_is_fitted_into_the_views_and_a_view_made_later_shows_its_image(
    scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    import slicer

    from deepradiomics.scene.nodes.volumes import node_from_volume

    fits: list[dict[str, Any]] = []
    monkeypatch.setattr(slicer.util, "setSliceViewerLayers", lambda **options: fits.append(options))
    ann, bob = patients(method, tmp_path)
    volumes = [node_from_volume(patient.image, scene, name) for patient, name in ((ann, "Ann"), (bob, "Bob"))]
    add_views(scene)
    for count, (patient, volume) in enumerate(zip((ann, bob), volumes, strict=True), start=1):
        nodes = patient.show(patient.folder, None, scene)
        assert fits == [{"fit": True}] * count  # once, when the image changed
        selection = slicer.app.applicationLogic().GetSelectionNode()  # what a new view takes its layers from
        assert selection.GetActiveVolumeID() == volume.GetID()
        assert selection.GetSecondaryVolumeID() == first_map(nodes).GetID()
