"""`python -m deepradiomics.scene`: a .mrb of a result folder, whole or not at all, with clear errors."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics import __version__
from deepradiomics.child import child_environment
from deepradiomics.images import write_volume
from deepradiomics.reports.palettes import MAP_OPACITY
from Testing.slicer.synthetic_result import Synthetic


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deepradiomics.scene", *map(str, arguments)]
    return subprocess.run(command, env=child_environment(), capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def folder(synthetic: Synthetic, tmp_path: Path) -> Path:
    return Path(shutil.copytree(synthetic.folder, tmp_path / "result"))


def test_a_result_becomes_a_scene_with_the_volumes_the_map_in_front_and_no_file_names(
    headless: Any, synthetic: Synthetic, folder: Path, tmp_path: Path
) -> None:
    import slicer

    from deepradiomics.scene.nodes.atomic import nodes_of_class
    from deepradiomics.scene.nodes.placement import placement

    views = []
    for view in ("sagittal", "axial"):
        path = tmp_path / f"JOHN_DOE_{view}.nii.gz"
        write_volume(synthetic.volumes[view], path)
        views += ["--view", f"{view}={path}"]
    done = run(folder, *views)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(folder / "scene.mrb")
    assert sorted(path.name for path in folder.iterdir()) == [
        "fingerprint.csv",
        "gradcam.nii.gz",
        "prediction.json",
        "relevance.nii.gz",
        "scene.mrb",
    ]
    headless.load_mrb(folder / "scene.mrb")
    relevance, anatomy = slicer.util.getNode("abnormality relevance"), slicer.util.getNode("sagittal")
    np.testing.assert_array_equal(
        slicer.util.arrayFromVolume(anatomy).shape, synthetic.volumes["sagittal"].voxels.shape
    )
    assert placement(relevance).geometry.is_close(placement(anatomy).geometry, 1e-6)
    composites = nodes_of_class(headless.scene, "vtkMRMLSliceCompositeNode")
    assert sorted(node.GetLayoutName() for node in composites) == ["Green", "Red", "Yellow"]
    for node in composites:
        assert node.GetBackgroundVolumeID() == anatomy.GetID()
        assert node.GetForegroundVolumeID() == relevance.GetID()
        assert node.GetForegroundOpacity() == MAP_OPACITY
    unpacked = tmp_path / "unpacked"
    shutil.unpack_archive(folder / "scene.mrb", unpacked, "zip")
    for path in unpacked.rglob("*"):
        assert "JOHN" not in path.name
        assert path.is_dir() or b"JOHN" not in path.read_bytes()


def test_a_features_only_result_becomes_a_scene_with_a_table_that_explains_itself(
    headless: Any, tmp_path: Path
) -> None:
    import slicer

    from deepradiomics.scene.tree.provenance import read_stamp

    values = {"original_firstorder_Mean": 12.5, "original_glcm_Contrast": 3.0}
    about = {
        "kind": "features",
        "version": __version__,
        "labels": {"1": {"name": "tumour", "features": values, "diagnostics": {}}},
        "settings": {"binWidth": 25},
        "provenance": {"image": "i" * 64},
    }
    (tmp_path / "features.json").write_text(json.dumps(about), encoding="utf-8")
    with open(tmp_path / "features.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["label", "feature", "family", "value"])
        writer.writerows([1, name, name.split("_")[1], value] for name, value in values.items())
    done = run(tmp_path, "--output", tmp_path / "other.mrb")
    assert done.returncode == 0, done.stderr
    headless.load_mrb(tmp_path / "other.mrb")
    node = slicer.util.getNode("Features")
    table = node.GetTable()
    assert [table.GetColumnByName("value").GetValue(row) for row in range(2)] == [12.5, 3.0]
    assert len(table.GetColumnByName("description").GetValue(1)) > 10
    assert read_stamp(node)["settings"] == {"binWidth": 25}
    assert read_stamp(node)["provenance"] == {"image": "i" * 64}


MISTAKES = {
    "empty folder": (
        "lens.json, case.json, ich.json, experiment.json or expansion.json",
        lambda folder: (folder.parent,),
    ),
    "no folder": ("is not a folder", lambda folder: (folder / "nowhere",)),
    "bad view": ("expected NAME=PATH", lambda folder: (folder, "--view", "sagittal")),
    "missing volume": ("nowhere.nii.gz", lambda folder: (folder, "--view", f"sagittal={folder / 'nowhere.nii.gz'}")),
    "unknown view": (
        "has no view oblique",
        lambda folder: (folder, "--view", f"oblique={folder.parent / 'axial.nii.gz'}"),
    ),
    "not a scene name": ("ends in .mrb", lambda folder: (folder, "--output", folder / "scene.zip")),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_clear_line_with_exit_code_2_and_no_scene(
    headless: Any, synthetic: Synthetic, folder: Path, case: str
) -> None:
    message, arguments = MISTAKES[case]
    write_volume(synthetic.volumes["axial"], folder.parent / "axial.nii.gz")
    done = run(*arguments(folder))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(folder.rglob("*.mrb"))
    assert not list(folder.glob(".*"))


def test_a_scene_that_fails_leaves_the_older_one(headless: Any, folder: Path) -> None:
    (folder / "scene.mrb").write_bytes(b"the older one")
    (folder / "fingerprint.csv").write_text("task,feature\n", encoding="utf-8")
    done = run(folder)
    assert done.returncode == 2
    assert "no column view, patch" in done.stderr
    assert (folder / "scene.mrb").read_bytes() == b"the older one"


def test_without_slicer_core_the_message_says_how_to_get_it(folder: Path) -> None:
    code = (
        "import importlib.util as u, sys\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'slicer' else find(name, *a)\n"
        "from deepradiomics.scene.command import main\n"
        f"sys.exit(main([{str(folder)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=child_environment(), capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install slicer-core" in done.stderr


def test_a_training_history_is_followed_while_it_grows(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.nodes.plots import LossCurve

    history = tmp_path / "history.csv"
    curve = LossCurve(scene, history)
    assert curve.update() == 0
    history.write_text("epoch,train_loss,validation_loss,note\n0,0.9,1.0,a\n1,0.7,,b\n2,0.6,0.", encoding="utf-8")
    assert curve.update() == 2  # the third line is still being written
    table = curve.table.GetTable()
    assert [table.GetColumnName(i) for i in range(table.GetNumberOfColumns())] == [
        "epoch",
        "train_loss",
        "validation_loss",
    ]
    assert np.isnan(table.GetColumnByName("validation_loss").GetValue(1))
    with open(history, "a", encoding="utf-8") as file:
        file.write("8,c\n3,0.5,0.7,d\n")
    assert curve.update() == 4
    assert table.GetNumberOfRows() == 4 or curve.table.GetNumberOfRows() == 4
    assert curve.chart.GetNumberOfPlotSeriesNodes() == 2


def test_a_maps_result_becomes_a_scene_with_the_first_map_over_the_volume(headless: Any, tmp_path: Path) -> None:
    from deepradiomics.images import Volume, write_volume
    from deepradiomics.scene.nodes.atomic import nodes_of_class
    from deepradiomics.scene.nodes.volumes import volume_from_node
    from Testing.slicer.scene.test_maps_scene import KEY, make_maps
    from Testing.slicer.synthetic_result import oblique_geometry

    grid = oblique_geometry()
    values = make_maps(tmp_path / "maps", grid, (5, 3, 2), (9, 8, 6))
    write_volume(Volume(np.zeros(grid.shape, np.float32), grid), tmp_path / "image.nrrd")
    done = run(tmp_path / "maps", "--view", f"image={tmp_path / 'image.nrrd'}")
    assert done.returncode == 0, done.stderr
    headless.load_mrb(tmp_path / "maps" / "scene.mrb")
    volumes = {node.GetName(): node for node in nodes_of_class(headless.scene, "vtkMRMLScalarVolumeNode")}
    # By place, not by index: Slicer reads a left-handed image with its slices in the other order.
    found, known = volume_from_node(volumes[KEY]), grid.crop((5, 3, 2), (9, 8, 6))
    for index in np.ndindex(values.shape):
        at = known.physical_to_index(found.geometry.index_to_physical(index[::-1]))
        np.testing.assert_allclose(at, np.rint(at), atol=1e-3)
        assert found.voxels[index] == pytest.approx(values[tuple(np.rint(at[::-1]).astype(int))], nan_ok=True)
    composites = nodes_of_class(headless.scene, "vtkMRMLSliceCompositeNode")
    assert {each.GetForegroundVolumeID() for each in composites} == {volumes[KEY].GetID()}
