"""Sample data: the T2 image of a synthetic prostate with its gland and a lesion, made on the spot."""

from typing import Any

import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.nodes.map_place import reference_place
from deepradiomics.scene.nodes.segments import SegmentLook, add_segments, labelmap_at
from deepradiomics.scene.nodes.terminology import TAG
from deepradiomics.scene.nodes.volumes import node_from_volume
from deepradiomics.scene.panel.samples import SYNTHETIC
from deepradiomics.scene.tree.folder import result_folder_item
from deepradiomics.scene.views.overlay import show_over

SEED, GRADE = 11, 3
LOOKS = {"gland": (0.15, 1.0, 0.55), "lesion": (1.0, 0.45, 0.2)}
_TERMS = "Segmentation category and type - 3D Slicer General Anatomy list"
_PLACES, _PROSTATE = "Anatomic codes - DICOM master list", "SCT^41216001^Prostate"
_ALTERED = "SCT^49755003^Morphologically Altered Structure"
TERMINOLOGY = {
    "gland": f"{_TERMS}~SCT^123037004^Anatomical Structure~{_PROSTATE}~^^~{_PLACES}~^^~^^|",
    "lesion": f"{_TERMS}~{_ALTERED}~SCT^52988006^Lesion~^^~{_PLACES}~{_PROSTATE}~^^|",
}


def load_synthetic_prostate() -> tuple[Any, Any]:
    """Add the volume and its segmentation, which overlap as gland and lesion do; returns both nodes."""
    from deepradiomics.phantoms.prostate.cohort import prostate_exam

    exam, scene = prostate_exam(SEED, GRADE), slicer.mrmlScene
    name = _("Synthetic prostate T2")
    volume = node_from_volume(exam.views["t2"], scene, name)
    volume.CreateDefaultDisplayNodes()
    volume.SetDescription(SYNTHETIC)
    gland, lesion = exam.masks["gland"], exam.masks["lesion"]
    place = reference_place(volume)
    look = SegmentLook(1, "gland", LOOKS["gland"], fill=0.0, surface=0.0)
    segmentation = add_segments(scene, _("Synthetic prostate segments"), gland, [look], volume, place)
    add_segment(segmentation, lesion, "lesion", LOOKS["lesion"], place)
    segments = segmentation.GetSegmentation()
    for region, entry in TERMINOLOGY.items():
        segments.GetSegment(segments.GetSegmentIdBySegmentName(region)).SetTag(TAG, entry)
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    result_folder_item(scene, _("Synthetic prostate"), [volume, segmentation])
    show_over(scene, volume)
    return volume, segmentation


def add_segment(segmentation: Any, mask: Any, name: str, colour: tuple[float, float, float], place: Any) -> None:
    """Add a region to a segmentation that may overlap its others."""
    image = labelmap_at(mask.union(), mask.geometry, place)
    segmentation.AddSegmentFromBinaryLabelmapRepresentation(image, name, colour, name)
    display = segmentation.GetDisplayNode()
    display.SetSegmentOpacity2DFill(name, 0.0)
