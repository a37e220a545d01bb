"""Show one case of a lens: its images, the region's outline, and the voxel-wise map of one feature over its modality.

There is one case view in a scene. Showing another feature, modality, region or case takes the place of what was shown
before: the old map and outlines go, images that were read for the case stay for its next map, and images that were
given are never touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images import Mask, Volume, image_record, read_volume
from deepradiomics.lens.case.result import KIND, CaseFolder
from deepradiomics.scene.nodes.atomic import all_or_nothing, nodes_of_class
from deepradiomics.scene.nodes.colours import make_legible
from deepradiomics.scene.nodes.lens import CaseNodes, LensNodes
from deepradiomics.scene.nodes.map_place import ReferencePlace, reference_place
from deepradiomics.scene.nodes.outline import add_outline
from deepradiomics.scene.nodes.own_image import OwnImage, holds, own_image, place_of
from deepradiomics.scene.nodes.remove import remove_nodes
from deepradiomics.scene.nodes.volumes import volume_from_node
from deepradiomics.scene.show.lens.tables import explained
from deepradiomics.scene.show.maps import MapLook, add_map, legend_title
from deepradiomics.scene.tree.folder import reference_inputs, referenced_inputs, result_folder_item, result_folder_of
from deepradiomics.scene.tree.hidden import REDRAWN, redrawn_by, show_again
from deepradiomics.scene.tree.names import node_name
from deepradiomics.scene.tree.provenance import PREFIX, read_stamp, stamp
from deepradiomics.scene.tree.roles import references, role
from deepradiomics.scene.views.layouts import arrange_case
from deepradiomics.scene.views.shown import hide_others

ROI_ROLE = "DeepRadiomics.roi."  # from the map to the outline of each modality; ends in the modality
SHIFT_ROLE = "DeepRadiomics.shift"  # from the map to the table of which it is a row
WINDOW_PERCENTILES = (1.0, 99.5)
WINDOW_REACH_MM = 10.0  # around the region
# What of case.json goes onto the map: nothing that names a file.
KEPT = ("case_id", "modality", "feature", "roi", "roi_note", "range", "unit", "delta_i", "synthetic")


def show_case(
    case_folder: Path,
    scene: Any,
    volumes: Mapping[str, Any] | None = None,
    *,
    files: Mapping[str, Path] | None = None,
    lens: LensNodes | None = None,
    places: Mapping[str, ReferencePlace | None] | None = None,
    layout: bool = True,
    verified: bool = False,
    region: Any | None = None,
) -> CaseNodes:
    """Add the output of `deepradiomics lens case` to the scene, in place of the case shown before.

    Parameters
    ----------
    case_folder
        The output folder.
    volumes
        Volume nodes by modality; map and outlines follow their transforms. The others are looked for in the scene by
        what they hold, then read from files (`own_image`); a modality whose image is found nowhere is left empty.
    files
        Image files by modality, where these are not where case.json says.
    lens
        The lens that the map belongs to: its tables and charts appear below the images, and the map refers to them.
    places
        Where given volumes lay when the computation began (`map_place.reference_place`); by default as the result says.
    layout
        Switch to the case layout, all modalities side by side.
    verified
        The result was computed on `volumes` just now; otherwise their voxels are compared.
    region
        The segmentation node that the region was taken from: hidden while the case is on show, which draws its outline
        on each modality.

    Raises
    ------
    InputError
        The folder is incomplete or damaged, `volumes` names a modality that the case lacks, or one of them is another
        image. Then, and whatever else fails on the way, the scene stays as it was.
    """
    case = CaseFolder.read(case_folder, files)
    known_nodes = {modality: node for modality, node in (volumes or {}).items() if node is not None}
    unknown = sorted(set(known_nodes) - set(case.modalities))
    if unknown:
        raise InputError(f"the case has no modality {', '.join(unknown)}; it has {', '.join(case.modalities)}")
    before = _own_nodes(scene)
    with all_or_nothing(scene):
        images = {name: _image(scene, case, name, before, known_nodes.get(name), verified) for name in case.modalities}
        shown = {name: image.node for name, image in images.items() if image.node is not None}
        now = {name: image.place for name, image in images.items()} | dict(places or {})
        missing = tuple(image.note for image in images.values() if image.note)
        rois = {
            name: add_outline(scene, f"{case.roi_name} on {name}", mask, shown.get(name), now[name])
            for name, mask in case.rois.items()
        }
        reference, place = shown.get(case.modality), now[case.modality]
        look = MapLook(case.range, _legend(case), diverging=True)
        drawn = add_map(scene, case.feature, case.map, reference, place, look)
        make_legible(drawn)
        _connect(case, drawn, rois, shown, missing)
        if lens is not None:
            drawn.SetNodeReferenceID(SHIFT_ROLE, lens.shift.GetID())
        if region is not None:
            drawn.SetNodeReferenceID(REDRAWN, region.GetID())
        item = _into_folder(scene, case, before, [drawn, *rois.values(), *_read(shown)])
    _take_out(scene, [node for node in before if node not in shown.values()])
    drawn.SetName(node_name(f"{case.feature} on {case.modality}"))  # while the old ones were there, the scene numbered
    for name, roi in rois.items():
        roi.SetName(node_name(f"{case.roi_name} on {name}"))
    nodes = CaseNodes(case.case_id, case.modality, case.feature, shown, rois, drawn, item, case.roi_note, missing)
    hide_others(scene, drawn)
    if layout:  # not before: a layout's views are the application's, and must not be taken away with the nodes
        arrange_case(scene, nodes, lens)
    return nodes


def _connect(
    case: CaseFolder, drawn: Any, rois: Mapping[str, Any], shown: Mapping[str, Any], missing: tuple[str, ...]
) -> None:
    """Say on the map and the outlines what they are of, and let them refer to the images; the map to the outlines."""
    more = {key: case.about[key] for key in KEPT if case.about.get(key) is not None}
    more |= {"kind": KIND, "modalities": list(case.modalities), "shown_roi_note": case.roi_note}
    more |= {"shown_missing": list(missing)}
    for node in (drawn, *rois.values()):
        stamp(node, case.about, **more)
        reference_inputs(node, shown)
    for name, roi in rois.items():
        drawn.SetNodeReferenceID(role(ROI_ROLE, name), roi.GetID())


def case_shown(scene: Any) -> CaseNodes | None:
    """The case view of a scene, such as one that was loaded; None if there is none."""
    for node in nodes_of_class(scene, "vtkMRMLScalarVolumeNode"):
        about = read_stamp(node)
        if about.get("kind") != KIND or "feature" not in about:
            continue
        inputs = referenced_inputs(node)
        outlines = references(node, ROI_ROLE)
        rois = {modality: outlines[modality] for modality in about["modalities"] if modality in outlines}
        volumes = {modality: inputs[modality] for modality in about["modalities"] if modality in inputs}
        case_id, modality, feature = (str(about[key]) for key in ("case_id", "modality", "feature"))
        item = result_folder_of(node) or 0
        note, missing = about["shown_roi_note"], tuple(about.get("shown_missing") or ())
        return CaseNodes(case_id, modality, feature, volumes, rois, node, item, note, missing)
    return None


def remove_case(scene: Any) -> None:
    """Take the case view out of the scene: the map, the outlines, and the images that were read for it."""
    _take_out(scene, _own_nodes(scene))


def _take_out(scene: Any, nodes: list[Any]) -> None:
    regions = [region for region in map(redrawn_by, nodes) if region is not None]
    remove_nodes(scene, nodes, with_empty_folders=True)
    for region in regions:
        show_again(region)


def _image(
    scene: Any, case: CaseFolder, modality: str, before: list[Any], known_node: Any | None, verified: bool
) -> OwnImage:
    """The image of a modality: the volume given, that which was read for this case before, or found or read now."""
    record = case.about["modalities"][modality]
    if known_node is not None and verified:
        return OwnImage(known_node, reference_place(known_node))
    if known_node is None:
        for node in before:
            mark = (read_stamp(node).get("case_id"), read_stamp(node).get("image_of"))
            if mark == (case.case_id, modality) and holds(node, record):
                return OwnImage(node, place_of(node, record))
    file = case.images.get(modality)
    if not record.get("content") and known_node is None and file is not None:  # a result of an earlier version
        record = {**record, **image_record(read_volume(file))}
    known = {node.GetID() for node in nodes_of_class(scene, "vtkMRMLScalarVolumeNode")}
    name = f"{case.case_id} {modality}"  # a file's own name may identify a patient
    image = own_image(
        scene, record, known_node, [file] if file is not None else [], name=name, what=f"the {modality} image"
    )
    if image.node is not None and image.node.GetID() not in known:
        display = image.node.GetDisplayNode()
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(*_window(volume_from_node(image.node), case.rois.get(modality)))
        stamp(image.node, {}, kind=KIND, case_id=case.case_id, image_of=modality)
    return image


def _window(volume: Volume, roi: Mask | None) -> tuple[float, float]:
    """Darkest and brightest grey to show: of what lies around the region, not of the whole body."""
    if roi is None:
        return _greys(volume.voxels)
    corners = np.argwhere(roi.union())[:, ::-1]  # (n, 3) as x, y, z
    reach = np.ceil(WINDOW_REACH_MM / np.array(roi.geometry.spacing_mm))
    box = product(*zip(corners.min(axis=0) - reach, corners.max(axis=0) + reach, strict=True))
    index = volume.geometry.physical_to_index(roi.geometry.index_to_physical(list(box)))
    low = np.clip(np.floor(index.min(axis=0)), 0, np.array(volume.geometry.size) - 1).astype(int)
    high = np.clip(np.ceil(index.max(axis=0)), 0, np.array(volume.geometry.size) - 1).astype(int)
    near = volume.voxels[tuple(slice(a, b + 1) for a, b in zip(low[::-1], high[::-1], strict=True))]
    return _greys(near)


def _greys(voxels: np.ndarray) -> tuple[float, float]:
    """Two percentiles of an image's values, apart even where all are equal."""
    values = voxels[np.isfinite(voxels)]
    low, high = (float(grey) for grey in np.percentile(values, WINDOW_PERCENTILES)) if values.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _own_nodes(scene: Any) -> list[Any]:
    """What earlier calls added to the scene."""
    nodes = [node for name in ("Volume", "Segmentation") for node in nodes_of_class(scene, f"vtkMRML{name}Node")]
    return [node for node in nodes if node.GetAttribute(PREFIX + "kind") == KIND]


def _read(shown: Mapping[str, Any]) -> list[Any]:
    """Those of the images that were read for the case."""
    return [node for node in shown.values() if node.GetAttribute(PREFIX + "kind") == KIND]


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


def _legend(case: CaseFolder) -> str:
    """Feature, unit and modality, and below them what must be said of the region and of the image."""
    lines = [legend_title(explained(case.feature)), f"on {case.modality}"]
    if case.roi_note:
        lines += [f"ROI: {case.about.get('roi')},", case.roi_note]
    return "\n".join([*lines, *(["SYNTHETIC"] if case.about.get("synthetic") else [])])
