"""Sample data: a synthetic prostate, three modalities on three grids, with gland and lesion; a lens of such cases."""

import contextlib
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.scene_cohort import SceneCase

from .choices import CaseSource, EncoderSource
from .encoders import SAMPLE_BUNDLE
from .result_text import lens_modalities

CATEGORY = "DeepRadiomics"
SAMPLE, SAMPLE_LENS = "prostate", SAMPLE_BUNDLE / "lens"
SEED, GRADE, GLAND = 11, 3, "gland"
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
    from deepradiomics.scene.overlay import show_over
    from deepradiomics.scene.sample_nodes import mark_sample
    from deepradiomics.scene.volumes import node_from_volume

    exam, scene = prostate_exam(SEED, GRADE), slicer.mrmlScene
    name = _("Synthetic prostate")
    volumes = {}
    for modality, volume in exam.views.items():
        volumes[modality] = node_from_volume(volume, scene, f"{name} {modality}")
        volumes[modality].CreateDefaultDisplayNodes()
        mark_sample(volumes[modality], SAMPLE, modality)
        volumes[modality].SetDescription("SYNTHETIC: made by DeepRadiomics, not a patient")
    t2 = volumes["t2"]
    rois = {}
    for roi, mask in exam.masks.items():
        segmentation = add_outline(scene, roi, mask, t2, reference_place(t2))
        mark_sample(segmentation, SAMPLE, roi)
        segmentation.GetDisplayNode().SetVisibility(roi == GLAND)  # one outline; the others from the Data module
        rois[roi] = (segmentation, segmentation.GetSegmentation().GetNthSegmentID(0))
    result_folder_item(scene, name, [*volumes.values(), *(node for node, _segment in rois.values())])
    show_over(slicer.mrmlScene, t2)
    return SceneCase(name, volumes, rois)


def open_sample_lens(logic: Any) -> Any:
    """The lens of synthetic prostates that comes with the module; opened where the scene does not hold it yet."""
    from deepradiomics.errors import InputError
    from deepradiomics.scene.lens import lens_tables, nodes_of
    from deepradiomics.scene.runner import FOLDER_ATTRIBUTE

    tables = [each for each in lens_tables(slicer.mrmlScene) if each.GetAttribute(FOLDER_ATTRIBUTE) == str(SAMPLE_LENS)]
    for table in reversed(tables):
        with contextlib.suppress(InputError):  # the user removed some of its nodes
            return nodes_of(table)
    return logic.open(SAMPLE_LENS)


def choose_sample(parameters: Any) -> None:
    """Choose a synthetic prostate for the case view, and the first row of the lens on show.

    A prostate that the scene still holds is taken again.
    """
    from deepradiomics.scene.export import columns_of
    from deepradiomics.scene.overlay import show_over
    from deepradiomics.scene.sample_nodes import sample_nodes

    p, modalities = parameters, lens_modalities(parameters.resultTable)
    found = sample_nodes(slicer.mrmlScene, SAMPLE)
    if not {*modalities, GLAND} <= set(found):
        load_synthetic_prostate()
        found = sample_nodes(slicer.mrmlScene, SAMPLE)
    show_over(slicer.mrmlScene, found[modalities[0]])
    p.encoderSource, p.caseSource, p.shiftFilter = EncoderSource.SAMPLE, CaseSource.SCENE, ""
    p.caseVolumes = {each: found[each] for each in modalities}
    p.caseSegmentation, p.caseSegmentId = found[GLAND], found[GLAND].GetSegmentation().GetNthSegmentID(0)
    columns = columns_of(p.resultTable)
    p.chosenModality, p.chosenFeature = columns["modality"][0], columns["feature"][0]


def show_synthetic_case(logic: Any) -> Any:
    """Map the entropy of the synthetic prostate's T2 through the real child process; no lens is needed for it."""
    case = load_synthetic_prostate()
    return logic.showFeature(
        "synthetic", "t2", "original_firstorder_Entropy", volumes=case.volumes, roi=case.rois["gland"], preset="tiny"
    )
