"""Segmentations between us and Slicer's real scene: files of several layers, and a DICOM SEG on both ways to features.

Simulated: the scene, the segmentation nodes, their storage and the import of label maps are Slicer's (slicer-core), the
regions are those of RadiomicFeatures' logic; there is no application. Slicer 5.12 loads a SEG by its own plugin,
DICOMSegmentationPlugin, which calls dcmqi and imports the label maps that it writes: its code is run from a checkout of
Slicer (SLICER_SOURCE_DIR), with stand-ins for its base class, the DICOM database and the reader of label maps. The
dialog in which a user picks the SEG is not run.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.images import Code, Volume, mask_from_sitk, read_mask, write_mask
from Testing.unit.images.masks.seg_material import FRAME, random_geometry, random_region, save, seg_dataset
from Testing.unit.images.masks.test_slicer_layers import GRID, ODD, overlapping

DCMQI = Path(sys.executable).with_name("segimage2itkimage")
PLUGIN = "Modules/Scripted/DICOMPlugins/DICOMSegmentationPlugin.py"


def test_slicer_s_own_reader_and_writer_agree_with_ours(scene: Any, tmp_path: Path) -> None:
    """The real vtkMRMLSegmentationStorageNode reads what we write; we read what it writes."""
    import vtk

    from deepradiomics.scene.nodes.volumes import mask_from_segmentation

    mask = overlapping()
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(write_mask(mask, tmp_path / "ours.seg.nrrd")))
    assert storage.ReadData(node) == 1
    segments = node.GetSegmentation()
    names = [segments.GetNthSegment(n).GetName() for n in range(segments.GetNumberOfSegments())]
    assert sorted(names) == sorted([ODD, "b", "empty"])
    for label in (1, 4):
        inside = mask_from_segmentation(node, GRID, [f"Segment_{label}"]).labels > 0
        assert np.array_equal(inside, mask.region(label))
    entry = vtk.reference("")
    assert segments.GetSegment("Segment_1").GetTag("TerminologyEntry", entry)
    assert "^Prostate~" in str(entry.get())
    assert segments.GetSegment("Segment_1").GetColor() == pytest.approx((1, 0.5, 0.25))
    storage.SetFileName(str(tmp_path / "theirs.seg.nrrd"))
    assert storage.WriteData(node) == 1
    theirs = read_mask(tmp_path / "theirs.seg.nrrd")
    labels = {name: label for label, name in theirs.segment_names.items()}
    assert theirs.region(labels[ODD]).sum() == 48
    assert theirs.region(labels["b"]).sum() == 60
    assert theirs.segments[labels[ODD]].type == Code("41216001", "SCT", "Prostate")


def loaded_by_slicer_s_plugin(seg: Path, headless: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The segmentation node that Slicer's DICOMSegmentationPlugin makes of a SEG."""
    import slicer

    from deepradiomics.scene.nodes.volumes import node_from_mask

    plugin_file = Path(os.environ.get("SLICER_SOURCE_DIR", "")) / PLUGIN
    if not plugin_file.is_file():
        pytest.skip("no checkout of Slicer 5.12 named by SLICER_SOURCE_DIR")
    library = types.ModuleType("DICOMLib")
    library.__dict__.update(DICOMLoadable=types.SimpleNamespace, DICOMPlugin=PluginBase)
    core = types.ModuleType("vtkSegmentationCorePython")
    core.__dict__.update({name: getattr(slicer, name) for name in dir(slicer) if name.startswith("vtkSegment")})
    monkeypatch.setitem(sys.modules, "DICOMLib", library)
    monkeypatch.setitem(sys.modules, "vtkSegmentationCorePython", core)
    database = types.SimpleNamespace(fileForInstance=lambda _uid: str(seg))
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    logic = slicer.vtkSlicerTerminologiesModuleLogic()
    logic.SetMRMLScene(headless.scene)
    monkeypatch.setattr(slicer.modules, "terminologies", types.SimpleNamespace(logic=lambda: logic), raising=False)

    def label_volume(file: str, _properties: Any) -> Any:
        labels = mask_from_sitk(sitk.ReadImage(file))
        node = node_from_mask(labels, headless.scene, Path(file).stem)
        assert node.IsA("vtkMRMLLabelMapVolumeNode")
        return node

    monkeypatch.setattr(slicer.util, "loadLabelVolume", label_volume, raising=False)
    specification = importlib.util.spec_from_file_location("slicer_s_segmentation_plugin", plugin_file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    plugin = module.DICOMSegmentationPluginClass()
    assert plugin.load(types.SimpleNamespace(uid="1.2.3", name="SEG", files=[str(seg)]))
    return headless.scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")


class PluginBase:
    """What the plugin asks of its base class while it loads."""

    def __init__(self) -> None:
        self.tags: dict[str, str] = {}
        self.currentDateTime = "now"

    def _dcmqi_binary(self, name: str) -> str:
        return str(DCMQI.with_name(name))

    def addSeriesInSubjectHierarchy(self, _loadable: Any, _node: Any) -> None:
        """Only files it into the tree."""

    def cleanup(self) -> None:
        """The folder goes with the test."""


@pytest.mark.skipif(not DCMQI.exists(), reason="dcmqi is not installed")
@pytest.mark.parametrize("seed", [3, 5])
def test_a_seg_in_the_scene_and_the_same_seg_read_by_us_give_the_same_features(
    headless: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    from deepradiomics import extract
    from RadiomicFeatures.RadiomicFeaturesLib.regions import regions_of

    rng = np.random.default_rng(seed)
    grid = random_geometry(rng, 12, 20)
    regions = {1: random_region(rng, grid), 2: random_region(rng, grid)}  # they overlap
    assert (regions[1] & regions[2]).any()
    volume = Volume(rng.normal(100, 30, grid.shape).astype(np.float32), grid, "CT", frame_of_reference=FRAME)
    seg = save(seg_dataset(regions, grid, between=grid.spacing_mm[2]), tmp_path / "seg.dcm")
    ours = read_mask(seg, reference=volume)
    node = loaded_by_slicer_s_plugin(seg, headless, monkeypatch)
    theirs = regions_of(volume, segmentation=node)
    assert list(theirs.names.values()) == ["Segment 1", "Segment 2"]
    for label in (1, 2):
        in_scene = next(mask for mask in theirs.masks if label in mask.labels_present())
        assert np.array_equal(in_scene.region(label), ours.region(label))
        expected = extract(volume, ours, "fingerprint-107", label=label)
        assert dict(extract(volume, in_scene, "fingerprint-107", label=label)) == dict(expected)
        assert len(expected) == 107
