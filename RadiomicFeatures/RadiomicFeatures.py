"""RadiomicFeatures, a module of 3D Slicer: its name, panel and self-test; the work is in the Lib folder."""

import sys
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModule

if not any(Path(folder, "deepradiomics").is_dir() for folder in sys.path if folder):
    sys.path.append(str(Path(__file__).resolve().parents[1]))  # run from the source tree: the package is one folder up

from RadiomicFeaturesLib.logic import RadiomicFeaturesLogic
from RadiomicFeaturesLib.samples import load_synthetic_prostate
from RadiomicFeaturesLib.widget import FeaturesPanel

from deepradiomics.scene.panel.about import describe
from deepradiomics.scene.panel.self_test import SelfTest


class RadiomicFeatures(ScriptedLoadableModule):
    """What Slicer shows of the module before its panel is opened."""

    def __init__(self, parent) -> None:
        super().__init__(parent)
        describe(
            self.parent,
            title=_("Radiomic Features"),
            purpose=_(
                "Radiomic features of a volume's segments or of a box, as a table or, voxel by voxel, as maps over the"
                " anatomy; of one volume or of many cases. Names and values are PyRadiomics'."
            ),
            tutorial="radiomics.md",
            acknowledgement=_(
                "Radiomic features follow the definitions of PyRadiomics and of the Image Biomarker Standardisation"
                " Initiative (IBSI)."
            ),
        )


class RadiomicFeaturesWidget(FeaturesPanel):
    """The panel; Slicer finds it by this name."""


class RadiomicFeaturesTest(SelfTest):
    """*Reload and Test*: features and a map of a synthetic prostate through the real child process."""

    def test_features_of_gland_and_lesion(self) -> None:
        self.needs("extract")
        volume, segmentation = load_synthetic_prostate()
        self.delayDisplay("Computing the features of a synthetic prostate and its lesion")
        nodes = RadiomicFeaturesLogic().extract(volume, segmentation=segmentation)
        self.assertEqual(nodes.features.GetNumberOfRows(), 2 * 107)
        self.delayDisplay("Features are in the scene")

    def test_a_map_of_the_lesion(self) -> None:
        self.needs("extract")
        volume, segmentation = load_synthetic_prostate()
        self.delayDisplay("Drawing the entropy around each voxel of the lesion")
        options = {"segmentation": segmentation, "segment_ids": ["lesion"]}
        nodes = RadiomicFeaturesLogic().maps(volume, ["firstorder_Entropy"], **options)
        self.assertEqual(list(nodes.maps), ["original_firstorder_Entropy"])
        self.delayDisplay("The map is in the scene")

    def test_a_mistake_is_reported_and_leaves_the_scene_alone(self) -> None:
        before = slicer.mrmlScene.GetNumberOfNodes()
        with self.assertRaises(ValueError):
            RadiomicFeaturesLogic().extract(None)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), before)
        self.delayDisplay("A mistake was reported")
