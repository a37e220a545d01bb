"""The Train section: a model from a manifest, with the loss curve drawn while it learns."""

from pathlib import Path

import slicer
from slicer.i18n import tr as _

from .choices import BundleSource


class TrainingSection:
    """Starts the training, follows its history, and chooses the new model when it is done."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self.curve = None
        self.ui.trainButton.connect("clicked(bool)", self.onTrain)

    def refresh(self) -> None:
        """Say where a training stands that was run before in this folder."""

    def onTrain(self, checked: bool = False) -> None:
        """Train, or cancel; a cancelled training goes on from its last checkpoint when started again."""
        self.panel.run(self.ui.trainButton, "train", self._start, self._trained)

    def _start(self, callbacks: dict):
        p = self.panel.parameters
        out = Path(p.trainOutput)
        self.curve = None
        progress = callbacks["on_progress"]

        def follow(fraction: float, message: str) -> None:
            progress(fraction, message)
            self.follow(out / "history.csv")

        return self.panel.logic.start_training(
            p.trainManifest, out, tasks=task_names(p.trainTasks), preset=p.trainPreset.value,
            patch_grid=p.patchGrid.value, reference_view=p.referenceView.value, device=p.device.value,
            **(callbacks | {"on_progress": follow}),
        )  # fmt: skip

    def follow(self, history: Path) -> None:
        """Draw the history so far; the chart appears with the first epoch."""
        if not history.is_file():
            return
        if self.curve is None:
            from deepradiomics.scene.layouts import show_chart
            from deepradiomics.scene.plots import LossCurve

            self.curve = LossCurve(slicer.mrmlScene, history)
            self.curve.update()
            show_chart(slicer.mrmlScene, self.curve.chart)
        epochs = self.curve.update()
        self.ui.trainStatusLabel.visible = True
        self.ui.trainStatusLabel.text = _("{epochs} epochs so far; the loss curve is in the plot view.").format(
            epochs=epochs
        )

    def _trained(self, bundle: Path) -> None:
        p = self.panel.parameters
        self.follow(Path(p.trainOutput) / "history.csv")
        p.bundleFolder, p.bundleSource = str(bundle), BundleSource.FOLDER
        self.ui.trainStatusLabel.visible = True
        self.ui.trainStatusLabel.text = _("Trained. The model is chosen above: {folder}").format(folder=bundle)


def task_names(text: str) -> tuple[str, ...]:
    """Split "acl, meniscus" into names; empty for all tasks."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
