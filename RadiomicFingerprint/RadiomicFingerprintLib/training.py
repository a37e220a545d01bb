"""The Train section: a model from a manifest, with the loss curve drawn while it learns."""

from pathlib import Path

import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.nodes.plots import LossCurve
from deepradiomics.scene.panel.lists import show_text
from deepradiomics.scene.panel.parameter_node import names_in, options_of
from deepradiomics.scene.views.layouts import show_chart

from .choices import BundleSource


class TrainingSection:
    """Starts the training, follows its history, and chooses the new model when it is done."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self.curve = None
        self.ui.trainButton.connect("clicked(bool)", self.onTrain)

    def onTrain(self, checked: bool = False) -> None:
        """Train, or cancel; a cancelled training resumes from its last checkpoint when it is started again."""
        self.panel.run(self.ui.trainButton, "train", self._start, self._trained)

    def _start(self, callbacks: dict):
        p = self.panel.parameters
        out = Path(p.trainOutput)
        self.curve = None
        progress = callbacks["on_progress"]

        def follow(fraction: float, message: str) -> None:
            progress(fraction, message)
            self.follow(out / "history.csv")

        options = options_of(p, ("patch_grid", "reference_view", "device"))
        return self.panel.logic.start_training(
            p.trainManifest,
            out,
            tasks=names_in(p.trainTasks),
            preset=p.trainPreset.value,
            **options,
            **(callbacks | {"on_progress": follow}),
        )

    def follow(self, history: Path) -> None:
        """Draw the history so far; the chart appears with the first epoch."""
        if not history.is_file():
            return
        if self.curve is None:
            self.curve = LossCurve(slicer.mrmlScene, history)
            self.curve.update()
            show_chart(slicer.mrmlScene, self.curve.chart)
        epochs = self.curve.update()
        text = _("{epochs} epochs so far; the loss curve is in the plot view.").format(epochs=epochs)
        show_text(self.ui.trainStatusLabel, text)

    def _trained(self, bundle: Path) -> None:
        p = self.panel.parameters
        self.follow(Path(p.trainOutput) / "history.csv")
        p.bundleFolder, p.bundleSource = str(bundle), BundleSource.FOLDER
        show_text(self.ui.trainStatusLabel, _("Trained. The model is chosen above: {folder}").format(folder=bundle))
