"""Segmenting and registering from any module: what the child is asked, and where its results lie in the world."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Mask, Volume, read_volume, write_mask, write_volume
from deepradiomics.prepare.affine import AffineTransform
from Testing.slicer.fake_child import FakeStart, HandTimer
from Testing.slicer.ich_result import head_geometry
from Testing.slicer.scene.test_fingerprint_scene import rigid
from Testing.slicer.synthetic_result import rotation

LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
MOTION = np.eye(4)  # fixed to moving, LPS: what the child finds
MOTION[:3, :3], MOTION[:3, 3] = rotation(20, (1, -1, 2)), (9.0, -5.0, 3.0)


@pytest.fixture
def tools(headless: Any) -> Any:
    from deepradiomics.scene.runs.image_tools import ImageTools

    HandTimer.made.clear()
    return ImageTools


@pytest.fixture
def volume(scene: Any) -> Any:
    """A volume with a bright block, on a tilted grid, below a rigid transform."""
    from deepradiomics.scene.nodes.placement import matrix_of
    from deepradiomics.scene.nodes.volumes import node_from_volume

    grid = head_geometry()
    voxels = np.zeros(grid.shape, np.int16)
    voxels[10:14, 20:30, 25:40] = 70
    node = node_from_volume(Volume(voxels, grid), scene, "head")
    parent = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    parent.SetMatrixTransformToParent(matrix_of(rigid()))
    node.SetAndObserveTransformNodeID(parent.GetID())
    return node


def write_segment(words: list[str]) -> dict[str, Any]:
    """What `deepradiomics segment` writes: here what is brighter than 50."""
    image = read_volume(words[1])
    inside = (image.voxels > 50).astype(np.uint8)
    write_mask(Mask(inside, image.geometry), words[words.index("-o") + 1])
    return {"volume_ml": float(inside.sum()), "abc2_ml": 7.5, "notes": ["thick slices: 5 mm"]}


def write_nothing(words: list[str]) -> dict[str, Any]:
    image = read_volume(words[1])
    write_mask(Mask(np.zeros(image.geometry.shape, np.uint8), image.geometry), words[words.index("-o") + 1])
    return {"volume_ml": 0.0}


def write_registration(words: list[str]) -> None:
    """What `deepradiomics register` writes."""
    out = Path(words[words.index("-o") + 1])
    out.mkdir()
    AffineTransform(MOTION).write(out / "transform.tfm")  # type: ignore[arg-type]
    fixed = read_volume(words[1])
    write_volume(fixed, out / "registered.nii.gz")
    about = {"kind": "registration", "metric": "mi", "metric_value": 0.75, "backend": "cpu"}
    (out / "registration.json").write_text(json.dumps(about), encoding="utf-8")


def node_ids(scene: Any) -> set[str]:
    return {scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())}


def test_a_segment_lies_on_the_voxels_that_the_network_marked(tools: Any, volume: Any, tmp_path: Path) -> None:
    import slicer

    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation
    from deepradiomics.scene.tree.folder import referenced_inputs

    start = FakeStart(write_segment)
    nodes = tools(start).segment(volume, tmp_path, flips=True, largest=True, device="cpu")
    assert start.words[0] == "segment"
    assert {"--flips", "--largest"} <= set(start.words)
    assert start.given("--segmenter") == str(tmp_path)
    assert start.given("--device") == "cpu"
    found = mask_from_segmentation(nodes.segmentation, placement(volume).geometry, [nodes.segment_id]).labels
    np.testing.assert_array_equal(found > 0, slicer.util.arrayFromVolume(volume) > 50)
    assert (nodes.volume_ml, nodes.abc2_ml, nodes.notes) == (4 * 10 * 15, 7.5, ("thick slices: 5 mm",))
    assert referenced_inputs(nodes.segmentation)["image"] is volume
    assert nodes.segmentation.GetTransformNodeID() == volume.GetTransformNodeID()


def test_an_empty_segmentation_is_said_and_adds_nothing(tools: Any, scene: Any, volume: Any, tmp_path: Path) -> None:
    before = node_ids(scene)
    nodes = tools(FakeStart(write_nothing)).segment(volume, tmp_path)
    assert nodes.segmentation is None
    assert nodes.notes[0] == "the network found nothing to segment"
    assert node_ids(scene) == before


def test_the_transform_above_the_moving_volume_brings_it_onto_the_fixed_one(
    tools: Any, scene: Any, volume: Any
) -> None:
    from deepradiomics.scene.nodes.placement import ijk_to_ras, placement, to_world
    from deepradiomics.scene.nodes.volumes import node_from_volume

    moving = node_from_volume(
        Volume(np.ones((4, 5, 6), np.int16), head_geometry().crop((2, 3, 4), (6, 5, 4))), scene, "late"
    )
    start = FakeStart(write_registration)
    nodes = tools(start).register(volume, moving, backend="cpu", transform="rigid", metric="ncc", seed=4)
    given = {name: start.given(f"--{name}") for name in ("backend", "transform", "seed", "metric")}
    assert given == {"backend": "cpu", "transform": "rigid", "seed": "4", "metric": "ncc"}
    landmark = np.array([12.0, -7.0, 30.0, 1.0])  # in the fixed image, RAS
    in_moving = (LPS_RAS @ MOTION @ LPS_RAS @ landmark)[:3]
    local = np.linalg.inv(ijk_to_ras(moving)) @ (*in_moving, 1.0)  # the voxel that shows the landmark
    moving.SetAndObserveTransformNodeID(nodes.transform.GetID())
    there = to_world(moving, (ijk_to_ras(moving) @ local)[None, :3])[0]
    np.testing.assert_allclose(there, landmark[:3], atol=1e-6)
    assert placement(nodes.volume).geometry.is_close(placement(volume).geometry, 1e-3)
    assert nodes.volume.GetTransformNodeID() == volume.GetTransformNodeID()
    assert (nodes.metric, nodes.metric_value, nodes.backend) == ("mi", 0.75, "cpu")


def test_a_run_in_the_background_tells_by_callbacks(tools: Any, volume: Any, tmp_path: Path) -> None:
    done: list[Any] = []
    tools(FakeStart(write_segment), HandTimer).start_segment(volume, tmp_path, on_finished=done.append)
    assert done == []
    HandTimer.made[-1].wind()
    assert done[0].segment_id


def test_mistakes_are_named_before_anything_starts(tools: Any, scene: Any, volume: Any) -> None:
    start = FakeStart(write_segment)
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    with pytest.raises(InputError, match="'empty' holds no image"):
        tools(start).segment(empty, "model")
    with pytest.raises(InputError, match="model: name the folder"):
        tools(start).segment(volume, "")
    with pytest.raises(InputError, match="the same volume, 'head'"):
        tools(start).register(volume, volume)
    with pytest.raises(InputError, match="transform: expected one of rigid, affine"):
        tools(start).register(volume, scene.CopyNode(volume), transform="elastic")
    assert start.child is None


def test_a_damaged_registration_leaves_nothing_behind(tools: Any, scene: Any, volume: Any) -> None:
    def write_half(words: list[str]) -> None:
        write_registration(words)
        (Path(words[words.index("-o") + 1]) / "registered.nii.gz").write_bytes(b"no")

    from deepradiomics.scene.nodes.volumes import node_from_volume

    moving = node_from_volume(Volume(np.ones((4, 5, 6), np.int16), head_geometry().crop((2, 3, 4), (6, 5, 4))), scene)
    before = node_ids(scene)
    with pytest.raises(InputError, match="registered"):
        tools(FakeStart(write_half)).register(volume, moving)
    assert node_ids(scene) == before


def test_the_words_are_those_that_the_command_line_takes(tools: Any, volume: Any, tmp_path: Path) -> None:
    import typer

    from deepradiomics.cli.main import app

    moving = volume.GetScene().CopyNode(volume)
    for kind, run in (
        ("segment", lambda logic: logic.segment(volume, tmp_path, flips=True, largest=True, device="cpu")),
        ("register", lambda logic: logic.register(volume, moving, transform="affine", backend="cpu", seed=3)),
    ):
        commands: Any = typer.main.get_command(app)
        if kind not in commands.commands:
            pytest.skip(f"no command {kind}")
        start = FakeStart(write_segment if kind == "segment" else write_registration)
        run(tools(start))
        parsed = commands.commands[kind].make_context("test", list(start.words[1:])).params
        assert parsed["json_lines"]
        assert parsed["device"] in ("cpu", "auto")
