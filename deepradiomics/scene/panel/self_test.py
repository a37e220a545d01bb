"""*Reload and Test*: what the self-tests of all modules share."""

from unittest import SkipTest

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest

from deepradiomics.scene.job import dependencies


class SelfTest(ScriptedLoadableModuleTest):
    """Runs each method called ``test_…`` on an empty scene; what cannot run here is left out and named."""

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        for name in [name for name in vars(type(self)) if name.startswith("test_")]:
            self.setUp()
            try:
                getattr(self, name)()
            except SkipTest as skipped:
                self.delayDisplay(f"Left out: {skipped}")

    def needs(self, feature: dependencies.Feature) -> None:
        """Leave the test out where a package of a feature is not installed."""
        absent = ", ".join(package.distribution for package in dependencies.missing(feature))
        if absent:
            self.skipTest(f"not installed: {absent}")
