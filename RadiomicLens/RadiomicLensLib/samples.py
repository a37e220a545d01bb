"""Sample data: a synthetic prostate, three modalities on three grids, with gland and lesion; a lens of such cases."""

import contextlib
from typing import Any

import slicer
from slicer.i18n import tr as _

from deepradiomics.errors import InputError
from deepradiomics.scene.job.runner import FOLDER_ATTRIBUTE
from deepradiomics.scene.nodes.export import columns_of
from deepradiomics.scene.nodes.map_place import reference_place
from deepradiomics.scene.nodes.outline import add_outline
from deepradiomics.scene.nodes.sample_nodes import mark_sample, sample_nodes
from deepradiomics.scene.nodes.volumes import node_from_volume
from deepradiomics.scene.panel.samples import SYNTHETIC, offer_sample
from deepradiomics.scene.runs.scene_cohort import SceneCase
from deepradiomics.scene.show.lens.result import lens_tables, nodes_of
from deepradiomics.scene.tree.folder import result_folder_item
from deepradiomics.scene.views.overlay import show_over

from .choices import CaseSource, EncoderSource
from .encoders import SAMPLE_BUNDLE
from .result_text import lens_modalities

SAMPLE, SAMPLE_LENS = "prostate", SAMPLE_BUNDLE / "lens"
SEED, GRADE, GLAND = 11, 3, "gland"


def register_sample_data() -> None:
    """Offer the prostate in the Sample Data module."""
    offer_sample("SyntheticProstate", lambda: list(load_synthetic_prostate().volumes.values()), __file__)


def load_synthetic_prostate() -> SceneCase:
    """Add T2, high-b and ADC with gland and lesion to the scene, in a folder of their own: a case for the panel."""
    from deepradiomics.phantoms.prostate.cohort import prostate_exam

    exam, scene = prostate_exam(SEED, GRADE), slicer.mrmlScene
    name = _("Synthetic prostate")
    volumes = {}
    for modality, volume in exam.views.items():
        volumes[modality] = node_from_volume(volume, scene, f"{name} {modality}")
        volumes[modality].CreateDefaultDisplayNodes()
        mark_sample(volumes[modality], SAMPLE, modality)
        volumes[modality].SetDescription(SYNTHETIC)
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
    folder = str(SAMPLE_LENS)
    tables = [table for table in lens_tables(slicer.mrmlScene) if table.GetAttribute(FOLDER_ATTRIBUTE) == folder]
    for table in reversed(tables):
        with contextlib.suppress(InputError):  # the user removed some of its nodes
            return nodes_of(table)
    return logic.open(SAMPLE_LENS)


def choose_sample(parameters: Any) -> None:
    """Choose a synthetic prostate for the case view, and the first row of the lens on show.

    A prostate that the scene still holds is taken again.
    """
    p, modalities = parameters, lens_modalities(parameters.resultTable)
    nodes = sample_nodes(slicer.mrmlScene, SAMPLE)
    if not {*modalities, GLAND} <= set(nodes):
        load_synthetic_prostate()
        nodes = sample_nodes(slicer.mrmlScene, SAMPLE)
    show_over(slicer.mrmlScene, nodes[modalities[0]])
    p.encoderSource, p.caseSource, p.shiftFilter = EncoderSource.SAMPLE, CaseSource.SCENE, ""
    p.caseVolumes = {modality: nodes[modality] for modality in modalities}
    p.caseSegmentation, p.caseSegmentId = nodes[GLAND], nodes[GLAND].GetSegmentation().GetNthSegmentID(0)
    columns = columns_of(p.resultTable)
    p.chosenModality, p.chosenFeature = columns["modality"][0], columns["feature"][0]


def show_synthetic_case(logic: Any) -> Any:
    """Map the entropy of the synthetic prostate's T2 through the real child process; no lens is needed for it."""
    case = load_synthetic_prostate()
    return logic.showFeature(
        "synthetic", "t2", "original_firstorder_Entropy", volumes=case.volumes, roi=case.rois["gland"], preset="tiny"
    )
