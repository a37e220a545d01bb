"""RadiomicLens, a module of 3D Slicer: its name, panel and self-test; the work is in the Lib folder."""

import sys
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModule

if not any(Path(folder, "deepradiomics").is_dir() for folder in sys.path if folder):
    sys.path.append(str(Path(__file__).resolve().parents[1]))  # run from the source tree: the package is one folder up

from RadiomicLensLib.logic import RadiomicLensLogic
from RadiomicLensLib.samples import register_sample_data, show_synthetic_case
from RadiomicLensLib.widget import LensPanel

from deepradiomics.scene.panel.about import describe
from deepradiomics.scene.panel.self_test import SelfTest
from deepradiomics.scene.views.layouts import register_layouts


class RadiomicLens(ScriptedLoadableModule):
    """What Slicer shows of the module before its panel is opened."""

    def __init__(self, parent) -> None:
        super().__init__(parent)
        describe(
            self.parent,
            title=_("Radiomic Lens"),
            purpose=_(
                "Shows in radiomic terms what fine-tuning changed in an encoder of a foundation model: which features"
                " it strengthened, which it weakened, and how sure that is; each feature can be drawn over any case."
            ),
            tutorial="lens.md",
            acknowledgement=_(
                "Implements the method of <i>Radiomic lens</i> with intervals, a permutation null and controls of our"
                " own. Radiomic features follow the definitions of PyRadiomics and IBSI."
            ),
        )
        slicer.app.connect("startupCompleted()", register)


def register() -> None:
    """Offer the sample; make the case view's layouts known, so that a scene saved in one of them opens in it."""
    register_layouts(slicer.mrmlScene)
    register_sample_data()


class RadiomicLensWidget(LensPanel):
    """The panel; Slicer finds it by this name."""


class RadiomicLensTest(SelfTest):
    """*Reload and Test*: the case view of a synthetic prostate through the real child process."""

    def test_a_case_of_a_synthetic_prostate(self) -> None:
        self.needs("lens-case")
        self.delayDisplay("Mapping the entropy of a synthetic prostate's T2")
        nodes = show_synthetic_case(RadiomicLensLogic())
        self.assertEqual(set(nodes.volumes), {"t2", "highb", "adc"})
        self.assertIsNotNone(nodes.map)
        self.delayDisplay("The case is in the scene")

    def test_a_mistake_is_reported_and_leaves_the_scene_alone(self) -> None:
        before = slicer.mrmlScene.GetNumberOfNodes()
        with self.assertRaises(ValueError):
            RadiomicLensLogic().fit(manifest="nowhere.csv", pre="a", ft="b")
        with self.assertRaises(ValueError):
            RadiomicLensLogic().open(Path(__file__).parent)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), before)
        self.delayDisplay("Mistakes were reported")
