"""One patient's haemorrhage in Slicer's scene: everything lies where the anatomy lies, says what it is, and comes back
from a saved scene; whatever fails leaves nothing behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError
from Testing.slicer.ich_result import OUTCOMES, TITLES, SyntheticIch, make_experiment, make_ich_case
from Testing.slicer.scene.test_fingerprint_scene import rigid

LPS_RAS = np.array([-1.0, -1.0, 1.0])


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> SyntheticIch:
    return make_ich_case(tmp_path_factory.mktemp("ich") / "case")


def add_ct(scene: Any, made: SyntheticIch, matrix: np.ndarray | None = None) -> Any:
    """The CT as a node, below a transform (RAS to RAS) whose inverse is in its own matrix: its place stays."""
    from deepradiomics.scene.nodes.placement import ijk_to_ras, matrix_of
    from deepradiomics.scene.nodes.volumes import node_from_volume

    node = node_from_volume(made.ct, scene, "CT")
    node.CreateDefaultDisplayNodes()
    if matrix is not None:
        node.SetIJKToRASMatrix(matrix_of(np.linalg.inv(matrix) @ ijk_to_ras(node)))
        parent = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
        parent.SetMatrixTransformToParent(matrix_of(matrix))
        node.SetAndObserveTransformNodeID(parent.GetID())
    return node


def labels_in_the_world(segmentation: Any, names: tuple[str, ...], grid: Any) -> np.ndarray:
    """The segments, numbered from 1, sampled at the world positions of a grid's voxels."""
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation

    segments = segmentation.GetSegmentation()
    ids = [segments.GetSegmentIdBySegmentName(name) for name in names]
    return mask_from_segmentation(segmentation, grid, ids).labels


def node_ids(scene: Any) -> set[str]:
    return {scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())}


def values(table: Any, column: str) -> list[Any]:
    from deepradiomics.scene.nodes.export import columns_of

    return columns_of(table)[column]


@pytest.mark.parametrize("below", ["nothing", "a rigid transform"])
def test_haematoma_ring_and_gradcam_lie_on_their_voxels_in_the_world(
    scene: Any, made: SyntheticIch, below: str
) -> None:
    from deepradiomics.scene.nodes.volumes import volume_from_node
    from deepradiomics.scene.show.ich.case import haematoma_centre, show_ich_case

    ct = add_ct(scene, made, rigid() if below != "nothing" else None)
    nodes = show_ich_case(made.folder, ct, scene)
    np.testing.assert_array_equal(
        labels_in_the_world(nodes.segmentation, ("haematoma", "ring"), made.ct.geometry), made.labels
    )
    for name, node in nodes.gradcam.items():
        found = volume_from_node(node)
        assert found.geometry.is_close(made.ct.geometry, 1e-3)
        np.testing.assert_allclose(found.voxels, made.gradcam[name], atol=1e-6)
    inside = np.argwhere(made.labels == 1)[:, ::-1].mean(axis=0)
    expected = made.ct.geometry.index_to_physical(inside) * LPS_RAS
    np.testing.assert_allclose(haematoma_centre(nodes.segmentation), expected, atol=0.01)
    assert nodes.expansion is not None
    np.testing.assert_array_equal(
        labels_in_the_world(nodes.expansion.change, ("stable", "grown", "shrunk"), made.ct.geometry), made.change
    )
    assert volume_from_node(nodes.expansion.followup).geometry.is_close(made.ct.geometry, 1e-3)


def test_everything_moves_with_the_ct_also_when_it_was_moved_during_the_run(scene: Any, made: SyntheticIch) -> None:
    from deepradiomics.scene.nodes.map_place import reference_place
    from deepradiomics.scene.nodes.placement import matrix_of, placement
    from deepradiomics.scene.show.ich.case import show_ich_case

    ct = add_ct(scene, made, rigid())
    place = reference_place(ct)
    shift = np.eye(4)
    shift[:3, 3] = (7, -4, 11)
    ct.GetParentTransformNode().SetMatrixTransformToParent(matrix_of(shift @ rigid()))
    nodes = show_ich_case(made.folder, ct, scene, place=place, verified=True)
    moved = placement(ct).geometry
    assert not moved.is_close(made.ct.geometry, 1.0)
    np.testing.assert_array_equal(labels_in_the_world(nodes.segmentation, ("haematoma", "ring"), moved), made.labels)
    assert placement(nodes.gradcam[OUTCOMES[0]]).geometry.is_close(moved, 1e-3)
    assert nodes.expansion is not None
    assert placement(nodes.expansion.followup).geometry.is_close(moved, 1e-3)


def test_below_a_shear_everything_lies_at_its_own_place_in_the_world(scene: Any, made: SyntheticIch) -> None:
    from deepradiomics.scene.nodes.placement import matrix_of, placement
    from deepradiomics.scene.show.ich.case import show_ich_case

    shear = np.eye(4)
    shear[1, 2] = 0.3
    ct = add_ct(scene, made)  # the child was given it resampled to the world: here to the grid of the hand-made result
    parent = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "shear")
    parent.SetMatrixTransformToParent(matrix_of(shear))
    ct.SetAndObserveTransformNodeID(parent.GetID())
    nodes = show_ich_case(made.folder, ct, scene, verified=True)
    assert nodes.segmentation.GetParentTransformNode() is None
    np.testing.assert_array_equal(
        labels_in_the_world(nodes.segmentation, ("haematoma", "ring"), made.ct.geometry), made.labels
    )
    assert placement(nodes.gradcam[OUTCOMES[0]]).geometry.is_close(made.ct.geometry, 1e-3)


def test_the_haematoma_is_red_and_solid_the_ring_orange_and_translucent(scene: Any, made: SyntheticIch) -> None:
    from deepradiomics.scene.show.ich.case import show_ich_case

    node = show_ich_case(made.folder, None, scene).segmentation
    segments, display = node.GetSegmentation(), node.GetDisplayNode()
    surface = "Closed surface"
    assert segments.ContainsRepresentation(surface)
    assert display.GetVisibility3D()
    red, orange = (segments.GetSegment(segments.GetSegmentIdBySegmentName(name)) for name in ("haematoma", "ring"))
    assert red.GetColor()[0] > 0.8
    assert max(red.GetColor()[1:]) < 0.2
    assert orange.GetColor()[0] > 0.9
    assert 0.4 < orange.GetColor()[1] < 0.7
    assert orange.GetColor()[2] < 0.2
    assert red.GetRepresentation(surface).GetNumberOfPoints() > 100
    opacity = {
        name: display.GetSegmentOpacity3D(segments.GetSegmentIdBySegmentName(name)) for name in ("haematoma", "ring")
    }
    assert opacity["haematoma"] == 1.0
    assert opacity["ring"] < 0.5


def test_the_risk_table_says_probability_threshold_and_what_was_observed_in_the_like(
    scene: Any, made: SyntheticIch
) -> None:
    from deepradiomics.scene.show.ich.case import show_ich_case

    table = show_ich_case(made.folder, None, scene).risk
    about = json.loads((made.folder / "ich.json").read_text())["outcomes"]
    assert values(table, "title") == list(TITLES)
    for row, name in enumerate(OUTCOMES):
        known = about[name]
        like = known["calibration"]["bins"][known["calibration"]["bin"]]
        found = {
            column: values(table, column)[row] for column in ("probability", "observed", "observed_high", "similar")
        }
        assert found == {
            "probability": known["probability"], "observed": like["observed"], "observed_high": like["high"],
            "similar": 40,
        }  # fmt: skip
        assert values(table, "positive")[row] == int(known["probability"] >= 0.35)
    assert "training patients" in table.GetColumnDescription("observed")


def test_the_feature_table_begins_with_the_volumes_and_explains_each_feature(scene: Any, made: SyntheticIch) -> None:
    from deepradiomics.scene.show.ich.case import show_ich_case

    table = show_ich_case(made.folder, None, scene).features
    assert values(table, "feature")[:3] == ["haematoma_ml", "ring_ml", "abc2_ml"]
    assert values(table, "unit")[:3] == ["mL"] * 3
    ml = (made.labels == 1).sum() * np.prod(made.ct.geometry.spacing_mm) / 1000
    assert values(table, "value")[0] == pytest.approx(ml)
    assert values(table, "value")[3:] == [15200.0, 62.5, 1.25]
    assert all(len(text) > 10 for text in values(table, "description"))


def test_the_bars_are_the_shares_of_the_groups_under_short_names(scene: Any, made: SyntheticIch) -> None:
    from deepradiomics.scene.show.ich.case import group_shares, show_ich_case

    nodes = show_ich_case(made.folder, None, scene)
    about = json.loads((made.folder / "ich.json").read_text())["outcomes"]
    for outcome in OUTCOMES:
        chart = nodes.charts[outcome]["groups"]
        series = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
        bars = [values(each.GetTableNode(), each.GetYColumnName())[0] for each in series]
        assert bars == pytest.approx(list(about[outcome]["groups"].values()))
        assert [each.GetName() for each in series] == ["Radiomics", "Encoder", "VAE-GAN"]
        shares = group_shares(nodes.shap, outcome)
        assert shares == pytest.approx(about[outcome]["groups"])
        assert [abs(each) for each in shares.values()] == sorted(map(abs, shares.values()), reverse=True)


def test_outside_the_training_cohort_there_is_no_class_in_a_saved_scene_either(headless: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.show.ich.case import ich_tables, nodes_of, show_ich_case
    from deepradiomics.scene.tree.provenance import read_stamp
    from deepradiomics.stats.outside import outside_fields

    made = make_ich_case(tmp_path / "far", followup=False)
    _change(**outside_fields(0.37))(made.folder)
    show_ich_case(made.folder, add_ct(headless.scene, made), headless.scene)
    headless.save_mrb(tmp_path / "scene.mrb")
    headless.load_mrb(tmp_path / "scene.mrb")
    [table] = ich_tables(headless.scene)
    assert set(values(table, "remark")) == {"outside the training cohort (37 % of features beyond 3 SD)"}
    for column in ("positive", "observed", "observed_low", "observed_high"):
        assert values(table, column) == [None] * 4, column
    assert None not in values(table, "probability")  # the number is kept for programs
    nodes = nodes_of(table)
    for node in (table, nodes.shap, nodes.segmentation, nodes.gradcam[OUTCOMES[0]]):
        assert read_stamp(node)["outside_training_cohort"] is True
        assert read_stamp(node)["outside_share"] == 0.37
    chart = nodes.charts[OUTCOMES[0]]["calibration"]
    series = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
    [line] = [each for each in series if each.GetName().startswith("patient")]
    assert np.ptp(line.GetColor()) == 0
    assert not any(each.GetName().startswith("similar") for each in series)


def test_inside_the_training_cohort_nothing_is_remarked(scene: Any, made: SyntheticIch) -> None:
    from deepradiomics.scene.show.ich.case import show_ich_case

    assert values(show_ich_case(made.folder, None, scene).risk, "remark") == [""] * 4


def test_columns_have_titles_for_people_and_keep_their_names(scene: Any, made: SyntheticIch) -> None:
    from deepradiomics.scene.show.ich.case import show_ich_case

    nodes = show_ich_case(made.folder, None, scene)
    assert nodes.expansion is not None
    for table in (nodes.risk, nodes.features, nodes.shap, nodes.expansion.table):
        columns = [table.GetTable().GetColumnName(index) for index in range(table.GetTable().GetNumberOfColumns())]
        titles = [table.GetColumnTitle(column) for column in columns]
        assert len(set(titles)) == len(titles)
        assert all(title[0].isupper() or title in LATER for title in titles)
        assert not any("_" in title for title in titles)
    assert nodes.risk.GetColumnTitle("probability") == "Risk, 0 to 1"


LATER = ("to", "its 95 % interval, from", "z, SD from the training mean")  # titles that go on from the one before


def test_the_estimate_is_said_to_be_of_the_largest_where_there_are_several(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.show.ich.case import show_ich_case

    for lesions, sentence in ((2, "ABC/2 of the largest, the"), (1, "ABC/2, the")):
        made = make_ich_case(tmp_path / str(lesions), followup=False)
        about = json.loads((made.folder / "ich.json").read_text())
        about["volumes"]["lesions"] = about["volumes"]["lesions"][:lesions]
        (made.folder / "ich.json").write_text(json.dumps(about))
        assert values(show_ich_case(made.folder, None, scene).features, "description")[2].startswith(sentence)


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (460, 460)])
def test_the_head_lies_left_of_the_legend_and_stays_there_when_the_slices_move(
    scene: Any, made: SyntheticIch, size: tuple[int, int]
) -> None:
    import vtk

    from deepradiomics.scene.show.ich.case import haematoma_centre, jump_to_haematoma, show_ich_case
    from deepradiomics.scene.views.legend_room import LEGEND_SHARE

    views = []
    for name, plane in (("Red", "Axial"), ("Yellow", "Sagittal"), ("Green", "Coronal")):
        view = scene.AddNewNodeByClass("vtkMRMLSliceNode", name)
        view.SetLayoutName(name)
        view.SetOrientation(plane)
        view.SetDimensions(*size, 1)
        views.append(view)
        scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", name).SetLayoutName(name)
    camera = scene.AddNewNodeByClass("vtkMRMLCameraNode", "camera")
    ct = add_ct(scene, made)
    nodes = show_ich_case(made.folder, ct, scene)
    jump_to_haematoma(nodes, views)
    grid, centre = made.ct.geometry, haematoma_centre(nodes.segmentation)
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * np.array(grid.size) - 0.5
    for view in views:
        to_view = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(view.GetXYToRAS(), to_view)
        world = grid.index_to_physical(corners) * LPS_RAS
        pixels = np.array([to_view.MultiplyPoint((*map(float, each), 1.0))[:2] for each in world])
        assert pixels[:, 0].min() >= 0
        assert pixels[:, 0].max() <= size[0] * (1 - LEGEND_SHARE)
        assert pixels[:, 1].min() >= 0
        assert pixels[:, 1].max() <= size[1]
        filled = np.ptp(pixels, axis=0) / (size[0] * (1 - LEGEND_SHARE), size[1])
        assert filled.max() > 0.9  # as large as there is room
        assert abs(to_view.MultiplyPoint((*map(float, centre), 1.0))[2]) < 1e-6  # the slice goes through the middle
    assert [view.GetSliceVisible() for view in views] == [1, 0, 0]  # in the 3D views
    np.testing.assert_allclose(camera.GetFocalPoint(), centre, atol=1e-6)


def test_the_patient_stands_on_the_calibration_curve_at_his_probability(scene: Any, made: SyntheticIch) -> None:
    from deepradiomics.scene.show.ich.case import show_ich_case

    chart = show_ich_case(made.folder, None, scene).charts[OUTCOMES[1]]["calibration"]
    about = json.loads((made.folder / "ich.json").read_text())["outcomes"][OUTCOMES[1]]
    table = chart.GetNthPlotSeriesNode(0).GetTableNode()
    given = [each for each in values(table, "predicted") if each is not None]
    assert given == [each["mean_predicted"] for each in about["calibration"]["bins"]]
    assert values(table, "patient_x")[:2] == [about["probability"]] * 2
    interval = [each for each in values(table, "interval") if each is not None]
    assert interval == [end for each in about["calibration"]["bins"] for end in (each["low"], each["high"])]


def test_gradcam_is_drawn_only_where_it_is_strong(scene: Any, made: SyntheticIch) -> None:
    from deepradiomics.scene.nodes.atomic import nodes_of_class
    from deepradiomics.scene.show.ich.case import GRADCAM_HIDDEN_BELOW, show_ich_case

    for name in ("Red", "Yellow"):
        composite = scene.CreateNodeByClass("vtkMRMLSliceCompositeNode")
        composite.UnRegister(None)
        composite.SetLayoutName(name)
        scene.AddNode(composite)
    ct = add_ct(scene, made)
    nodes = show_ich_case(made.folder, ct, scene)
    for name, node in nodes.gradcam.items():
        display = node.GetDisplayNode()
        greatest = float(made.gradcam[name].max())
        assert display.GetApplyThreshold()
        assert display.GetLowerThreshold() == pytest.approx(GRADCAM_HIDDEN_BELOW * greatest, rel=1e-5)
        assert display.GetUpperThreshold() > greatest
    for composite in nodes_of_class(scene, "vtkMRMLSliceCompositeNode"):
        assert composite.GetBackgroundVolumeID() == ct.GetID()
        assert composite.GetForegroundVolumeID() == nodes.gradcam[OUTCOMES[0]].GetID()


def test_all_nodes_lie_in_one_folder_that_says_what_the_model_is(scene: Any, made: SyntheticIch) -> None:
    import slicer

    from deepradiomics.scene.show.ich.case import show_ich_case
    from deepradiomics.scene.tree.folder import result_folder_of

    ct = add_ct(scene, made)
    nodes = show_ich_case(made.folder, ct, scene)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    assert hierarchy.GetItemName(nodes.folder_item) == "Haemorrhage: case (SYNTHETIC model)"
    assert nodes.notes[0].startswith("SYNTHETIC")
    assert "two haematomas: measured together" in nodes.notes
    assert nodes.expansion is not None
    for node in (
        nodes.risk,
        nodes.segmentation,
        *nodes.gradcam.values(),
        nodes.expansion.change,
        nodes.expansion.table,
    ):
        assert result_folder_of(node) == nodes.folder_item
    assert hierarchy.GetItemByDataNode(ct) == hierarchy.GetInvalidItemID()  # the user's volume is left alone


def test_the_nodes_carry_provenance_and_no_file_names(scene: Any, made: SyntheticIch) -> None:
    from deepradiomics.scene.show.ich.case import show_ich_case
    from deepradiomics.scene.tree.folder import referenced_inputs
    from deepradiomics.scene.tree.provenance import methods_text, read_stamp

    ct = add_ct(scene, made)
    nodes = show_ich_case(made.folder, ct, scene)
    stamp = read_stamp(nodes.gradcam[OUTCOMES[2]])
    assert (stamp["kind"], stamp["outcome"], stamp["synthetic_model"]) == ("ich-case", OUTCOMES[2], True)
    assert read_stamp(nodes.risk)["bundle"]["classifier"] == "extra-trees"
    assert read_stamp(nodes.risk)["volumes"]["abc2_ml"] == 16.1
    assert "outlined" in methods_text(nodes.risk)
    assert referenced_inputs(nodes.segmentation)["ct"] is ct
    for index in range(scene.GetNumberOfNodes()):
        node = scene.GetNthNode(index)
        assert not any("JOHN" in (node.GetAttribute(name) or "") for name in node.GetAttributeNames())


def test_a_saved_scene_gives_the_same_nodes_back(headless: Any, made: SyntheticIch, tmp_path: Path) -> None:
    from deepradiomics.scene.show.ich.case import ich_tables, nodes_of, show_ich_case

    ct = add_ct(headless.scene, made, rigid())
    show_ich_case(made.folder, ct, headless.scene)
    headless.save_mrb(tmp_path / "scene.mrb")
    headless.load_mrb(tmp_path / "scene.mrb")
    [table] = ich_tables(headless.scene)
    nodes = nodes_of(table)
    assert set(nodes.gradcam) == set(OUTCOMES)
    assert set(nodes.charts[OUTCOMES[3]]) == {"groups", "calibration"}
    assert nodes.expansion is not None
    assert nodes.expansion.change.GetName() == "Expansion"
    np.testing.assert_array_equal(
        labels_in_the_world(nodes.segmentation, ("haematoma", "ring"), made.ct.geometry), made.labels
    )
    display = nodes.segmentation.GetDisplayNode()
    ring = nodes.segmentation.GetSegmentation().GetSegmentIdBySegmentName("ring")
    assert display.GetSegmentOpacity3D(ring) < 0.5
    assert nodes.notes[0].startswith("SYNTHETIC")
    nodes.segmentation.GetScene().RemoveNode(nodes.segmentation)
    with pytest.raises(InputError, match="segmentation not in the scene"):
        nodes_of(table)


def test_a_model_without_latents_has_no_gradcam_and_no_expansion_without_a_followup(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.show.ich.case import nodes_of, show_ich_case

    made = make_ich_case(tmp_path / "plain", followup=False, latents=False)
    nodes = show_ich_case(made.folder, add_ct(scene, made), scene)
    assert nodes.gradcam == {}
    assert nodes.expansion is None
    again = nodes_of(nodes.risk)
    assert again.gradcam == {}
    assert again.expansion is None
    assert len(again.charts) == 4


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _change(**more: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        about = json.loads((folder / "ich.json").read_text())
        (folder / "ich.json").write_text(json.dumps(about | more))

    return change


FAULTS = {
    "no segmentation": (_remove("segmentation.nii.gz"), r"segmentation\.nii\.gz is missing"),
    "no gradcam": (_remove("gradcam.nii.gz"), r"gradcam\.nii\.gz is missing"),
    "no shap": (_remove("shap.csv"), r"shap\.csv is missing"),
    "no expansion": (_remove("expansion.nii.gz"), r"expansion\.nii\.gz is missing"),
    "damaged gradcam": (lambda folder: (folder / "gradcam.nii.gz").write_bytes(b"no"), r"gradcam\.nii\.gz is damaged"),
    "another kind": (_change(kind="lens"), "not written by `ich apply`"),
    "an outcome without groups": (
        _change(outcomes={name: {"probability": 0.5, "threshold": 0.5} for name in OUTCOMES}),
        "has no 'groups'",
    ),
    "fewer outcomes than maps": (
        _change(outcomes={"poor_outcome": {"probability": 0.5, "threshold": 0.5, "groups": {}}}),
        "holds 4 maps for 1 outcomes",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_folder_is_named_and_leaves_nothing_in_the_scene(
    scene: Any, made: SyntheticIch, tmp_path: Path, fault: str
) -> None:
    from deepradiomics.scene.show.ich.case import show_ich_case

    damage, said = FAULTS[fault]
    folder = Path(shutil.copytree(made.folder, tmp_path / "damaged"))
    damage(folder)
    ct = add_ct(scene, made)
    before = node_ids(scene)
    with pytest.raises(InputError, match=said):
        show_ich_case(folder, ct, scene)
    assert node_ids(scene) == before


def test_a_failure_half_way_takes_back_what_was_added(
    scene: Any, made: SyntheticIch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepradiomics.scene.show.ich import case as ich_case

    ct = add_ct(scene, made)
    before = node_ids(scene)

    def fail(*_: Any) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(ich_case, "calibration_chart", fail)
    with pytest.raises(RuntimeError):
        ich_case.show_ich_case(made.folder, ct, scene)
    assert node_ids(scene) - before <= {"vtkMRMLSubjectHierarchyNode1", "vtkMRMLColorTableNode1"}
    assert not [each for each in node_ids(scene) if "Segmentation" in each and "Storage" not in each]


def test_an_expansion_alone_is_a_table_the_change_and_the_registered_followup(scene: Any, made: SyntheticIch) -> None:
    from deepradiomics.scene.show.ich.expansion import show_expansion

    ct = add_ct(scene, made, rigid())
    nodes = show_expansion(made.folder, ct, scene)
    np.testing.assert_array_equal(
        labels_in_the_world(nodes.change, ("stable", "grown", "shrunk"), made.ct.geometry), made.change
    )
    about = json.loads((made.folder / "expansion.json").read_text())
    rows = dict(zip(values(nodes.table, "measure"), values(nodes.table, "value"), strict=True))
    assert rows["difference"] == about["difference_ml"]
    assert rows["grew by more than 3 mL"] == float(about["labels"]["expansion_3ml"])
    grown = nodes.change.GetSegmentation().GetSegment(nodes.change.GetSegmentation().GetSegmentIdBySegmentName("grown"))
    assert grown.GetColor()[0] > 0.8
    assert nodes.change.GetDisplayNode().GetVisibility()


def test_an_experiment_is_its_tables_and_a_chart_an_outcome_and_cohort(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.show.ich.experiment import show_experiment

    nodes = show_experiment(make_experiment(tmp_path / "experiment", leaking=True), scene)
    assert set(nodes.tables) == {"summary", "shap_groups"}
    assert nodes.tables["summary"].GetNumberOfRows() == 4 * 7 * 6
    assert set(nodes.charts) == {(outcome, cohort) for outcome in OUTCOMES for cohort in ("validation", "external")}
    chart = nodes.charts["expansion_9ml", "external"]
    assert chart.GetNumberOfPlotSeriesNodes() == 6
    assert chart.GetTitle() == "AUC, external: Expansion > 9 mL"
    series = chart.GetNthPlotSeriesNode(5)
    assert series.GetName() == "Svm"
    rows = zip(
        *(values(nodes.tables["summary"], name) for name in ("outcome", "classifier", "external_auc")), strict=True
    )
    known = [auc for outcome, classifier, auc in rows if (outcome, classifier) == ("expansion_9ml", "svm")]
    assert values(series.GetTableNode(), "svm") == known
    assert nodes.notes[0].startswith("LEAKING")
    assert nodes.notes[1].startswith("SYNTHETIC")


def test_an_experiment_without_its_summary_is_named_and_leaves_nothing(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.show.ich.experiment import show_experiment

    folder = make_experiment(tmp_path / "experiment", external=False)
    assert {cohort for _, cohort in show_experiment(folder, scene).charts} == {"validation"}
    (folder / "tables" / "summary.csv").unlink()
    before = node_ids(scene)
    with pytest.raises(InputError, match=r"summary\.csv is missing"):
        show_experiment(folder, scene)
    assert node_ids(scene) == before
