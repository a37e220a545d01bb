"""RadiomicFingerprint's logic on Slicer's real scene, with a child process that never runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import BundleError, Cancelled, DeepRadiomicsError, InputError
from Testing.slicer.fake_child import FakeStart, HandTimer, write_bundle
from Testing.slicer.synthetic_result import make_result

MODULE = Path(__file__).resolve().parents[3] / "RadiomicFingerprint"


@pytest.fixture
def lib(headless: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module's logic, imported as Slicer imports it."""
    monkeypatch.syspath_prepend(str(MODULE))
    from RadiomicFingerprintLib import logic

    HandTimer.made.clear()
    yield logic
    for name in [name for name in sys.modules if name.startswith("RadiomicFingerprintLib")]:
        del sys.modules[name]


@pytest.fixture
def exam(scene: Any, tmp_path: Path) -> dict[str, Any]:
    """The volume nodes of an exam whose result is known."""
    from deepradiomics.scene.nodes.volumes import node_from_volume

    made = make_result(tmp_path / "known")
    return {view: node_from_volume(volume, scene, view) for view, volume in made.volumes.items()}


def result_writer(words: list[str]) -> None:
    make_result(Path(words[words.index("-o") + 1]))


def nodes_of(scene: Any) -> set[str]:
    return {scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())}


def test_apply_blocks_and_returns_the_nodes_of_the_result(lib: Any, scene: Any, exam: Any, tmp_path: Path) -> None:
    start = FakeStart(result_writer)
    nodes = lib.RadiomicFingerprintLogic(start).apply(exam, write_bundle(tmp_path / "bundle"), roi=None)
    assert nodes.fingerprint.GetNumberOfRows() > 0
    assert set(nodes.relevance) == {"abnormality", "acl"}
    assert start.words[:2] == ["fingerprint", "apply"]
    assert start.words[-1] == "--json"
    assert "--no-scene" in start.words  # the command's own: that of the paper
    assert "--inference" not in start.words
    assert "--registration" not in start.words  # as the model was trained
    assert not start.folder.exists()


def test_the_views_are_handed_over_in_world_space(lib: Any, scene: Any, exam: Any, tmp_path: Path) -> None:
    import vtk

    from deepradiomics.images import read_volume

    parent = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    move = vtk.vtkTransform()
    move.Translate(10, 20, 30)
    parent.SetMatrixTransformToParent(move.GetMatrix())
    exam["sagittal"].SetAndObserveTransformNodeID(parent.GetID())
    seen = {}

    def look(words: list[str]) -> None:
        for word in words:
            if word.startswith("sagittal="):
                seen["origin"] = read_volume(word.split("=", 1)[1]).geometry.origin_mm
        result_writer(words)

    known = make_result(tmp_path / "again").volumes["sagittal"].geometry.origin_mm
    lib.RadiomicFingerprintLogic(FakeStart(look)).apply(exam, write_bundle(tmp_path / "bundle"))
    assert np.allclose(np.subtract(seen["origin"], known), (-10, -20, 30))  # RAS to LPS


def test_the_table_refers_to_prediction_maps_charts_and_files(lib: Any, exam: Any, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    nodes = lib.RadiomicFingerprintLogic(FakeStart(result_writer)).apply(
        exam, write_bundle(tmp_path / "bundle"), case_id="knee 7", output_folder=kept
    )
    table = nodes.fingerprint
    assert table.GetNodeReference(lib.work.PREDICTION_ROLE).GetID() == nodes.prediction.GetID()
    assert table.GetNodeReference(lib.work.RELEVANCE_ROLE + "acl").GetID() == nodes.relevance["acl"].GetID()
    assert table.GetNodeReference(lib.work.GRADCAM_ROLE + "acl").GetID() == nodes.gradcam["acl"].GetID()
    assert table.GetNodeReference(lib.work.CHART_ROLE + "acl").GetID() == nodes.charts["acl"].GetID()
    assert table.GetAttribute(lib.work.FOLDER_ATTRIBUTE) == str(kept / "knee_7")
    assert (kept / "knee_7" / "prediction.json").is_file()


def test_a_roi_node_becomes_a_box_in_lps(lib: Any, scene: Any, exam: Any, tmp_path: Path) -> None:
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    roi.SetCenter(1.0, 2.0, 3.0)
    roi.SetSize(10.0, 20.0, 30.0)
    boxes = []

    def look(words: list[str]) -> None:
        boxes.append(json.loads(Path(words[words.index("--roi-box") + 1]).read_text(encoding="utf-8")))
        result_writer(words)

    lib.RadiomicFingerprintLogic(FakeStart(look)).apply(exam, write_bundle(tmp_path / "bundle"), roi=roi)
    assert np.allclose(boxes[0]["centre_mm"], (-1, -2, 3))
    assert sorted(np.round(boxes[0]["size_mm"], 6)) == [10, 20, 30]


def test_a_segment_becomes_a_mask_on_the_reference_view(lib: Any, scene: Any, exam: Any, tmp_path: Path) -> None:
    segmentation, segment = add_segment(scene, exam["sagittal"])
    counts = []

    def look(words: list[str]) -> None:
        from deepradiomics.images import read_mask

        counts.append(int(read_mask(words[words.index("--mask") + 1]).region(1).sum()))
        assert words[words.index("--label") + 1] == "1"
        result_writer(words)

    lib.RadiomicFingerprintLogic(FakeStart(look)).apply(
        exam, write_bundle(tmp_path / "bundle"), segmentation=segmentation, segment_id=segment
    )
    assert counts == [4 * 5 * 6]


def test_registration_keeps_the_target_the_model_was_trained_with(lib: Any, exam: Any, tmp_path: Path) -> None:
    start = FakeStart(result_writer)
    bundle = write_bundle(tmp_path / "bundle", registration="template")
    lib.RadiomicFingerprintLogic(start).apply(exam, bundle, registration="gpu")
    assert (start.given("--registration"), start.given("--backend")) == ("template", "gpu")
    lib.RadiomicFingerprintLogic(start).apply(exam, write_bundle(tmp_path / "b2"), registration="cpu")
    assert (start.given("--registration"), start.given("--backend")) == ("reference", "cpu")


def test_in_the_background_progress_comes_first_and_the_nodes_last(lib: Any, exam: Any, tmp_path: Path) -> None:
    said: list[Any] = []
    logic = lib.RadiomicFingerprintLogic(FakeStart(result_writer), HandTimer)
    logic.start(
        exam,
        write_bundle(tmp_path / "bundle"),
        on_progress=lambda fraction, message: said.append((fraction, message)),
        on_finished=lambda nodes: said.append(nodes.fingerprint.GetNumberOfRows()),
    )
    assert logic.running
    HandTimer.made[-1].wind()
    assert said[0] == (0.4, "half way")
    assert said[-1] > 0
    assert not logic.running
    assert not HandTimer.made[-1].running


def test_cancel_kills_the_child_and_leaves_the_scene_alone(lib: Any, scene: Any, exam: Any, tmp_path: Path) -> None:
    start, said = FakeStart(exit_code=None), []
    logic = lib.RadiomicFingerprintLogic(start, HandTimer)
    before = nodes_of(scene)
    logic.start(exam, write_bundle(tmp_path / "bundle"), on_cancelled=lambda: said.append("cancelled"))
    HandTimer.made[-1].call()
    logic.cancel()
    assert start.child is not None
    assert start.child.killed
    assert said == ["cancelled"]
    assert not logic.running
    assert not start.folder.exists()
    assert nodes_of(scene) == before
    assert not HandTimer.made[-1].running


def test_a_failing_child_gives_its_own_message_and_leaves_the_scene_alone(
    lib: Any, scene: Any, exam: Any, tmp_path: Path
) -> None:
    before = nodes_of(scene)
    start = FakeStart(exit_code=2, error="the ROI lies outside the volume")
    with pytest.raises(InputError, match="the ROI lies outside the volume"):
        lib.RadiomicFingerprintLogic(start).apply(exam, write_bundle(tmp_path / "bundle"))
    assert nodes_of(scene) == before
    assert not start.folder.exists()


def test_a_second_run_waits_for_the_first(lib: Any, exam: Any, tmp_path: Path) -> None:
    logic = lib.RadiomicFingerprintLogic(FakeStart(exit_code=None), HandTimer)
    logic.start(exam, write_bundle(tmp_path / "bundle"))
    with pytest.raises(InputError, match="under way"):
        logic.start(exam, tmp_path / "bundle")
    logic.cancel()


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"volumes": {}}, InputError, "at least one view"),
        ({"bundle": "nowhere"}, BundleError, "nowhere"),
        ({"roi": {"centre_mm": [0, 0, 0], "size_mm": [1, 1, 1]}, "segmentation": "both"}, InputError, "one of them"),
        ({"segmentation": "no segment"}, InputError, "segment_id"),
    ],
)
def test_a_mistake_is_named_before_anything_starts(
    lib: Any, exam: Any, tmp_path: Path, arguments: dict[str, Any], error: type[DeepRadiomicsError], said: str
) -> None:
    start = FakeStart(result_writer)
    given = {"volumes": exam, "bundle": write_bundle(tmp_path / "bundle"), **arguments}
    with pytest.raises(error, match=said):
        lib.RadiomicFingerprintLogic(start).apply(**given)
    assert start.child is None


def test_a_batch_of_volumes_is_one_child_and_one_table(lib: Any, scene: Any, exam: Any, tmp_path: Path) -> None:
    manifests = []

    def write(words: list[str]) -> None:
        manifests.append(Path(words[words.index("--manifest") + 1]).read_text(encoding="utf-8").splitlines())
        out = Path(words[words.index("-o") + 1])
        out.mkdir(parents=True)
        text = "id,status,probability_acl,message\na,done,0.25,\nb,failed,,no voxels\n"
        (out / "batch.csv").write_text(text, encoding="utf-8")

    table = lib.RadiomicFingerprintLogic(FakeStart(write)).batch(
        {"a": {"sagittal": exam["sagittal"]}, "b": {"sagittal": exam["axial"]}}, tmp_path / "out",
        write_bundle(tmp_path / "bundle"),
    )  # fmt: skip
    assert [line.split(",")[0] for line in manifests[0]] == ["id", "a", "b"]
    assert table.GetTable().GetColumnByName("probability_acl").GetValue(0) == 0.25
    assert table.GetTable().GetColumnByName("message").GetValue(1) == "no voxels"


def test_a_batch_takes_a_folder_or_the_manifest_in_it(lib: Any, tmp_path: Path) -> None:
    def write(words: list[str]) -> None:
        out = Path(words[words.index("-o") + 1])
        out.mkdir(parents=True, exist_ok=True)
        (out / "batch.csv").write_text("id,status\na,done\n", encoding="utf-8")

    (tmp_path / "cases").mkdir()
    start = FakeStart(write)
    for expected in ("--folder", "--manifest"):
        lib.RadiomicFingerprintLogic(start).batch(tmp_path / "cases", tmp_path / "o", write_bundle(tmp_path / "bundle"))
        assert [word for word in start.words if word in ("--folder", "--manifest")] == [expected]
        (tmp_path / "cases" / "manifest.csv").write_text("id\n", encoding="utf-8")


def test_training_returns_the_bundle_that_the_child_names(lib: Any, tmp_path: Path) -> None:
    start = FakeStart(lambda words: {"bundle": str(tmp_path / "run" / "bundle")})
    made = lib.RadiomicFingerprintLogic(start).train(
        tmp_path / "m.csv", tmp_path / "run", tasks=("acl",), preset="tiny"
    )
    assert made == tmp_path / "run" / "bundle"
    assert start.words[:3] == ["fingerprint", "train", str(tmp_path / "m.csv")]
    assert (start.given("--preset"), start.given("--tasks")) == ("tiny", "acl")
    assert "--resume" in start.words


def test_training_with_another_patch_grid_is_given_a_whole_configuration(lib: Any, tmp_path: Path) -> None:
    from deepradiomics.fingerprint.model.config import FingerprintConfig

    seen = []

    def look(words: list[str]) -> dict[str, Any]:
        values = json.loads(Path(words[words.index("--config") + 1]).read_text(encoding="utf-8"))
        seen.append(FingerprintConfig.from_dict(values))
        return {"bundle": "b"}

    start = FakeStart(look)
    lib.RadiomicFingerprintLogic(start).train("m.csv", tmp_path, patch_grid=(1, 1, 1), reference_view="coronal")
    assert seen[0].recipe.patch_grid == (1, 1, 1)
    assert seen[0].recipe.reference_view == "coronal"
    assert "--preset" not in start.words


def test_a_case_is_called_as_its_volume_unless_it_is_named(lib: Any, exam: Any, tmp_path: Path) -> None:
    start = FakeStart(result_writer)
    lib.RadiomicFingerprintLogic(start).apply(exam, write_bundle(tmp_path / "bundle"), output_folder=tmp_path)
    assert start.given("--case-id") == "sagittal"
    assert (tmp_path / "sagittal" / "prediction.json").is_file()


def test_the_sample_model_is_taken_when_none_is_named(lib: Any, exam: Any) -> None:
    if not (lib.work.SAMPLE_BUNDLE / "bundle.json").is_file():
        pytest.skip("the sample model has not been trained in this checkout")
    start = FakeStart(result_writer)
    lib.RadiomicFingerprintLogic(start).apply(exam)
    assert start.words[2] == str(lib.work.SAMPLE_BUNDLE)


def test_a_cancelled_blocking_run_raises_cancelled(lib: Any, exam: Any, tmp_path: Path) -> None:
    logic = lib.RadiomicFingerprintLogic(FakeStart(exit_code=None))

    def stop(fraction: float, message: str) -> None:
        raise Cancelled("the user closed the window")

    with pytest.raises(Cancelled):
        logic.apply(exam, write_bundle(tmp_path / "bundle"), on_progress=stop)


def add_segment(
    scene: Any, volume: Any, segmentation: Any = None, name: str = "a",
    where: tuple[slice, slice, slice] = (slice(2, 6), slice(3, 8), slice(4, 10)),
) -> tuple[Any, str]:  # fmt: skip
    """A block of voxels (z, y, x) of a volume as a segment."""
    import slicer

    if segmentation is None:
        segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segments")
        segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment = segmentation.GetSegmentation().AddEmptySegment(name, name)
    voxels = np.zeros_like(slicer.util.arrayFromVolume(volume), np.uint8)
    voxels[where] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, segmentation, segment, volume)
    return segmentation, segment


@pytest.mark.parametrize(
    ("change", "said"), [({"kind": "lens"}, "kind 'fingerprint'"), ({"config": {}}, "lacks or misspells 'recipe'")]
)
def test_a_model_of_another_kind_or_without_recipe_is_named(
    lib: Any, exam: Any, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    file = write_bundle(tmp_path / "bundle") / "bundle.json"
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    with pytest.raises(BundleError, match=said):
        lib.RadiomicFingerprintLogic(FakeStart()).apply(exam, tmp_path / "bundle")
