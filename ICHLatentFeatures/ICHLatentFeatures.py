"""ICHLatentFeatures, a module of 3D Slicer: its name, panel and self-test; the work is in the Lib folder."""

import sys
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModule

if not any(Path(folder, "deepradiomics").is_dir() for folder in sys.path if folder):
    sys.path.append(str(Path(__file__).resolve().parents[1]))  # run from the source tree: the package is one folder up

from ICHLatentFeaturesLib.logic import ICHLatentFeaturesLogic
from ICHLatentFeaturesLib.samples import load_synthetic_head, register_sample_data
from ICHLatentFeaturesLib.widget import IchPanel

from deepradiomics.scene.panel.about import describe
from deepradiomics.scene.panel.self_test import SelfTest


class ICHLatentFeatures(ScriptedLoadableModule):
    """What Slicer shows of the module before its panel is opened."""

    def __init__(self, parent) -> None:
        super().__init__(parent)
        describe(
            self.parent,
            title=_("ICH Latent Features"),
            purpose=_(
                "From one head CT with an intracerebral haemorrhage: the haematoma and its volume, radiomic and latent"
                " features, the risk of a poor outcome and of expansion, and where each risk comes from; from a cohort:"
                " which features predict what, without leakage."
            ),
            tutorial="ich.md",
            acknowledgement=_(
                "Implements the comparison of radiomic and deep latent features of intracerebral haemorrhage with"
                " checks of our own against leakage. Radiomic features follow the definitions of PyRadiomics and IBSI."
            ),
        )
        slicer.app.connect("startupCompleted()", register_sample_data)


class ICHLatentFeaturesWidget(IchPanel):
    """The panel; Slicer finds it by this name."""


class ICHLatentFeaturesTest(SelfTest):
    """*Reload and Test*: the expansion of a synthetic haematoma through the real child process."""

    def test_the_expansion_of_a_synthetic_haematoma(self) -> None:
        self.needs("register")
        self.delayDisplay("Measuring the expansion of a synthetic haematoma")
        head = load_synthetic_head()
        nodes = ICHLatentFeaturesLogic().expansion(
            head.ct,
            head.followup,
            backend="cpu",
            baseline_segmentation=head.segmentation,
            followup_segmentation=head.followup_segmentation,
        )
        self.assertGreater(nodes.change.GetSegmentation().GetNumberOfSegments(), 0)
        self.assertGreater(nodes.table.GetNumberOfRows(), 3)
        self.delayDisplay("The expansion is in the scene")

    def test_a_mistake_is_reported_and_leaves_the_scene_alone(self) -> None:
        before = slicer.mrmlScene.GetNumberOfNodes()
        with self.assertRaises(ValueError):
            ICHLatentFeaturesLogic().apply(ct=None, bundle=Path(__file__).parent)
        with self.assertRaises(ValueError):
            ICHLatentFeaturesLogic().open(Path(__file__).parent)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), before)
        self.delayDisplay("Mistakes were reported")
