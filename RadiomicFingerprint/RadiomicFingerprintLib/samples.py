"""Sample data: a synthetic knee in three views, made on the user's computer; nothing is downloaded."""

from pathlib import Path

import slicer
from slicer.i18n import tr as _

CATEGORY = "DeepRadiomics"
SAMPLE_NAME = "SyntheticKnee"
SEED = 7


def register_sample_data() -> None:
    """Offer the synthetic knee in the Sample Data module."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=SAMPLE_NAME,
        uris="",
        fileNames="",
        nodeNames="SyntheticKnee",
        customDownloader=lambda source: load_synthetic_knee(),
        thumbnailFileName=str(Path(__file__).resolve().parents[1] / "Resources" / "Icons" / "RadiomicFingerprint.png"),
    )


def load_synthetic_knee() -> list:
    """Add the three views of one synthetic knee to the scene; returns their volume nodes (sagittal, coronal, axial)."""
    from deepradiomics.phantoms.knee import knee_exam
    from deepradiomics.scene.volumes import node_from_volume

    case = knee_exam(SEED).case
    nodes = []
    for view in ("sagittal", "coronal", "axial"):
        node = node_from_volume(case.views[view], slicer.mrmlScene, _("Synthetic knee ({view})").format(view=view))
        node.CreateDefaultDisplayNodes()
        node.SetDescription("SYNTHETIC: made by deepradiomics, not a patient")
        nodes.append(node)
    slicer.util.setSliceViewerLayers(background=nodes[0], fit=True)
    return nodes
