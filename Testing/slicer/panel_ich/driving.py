"""Drive the simulated panel of the haemorrhage: a child for it to start, a run to its end, a model and a segment."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.images import read_volume, write_mask
from deepradiomics.images.volume import Mask
from deepradiomics.networks.bundle import FORMAT, FORMAT_VERSION
from Testing.slicer.fake_child import FakeStart, HandTimer
from Testing.slicer.ich_result import OUTCOMES, TITLES, make_expansion, make_experiment, make_ich_case
from Testing.slicer.panel.driving import plain


def child(words: list[str]) -> dict[str, Any] | None:
    """What each command of the panel writes."""
    out = Path(words[words.index("-o") + 1])
    if words[0] == "segment":
        image = read_volume(words[1])
        inside = (image.voxels > 55) & (image.voxels < 80)
        write_mask(Mask(inside.astype(np.uint8), image.geometry), out)
        return {"volume_ml": 17.5, "abc2_ml": 16.0, "notes": []}
    if words[1] == "apply":
        make_ich_case(out, followup="--followup" in words)
    elif words[1] == "expansion":
        made = make_ich_case(out.parent / "made")
        make_expansion(out, made.followup, made.change)
    elif words[1] == "experiment":
        make_experiment(out)
        write_model(out / "bundle")
    return None


def with_child(widget: Any, write: Callable[[list[str]], Any] | FakeStart = child) -> FakeStart:
    """Let the panel start this child."""
    from ICHLatentFeaturesLib.logic import ICHLatentFeaturesLogic

    start = write if isinstance(write, FakeStart) else FakeStart(write)
    HandTimer.made.clear()
    widget.logic = ICHLatentFeaturesLogic(start, HandTimer)
    return start


def write_model(folder: Path, *, segments: bool = True, leaking: bool = False, kind: str = "ich-predictor") -> Path:
    """A model's description only: what the panel reads before a run."""
    (folder / "predictor").mkdir(parents=True)
    if segments:
        (folder / "encoder").mkdir()
    outcomes = [{"name": name, "title": title, "n_training": 200} for name, title in zip(OUTCOMES, TITLES, strict=True)]
    info = {
        "format": FORMAT, "format_version": FORMAT_VERSION, "kind": kind, "input": "radiomics+latents",
        "classifier": "extra-trees", "outcomes": outcomes, "about": {"synthetic": True, "leaking": leaking},
        "weights": {"file": "model.safetensors", "sha256": "0", "tensors": {}},
    }  # fmt: skip
    (folder / "predictor" / "bundle.json").write_text(json.dumps(info), encoding="utf-8")
    (folder / "predictor" / "model.safetensors").touch()
    return folder


def ready(widget: Any, ct: Any, folder: Path) -> Any:
    """Set the panel up for a patient whose haematoma the model outlines."""
    from ICHLatentFeaturesLib.choices import BundleSource

    p = widget.parameters
    p.ct, p.bundleSource, p.bundleFolder = ct, BundleSource.FOLDER, str(write_model(folder / "bundle"))
    return p


def applied(widget: Any, ct: Any, folder: Path, **more: Any) -> Any:
    """Run a patient to the end; returns the parameters."""
    p = ready(widget, ct, folder)
    for name, value in more.items():
        setattr(p, name, value)
    with_child(widget)
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    return p


def add_segment(scene: Any, ct: Any, labels: np.ndarray, name: str = "blood") -> tuple[Any, str]:
    """A segmentation node with one segment on the grid of a CT."""
    import slicer

    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{name} of {ct.GetName()}")
    node.SetReferenceImageGeometryParameterFromVolumeNode(ct)
    segment = node.GetSegmentation().AddEmptySegment(name, name)
    slicer.util.updateSegmentBinaryLabelmapFromArray(labels.astype(np.uint8), node, segment, ct)
    return node, segment


def bars(table: Any, column: int = 1) -> list[str]:
    """What stands on the bars of a list's column."""
    return [table.cellWidget(row, column).text for row in range(table.rowCount)]


def texts(table: Any, column: int = 0) -> list[str]:
    """A column of a list, without the places where a line may end."""
    return [plain(table.item(row, column)) for row in range(table.rowCount)]


def write_segmenter(folder: Path) -> Path:
    """A segmenter's description only: what the panel reads before a run."""
    folder.mkdir(parents=True, exist_ok=True)
    info = {
        "format": FORMAT, "format_version": FORMAT_VERSION, "kind": "ich-segmenter",
        "weights": {"file": "model.safetensors", "sha256": "0", "tensors": {}},
    }  # fmt: skip
    (folder / "bundle.json").write_text(json.dumps(info), encoding="utf-8")
    (folder / "model.safetensors").touch()
    return folder
