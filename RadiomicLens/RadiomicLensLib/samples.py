"""Sample data: a synthetic prostate, three modalities on three grids, with gland and lesion, made on the spot."""

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.scene_cohort import SceneCase

CATEGORY = "DeepRadiomics"
SEED, GRADE = 11, 3
_THUMBNAIL = Path(__file__).resolve().parents[1] / "Resources" / "Icons" / "RadiomicLens.png"


def register_sample_data() -> None:
    """Offer the prostate in the Sample Data module."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName="SyntheticProstate",
        uris="",
        fileNames="",
        nodeNames="SyntheticProstate",
        customDownloader=lambda source: list(load_synthetic_prostate().volumes.values()),
        thumbnailFileName=str(_THUMBNAIL),
    )


def load_synthetic_prostate() -> SceneCase:
    """Add T2, high-b and ADC with gland and lesion to the scene, in a folder of their own: a case for the panel."""
    from deepradiomics.phantoms.prostate import prostate_exam
    from deepradiomics.scene.folder import result_folder_item
    from deepradiomics.scene.lens_roi import add_outline
    from deepradiomics.scene.map_place import reference_place
    from deepradiomics.scene.overlay import show_in_slices
    from deepradiomics.scene.volumes import node_from_volume

    exam, scene = prostate_exam(SEED, GRADE), slicer.mrmlScene
    name = _("Synthetic prostate")
    volumes = {}
    for modality, volume in exam.views.items():
        volumes[modality] = node_from_volume(volume, scene, f"{name} {modality}")
        volumes[modality].CreateDefaultDisplayNodes()
        volumes[modality].SetDescription("SYNTHETIC: made by DeepRadiomics, not a patient")
    t2 = volumes["t2"]
    rois = {}
    for roi, mask in exam.masks.items():
        segmentation = add_outline(scene, roi, mask, t2, reference_place(t2))
        rois[roi] = (segmentation, segmentation.GetSegmentation().GetNthSegmentID(0))
    result_folder_item(scene, name, [*volumes.values(), *(node for node, _segment in rois.values())])
    show_in_slices(scene, background=t2)
    return SceneCase(name, volumes, rois)


def show_synthetic_case(logic: Any) -> Any:
    """Map the entropy of the synthetic prostate's T2 through the real child process; no lens is needed for it."""
    case = load_synthetic_prostate()
    return logic.showFeature(
        "synthetic", "t2", "original_firstorder_Entropy", volumes=case.volumes, roi=case.rois["gland"], preset="tiny"
    )
