"""Which volumes and segments of the subject hierarchy form a case, on Slicer's real scene."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry, Volume


def volume(scene: Any, name: str) -> Any:
    from deepradiomics.scene.nodes.volumes import node_from_volume

    grid = Geometry((4, 4, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    return node_from_volume(Volume(np.ones((4, 4, 4), np.float32), grid), scene, name)


def segmentation(scene: Any, *names: str) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    for name in names:
        node.GetSegmentation().AddEmptySegment("", name)
    return node


def folder(scene: Any, name: str, nodes: list[Any], parent: int | None = None, level: str | None = None) -> int:
    """A folder (or patient, study) of the subject hierarchy with these nodes in it."""
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID() if parent is None else parent, name)
    if level is not None:
        hierarchy.SetItemLevel(item, level)
    for node in nodes:
        hierarchy.CreateItem(item, node)
    return item


def names_of(scene: Any) -> dict[str, tuple[list[str], list[str]]]:
    from deepradiomics.scene.runs.scene_cohort import cases_of_scene

    return {case.name: (sorted(case.volumes), sorted(case.rois)) for case in cases_of_scene(scene)}


def test_a_folder_with_volumes_is_a_case_and_names_are_modalities_and_rois(scene: Any) -> None:
    folder(scene, "Patient 1", [volume(scene, "t2"), volume(scene, "Patient 1 ADC"), segmentation(scene, "Gland")])
    folder(scene, "Patient 2", [volume(scene, "t2"), volume(scene, "adc - Patient 2")])
    folder(scene, "empty", [])
    volume(scene, "in no folder")
    assert names_of(scene) == {"Patient 1": (["adc", "t2"], ["gland"]), "Patient 2": (["adc", "t2"], [])}


def test_the_number_slicer_adds_to_a_name_it_has_is_no_other_modality(scene: Any) -> None:
    second = volume(scene, "t2")
    second.SetName("t2_1")
    folder(scene, "a", [volume(scene, "t2"), volume(scene, "dwi_800")])
    folder(scene, "b", [second])
    assert names_of(scene) == {"a": (["dwi_800", "t2"], []), "b": (["t2"], [])}


def test_studies_of_one_patient_are_cases_of_one_patient(scene: Any) -> None:
    from deepradiomics.scene.runs.scene_cohort import cases_of_scene

    patient = folder(scene, "Smith", [], level="Patient")
    folder(scene, "2020", [volume(scene, "t2")], parent=patient, level="Study")
    folder(scene, "2021", [volume(scene, "t2")], parent=patient, level="Study")
    folder(scene, "alone", [volume(scene, "t2")])
    cases = cases_of_scene(scene)
    assert [(case.name, case.patient) for case in cases] == [
        ("Smith 2020", "Smith"), ("Smith 2021", "Smith"), ("alone", ""),
    ]  # fmt: skip


def test_equal_names_are_numbered_and_results_are_no_images(scene: Any) -> None:
    result = volume(scene, "a map")
    result.SetAttribute("DeepRadiomics.kind", "maps")
    folder(scene, "x", [volume(scene, "t2"), result])
    folder(scene, "X", [volume(scene, "t2")])
    folder(scene, "Radiomic lens", [result])
    assert names_of(scene) == {"x": (["t2"], []), "X 2": (["t2"], [])}


def test_two_volumes_of_one_modality_are_refused_by_name(scene: Any) -> None:
    folder(scene, "a", [volume(scene, "T2"), volume(scene, "a t2")])
    with pytest.raises(InputError, match="'a' holds two volumes of the modality 't2': 'T2' and 'a t2'"):
        names_of(scene)
