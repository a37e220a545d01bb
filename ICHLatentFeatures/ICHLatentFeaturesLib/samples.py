"""Sample data: a synthetic head with a haematoma that expands, baseline and follow-up, made on the spot."""

from dataclasses import dataclass
from typing import Any

import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.nodes.map_place import reference_place
from deepradiomics.scene.nodes.sample_nodes import mark_sample, sample_nodes
from deepradiomics.scene.nodes.segments import add_segments
from deepradiomics.scene.nodes.volumes import node_from_volume
from deepradiomics.scene.panel.samples import SYNTHETIC, offer_sample
from deepradiomics.scene.show.ich.case import LOOKS
from deepradiomics.scene.tree.folder import result_folder_item
from deepradiomics.scene.views.overlay import set_window, show_over

from .choices import BundleSource, Lesions, Outline

SAMPLE = "head"
PARTS = ("ct", "segmentation", "followup", "followup_segmentation")
SEED = 5
BRAIN_WINDOW_HU = (0.0, 80.0)


@dataclass(frozen=True, eq=False)
class SyntheticHead:
    """Volume nodes of two CTs and segmentation nodes with the segment "haematoma" in each."""

    ct: Any
    segmentation: Any
    followup: Any
    followup_segmentation: Any


def register_sample_data() -> None:
    """Offer the head in the Sample Data module."""
    offer_sample("SyntheticHeadCT", lambda: [load_synthetic_head().ct], __file__)


def load_synthetic_head() -> SyntheticHead:
    """Add both CTs of a synthetic patient and the drawn haematomas to the scene, in a folder of their own."""
    from deepradiomics.phantoms.ich.cohort import ich_exam

    exam, scene = ich_exam(SEED), slicer.mrmlScene
    nodes = []
    for image, mask, name in (
        (exam.baseline, exam.mask, _("Synthetic head CT")),
        (exam.followup, exam.mask_followup, _("Synthetic head CT, follow-up")),
    ):
        volume = node_from_volume(image, scene, name)
        set_window(volume, *BRAIN_WINDOW_HU)
        volume.SetDescription(SYNTHETIC)
        outline = add_segments(scene, f"{name}: drawn", mask, LOOKS[:1], volume, reference_place(volume))
        nodes += [volume, outline]
    nodes[3].GetDisplayNode().SetVisibility(False)  # the two heads lie differently
    result_folder_item(scene, _("Synthetic head"), nodes)
    for node, part in zip(nodes, PARTS, strict=True):
        mark_sample(node, SAMPLE, part)
    show_over(slicer.mrmlScene, nodes[0])
    return SyntheticHead(*nodes)


def choose_sample(parameters: Any) -> None:
    """Choose a synthetic head, which the sample model outlines; one that the scene still holds is taken again.

    The drawn haematoma is hidden, so that what the network outlines can be seen; the follow-up is left out, because
    registering it would take longer than everything else.
    """
    nodes = sample_nodes(slicer.mrmlScene, SAMPLE)
    head = SyntheticHead(**nodes) if set(nodes) == set(PARTS) else load_synthetic_head()
    show_over(slicer.mrmlScene, head.ct)
    for outline in (head.segmentation, head.followup_segmentation):
        outline.GetDisplayNode().SetVisibility(False)
    p = parameters
    p.bundleSource, p.outline, p.lesions = BundleSource.SAMPLE, Outline.MODEL, Lesions.AS_TRAINED
    p.ct, p.followup, p.clinical, p.caseId = head.ct, None, "", ""
