"""ICHLatentFeatures' logic on Slicer's real scene, with a child process that never runs; scenes that are written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.child import child_environment
from deepradiomics.errors import Cancelled, InputError, MaskError
from deepradiomics.images import read_mask, read_volume, write_volume
from Testing.slicer.fake_child import FakeStart, HandTimer, parsed
from Testing.slicer.ich_result import OUTCOMES, SyntheticIch, make_experiment, make_ich_case
from Testing.slicer.panel_ich.driving import add_segment, child
from Testing.slicer.scene.test_fingerprint_scene import rigid

MODULE = Path(__file__).resolve().parents[3] / "ICHLatentFeatures"


@pytest.fixture
def lib(headless: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module's logic, imported as Slicer imports it."""
    monkeypatch.syspath_prepend(str(MODULE))
    from ICHLatentFeaturesLib import logic

    HandTimer.made.clear()
    yield logic
    for name in [name for name in sys.modules if name.startswith("ICHLatentFeaturesLib")]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> SyntheticIch:
    return make_ich_case(tmp_path_factory.mktemp("ich") / "case")


@pytest.fixture
def patient(scene: Any, made: SyntheticIch) -> dict[str, Any]:
    """Both CTs below a rigid transform, and the haematoma as a segment of the first."""
    from deepradiomics.scene.nodes.placement import matrix_of
    from deepradiomics.scene.nodes.volumes import node_from_volume

    parent = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    parent.SetMatrixTransformToParent(matrix_of(rigid()))
    nodes = {"ct": node_from_volume(made.ct, scene, "CT"), "followup": node_from_volume(made.followup, scene, "later")}
    nodes["segmentation"], nodes["segment_id"] = add_segment(scene, nodes["ct"], made.labels == 1)
    for node in (nodes["ct"], nodes["followup"], nodes["segmentation"]):
        node.SetAndObserveTransformNodeID(parent.GetID())
    return nodes


def node_ids(scene: Any) -> set[str]:
    return {scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())}


def test_apply_blocks_and_returns_the_nodes_of_the_patient(lib: Any, patient: dict[str, Any], tmp_path: Path) -> None:
    start = FakeStart(child)
    nodes = lib.ICHLatentFeaturesLogic(start).apply(ct=patient["ct"], bundle=tmp_path, output_folder=tmp_path / "kept")
    assert start.words[:3] == ["ich", "apply", str(tmp_path)]
    assert start.words[-1] == "--json"
    assert "--mask" not in start.words
    assert "--segmenter" not in start.words
    assert "--followup" not in start.words
    assert set(nodes.gradcam) == set(OUTCOMES)
    assert nodes.expansion is None
    assert nodes.risk.GetAttribute("DeepRadiomics.result_folder") == str(tmp_path / "kept" / "CT")
    assert (tmp_path / "kept" / "CT" / "ich.json").is_file()
    assert not start.folder.exists()
    from deepradiomics.scene.tree.folder import referenced_inputs

    assert referenced_inputs(nodes.segmentation)["ct"] is patient["ct"]


def test_ct_segment_and_followup_are_written_in_world_space(
    lib: Any, patient: dict[str, Any], made: SyntheticIch, tmp_path: Path
) -> None:
    from deepradiomics.scene.nodes.placement import RAS_LPS

    start, seen = FakeStart(), {}

    def look(words: list[str]) -> None:
        for option in ("--mask", "--followup"):
            path = words[words.index(option) + 1]
            seen[option] = read_mask(path) if option == "--mask" else read_volume(path)
        seen["ct"] = read_volume(words[3])
        child(words)

    start.write = look
    lib.ICHLatentFeaturesLogic(start).apply(
        bundle=tmp_path, **patient, lesions="largest", clinical=" age=70 ", case_id="seven"
    )
    moved = RAS_LPS @ rigid() @ RAS_LPS @ made.ct.geometry.affine
    np.testing.assert_allclose(seen["ct"].geometry.affine, moved, atol=1e-4)
    np.testing.assert_array_equal(seen["ct"].voxels, made.ct.voxels)
    np.testing.assert_array_equal(seen["--mask"].labels == 1, made.labels == 1)
    np.testing.assert_array_equal(seen["--followup"].voxels, made.followup.voxels)
    given = {name: start.given(f"--{name}") for name in ("lesions", "clinical", "case-id")}
    assert given == {"lesions": "largest", "clinical": "age=70", "case-id": "seven"}


def test_results_lie_on_the_ct_also_when_it_was_moved_while_the_child_ran(
    lib: Any, patient: dict[str, Any], tmp_path: Path
) -> None:
    """The child's files say where the CT lay when it began; the nodes lie where it is now."""
    import slicer

    from deepradiomics.images import Mask, write_mask, write_stack
    from deepradiomics.images.volume import Volume
    from deepradiomics.scene.nodes.placement import matrix_of, placement
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation

    marked = {}

    def write(words: list[str]) -> None:
        out = Path(words[words.index("-o") + 1])
        child(words)
        grid = read_volume(words[3]).geometry  # of the world in which the child was started
        labels = np.zeros(grid.shape, np.uint8)
        labels[8:12, 20:26, 30:38] = 1
        write_mask(Mask(labels, grid), out / "segmentation.nii.gz")
        write_stack([Volume(labels.astype(np.float32), grid)] * 4, out / "gradcam.nii.gz")
        marked["labels"] = labels
        patient["ct"].GetParentTransformNode().SetMatrixTransformToParent(matrix_of(np.eye(4)))

    nodes = lib.ICHLatentFeaturesLogic(FakeStart(write)).apply(ct=patient["ct"], bundle=tmp_path)
    now = placement(patient["ct"]).geometry
    found = mask_from_segmentation(nodes.segmentation, now, ["haematoma"]).labels
    np.testing.assert_array_equal(found, marked["labels"])
    assert placement(nodes.gradcam[OUTCOMES[0]]).geometry.is_close(now, 1e-3)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(nodes.gradcam[OUTCOMES[0]]), marked["labels"])


def test_another_network_segments_where_it_is_named(lib: Any, patient: dict[str, Any], tmp_path: Path) -> None:
    start = FakeStart(child)
    lib.ICHLatentFeaturesLogic(start).apply(
        ct=patient["ct"], bundle=tmp_path, segmenter=tmp_path / "nnunet", flips=True, largest=True
    )
    assert start.given("--segmenter") == str(tmp_path / "nnunet")
    assert {"--flips", "--largest"} <= set(start.words)


def test_a_run_in_the_background_tells_by_callbacks_and_cancel_leaves_nothing(
    lib: Any, scene: Any, patient: dict[str, Any], tmp_path: Path
) -> None:
    done: list[Any] = []
    logic = lib.ICHLatentFeaturesLogic(FakeStart(child), HandTimer)
    logic.start(patient["ct"], tmp_path, on_finished=done.append)
    HandTimer.made[-1].wind()
    assert done[0].risk.GetNumberOfRows() == 4
    before = node_ids(scene)
    start = FakeStart(exit_code=None)
    logic = lib.ICHLatentFeaturesLogic(start, HandTimer)
    cancelled: list[bool] = []
    logic.start(patient["ct"], tmp_path, on_cancelled=lambda: cancelled.append(True))
    logic.cancel()
    assert cancelled == [True]
    assert node_ids(scene) == before
    assert not start.folder.exists()

    def stop(fraction: float, message: str) -> None:
        raise Cancelled("the user closed the window")

    with pytest.raises(Cancelled):
        lib.ICHLatentFeaturesLogic(FakeStart(exit_code=None)).apply(patient["ct"], tmp_path, on_progress=stop)


def test_expansion_and_experiment_have_runs_of_their_own(
    lib: Any, patient: dict[str, Any], made: SyntheticIch, tmp_path: Path
) -> None:
    start = FakeStart(child)
    logic = lib.ICHLatentFeaturesLogic(start)
    grown = logic.expansion(
        patient["ct"], patient["followup"], segmenter=tmp_path, backend="gpu",
        baseline_segmentation=patient["segmentation"],
    )  # fmt: skip
    assert grown.change.GetSegmentation().GetNumberOfSegments() == 3
    assert start.given("--segmenter") == str(tmp_path)
    assert start.given("--backend") == "gpu"
    assert "--baseline-mask" in start.words
    assert "--followup-mask" not in start.words
    nodes = logic.experiment(tmp_path / "m.csv", tmp_path / "out", covariates=["age", "sex"], workers=2)
    assert start.given("--covariates") == "age,sex"
    assert nodes.tables["summary"].GetNumberOfRows() == 168
    again = logic.open(tmp_path / "out")
    assert set(again.charts) == set(nodes.charts)
    assert logic.open(made.folder, patient["ct"]).risk.GetNumberOfRows() == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ct": None}, "ct: choose a volume"),
        ({"segment_id": ""}, "has 2 segments"),
        ({"segmenter": "x"}, "segmentation and segmenter"),
        ({"followup": None, "followup_segmentation": "some"}, "the CT it belongs to"),
    ],
)
def test_a_mistake_is_named_before_anything_starts(
    lib: Any, scene: Any, patient: dict[str, Any], tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    patient["segmentation"].GetSegmentation().AddEmptySegment("other", "other")
    before, start = node_ids(scene), FakeStart(child)
    with pytest.raises(InputError, match=said):
        lib.ICHLatentFeaturesLogic(start).apply(**{"bundle": tmp_path, **patient, **change})
    assert start.child is None
    assert node_ids(scene) == before


def test_an_empty_segment_and_missing_outlines_are_named(lib: Any, patient: dict[str, Any], tmp_path: Path) -> None:
    empty = patient["segmentation"].GetSegmentation().AddEmptySegment("nothing", "nothing")
    with pytest.raises(MaskError, match="nothing"):
        lib.ICHLatentFeaturesLogic(FakeStart(child)).apply(bundle=tmp_path, **{**patient, "segment_id": empty})
    with pytest.raises(InputError, match="give both segmentations, or segmenter"):
        lib.ICHLatentFeaturesLogic(FakeStart(child)).expansion(patient["ct"], patient["followup"])


def test_the_words_of_a_patient_are_those_that_the_command_line_takes(
    lib: Any, patient: dict[str, Any], tmp_path: Path
) -> None:
    start = FakeStart(child)
    logic = lib.ICHLatentFeaturesLogic(start)
    logic.apply(
        bundle=tmp_path, **patient, followup_segmentation=patient["segmentation"],
        followup_segment_id=patient["segment_id"], lesions="each", clinical="age=7", flips=True, device="cpu",
    )  # fmt: skip
    options = parsed(start.words)
    files = {"ct": "ct", "mask": "mask", "followup": "followup", "followup_mask": "followup_mask"}
    assert {name: options[name].stem for name in files} == files
    assert (options["bundle"], options["lesions"], options["clinical"]) == (tmp_path, "each", "age=7")
    assert options["scene"] is False
    assert options["json_lines"]
    assert options["device"] == "cpu"
    assert options["flips"] is False  # with a mask nothing is segmented
    logic.apply(patient["ct"], tmp_path, segmenter=tmp_path / "net", flips=True, largest=True, case_id="x y")
    options = parsed(start.words)
    assert (options["segmenter"], options["flips"], options["largest"]) == (tmp_path / "net", True, True)
    assert options["case_id"] == "x y"
    assert options["mask"] is None
    assert options["followup"] is None


def test_the_words_of_an_expansion_and_of_an_experiment_are_those_that_the_command_line_takes(
    lib: Any, patient: dict[str, Any], tmp_path: Path
) -> None:
    start = FakeStart(child)
    logic = lib.ICHLatentFeaturesLogic(start)
    segment = {"baseline_segmentation": patient["segmentation"], "baseline_segment_id": patient["segment_id"]}
    logic.expansion(patient["ct"], patient["followup"], **segment, segmenter=tmp_path, backend="cpu")
    options = parsed(start.words)
    files = {"baseline": "ct", "followup": "followup", "baseline_mask": "mask"}
    assert {name: options[name].stem for name in files} == files
    assert (options["followup_mask"], options["segmenter"], options["backend"]) == (None, tmp_path, "cpu")
    logic.experiment(
        tmp_path / "a.csv", tmp_path / "o", external=tmp_path / "b.csv", encoder=tmp_path, autoencoder=tmp_path,
        preset="tiny", search="nested", covariates=("age", "sex"), workers=3, allow_leakage=True, device="cpu", seed=9,
    )  # fmt: skip
    expected = {
        "manifest": tmp_path / "a.csv", "external": tmp_path / "b.csv", "encoder": tmp_path, "autoencoder": tmp_path,
        "preset": "tiny", "search": "nested", "covariates": "age,sex", "workers": 3, "allow_leakage": True, "seed": 9,
        "device": "cpu", "resume": True, "output": tmp_path / "o",
    }  # fmt: skip
    options = parsed(start.words)
    assert {name: options[name] for name in expected} == expected


def test_an_unknown_option_is_named_with_the_nearest_known_one(
    lib: Any, patient: dict[str, Any], tmp_path: Path
) -> None:
    start = FakeStart(child)
    with pytest.raises(InputError, match=r"'flipps' is unknown\. Did you mean 'flips'"):
        lib.ICHLatentFeaturesLogic(start).apply(patient["ct"], tmp_path, flipps=True)
    assert start.child is None


# --- `python -m deepradiomics.scene` ------------------------------------------------------------------------------


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deepradiomics.scene", *map(str, arguments)]
    return subprocess.run(command, env=child_environment(), capture_output=True, text=True, timeout=120, check=False)


def test_a_patients_folder_becomes_a_scene_in_a_layout_that_every_slicer_has(
    headless: Any, made: SyntheticIch, tmp_path: Path
) -> None:
    import slicer

    from deepradiomics.scene.nodes.atomic import nodes_of_class
    from deepradiomics.scene.show.ich.case import haematoma_centre, ich_tables, nodes_of

    ct = tmp_path / "JOHN_DOE.nii.gz"
    write_volume(made.ct, ct)
    done = run(made.folder, "--view", f"ct={ct}", "--output", tmp_path / "scene.mrb")
    assert done.returncode == 0, done.stderr
    headless.load_mrb(tmp_path / "scene.mrb")
    nodes = nodes_of(ich_tables(headless.scene)[0])
    layout = headless.scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    assert layout.GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotTableView
    assert headless.scene.GetFirstNodeByClass("vtkMRMLTableViewNode").GetTableNodeID() == nodes.risk.GetID()
    chart = headless.scene.GetFirstNodeByClass("vtkMRMLPlotViewNode").GetPlotChartNodeID()
    assert chart == nodes.charts[OUTCOMES[0]]["groups"].GetID()
    ct_node = slicer.util.getNode("ct")
    shown = ct_node.GetDisplayNode()
    assert (shown.GetWindowLevelMin(), shown.GetWindowLevelMax()) == (0.0, 80.0)
    for composite in nodes_of_class(headless.scene, "vtkMRMLSliceCompositeNode"):
        assert composite.GetBackgroundVolumeID() == ct_node.GetID()
        assert composite.GetForegroundVolumeID() == nodes.gradcam[OUTCOMES[0]].GetID()
    centre = haematoma_centre(nodes.segmentation)
    axial = next(each for each in nodes_of_class(headless.scene, "vtkMRMLSliceNode") if each.GetLayoutName() == "Red")
    assert axial.GetSliceToRAS().GetElement(2, 3) == pytest.approx(centre[2], abs=2.6)


def test_an_experiments_folder_becomes_a_scene_and_wrong_views_are_told(
    headless: Any, made: SyntheticIch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from deepradiomics.scene.command import main

    folder = make_experiment(tmp_path / "experiment")
    done = run(folder)
    assert done.returncode == 0, done.stderr
    headless.load_mrb(folder / "scene.mrb")
    assert headless.scene.GetFirstNodeByName("Experiment: AUC").GetNumberOfRows() == 168
    for wrong, said in ((folder, "an experiment has no images"), (made.folder, "of this result are ct and followup")):
        assert main([str(wrong), "--view", "head=head.nii.gz", "--output", str(tmp_path / "x.mrb")]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "x.mrb").exists()
