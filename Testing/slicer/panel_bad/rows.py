"""The table of bad input: a row is a sentence, what a kind of run must have for it, and a function that tries it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.scene.job import dependencies
from Testing.slicer.fake_child import FakeStart
from Testing.slicer.logic.test_fingerprint_logic import add_segment
from Testing.slicer.panel_bad.desks import of_kind
from Testing.slicer.panel_bad.trial import Trial
from Testing.slicer.scene.test_fingerprint_scene import snapshot

FULL = OSError(28, "No space left on device")


@dataclass(frozen=True)
class Row:
    """`needs`: what a kind of run must have (`desks.Desk.has`)."""

    sentence: str
    needs: tuple[str, ...]
    function: Callable[[Trial], None]


ROWS: list[Row] = []


def row(sentence: str, *needs: str) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
    """Add a function to the table."""

    def add(function: Callable[[Trial], None]) -> Callable[[Trial], None]:
        ROWS.append(Row(sentence, needs, function))
        return function

    return add


# --- volumes -------------------------------------------------------------------------------------------------------


@row("no volume is chosen", "volume")
def no_volume(trial: Trial) -> None:
    trial.volume = None
    trial.is_refused("Choose ")  # "Choose the head CT.", "Choose the volume of t2." …


@row("the volume holds no image", "volume")
def no_image(trial: Trial) -> None:
    trial.volume = trial.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "hollow")
    trial.is_refused("'hollow'", "holds no image", "load or choose another")


@row("the volume holds an image without voxels", "volume")
def no_voxels(trial: Trial) -> None:
    import vtk

    trial.volume = node = trial.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "hollow")
    node.SetAndObserveImageData(vtk.vtkImageData())
    trial.is_refused("'hollow'", "holds no image")


@row("the volume is a colour image", "volume")
def colour(trial: Trial) -> None:
    trial.volume = trial.add_volume(np.zeros((6, 7, 8, 3), np.uint8), "photograph")
    trial.is_refused("'photograph'", "3 numbers a voxel", "Vector to Scalar Volume module")


@row("the volume holds images over time", "volume")
def over_time(trial: Trial) -> None:
    trial.volume = trial.add_volume(np.zeros((6, 7, 8, 20), np.float32), "perfusion")
    trial.is_refused("'perfusion'", "20 numbers a voxel", "over time", "Vector to Scalar Volume module")


@row("the scene has images over time alone", "volume")
def only_over_time(trial: Trial) -> None:
    scene = trial.scene
    for node in [
        scene.GetNthNodeByClass(i, "vtkMRMLScalarVolumeNode")
        for i in range(scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode"))
    ]:
        if node.GetClassName() == "vtkMRMLScalarVolumeNode":
            scene.RemoveNode(node)
    trial.add_volume(np.zeros((6, 7, 8, 20), np.float32), "perfusion", "vtkMRMLVectorVolumeNode")
    trial.panel.onParametersModified()
    trial.is_refused("hoose", "'perfusion'", "Vector to Scalar Volume module", again=True)


@row("the volume is the frame of a sequence", "volume")
def frame(trial: Trial) -> None:
    proxy = trial.add_volume(np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8), "beating heart")
    sequence = trial.scene.AddNode(trial.slicer.vtkMRMLSequenceNode())
    browser = trial.scene.AddNode(trial.slicer.vtkMRMLSequenceBrowserNode())
    browser.SetName("cine")
    sequence.SetDataNodeAtValue(proxy, "0")
    browser.AddSynchronizedSequenceNode(sequence)
    browser.AddProxyNode(proxy, sequence, False)
    trial.volume = proxy
    trial.is_refused("'beating heart'", "'cine'", "clone the frame")


@row("the volume is one voxel", "volume")
def one_voxel(trial: Trial) -> None:
    trial.volume = trial.add_volume(np.full((1, 1, 1), 40, np.int16), "speck")
    trial.is_refused("'speck' is one voxel (1 × 1 × 1 voxels)", "choose another")


@row("the volume is one slice", "volume")
def one_slice(trial: Trial) -> None:
    slice_ = np.random.default_rng(1).integers(0, 99, (1, 20, 24)).astype(np.int16)
    trial.volume = trial.add_volume(slice_, "scout")
    if not trial.desk.flat:
        return trial.is_refused("'scout' is one slice (24 × 20 × 1 voxels)", "several slices is needed")
    trial.choose(*add_segment(trial.scene, trial.volume, None, "a", (slice(0, 1), slice(3, 9), slice(4, 10))))
    trial.press()
    trial.wind()
    assert trial.errors == []
    assert trial.start.child is not None
    return None


# --- regions -------------------------------------------------------------------------------------------------------


@row("the segmentation has no segment", "segmentation")
def no_segment(trial: Trial) -> None:
    trial.choose(trial.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "blank"))
    trial.is_refused("segment")


@row("the segments are hidden", "segmentation")
def hidden_segments(trial: Trial) -> None:
    node = trial.segmentation
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display, segments = node.GetDisplayNode(), node.GetSegmentation()
    for index in range(segments.GetNumberOfSegments()):
        display.SetSegmentVisibility(segments.GetNthSegmentID(index), False)
    display.SetVisibility(False)
    trial.panel.onParametersModified()
    assert trial.button.enabled, trial.sentence
    trial.press()
    masks = list(trial.start.folder.rglob("*mask*.nrrd")) + list(trial.start.folder.rglob("roi.nrrd"))
    assert masks
    assert trial.errors == []
    from deepradiomics.images import read_mask

    assert all(read_mask(path).labels.any() for path in masks)
    trial.press()
    trial.is_clean()


@row("the segment is empty", "segmentation")
def empty_segment(trial: Trial) -> None:
    node = trial.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "blank")
    trial.choose(node, node.GetSegmentation().AddEmptySegment("void", "nothing drawn"))
    trial.is_refused("segment 'nothing drawn'", "is empty", "draw it on the volume 'good ")


@row("the segmentation is of another patient", "segmentation")
def another_patient(trial: Trial) -> None:
    voxels = np.random.default_rng(1).integers(0, 99, (10, 20, 24)).astype(np.int16)
    other = trial.add_volume(voxels, "another patient")
    other.SetOrigin(4000.0, -3000.0, 2500.0)
    trial.choose(*add_segment(trial.scene, other, None, "lesion of another"))
    trial.is_refused(
        "segment 'lesion of another' of 'segments'", "does not overlap the volume 'good ", "Choose the segmentation of"
    )  # fmt: skip


# --- models --------------------------------------------------------------------------------------------------------


@row("the model is of another module", "bundle")
def foreign_model(trial: Trial) -> None:
    folder = of_kind(trial.folder / "foreign", "something-else")
    if trial.desk.module == "ICHLatentFeatures":
        folder = of_kind(trial.folder / "outer" / "predictor", "something-else").parent
    setattr(trial.p, trial.desk.bundle, str(folder))
    trial.is_refused(str(folder), "something-else")


@row("the folder of the model holds none", "bundle")
def no_model(trial: Trial) -> None:
    (trial.folder / "plain").mkdir()
    setattr(trial.p, trial.desk.bundle, str(trial.folder / "plain"))
    trial.is_refused(str(trial.folder / "plain"))


@row("the description of the model is broken", "bundle")
def broken_model(trial: Trial) -> None:
    folder = _good_model(trial)
    info = next(folder.rglob("bundle.json"))
    info.write_text('{"format": "deepradiomics-bun', encoding="utf-8")
    setattr(trial.p, trial.desk.bundle, str(folder))
    trial.is_refused(str(info), "Copy the whole bundle folder again")


@row("the weights of the model are missing", "bundle")
def no_weights(trial: Trial) -> None:
    folder = _good_model(trial)
    weights = next(folder.rglob("model.safetensors"))
    weights.unlink()
    setattr(trial.p, trial.desk.bundle, str(folder))
    trial.is_refused(str(weights), "is missing", "Copy the whole bundle folder again")


@row("weights that were missing are put back", "bundle")
def weights_again(trial: Trial) -> None:
    folder = _good_model(trial)
    weights = next(folder.rglob("model.safetensors"))
    weights.unlink()
    setattr(trial.p, trial.desk.bundle, str(folder))
    assert not trial.button.enabled
    weights.touch()
    trial.panel.enter()
    assert trial.button.enabled, trial.sentence


def _good_model(trial: Trial) -> Path:
    assert trial.desk.model is not None
    return trial.desk.model(trial.folder / "model of a kind")


# --- folders -------------------------------------------------------------------------------------------------------


@row("the folder for results is a file", "output")
def output_is_a_file(trial: Trial) -> None:
    file = trial.folder / "notes.txt"
    file.write_text("notes", encoding="utf-8")
    setattr(trial.p, trial.desk.output, str(file))
    trial.is_refused(str(file), "is a file", "choose another folder")
    assert file.read_text(encoding="utf-8") == "notes"


@row("the folder for results would lie in a file", "output")
def output_in_a_file(trial: Trial) -> None:
    (trial.folder / "notes.txt").write_text("notes", encoding="utf-8")
    setattr(trial.p, trial.desk.output, str(trial.folder / "notes.txt" / "results"))
    trial.is_refused(str(trial.folder / "notes.txt"), "is a file", "choose another folder")


@row("the folder for results cannot be written", "output")
def output_is_locked(trial: Trial) -> None:
    import os

    locked, access = trial.folder / "locked", os.access
    locked.mkdir()
    with pytest.MonkeyPatch.context() as patch:  # the superuser, who runs some tests, may write everywhere
        patch.setattr(os, "access", lambda path, mode, **more: Path(path) != locked and access(path, mode, **more))
        setattr(trial.p, trial.desk.output, str(locked / "results"))
        trial.is_refused(str(locked), "Nothing can be written", "choose another folder")


# --- the disk, the package index -------------------------------------------------------------------------------------


@row("the disk is full when a run makes its folder")
def full_at_first(trial: Trial) -> None:
    import tempfile

    before = snapshot(trial.scene)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "mkdtemp", _full)
        trial.press()
    assert trial.start.child is None
    trial.fails(before, "No space left on device", "Check the disk's space")


@row("the disk is full when the inputs are written", "volume")
def full_at_the_inputs(trial: Trial) -> None:
    from deepradiomics.files import atomic as files

    before = snapshot(trial.scene)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files.os, "replace", _full)
        trial.press()
    assert trial.start.child is None
    trial.fails(before, "space")


@row("the disk is full when the result is kept", "keeps")
def full_at_the_end(trial: Trial) -> None:
    trial.press()
    before = snapshot(trial.scene)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "copytree", _full)
        trial.wind()
    trial.fails(before, "could not be kept", "Free space there, or choose another folder")


def _full(*_: Any, **__: Any) -> Any:
    raise FULL


@row("the package index cannot be reached")
def no_index(trial: Trial) -> None:
    absent = dependencies.Dependency("package-of-nowhere", "package_of_nowhere", "1.0", "going nowhere")
    before, text = snapshot(trial.scene), trial.button.text

    def unreachable(self: Any, requirements: Any, constraints: Path) -> None:
        command = [sys.executable, "-m", "pip", "install", *requirements]
        raise subprocess.CalledProcessError(1, command, stderr="Temporary failure in name resolution")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dependencies.SlicerInstaller, "install", unreachable)
        for feature in dependencies.NEEDS:
            patch.setitem(dependencies.NEEDS, feature, (absent,))
        trial.panel.enter()
        assert trial.button.text == "Install packages…"
        trial.press()
        assert trial.start.child is None
        assert trial.panel.idle
        assert trial.button.text == "Install packages…"
    trial.panel.enter()
    assert trial.button.text == text
    trial.fails(before, "package-of-nowhere", "could not be installed", "Install from a folder of wheels")


# --- in the middle of a run ------------------------------------------------------------------------------------------


@row("the child is killed")
def killed(trial: Trial) -> None:
    trial.let(FakeStart(exit_code=-9))
    before = snapshot(trial.scene)
    trial.press()
    trial.fails(before, "was killed", "run out of memory", "close other programs")


@row("the child ends without a result")
def silent(trial: Trial) -> None:
    trial.let(FakeStart(exit_code=1, error="something of its own"))
    before = snapshot(trial.scene)
    trial.press()
    trial.fails(before, "something of its own")


@row("the folder of the result is empty", "volume")
def incomplete(trial: Trial) -> None:
    def empty(words: list[str]) -> None:
        out = Path(words[words.index("-o") + 1])
        (out if not out.suffix else out.parent).mkdir(parents=True, exist_ok=True)

    trial.let(FakeStart(empty))
    before = snapshot(trial.scene)
    trial.press()
    trial.fails(before, "missing" if trial.desk.name not in ("segmenting",) else "mask.nii.gz")


@row("the volume is deleted in the middle of a run", "volume")
def volume_deleted(trial: Trial) -> None:
    volume = trial.volume
    trial.press()
    trial.scene.RemoveNode(volume)
    if trial.desk.needs_image:
        before = snapshot(trial.scene)
        trial.fails(before, "'good ", "was deleted during the run", "Load it again and run again", again=True)
    else:
        _shown_without(trial, "'good ")


@row("the segmentation is deleted in the middle of a run", "segmentation")
def segmentation_deleted(trial: Trial) -> None:
    name = trial.segmentation.GetName()
    trial.press()
    trial.scene.RemoveNode(trial.segmentation)
    _shown_without(trial, f"'{name}'")


@row("the box is deleted in the middle of a run", "roi")
def box_deleted(trial: Trial) -> None:
    from deepradiomics.scene.nodes.regions import place_in_middle

    choices = sys.modules[f"{trial.desk.module}Lib.choices"]
    box = trial.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "my box")
    assert place_in_middle(box, trial.volume)
    trial.p.roiNode, trial.p.roiSource = box, choices.RoiSource.BOX
    assert trial.button.enabled, trial.sentence
    trial.press()
    trial.scene.RemoveNode(box)
    _shown_without(trial, "'my box'")


def _shown_without(trial: Trial, name: str) -> None:
    """The result is shown whole, does not refer to what is gone, and the log says so."""
    trial.wind()
    assert trial.errors == []
    assert f"{name}" in trial.log
    assert "was deleted during the run: the result does not refer to it" in trial.log
    assert trial.panel.idle
    assert trial.button.text != "Cancel"
    assert list(trial.temporary.iterdir()) == []
    scene, results = trial.scene, 0
    for index in range(scene.GetNumberOfNodes()):
        node, roles = scene.GetNthNode(index), []
        if node.GetAttribute("DeepRadiomics.kind") is None:
            continue
        results += 1
        node.GetNodeReferenceRoles(roles)
        referred = [node.GetNthNodeReferenceID(each, 0) for each in roles]
        assert all(scene.GetNodeByID(each) is not None for each in referred if each), node.GetName()
    assert results


@row("the scene is closed in the middle of a run")
def scene_closed(trial: Trial) -> None:
    trial.press()
    child = trial.start.child
    trial.scene.Clear(False)
    before = snapshot(trial.scene)
    trial.wind()
    assert child is not None
    assert child.killed
    assert trial.errors == []
    assert snapshot(trial.scene) == before
    trial.says(trial.log, "The scene was closed, so the run was ended", "start it again")
    trial.is_usable(again=True)


@row("the module is reloaded in the middle of a run")
def module_reloaded(trial: Trial) -> None:
    def reload(name: str) -> None:
        old.cleanup()
        sys.modules.pop(name)
        trial.host.open()

    trial.press()
    old, child, folder = trial.panel, trial.start.child, trial.start.folder
    trial.monkeypatch.setattr(trial.slicer.util, "reloadScriptedModule", reload)
    old.onReload()
    trial.wind()
    assert child is not None
    assert child.killed
    assert not folder.exists()
    assert trial.errors == []
    assert trial.panel is not old
    assert not old.logic.running
    trial.is_usable(again=True)
