"""What all panels share, simulated: installing, starting, cancelling, reloading, following the scene."""

from __future__ import annotations

import gc
import sys
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepradiomics.errors import MissingDependencyError
from deepradiomics.scene.job import dependencies
from Testing.slicer.fake_child import FakeStart, HandTimer

ABSENT = dependencies.Dependency("package-of-nowhere", "package_of_nowhere", "1.0", "going nowhere")


def lacking_everything(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each run need a package that is not there, and the panel look again."""
    for feature in dependencies.NEEDS:
        monkeypatch.setitem(dependencies.NEEDS, feature, (ABSENT,))
    panel.enter()


def start_one(panel: Any, start: Callable[[dict[str, Any]], object]) -> Any:
    """Press nothing, but start a run as the panel's sections do; returns its button."""
    button = panel.run_buttons()[0]
    panel.run(button, "register", start, lambda value: None)
    return button


# --- packages ------------------------------------------------------------------------------------------------------


def test_missing_packages_are_told_and_the_button_installs_them(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking_everything(panel, monkeypatch)
    runs = [button for button in panel.run_buttons() if button.name != "exportDicomButton"]
    assert runs  # an export needs a result, which needs the packages before
    for button in runs:
        assert button.text == "Install packages…", button.name
        assert button.enabled, button.name
        assert "package-of-nowhere (going nowhere)" in button.toolTip
    assert "package-of-nowhere" in panel.ui.estimateLabel.text


def test_a_declined_installation_is_told_and_nothing_starts(
    panel: Any, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def declined(feature: str, **_: Any) -> None:
        raise MissingDependencyError("the installation was declined; nothing was installed")

    lacking_everything(panel, monkeypatch)
    monkeypatch.setattr(dependencies, "ensure", declined)
    started: list[Any] = []
    button = start_one(panel, started.append)
    assert errors == ["the installation was declined; nothing was installed"]
    assert started == []
    assert panel.idle
    assert button.text == "Install packages…"


def test_after_the_installation_the_run_goes_on(panel: Any, errors: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    needs = dict(dependencies.NEEDS)
    lacking_everything(panel, monkeypatch)

    def installed(feature: str, **_: Any) -> tuple[str, ...]:
        dependencies.NEEDS.update(needs)
        return ("package-of-nowhere>=1.0",)

    monkeypatch.setattr(dependencies, "ensure", installed)
    monkeypatch.setattr(panel, "refresh", lambda *_: panel.set_ready(panel.run_buttons()[0], None, "", "register"))
    started: list[Any] = []
    button = start_one(panel, started.append)
    assert errors == []
    assert len(started) == 1
    assert button.text == "Cancel"
    panel._cancelled()


def test_after_the_installation_a_run_that_lacks_an_input_says_which(
    panel: Any, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = dict(dependencies.NEEDS)
    lacking_everything(panel, monkeypatch)

    def installed(feature: str, **_: Any) -> tuple[str, ...]:
        dependencies.NEEDS.update(needs)
        return ("package-of-nowhere>=1.0",)

    monkeypatch.setattr(dependencies, "ensure", installed)
    reason = "Choose the volume, says this test."
    monkeypatch.setattr(panel, "refresh", lambda *_: panel.set_ready(panel.run_buttons()[0], reason, "", "register"))
    started: list[Any] = []
    button = start_one(panel, started.append)
    assert errors == []
    assert started == []
    assert reason in panel.ui.logText.toPlainText()
    assert button.text != "Install packages…"
    assert not button.enabled


# --- starting and cancelling ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (MemoryError(), "ran out of memory"),
        (RuntimeError("Unsupported volume type"), "Unsupported volume type"),
    ],
)
def test_whatever_a_start_raises_the_panel_unlocks_and_tells_it(
    panel: Any, errors: list[str], error: Exception, said: str
) -> None:
    texts = {button.name: button.text for button in panel.run_buttons()}

    def start(callbacks: dict[str, Any]) -> None:
        raise error

    start_one(panel, start)
    assert len(errors) == 1
    assert said in errors[0]
    assert panel.idle
    assert {button.name: button.text for button in panel.run_buttons()} == texts
    assert panel.ui.progressBar.isHidden()
    assert panel.ui.sampleButton.enabled
    assert all(section.enabled for section in panel.locked_sections())


def test_cancel_resets_a_panel_whose_job_is_not_running(panel: Any, errors: list[str]) -> None:
    button = start_one(panel, lambda callbacks: None)  # a start that started nothing
    assert button.text == "Cancel"
    start_one(panel, lambda callbacks: None)
    assert panel.idle
    assert button.text != "Cancel"
    assert errors == []


def test_an_error_while_salvaging_still_unlocks_the_panel(panel: Any, errors: list[str]) -> None:
    from deepradiomics.scene.job.runner import Work

    def broken() -> None:
        raise UnicodeDecodeError("utf-8", b"x", 0, 1, "broken table")

    logic = type(panel.logic)(FakeStart(exit_code=2, error="3 of 5 cases failed"), HandTimer)
    panel.logic = logic
    HandTimer.made.clear()

    def start(callbacks: dict[str, Any]) -> None:
        work = Work(lambda folder: ["anything"], lambda event, folder: None, broken)
        logic.run_in_background(lambda: work, (), callbacks)

    start_one(panel, start)
    HandTimer.made[-1].wind()
    assert errors == ["3 of 5 cases failed"]
    assert panel.idle


def test_a_run_is_ended_when_the_module_is_reloaded(
    panel: Any, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepradiomics.scene.job.runner import Work

    child = FakeStart(exit_code=None)
    panel.logic = type(panel.logic)(child, HandTimer)
    start_one(
        panel,
        lambda callbacks: panel.logic.run_in_background(
            lambda: Work(lambda folder: [], lambda *_: None), (), callbacks
        ),
    )
    panel.cleanup()  # which is what Slicer calls before it makes the panel anew
    assert child.child is not None
    assert child.child.killed
    assert not panel.logic.running
    assert errors == []
    assert not child.folder.exists()


# --- the scene -----------------------------------------------------------------------------------------------------


def test_one_wrapper_for_one_parameter_node(panel: Any, simulated: Any) -> None:
    wrapper = panel.parameters
    for _ in range(3):
        panel.exit()
        panel.enter()
        assert panel.parameters is wrapper


def test_no_observer_of_the_controls_outlives_them(panel: Any) -> None:
    """Slicer 5.10 leaves its own behind; after a garbage collection the node's next change would end the process."""
    wrapper, node = weakref.ref(panel.parameters), panel.parameters.parameterNode
    for leave in (panel.exit, panel.cleanup):
        panel.enter()
        tags = list(panel._binding._observers)
        assert tags
        assert all(node.GetCommand(tag) is not None for tag in tags)
        leave()
        assert not any(node.GetCommand(tag) for tag in tags)
    gc.collect()
    assert wrapper() is None
    node.Modified()


def test_many_nodes_at_once_cause_one_refresh(panel: Any, simulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[None] = []
    monkeypatch.setattr(panel, "nodes_changed", lambda: calls.append(None))
    scene = simulated.mrmlScene
    scene.StartState(scene.BatchProcessState)
    for index in range(20):
        scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"volume {index}")
    assert calls == []
    scene.EndState(scene.BatchProcessState)
    assert len(calls) == 1
    scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "one more")
    assert len(calls) == 2


def test_an_emptied_path_clears_its_parameter(panel: Any, tmp_path: Path) -> None:
    import ctk

    edits = {name: field for name, field in vars(panel.ui).items() if type(field) is ctk.ctkPathLineEdit}
    assert edits
    for name, field in edits.items():
        parameter = field.property("SlicerParameterName")
        if not parameter:
            continue
        field.currentPath = str(tmp_path)
        assert getattr(panel.parameters, parameter) == str(tmp_path), name
        field.currentPath = ""
        assert getattr(panel.parameters, parameter) == "", name


def test_maps_of_results_are_not_offered_as_images(panel: Any, simulated: Any) -> None:
    scene = simulated.mrmlScene
    image = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "image")
    result = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a heat map")
    result.SetAttribute("DeepRadiomics.kind", "maps")
    panel.onNodesChanged(None, None)
    selectors = panel.volume_selectors()
    assert selectors
    for selector in selectors:
        names = [selector.nodeFromIndex(index).GetName() for index in range(selector.nodeCount())]
        assert image.GetName() in names, selector.name
        assert result.GetName() not in names, selector.name


def test_an_input_that_is_removed_is_not_replaced_by_its_neighbour(panel: Any, simulated: Any) -> None:
    scene = simulated.mrmlScene
    for selector in panel.node_selectors():
        if not selector.noneEnabled:
            continue
        nodes = [scene.AddNewNodeByClass(selector.nodeTypes[0], f"node {number}") for number in range(3)]
        selector.setCurrentNode(nodes[1])
        scene.RemoveNode(nodes[1])
        assert selector.currentNode() is None, selector.name
        parameter = selector.property("SlicerParameterName")
        assert not parameter or getattr(panel.parameters, parameter) is None, selector.name


def test_a_panel_can_be_made_narrow(panel: Any) -> None:
    import ctk
    import qt

    sections = [each for each in vars(panel.ui).values() if type(each) is ctk.ctkCollapsibleButton]
    assert sections
    assert all(each.sizePolicy.horizontalPolicy() == qt.QSizePolicy.Policy.Preferred for each in sections)


def test_two_watches_of_one_segmentation_do_not_take_each_others_news(panel: Any, simulated: Any) -> None:
    from deepradiomics.scene.panel.segments import SegmentsWatch

    segmentation = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segments")
    calls: list[None] = []

    def call() -> None:
        calls.append(None)

    first, second = SegmentsWatch(panel, call), SegmentsWatch(panel, call)
    first.follow(segmentation)
    second.follow(segmentation)
    first.follow(None)
    segmentation.GetSegmentation().AddEmptySegment("a", "a")
    assert calls
    second.follow(None)
    calls.clear()
    segmentation.GetSegmentation().AddEmptySegment("b", "b")
    assert calls == []


def test_reloading_one_module_leaves_the_others_and_the_package_whole(
    panel: Any, simulated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = types.ModuleType("SomeOtherLib")
    monkeypatch.setitem(sys.modules, "SomeOtherLib", other)
    package = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "deepradiomics"}
    reloaded: list[str] = []
    monkeypatch.setattr(simulated.util, "reloadScriptedModule", reloaded.append)
    panel.onReload()
    assert reloaded == [panel.moduleName]
    assert not [name for name in sys.modules if name.split(".")[0] == f"{panel.moduleName}Lib"]
    assert sys.modules["SomeOtherLib"] is other
    assert all(sys.modules.get(name) is module for name, module in package.items())


def test_a_sample_that_cannot_be_loaded_is_told(panel: Any, errors: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(panel, "load_sample", broken)
    panel.ui.sampleButton.click()
    assert len(errors) == 1
    assert "No space left" in errors[0]
    assert panel.idle
