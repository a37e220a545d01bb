"""RadiomicLens's logic on Slicer's real scene, with a child process that never runs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import Cancelled, DeepRadiomicsError, InputError, MaskError
from deepradiomics.images import Volume, read_mask, read_volume
from Testing.slicer.fake_child import FakeStart, HandTimer, parsed
from Testing.unit.reports.fake_lens import CASE_FEATURE, CASE_ID, case_grid, write_fake_case, write_fake_lens

MODULE = Path(__file__).resolve().parents[3] / "RadiomicLens"
MODALITIES = ("t2", "highb", "adc")


@pytest.fixture
def lib(headless: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module's logic, imported as Slicer imports it."""
    monkeypatch.syspath_prepend(str(MODULE))
    from RadiomicLensLib import logic

    HandTimer.made.clear()
    yield logic
    for name in [name for name in sys.modules if name.startswith("RadiomicLensLib")]:
        del sys.modules[name]


@pytest.fixture
def exam(scene: Any) -> dict[str, Any]:
    """Volume nodes on three tilted grids, and a block of T2 as a segment."""
    import slicer

    from deepradiomics.scene.nodes.volumes import node_from_volume

    nodes = {}
    for index, name in enumerate(MODALITIES):
        grid = case_grid(index)
        voxels = np.arange(np.prod(grid.shape), dtype=np.float32).reshape(grid.shape)
        nodes[name] = node_from_volume(Volume(voxels, grid), scene, name)
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segments")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(nodes["t2"])
    segment = segmentation.GetSegmentation().AddEmptySegment("gland", "gland")
    voxels = np.zeros(case_grid(0).shape, np.uint8)
    voxels[3:7, 20:30, 20:32] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, segmentation, segment, nodes["t2"])
    return {**nodes, "roi": (segmentation, segment)}


def write_lens(words: list[str]) -> dict[str, Any]:
    return {"folder": str(write_fake_lens(Path(words[words.index("-o") + 1])))}


def write_case(words: list[str]) -> None:
    row = {name: words[words.index(f"--{name}") + 1] for name in ("modality", "feature")}
    write_fake_case(Path(words[words.index("-o") + 1]), row)


def nodes_of(scene: Any) -> set[str]:
    return {scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())}


def test_fit_blocks_and_returns_the_nodes_of_the_lens(lib: Any, tmp_path: Path) -> None:
    start = FakeStart(write_lens)
    nodes = lib.RadiomicLensLogic(start).fit(
        manifest=tmp_path / "m.csv", pre=tmp_path / "a", ft="package.module:make", output=tmp_path / "out",
        preset="tiny", roi="lesion", permutations=50, layer="stages.2", device="cpu", seed=3,
    )  # fmt: skip
    assert nodes.shift.GetNumberOfRows() == 837
    assert set(nodes.charts) == {"r2", "shift", "explained"}
    assert start.words[:3] == ["lens", "fit", str(tmp_path / "m.csv")]
    assert start.words[-1] == "--json"
    given = {name: start.given(f"--{name}") for name in ("ft", "layer", "device", "seed")}
    assert given == {"ft": "package.module:make", "layer": "stages.2", "device": "cpu", "seed": "3"}
    assert "--resume" in start.words
    assert "--finetune" not in start.words
    assert nodes.shift.GetAttribute(lib.FOLDER_ATTRIBUTE) == str(tmp_path / "out")
    assert not start.folder.exists()


def test_the_options_are_the_lenss_own_configuration(lib: Any, tmp_path: Path) -> None:
    from deepradiomics.lens.config import LensConfig

    seen = []

    def look(words: list[str]) -> dict[str, Any]:
        seen.append(LensConfig.read(words[words.index("--config") + 1]))
        return write_lens(words)

    lib.RadiomicLensLogic(FakeStart(look)).fit(
        manifest="m.csv", pre="a", ft="b", output=tmp_path / "out", preset="tiny", modalities=["t2"], missing="drop"
    )
    assert (seen[0].preset, seen[0].hidden, seen[0].spacing_mm) == ("tiny", 32, None)
    assert (seen[0].modalities, seen[0].missing) == (("t2",), "drop")


def test_a_fine_tunings_folder_names_both_encoders(lib: Any, tmp_path: Path) -> None:
    start = FakeStart(write_lens)
    lib.RadiomicLensLogic(start).fit(manifest="m.csv", finetune=tmp_path / "ft", output=tmp_path / "out", resume=False)
    assert start.given("--pre") == str(tmp_path / "ft" / "frozen" / "encoder")
    assert start.given("--ft") == str(tmp_path / "ft" / "tuned" / "encoder")
    assert start.given("--finetune") == str(tmp_path / "ft")
    assert "--no-resume" in start.words


def test_cases_of_the_scene_become_files_and_a_manifest_in_world_space(
    lib: Any, scene: Any, exam: Any, tmp_path: Path
) -> None:
    import vtk

    from deepradiomics.cohort.manifest import read_manifest

    parent = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    move = vtk.vtkTransform()
    move.Translate(10, 20, 30)
    parent.SetMatrixTransformToParent(move.GetMatrix())
    for node in (*(exam[each] for each in MODALITIES), exam["roi"][0]):
        node.SetAndObserveTransformNodeID(parent.GetID())
    start = FakeStart(write_lens)
    two = {"one": exam, "two": {"t2": exam["t2"]}}
    lib.RadiomicLensLogic(start).fit(cases=two, pre="a", ft="b", output=tmp_path / "out")
    manifest = read_manifest(start.words[2], need_labels=False)
    assert manifest.ids == ("one", "two")
    assert manifest.views == MODALITIES
    assert manifest.rois == ("gland",)
    assert set(manifest.rows[1].views) == {"t2"}  # what it lacks is left empty
    assert not manifest.rows[1].masks
    moved = read_volume(manifest.rows[0].views["adc"]).geometry.origin_mm
    assert np.allclose(np.subtract(moved, case_grid(2).origin_mm), (-10, -20, 30), atol=1e-3)  # RAS to LPS
    mask = read_mask(manifest.rows[0].masks["gland"])
    assert mask.region(1).sum() == 4 * 10 * 12
    assert Path(start.words[2]).is_relative_to(tmp_path / "out")  # the case view finds the images another day


def test_the_same_images_find_their_files_again_and_others_leave_them_alone(
    lib: Any, scene: Any, exam: Any, tmp_path: Path
) -> None:
    import slicer

    start, manifests = FakeStart(write_lens), []
    for step in range(3):
        if step == 2:
            slicer.util.arrayFromVolume(exam["t2"])[0, 0, 0] += 1
        lib.RadiomicLensLogic(start).fit(cases={"one": exam}, pre="a", ft="b", output=tmp_path / "out")
        manifests.append(Path(start.words[2]))
    assert manifests[0] == manifests[1] != manifests[2]
    assert all(path.is_file() for path in manifests)
    assert len(list((tmp_path / "out" / "cases").iterdir())) == 2


def test_the_region_is_written_on_the_grid_it_was_drawn_on(lib: Any, exam: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.runs.scene_cohort import write_region

    volumes = {"adc": exam["adc"], "t2": exam["t2"]}
    assert read_mask(write_region(*exam["roi"], volumes, tmp_path / "a.nrrd")).geometry.size == case_grid(0).size
    only = {"adc": exam["adc"]}
    assert read_mask(write_region(*exam["roi"], only, tmp_path / "b.nrrd")).geometry.size == case_grid(2).size


def test_a_lens_is_opened_without_computing(lib: Any, tmp_path: Path) -> None:
    start = FakeStart()
    nodes = lib.RadiomicLensLogic(start).open(write_fake_lens(tmp_path / "lens", case=False))
    assert nodes.shift.GetNumberOfRows() == 837
    assert start.child is None


def test_a_feature_is_shown_in_a_case_of_the_last_lens(lib: Any, scene: Any, tmp_path: Path) -> None:
    start = FakeStart(write_case)
    logic = lib.RadiomicLensLogic(start)
    lens = logic.open(write_fake_lens(tmp_path / "lens"))
    nodes = logic.showFeature(CASE_ID, *CASE_FEATURE)
    assert start.words[:3] == ["lens", "case", str(tmp_path / "lens")]
    assert start.given("--case-id") == CASE_ID
    assert (nodes.modality, nodes.feature) == CASE_FEATURE
    assert set(nodes.rois) == set(MODALITIES)
    assert nodes.map.GetNodeReference("DeepRadiomics.shift").GetID() == lens.shift.GetID()
    assert not start.folder.exists()


def test_a_feature_is_shown_over_volumes_of_the_scene(lib: Any, exam: Any, tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def look(words: list[str]) -> None:
        views = [words[at + 1] for at, word in enumerate(words) if word == "--view"]
        seen["views"] = {name: read_volume(path).geometry.size for name, path in (one.split("=") for one in views)}
        seen["voxels"] = int(read_mask(words[words.index("--mask") + 1]).region(1).sum())
        write_case(words)

    logic = lib.RadiomicLensLogic(FakeStart(look))
    logic.open(write_fake_lens(tmp_path / "lens"))
    volumes = {each: exam[each] for each in MODALITIES}
    nodes = logic.showFeature("today", *CASE_FEATURE, volumes=volumes, roi=exam["roi"])
    assert seen == {"views": {each: case_grid(at).size for at, each in enumerate(MODALITIES)}, "voxels": 480}
    assert {each: node.GetID() for each, node in nodes.volumes.items()} == {
        each: node.GetID() for each, node in volumes.items()
    }


def test_without_a_segment_the_ellipsoid_is_asked_for_by_name(lib: Any, exam: Any, tmp_path: Path) -> None:
    start = FakeStart(write_case)
    logic = lib.RadiomicLensLogic(start)
    logic.open(write_fake_lens(tmp_path / "lens"))
    logic.showFeature("today", *CASE_FEATURE, volumes={each: exam[each] for each in MODALITIES})
    assert start.given("--roi") == "ellipsoid"
    assert "--mask" not in start.words


def test_volumes_of_the_scene_need_no_lens(lib: Any, exam: Any) -> None:
    start = FakeStart(write_case)
    volumes = {each: exam[each] for each in MODALITIES}
    lib.RadiomicLensLogic(start).showFeature("x", *CASE_FEATURE, volumes=volumes, roi=exam["roi"], preset="tiny")
    assert start.words[:4] == ["lens", "case", "--preset", "tiny"]


def test_in_the_background_progress_comes_first_and_the_nodes_last(lib: Any, tmp_path: Path) -> None:
    said: list[Any] = []
    logic = lib.RadiomicLensLogic(FakeStart(write_lens), HandTimer)
    logic.start_fit(
        manifest="m.csv", pre="a", ft="b", output=tmp_path / "out",
        on_progress=lambda fraction, message: said.append((fraction, message)),
        on_finished=lambda nodes: said.append(nodes.shift.GetNumberOfRows()),
    )  # fmt: skip
    assert logic.running
    HandTimer.made[-1].wind()
    assert said == [(0.4, "half way"), 837]
    assert not logic.running
    assert not HandTimer.made[-1].running


def test_cancel_kills_the_child_and_leaves_the_scene_alone(lib: Any, scene: Any, tmp_path: Path) -> None:
    start, said = FakeStart(exit_code=None), []
    logic = lib.RadiomicLensLogic(start, HandTimer)
    before = nodes_of(scene)
    logic.start_fit(
        manifest="m.csv", pre="a", ft="b", output=tmp_path / "o", on_cancelled=lambda: said.append("cancelled")
    )
    logic.cancel()
    assert start.child is not None
    assert start.child.killed
    assert said == ["cancelled"]
    assert not start.folder.exists()
    assert nodes_of(scene) == before


def test_a_cancelled_blocking_run_raises_cancelled(lib: Any, tmp_path: Path) -> None:
    def stop(fraction: float, message: str) -> None:
        raise Cancelled("the user closed the window")

    with pytest.raises(Cancelled):
        lib.RadiomicLensLogic(FakeStart(exit_code=None)).fit(
            manifest="m.csv", pre="a", ft="b", output=tmp_path / "o", on_progress=stop
        )


def test_a_failing_child_gives_its_own_message_and_leaves_the_scene_alone(lib: Any, scene: Any, tmp_path: Path) -> None:
    before = nodes_of(scene)
    start = FakeStart(exit_code=2, error="pre and ft: the embeddings have 320 and 768 dimensions")
    with pytest.raises(InputError, match="320 and 768"):
        lib.RadiomicLensLogic(start).fit(manifest="m.csv", pre="a", ft="b", output=tmp_path / "o")
    assert nodes_of(scene) == before
    assert not start.folder.exists()


def test_a_damaged_result_is_named_and_leaves_the_scene_alone(lib: Any, scene: Any, tmp_path: Path) -> None:
    write_fake_lens(tmp_path / "lens", case=False)
    (tmp_path / "lens" / "shift.csv").unlink()
    before = nodes_of(scene)
    with pytest.raises(InputError, match=r"shift\.csv"):
        lib.RadiomicLensLogic().open(tmp_path / "lens")
    assert nodes_of(scene) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"manifest": None}, "in one way"),
        ({"cases": {"a": {}}}, "in one way"),
        ({"manifest": None, "cases": {}}, "at least one"),
        ({"manifest": None, "cases": {"a": {"t2": None}}}, "a has no volume"),
        ({"ft": None}, "both encoders"),
        ({"output": None}, "output"),
        ({"hiden": 32}, "Did you mean 'hidden'"),
        ({"missing": "ignore"}, "expected one of refuse, drop"),
    ],
)
def test_a_mistake_is_named_before_anything_starts(lib: Any, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    start = FakeStart(write_lens)
    given = {"manifest": "m.csv", "pre": "a", "ft": "b", "output": tmp_path / "o", **change}
    with pytest.raises(InputError, match=said):
        lib.RadiomicLensLogic(start).fit(**given)
    assert start.child is None


def test_a_region_that_is_no_pair_is_named(lib: Any, exam: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one: expected 'roi': \\(segmentation node, segment ID\\)"):
        lib.RadiomicLensLogic(FakeStart()).fit(
            cases={"one": {**exam, "roi": exam["roi"][0]}}, pre="a", ft="b", output=tmp_path / "o"
        )


def test_an_empty_segment_is_named(lib: Any, exam: Any, tmp_path: Path) -> None:
    empty = exam["roi"][0].GetSegmentation().AddEmptySegment("nothing", "nothing")
    with pytest.raises(MaskError, match="nothing"):
        lib.RadiomicLensLogic(FakeStart()).fit(
            cases={"one": {**exam, "roi": (exam["roi"][0], empty)}}, pre="a", ft="b", output=tmp_path / "o"
        )


def test_what_the_case_view_cannot_show_is_named(lib: Any, tmp_path: Path) -> None:
    logic = lib.RadiomicLensLogic(FakeStart(write_case))
    with pytest.raises(InputError, match="no lens in the scene"):
        logic.showFeature("a", *CASE_FEATURE)
    with pytest.raises(InputError, match="no lens"):
        logic.showFeature("a", *CASE_FEATURE, result=tmp_path)
    lens = logic.open(write_fake_lens(tmp_path / "lens"))
    with pytest.raises(InputError, match="no feature 'glcm_Nothing'"):
        logic.showFeature("a", "t2", "glcm_Nothing")
    lens.shift.RemoveAttribute(lib.FOLDER_ATTRIBUTE)
    with pytest.raises(InputError, match="does not say where"):
        logic.showFeature("a", *CASE_FEATURE)
    (tmp_path / "lens" / "lens.json").unlink()
    lens.shift.SetAttribute(lib.FOLDER_ATTRIBUTE, str(tmp_path / "lens"))
    with pytest.raises(DeepRadiomicsError, match="no lens \\(any more\\)"):
        logic.showFeature("a", *CASE_FEATURE, result=lens.shift)


def test_the_words_of_a_fit_are_those_that_the_command_line_takes(lib: Any, tmp_path: Path) -> None:
    start = FakeStart(write_lens)
    lib.RadiomicLensLogic(start).fit(
        tmp_path / "m.csv", None, "a", "b:c", tmp_path / "o", finetune=tmp_path / "run", task_name="Volume REG",
        layer="stages.2", device="cuda", seed=4, resume=False,
    )  # fmt: skip
    expected = {
        "manifest": tmp_path / "m.csv", "pre": "a", "ft": "b:c", "output": tmp_path / "o", "resume": False,
        "config": start.folder / "config.json", "finetune": tmp_path / "run", "layer": "stages.2", "device": "cuda",
        "task_name": "Volume REG", "seed": 4, "json_lines": True,
    }  # fmt: skip
    options = parsed(start.words)
    assert {name: options[name] for name in expected} == expected


def test_the_words_of_a_case_are_those_that_the_command_line_takes(lib: Any, exam: Any, tmp_path: Path) -> None:
    start = FakeStart(write_case)
    logic = lib.RadiomicLensLogic(start)
    logic.open(write_fake_lens(tmp_path / "lens"))
    volumes = {modality: exam[modality] for modality in MODALITIES}
    logic.showFeature("a b", *CASE_FEATURE, volumes=volumes, roi=exam["roi"])
    options = parsed(start.words)
    expected = {
        "result": tmp_path / "lens", "case_id": "a b", "modality": CASE_FEATURE[0], "feature": CASE_FEATURE[1],
        "output": start.folder / "result", "mask": start.folder / "roi.nrrd", "roi": None,
    }  # fmt: skip
    assert {name: options[name] for name in expected} == expected
    assert [view.partition("=")[0] for view in options["view"]] == list(MODALITIES)
    lib.RadiomicLensLogic(start).showFeature("a", *CASE_FEATURE, volumes=volumes, preset="tiny", result=None)
    options = parsed(start.words)
    assert (options["roi"], options["mask"]) == ("ellipsoid", None)


def test_the_manifest_of_the_scene_is_written_in_its_order(lib: Any, exam: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.runs.scene_cohort import SceneCase, write_cohort

    cases = [SceneCase("b/1", {"t2": exam["t2"]}, patient="P"), SceneCase("B_1", {"t2": exam["t2"]}, patient="P")]
    path = write_cohort(cases, ["t2"], "ellipsoid", tmp_path / "cases")
    with open(path, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["id"], row["patient"]) for row in rows] == [("b_1", "P"), ("B_1 2", "P")]
    assert list(rows[0]) == ["id", "patient", "view_t2"]
    assert json.dumps(rows).count("t2.nrrd") == 2
