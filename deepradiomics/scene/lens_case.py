"""Show one case of a lens: its images, the region's outline, and the voxel-wise map of one feature over its modality.

There is one case view in a scene. Showing another feature, modality, region or case takes the place of what was shown
before: the old map and outlines go, images that were read for the case stay for its next map, and images that were
given are never touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images import Mask, Volume, read_volume
from deepradiomics.scene.atomic import all_or_nothing, nodes_of_class
from deepradiomics.scene.colours import make_legible
from deepradiomics.scene.folder import reference_inputs, referenced_inputs, result_folder_item, result_folder_of
from deepradiomics.scene.layouts import arrange_case
from deepradiomics.scene.lens import LensNodes
from deepradiomics.scene.lens_folder import CaseFolder, read_case_folder
from deepradiomics.scene.lens_roi import add_outline
from deepradiomics.scene.lens_tables import explained
from deepradiomics.scene.map_place import ReferencePlace, reference_place
from deepradiomics.scene.maps import add_map, legend_title, shown_range
from deepradiomics.scene.provenance import PREFIX, read_stamp, stamp
from deepradiomics.scene.remove import remove_nodes
from deepradiomics.scene.volumes import node_from_volume

KIND = "lens-case"
ROI_ROLE = "DeepRadiomics.roi."  # from the map to the outline of each modality; ends in the modality
SHIFT_ROLE = "DeepRadiomics.shift"  # from the map to the table of which it is a row
WINDOW_PERCENTILES = (1.0, 99.5)
WINDOW_REACH_MM = 10.0  # around the region
# What of case.json goes onto the map: nothing that names a file.
KEPT = ("case_id", "modality", "feature", "roi", "roi_note", "range", "unit", "delta_i", "synthetic")


@dataclass(frozen=True, eq=False)
class CaseNodes:
    """The nodes of the case view.

    Attributes
    ----------
    case_id, modality, feature
        What is shown.
    volumes
        Volume nodes by modality, in the order of the lens.
    rois
        Segmentation nodes by modality: the region on that modality's own grid; a modality outside it has none.
    map
        The volume node of the feature's map; NaN, which Slicer draws as transparent, outside the region.
    folder_item
        The subject-hierarchy item ID of the folder that holds them.
    note
        What must be said of the region, such as "not a reader's contour"; empty otherwise.
    """

    case_id: str
    modality: str
    feature: str
    volumes: Mapping[str, Any]
    rois: Mapping[str, Any]
    map: Any
    folder_item: int
    note: str = ""


def show_case(
    case_folder: Path,
    scene: Any,
    volumes: Mapping[str, Any] | None = None,
    *,
    files: Mapping[str, Path] | None = None,
    lens: LensNodes | None = None,
    places: Mapping[str, ReferencePlace | None] | None = None,
    layout: bool = True,
) -> CaseNodes:
    """Add the output of `deepradiomics lens case` to the scene, in place of the case shown before.

    Parameters
    ----------
    case_folder
        The output folder.
    volumes
        Volume nodes by modality, where the scene has them; map and outlines follow their transforms. The others are
        read from files.
    files
        Image files by modality, where these are not where case.json says.
    lens
        The lens that the map belongs to: its tables and charts appear below the images, and the map refers to them.
    places
        Where given volumes lay when the computation began (`map_place.reference_place`); by default where they lie now.
    layout
        Switch to the case layout, all modalities side by side.

    Raises
    ------
    InputError
        The folder is incomplete or damaged, `volumes` names a modality that the case lacks, or an image is neither
        given nor found. Then, and whatever else fails on the way, the scene stays as it was.
    """
    case = read_case_folder(Path(case_folder), files)
    given = {modality: node for modality, node in (volumes or {}).items() if node is not None}
    unknown = sorted(set(given) - set(case.modalities))
    if unknown:
        raise InputError(f"the case has no modality {', '.join(unknown)}; it has {', '.join(case.modalities)}")
    before = _own_nodes(scene)
    with all_or_nothing(scene):
        shown = {each: given.get(each) or _image(scene, case, each, before) for each in case.modalities}
        now = {modality: reference_place(node) for modality, node in shown.items()} | dict(places or {})
        rois = {
            each: add_outline(scene, f"{case.roi_name} on {each}", mask, shown[each], now[each])
            for each, mask in case.rois.items()
        }
        drawn = add_map(
            scene,
            case.feature,
            case.map,
            shown[case.modality],
            now[case.modality],
            shown=_range(case),
            title=_legend(case),
            diverging=True,
        )
        make_legible(drawn)
        more = {key: case.about[key] for key in KEPT if case.about.get(key) is not None}
        more |= {"kind": KIND, "modalities": list(case.modalities), "shown_roi_note": case.roi_note}
        for node in (drawn, *rois.values()):
            stamp(node, case.about, **more)
            reference_inputs(node, shown)
        for modality, roi in rois.items():
            drawn.SetNodeReferenceID(ROI_ROLE + modality, roi.GetID())
        if lens is not None:
            drawn.SetNodeReferenceID(SHIFT_ROLE, lens.shift.GetID())
        item = _into_folder(scene, case, before, [drawn, *rois.values(), *_read(shown, given)])
    remove_nodes(scene, [node for node in before if node not in shown.values()], with_empty_folders=True)
    for node, name in ((drawn, _map_name(case)), *((roi, f"{case.roi_name} on {each}") for each, roi in rois.items())):
        node.SetName(name)  # while the old ones were there, the scene numbered the names
    nodes = CaseNodes(case.case_id, case.modality, case.feature, shown, rois, drawn, item, case.roi_note)
    if layout:  # not before: a layout's views are the application's, and must not be taken away with the nodes
        arrange_case(scene, nodes, lens)
    return nodes


def case_shown(scene: Any) -> CaseNodes | None:
    """The case view of a scene, such as one that was loaded; None if there is none, or an image of it is gone."""
    for node in nodes_of_class(scene, "vtkMRMLScalarVolumeNode"):
        about = read_stamp(node)
        if about.get("kind") != KIND or "feature" not in about:
            continue
        inputs = referenced_inputs(node)
        rois = {each: node.GetNodeReference(ROI_ROLE + each) for each in about["modalities"]}
        rois = {modality: roi for modality, roi in rois.items() if roi is not None}
        if any(inputs.get(each) is None for each in about["modalities"]):
            return None
        volumes = {modality: inputs[modality] for modality in about["modalities"]}
        case_id, modality, feature = (str(about[key]) for key in ("case_id", "modality", "feature"))
        item = result_folder_of(node) or 0
        return CaseNodes(case_id, modality, feature, volumes, rois, node, item, about["shown_roi_note"])
    return None


def remove_case(scene: Any) -> None:
    """Take the case view out of the scene: the map, the outlines, and the images that were read for it."""
    remove_nodes(scene, _own_nodes(scene), with_empty_folders=True)


def _image(scene: Any, case: CaseFolder, modality: str, before: list[Any]) -> Any:
    """The volume node of a modality: the one that was read for this case before, else read now."""
    for node in before:
        if (read_stamp(node).get("case_id"), read_stamp(node).get("image_of")) == (case.case_id, modality):
            return node
    if modality not in case.images:
        named = case.about["modalities"][modality].get("image")
        raise InputError(
            f"case {case.case_id}: the image of {modality} is neither in the scene nor at "
            f"{named or 'any path that case.json names'}; give its volume, or run `lens case` again"
        )
    volume = read_volume(case.images[modality])
    node = node_from_volume(volume, scene, f"{case.case_id} {modality}")  # a file's own name may identify a patient
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(*_window(volume, case.rois.get(modality)))
    stamp(node, {}, kind=KIND, case_id=case.case_id, image_of=modality)
    return node


def _window(volume: Volume, roi: Mask | None) -> tuple[float, float]:
    """Darkest and brightest grey to show: of what lies around the region, not of the whole body."""
    if roi is None:
        return shown_range(volume.voxels, WINDOW_PERCENTILES)
    corners = np.argwhere(roi.labels != 0)[:, ::-1]  # (n, 3) as x, y, z
    reach = np.ceil(WINDOW_REACH_MM / np.array(roi.geometry.spacing_mm))
    box = product(*zip(corners.min(axis=0) - reach, corners.max(axis=0) + reach, strict=True))
    index = volume.geometry.physical_to_index(roi.geometry.index_to_physical(list(box)))
    low = np.clip(np.floor(index.min(axis=0)), 0, np.array(volume.geometry.size) - 1).astype(int)
    high = np.clip(np.ceil(index.max(axis=0)), 0, np.array(volume.geometry.size) - 1).astype(int)
    near = volume.voxels[tuple(slice(a, b + 1) for a, b in zip(low[::-1], high[::-1], strict=True))]
    return shown_range(near, WINDOW_PERCENTILES)


def _own_nodes(scene: Any) -> list[Any]:
    """What earlier calls added to the scene."""
    nodes = [node for name in ("Volume", "Segmentation") for node in nodes_of_class(scene, f"vtkMRML{name}Node")]
    return [node for node in nodes if node.GetAttribute(PREFIX + "kind") == KIND]


def _read(shown: Mapping[str, Any], given: Mapping[str, Any]) -> list[Any]:
    return [node for modality, node in shown.items() if modality not in given]


def _into_folder(scene: Any, case: CaseFolder, before: list[Any], nodes: list[Any]) -> int:
    """Put the nodes into the case's folder, which is made unless it is there; return its item ID."""
    for old in before:
        item = result_folder_of(old)
        if item is not None and read_stamp(old).get("case_id") == case.case_id:
            for node in nodes:
                result_folder_of(old, adopt=node)
            return item
    name = f"Lens case {case.case_id}"
    return result_folder_item(scene, f"{name} (SYNTHETIC)" if case.about.get("synthetic") else name, nodes)


def _map_name(case: CaseFolder) -> str:
    return f"{case.feature} on {case.modality}"


def _legend(case: CaseFolder) -> str:
    """Feature, unit and modality, and below them what must be said of the region and of the image."""
    lines = [legend_title(explained(case.feature)), f"on {case.modality}"]
    if case.roi_note:
        lines += [f"ROI: {case.about.get('roi')},", case.roi_note]
    return "\n".join([*lines, *(["SYNTHETIC"] if case.about.get("synthetic") else [])])


def _range(case: CaseFolder) -> tuple[float, float] | None:
    """The colours' range that case.json gives; None to choose it from the map."""
    given = case.about.get("range")
    if isinstance(given, Mapping):
        given = [given.get("low"), given.get("high")]
    if not given or len(given) != 2 or any(each is None for each in given) or not float(given[0]) < float(given[1]):
        return None
    return float(given[0]), float(given[1])
