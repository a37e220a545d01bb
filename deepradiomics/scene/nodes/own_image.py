"""The image that a result was computed on, found by what it holds; a result is never shown over another one.

A result's JSON has of each image a hash of its voxels and where it lay (`deepradiomics.images.image_record`). The image
is looked for among the volumes of the scene, then beside the result's files; a volume that the caller names is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import DeepRadiomicsError, InputError
from deepradiomics.images import Geometry, ImageContent, Volume, image_content, read_volume
from deepradiomics.scene.nodes.map_place import ReferencePlace, reference_place
from deepradiomics.scene.nodes.placement import placement
from deepradiomics.scene.nodes.volumes import node_from_volume, volume_from_node, volumes_of_scene

IMAGE_OF = "DeepRadiomics.image_of"  # attribute of a volume that was read for a result: what it is there
SPACING_TOLERANCE = 1e-3  # relative: NIfTI keeps single precision


@dataclass(frozen=True, eq=False)
class OwnImage:
    """Where a result's image is.

    Attributes
    ----------
    node
        Its volume node; None where it is neither in the scene nor in a file.
    place
        Where it lay when the result was computed (`map_place.ReferencePlace`), so that the result follows it from there
        to where it lies now; None where that is not known.
    note
        What must be said where there is no image; empty otherwise.
    """

    node: Any | None
    place: ReferencePlace | None = None
    note: str = ""


def own_image(
    scene: Any, record: Mapping[str, Any], chosen: Any | None, files: Iterable[Path], *, name: str, what: str
) -> OwnImage:
    """Find the image of a result.

    Parameters
    ----------
    record
        What the result's JSON holds of it: ``content`` and ``geometry``; results of earlier versions lack both.
    chosen
        The volume node that the caller takes for it; None to look for it.
    files
        Where its file may lie; one that does not exist, or holds another image, is passed over.
    name
        Of the volume node, where the image is read from a file.
    what
        The image is called in messages ("the CT").

    Raises
    ------
    InputError
        `chosen` holds another image than the result was computed on.
    """
    if chosen is not None:
        if not holds(chosen, record):
            raise InputError(
                f"'{chosen.GetName()}' is not {what} that this result was computed on: its voxels differ. Give the "
                "right volume, or none: then it is looked for."
            )
        return OwnImage(chosen, place_of(chosen, record))
    if not record.get("content"):
        return OwnImage(None, note=f"this result does not say which image {what} is; it is shown without it")
    fitting = [node for node in volumes_of_scene(scene) if holds(node, record)]
    if fitting:
        node = min(fitting, key=lambda volume: _distance_mm(volume, record))
        return OwnImage(node, place_of(node, record))
    for path in files:
        volume = _read(path)
        if volume is not None and image_content(volume).hash == record["content"]:
            node = node_from_volume(volume, scene, name)
            node.CreateDefaultDisplayNodes()
            node.SetAttribute(IMAGE_OF, what)
            return OwnImage(node, reference_place(node))
    return OwnImage(
        None, note=f"{what} of this result is neither in the scene nor beside its files; it is shown without"
    )


def holds(node: Any, record: Mapping[str, Any]) -> bool:
    """Whether a volume node holds the image of a record, voxel by voxel; of an old record, whether it has its grid."""
    if node.GetImageData() is None:
        return False
    try:
        place = placement(node)
    except DeepRadiomicsError:  # a colour image
        return False
    geometry = record.get("geometry") or {key: record[key] for key in ("size", "spacing_mm") if key in record}
    size, spacing = geometry.get("size"), geometry.get("spacing_mm")
    if not place.exact or (size is not None and tuple(size) != place.geometry.size):
        return False
    if not record.get("content"):
        return spacing is None or np.allclose(place.geometry.spacing_mm, spacing, rtol=SPACING_TOLERANCE)
    return content_of(node).hash == record["content"]


_contents: dict[tuple[str, int], ImageContent] = {}  # by the image data's address and time of change


def content_of(node: Any) -> ImageContent:
    """The content of a volume node, computed once for each state of its voxels."""
    image = node.GetImageData()
    key = (image.GetAddressAsString(""), image.GetMTime())
    if key not in _contents:
        _contents[key] = image_content(volume_from_node(node))
    return _contents[key]


def place_of(node: Any, record: Mapping[str, Any]) -> ReferencePlace | None:
    """Where a result's image lay at the computation, in terms of its volume's own local space.

    None below a shear or a non-linear transform; without a record, where it lies now.
    """
    now = reference_place(node)
    if now is None or not record.get("geometry"):
        return now
    then = Geometry.from_dict(record["geometry"])
    index = np.eye(4)  # of the node's voxels → of the image's as it was at the computation
    if record.get("flipped") is not None:
        for axis, (was, turned) in enumerate(zip(record["flipped"], content_of(node).flipped, strict=True)):
            if was != turned:
                index[axis, axis], index[axis, 3] = -1.0, then.size[axis] - 1.0
    return ReferencePlace(now.index_to_local, then.ijk_to_ras @ index @ np.linalg.inv(now.index_to_local))


def _distance_mm(node: Any, record: Mapping[str, Any]) -> float:
    if not record.get("geometry"):
        return 0.0
    then = Geometry.from_dict(record["geometry"])
    return float(np.linalg.norm(np.array(placement(node).geometry.centre_mm) - then.centre_mm))


def _read(path: Path) -> Volume | None:
    if not Path(path).exists():
        return None
    try:
        return read_volume(path)
    except DeepRadiomicsError:
        return None


def files_beside(folder: Path, name: str) -> list[Path]:
    """Where an image of this file name may lie: with the result's files, or in the folder around them."""
    plain = bool(name) and Path(name).name == name
    return [folder / name, folder.parent / name] if plain else []


__all__ = ["IMAGE_OF", "OwnImage", "files_beside", "holds", "own_image", "place_of"]
