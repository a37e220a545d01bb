"""Sample data: a synthetic head with a haematoma that grows, baseline and follow-up, made on the spot."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from .choices import BundleSource, Lesions, Outline

CATEGORY = "DeepRadiomics"
SAMPLE = "head"
PARTS = ("ct", "segmentation", "followup", "followup_segmentation")
SEED = 5
BRAIN_WINDOW_HU = (0.0, 80.0)
_THUMBNAIL = Path(__file__).resolve().parents[1] / "Resources" / "Icons" / "ICHLatentFeatures.png"


@dataclass(frozen=True, eq=False)
class SyntheticHead:
    """Volume nodes of two CTs and segmentation nodes with the segment "haematoma" in each."""

    ct: Any
    segmentation: Any
    followup: Any
    followup_segmentation: Any


def register_sample_data() -> None:
    """Offer the head in the Sample Data module."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName="SyntheticHeadCT",
        uris="",
        fileNames="",
        nodeNames="SyntheticHeadCT",
        customDownloader=lambda source: [load_synthetic_head().ct],
        thumbnailFileName=str(_THUMBNAIL),
    )


def load_synthetic_head() -> SyntheticHead:
    """Add both CTs of a synthetic patient and the drawn haematomas to the scene, in a folder of their own."""
    from deepradiomics.phantoms.ich import ich_exam
    from deepradiomics.scene.folder import result_folder_item
    from deepradiomics.scene.ich_case import LOOKS
    from deepradiomics.scene.map_place import reference_place
    from deepradiomics.scene.overlay import set_window, show_over
    from deepradiomics.scene.sample_nodes import mark_sample
    from deepradiomics.scene.segments import add_segments
    from deepradiomics.scene.volumes import node_from_volume

    exam, scene = ich_exam(SEED), slicer.mrmlScene
    nodes = []
    for image, mask, name in (
        (exam.baseline, exam.mask, _("Synthetic head CT")),
        (exam.followup, exam.mask_followup, _("Synthetic head CT, follow-up")),
    ):
        volume = node_from_volume(image, scene, name)
        set_window(volume, *BRAIN_WINDOW_HU)
        volume.SetDescription("SYNTHETIC: made by DeepRadiomics, not a patient")
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
    from deepradiomics.scene.overlay import show_over
    from deepradiomics.scene.sample_nodes import sample_nodes

    found = sample_nodes(slicer.mrmlScene, SAMPLE)
    head = SyntheticHead(**found) if set(found) == set(PARTS) else load_synthetic_head()
    show_over(slicer.mrmlScene, head.ct)
    for outline in (head.segmentation, head.followup_segmentation):
        outline.GetDisplayNode().SetVisibility(False)
    p = parameters
    p.bundleSource, p.outline, p.lesions = BundleSource.SAMPLE, Outline.MODEL, Lesions.AS_TRAINED
    p.ct, p.followup, p.clinical, p.caseId = head.ct, None, "", ""
