"""Cases in the scene: which volumes and segments of the subject hierarchy belong together, and they as a manifest.

::

    Patient 1 (folder, patient or study)        → case "Patient 1"
      ├─ t2           volume                    → modality "t2"
      ├─ Patient 1 adc   volume                 → modality "adc"
      └─ Segmentation
           └─ gland   segment                   → ROI "gland"

The rule: an item of the subject hierarchy that directly holds volumes is a case. A volume's name, without the case's
name, is the modality; so is "t2_1" the modality "t2" where another volume is called "t2": Slicer numbers names that
exist. A segment's name is the ROI.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer
import vtk

from deepradiomics.errors import InputError
from deepradiomics.files.names import distinct_parts, file_stem, path_part, unsafe
from deepradiomics.files.tables import write_csv
from deepradiomics.scene.nodes.volumes import volumes_of_scene
from deepradiomics.scene.runs.node_files import write_image, write_segment

MANIFEST = "manifest.csv"
_FORBIDDEN = re.compile(r'[/\\:*?"<>|\x00-\x1f]+')
_NUMBERED = re.compile(r"_\d+$")  # "t2_1": Slicer's name for the second node called "t2"


@dataclass(frozen=True, eq=False)
class SceneCase:
    """One case of the scene.

    Attributes
    ----------
    volumes
        Volume nodes by modality.
    rois
        (segmentation node, segment ID) by the name of the region.
    patient
        Whose scan it is; cases of one patient stay in one split.
    """

    name: str
    volumes: Mapping[str, Any]
    rois: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    patient: str = ""


def cases_of_scene(scene: Any) -> tuple[SceneCase, ...]:
    """The cases, in the order of the subject hierarchy; volumes that lie in no folder belong to none.

    Raises
    ------
    InputError
        Two volumes of one case have the same modality; the message names them.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    volumes = {node.GetID(): node.GetName() for node in volumes_of_scene(scene)}
    cases = []
    for item in _descendants(hierarchy, hierarchy.GetSceneItemID()):
        nodes = [hierarchy.GetItemDataNode(child) for child in _children(hierarchy, item)]
        images = [node for node in nodes if node is not None and node.GetID() in volumes]
        if images:
            folder = hierarchy.GetItemName(item)
            segmentations = [node for node in nodes if node is not None and node.IsA("vtkMRMLSegmentationNode")]
            patient = _patient(hierarchy, item)
            name = folder if patient in ("", folder) else f"{patient} {folder}"
            cases.append(
                SceneCase(name, _modalities(images, folder, volumes.values()), _rois(segmentations, folder), patient)
            )
    names = unique_names([case.name for case in cases])
    return tuple(
        SceneCase(name, case.volumes, case.rois, case.patient) for name, case in zip(names, cases, strict=True)
    )


def shared(cases: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names that occur, those of the first case first."""
    return list(dict.fromkeys(name for entries in cases for name in entries))


def given_cases(cases: Mapping[str, Mapping[str, Any]], roi: str) -> tuple[SceneCase, ...]:
    """Cases as the console gives them: case → modality → node, and "roi" → (segmentation node, segment ID).

    Raises
    ------
    InputError
        There is no case, or one has no volume; or "roi" is not such a pair.
    """
    if not cases:
        raise InputError("cases: expected at least one, such as cases={'patient 1': {'t2': node}}.")
    scene_cases = []
    for name, entries in cases.items():
        volumes = {modality: node for modality, node in entries.items() if modality != "roi" and node is not None}
        if not volumes:
            raise InputError(f"cases: {name} has no volume; expected {{'t2': node, 'roi': (segmentation, segment)}}.")
        pair = entries.get("roi")
        if pair is not None and not (isinstance(pair, (tuple, list)) and len(pair) == 2):
            raise InputError(f"cases: {name}: expected 'roi': (segmentation node, segment ID), got {pair!r}.")
        scene_cases.append(SceneCase(str(name), volumes, {roi: (pair[0], str(pair[1]))} if pair is not None else {}))
    return tuple(scene_cases)


def write_cohort(cases: Sequence[SceneCase], modalities: Sequence[str], roi: str, folder: Path) -> Path:
    """Write the cases' images and region as files, in world space, with a manifest; returns its path.

    What a case lacks is left empty in the manifest: the fit names it or leaves the case out.

    Raises
    ------
    InputError, MaskError
        A modality or the region cannot be a file's name; a volume holds no image, or a region is empty or lies outside;
        the message names the node.
    """
    for modality in modalities:
        path_part(modality, "modality")
    distinct_parts(modalities, "modalities")
    path_part(roi, "region")
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, case in zip(unique_names([safe_name(case.name) for case in cases]), cases, strict=True):
        case_folder = folder / name
        case_folder.mkdir(exist_ok=True)
        row = {"id": name, "patient": safe_name(case.patient) or name}
        for modality in modalities:
            if modality in case.volumes:
                write_image(case.volumes[modality], case_folder / f"{modality}.nrrd", modality)
                row[f"view_{modality}"] = f"{name}/{modality}.nrrd"
        if roi in case.rois and roi != "ellipsoid":
            write_region(*case.rois[roi], case.volumes, case_folder / "roi.nrrd")
            row[f"mask_{roi}"] = f"{name}/roi.nrrd"
        rows.append(row)
    columns = ["id", "patient", *(f"view_{modality}" for modality in modalities)]
    columns += [] if roi == "ellipsoid" else [f"mask_{roi}"]
    return write_csv(folder / MANIFEST, columns, rows)


def write_region(segmentation: Any, segment_id: str, volumes: Mapping[str, Any], path: Path) -> Path:
    """Write one segment on the grid of the volume it was drawn on, where that is among these, else of the first."""
    drawn_on = segmentation.GetNodeReference(segmentation.GetReferenceImageGeometryReferenceRole())
    drawn_ids = {drawn_on.GetID()} if drawn_on is not None else set()
    matching = [node for node in volumes.values() if node.GetID() in drawn_ids]
    reference = next(iter(matching or volumes.values()))
    return write_segment(segmentation, segment_id, reference, path)


def safe_name(name: str) -> str:
    """A name that can be a file's on every system."""
    plain = _FORBIDDEN.sub("_", name).strip(" .")
    return file_stem(plain) if plain and unsafe(plain) else plain


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, numbered where one comes again, with capitals or without.

    >>> unique_names(["a", "b", "A"])
    ['a', 'b', 'A 2']
    """
    taken: set[str] = set()
    distinct = []
    for name in names:
        unique, count = name or "case", 2
        while unique.casefold() in taken:
            unique, count = f"{name or 'case'} {count}", count + 1
        taken.add(unique.casefold())
        distinct.append(unique)
    return distinct


def plain_name(name: str, folder: str, others: Collection[str] = ()) -> str:
    """What is left of a name without its case's name, and without Slicer's number if another has it without.

    >>> plain_name("Patient 1 T2_3", "Patient 1"), plain_name("T2_3", "Patient 1", {"T2", "T2_3"})
    ('t2_3', 't2')
    """
    bare = _NUMBERED.sub("", name)
    name = bare if bare in others else name
    rest = name.casefold().removeprefix(folder.casefold()).removesuffix(folder.casefold()).strip(" _-:.")
    return _FORBIDDEN.sub("_", rest or name.casefold()).replace(" ", "_")


def _modalities(nodes: Sequence[Any], folder: str, others: Collection[str]) -> dict[str, Any]:
    volumes: dict[str, Any] = {}
    for node in nodes:
        modality = plain_name(node.GetName(), folder, others)
        if modality in volumes:
            raise InputError(
                f"'{folder}' holds two volumes of the modality {modality!r}: '{volumes[modality].GetName()}' and "
                f"'{node.GetName()}'. Rename one, or move it out of the folder."
            )
        volumes[modality] = node
    return volumes


def _rois(segmentations: Sequence[Any], folder: str) -> dict[str, tuple[Any, str]]:
    rois: dict[str, tuple[Any, str]] = {}
    for node in segmentations:
        segments = node.GetSegmentation()
        for index in range(segments.GetNumberOfSegments()):
            segment = segments.GetNthSegmentID(index)
            rois.setdefault(plain_name(segments.GetSegment(segment).GetName(), folder), (node, segment))
    return rois


def _patient(hierarchy: Any, item: int) -> str:
    """The name of the patient that an item belongs to; empty where no item above it is a patient."""
    patient = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMLevelPatient()
    while item and item != hierarchy.GetSceneItemID():
        if hierarchy.IsItemLevel(item, patient):
            return str(hierarchy.GetItemName(item))
        item = hierarchy.GetItemParent(item)
    return ""


def _descendants(hierarchy: Any, item: int) -> list[int]:
    return _ids(hierarchy, item, recursive=True)


def _children(hierarchy: Any, item: int) -> list[int]:
    return _ids(hierarchy, item, recursive=False)


def _ids(hierarchy: Any, item: int, *, recursive: bool) -> list[int]:
    ids = vtk.vtkIdList()
    hierarchy.GetItemChildren(item, ids, recursive)
    return [ids.GetId(index) for index in range(ids.GetNumberOfIds())]
