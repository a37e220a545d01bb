"""RadiomicFingerprint, a module of 3D Slicer: its name, panel and self-test; the work is in the Lib folder."""

import sys
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModule

if not any(Path(folder, "deepradiomics").is_dir() for folder in sys.path if folder):
    sys.path.append(str(Path(__file__).resolve().parents[1]))  # run from the source tree: the package is one folder up

from RadiomicFingerprintLib.bundles import SAMPLE_BUNDLE
from RadiomicFingerprintLib.logic import RadiomicFingerprintLogic
from RadiomicFingerprintLib.samples import load_synthetic_knee, register_sample_data
from RadiomicFingerprintLib.widget import FingerprintPanel

from deepradiomics.scene.panel.about import describe
from deepradiomics.scene.panel.self_test import SelfTest


class RadiomicFingerprint(ScriptedLoadableModule):
    """What Slicer shows of the module before its panel is opened."""

    def __init__(self, parent) -> None:
        super().__init__(parent)
        describe(
            self.parent,
            title=_("Radiomic Fingerprint"),
            purpose=_(
                "Predicts from MR (or other) volumes and shows each patient's own set of radiomic features behind the"
                " prediction: a table, a chart and a heat map over the anatomy. Features alone, and maps of them, are"
                " in the module Radiomic Features."
            ),
            tutorial="fingerprint.md",
            acknowledgement=_(
                "Implements the method of <i>Radiomic fingerprints for knee MR images assessment</i>."
                " Radiomic features follow the definitions of PyRadiomics and IBSI."
            ),
        )
        slicer.app.connect("startupCompleted()", register_sample_data)


class RadiomicFingerprintWidget(FingerprintPanel):
    """The panel; Slicer finds it by this name."""


class RadiomicFingerprintTest(SelfTest):
    """*Reload and Test*: a synthetic knee through the real child process, its fingerprint shown in the scene."""

    def test_the_sample_model_explains_a_synthetic_knee(self) -> None:
        if not SAMPLE_BUNDLE.is_dir():
            self.skipTest("the sample model is not here")
        self.needs("apply")
        self.delayDisplay("Applying the sample model to a synthetic knee")
        volumes = dict(zip(("sagittal", "coronal", "axial"), load_synthetic_knee(), strict=True))
        nodes = RadiomicFingerprintLogic().apply(volumes)
        self.assertEqual(set(nodes.relevance), set(nodes.charts))
        self.delayDisplay("The fingerprint is in the scene")

    def test_a_mistake_is_reported_and_leaves_the_scene_alone(self) -> None:
        before = slicer.mrmlScene.GetNumberOfNodes()
        with self.assertRaises(ValueError):
            RadiomicFingerprintLogic().apply(volumes={}, bundle=Path(__file__).parent)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), before)
        self.delayDisplay("A mistake was reported")
