"""The Experiment section: a cohort's manifest becomes tables, a report and a model."""

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.panel.lists import show_text
from deepradiomics.scene.panel.parameter_node import names_in, options_of
from deepradiomics.scene.panel.results_section import open_report
from deepradiomics.scene.views.layouts import show_table_and_chart

from . import readiness
from .choices import BundleSource
from .work import EXPERIMENT, open_experiment


class ExperimentSection:
    """Starts the experiment, shows where its report lies, chooses its model for the next patient."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self.ui.experimentButton.connect("clicked(bool)", self.onRun)
        self.ui.openExperimentButton.connect("clicked(bool)", self.onOpen)
        self.ui.experimentReportButton.connect("clicked(bool)", lambda checked=False: open_report(self._report()))

    def refresh(self) -> None:
        """Bring the section up to date with the parameters."""
        self.ui.experimentReportButton.enabled = self._report() is not None
        self.ui.experimentStatusLabel.visible = bool(self.ui.experimentStatusLabel.text)
        if self.panel.idle:
            reason = readiness.why_not_experiment(self.panel.parameters)
            self.panel.set_ready(self.ui.experimentButton, reason, _("Compare inputs and classifiers."), "ich")

    def _report(self) -> Path | None:
        output = self.panel.parameters.experimentOutput
        report = Path(output) / "report.html"
        return report if output and report.is_file() else None

    def onRun(self, checked: bool = False) -> None:
        """Run, or cancel; a cancelled experiment resumes when it is started again."""
        self.panel.run(self.ui.experimentButton, "ich", self._start, self._finished)

    def _start(self, callbacks: dict):
        p = self.panel.parameters
        options = options_of(p, (*EXPERIMENT, "external", "encoder", "autoencoder"))
        options["covariates"] = names_in(p.covariates)
        return self.panel.logic.start_experiment(p.manifest, p.experimentOutput, **options, **callbacks)

    def _finished(self, nodes) -> None:
        """Show the tables, open the report, choose the model."""
        p = self.panel.parameters
        self.show(nodes)
        bundle = Path(p.experimentOutput) / "bundle"
        if bundle.is_dir():
            p.bundleFolder, p.bundleSource = str(bundle), BundleSource.FOLDER
            self.panel.log(_("The experiment's model is chosen above: {folder}").format(folder=bundle))
        open_report(self._report())

    def onOpen(self, checked: bool = False) -> None:
        """Show an experiment that was run before."""
        folder = qt.QFileDialog.getExistingDirectory(self.panel.parent, _("Result folder of 'ich experiment'"))
        if folder:
            with self.panel.errors_shown():
                nodes = open_experiment(Path(folder).absolute())
                self.panel.parameters.experimentOutput = folder
                self.show(nodes)

    def show(self, nodes) -> None:
        """Show an experiment (`deepradiomics.scene.show.ich.experiment.ExperimentNodes`): its AUC, table and chart."""
        chart = next(iter(nodes.charts.values()), None)
        show_table_and_chart(slicer.mrmlScene, nodes.tables["summary"], chart)
        for note in nodes.notes:
            self.panel.log(note)
        text = _("{tables} tables and {charts} charts are in the scene.").format(
            tables=len(nodes.tables), charts=len(nodes.charts)
        )
        show_text(self.ui.experimentStatusLabel, "\n".join([text, *nodes.notes[:2]]))
