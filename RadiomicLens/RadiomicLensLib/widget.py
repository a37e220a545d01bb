"""The panel: controls bound to the parameter node, Apply that becomes Cancel, progress, log, results, the case view."""

import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.panel.module_panel import ModulePanel

from . import costs, readiness
from .case_view import CaseSection
from .choices import CaseSource, CasesSource, EncoderSource, FeatureSet
from .cohort_view import CohortSection
from .cohorts import Cohort, CohortReader, scene_cases
from .encoders import chosen_encoders
from .logic import RadiomicLensLogic
from .parameters import parameter_node
from .results import ResultsSection
from .samples import choose_sample, open_sample_lens


class LensPanel(ModulePanel):
    """The module's widget: what is chosen, in the parameter node; what it means, in the functions it calls."""

    title = _("Radiomic Lens")
    logic: RadiomicLensLogic

    def build(self) -> None:
        """Make the logic and the sections, connect the controls."""
        from deepradiomics.scene.layouts import register_layouts

        register_layouts(slicer.mrmlScene)
        self.logic = RadiomicLensLogic()
        self.cohortReader = CohortReader()
        self.cohort = CohortSection(self)
        self.results = ResultsSection(self)
        self.caseView = CaseSection(self)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.ui.installOfflineButton.connect("clicked(bool)", self.onInstallOffline)

    def run_buttons(self) -> tuple:
        return (self.ui.applyButton, self.ui.showCaseButton)

    def locked_sections(self) -> tuple:
        return (self.ui.inputsSection, self.ui.encodersSection, self.ui.optionsSection)

    def make_parameters(self):
        """The scene's parameter node of this module."""
        return parameter_node()

    def node_selectors(self) -> list:
        """Those of the case view as well, which are made for the lens's modalities."""
        return [*super().node_selectors(), *self.caseView.selectors.values()]

    def nodes_changed(self) -> None:
        """Cases, volumes or results came or went."""
        p = self.parameters
        if p.casesSource is CasesSource.SCENE or p.resultTable is not None:
            self.refresh()

    def refresh(self, caller=None, event=None) -> None:
        """Show what the parameters mean: the rows that matter, the cohort, what is missing, what a run will cost."""
        if self.parameters is None:
            return
        p = self.parameters
        self._show_rows()
        cohort = self.cohortReader.read(p)
        if p.roi not in cohort.rois and not cohort.problem:
            p.roi = cohort.rois[0]  # comes back here through the parameter node
            return
        self.cohort.refresh(cohort)
        self.results.refresh()
        if p.caseSource is CaseSource.SCENE and not p.caseVolumes:
            self.caseView.guess()
        self.caseView.refresh()
        if not self.idle:
            return
        reason = readiness.why_not_apply(p, cohort)
        why_not = self.set_ready(self.ui.applyButton, reason, _("Fit the lens in the background."), "lens")
        self.ui.estimateLabel.text = why_not or costs.words(costs.seconds(p, cohort))

    def _show_rows(self) -> None:
        p = self.parameters
        self.ui.manifestArea.visible = p.casesSource is CasesSource.MANIFEST
        self.ui.parameterFileArea.visible = p.featureSet is FeatureSet.FILE
        self.ui.finetuneFolderArea.visible = p.encoderSource is EncoderSource.RUN
        self.ui.eachEncoderArea.visible = p.encoderSource is EncoderSource.EACH

    # --- running ---------------------------------------------------------------------------------------------------

    def load_sample(self) -> None:
        """Open the sample lens, put a synthetic prostate into the scene, choose it and the feature that gained most."""
        self.results.show(open_sample_lens(self.logic))
        choose_sample(self.parameters)

    def sample_button(self):
        """What is pressed once the sample is chosen: it maps the chosen row in the synthetic prostate."""
        return self.ui.showCaseButton

    def onApply(self, checked: bool = False) -> None:
        """Fit, or cancel; a cancelled fit resumes when it is started again."""
        self.run(self.ui.applyButton, "lens", self._start, self.results.show)

    def _start(self, callbacks: dict):
        p = self.parameters
        cohort: Cohort = self.cohortReader.read(p)
        pre, ft = chosen_encoders(p)
        in_scene = p.casesSource is CasesSource.SCENE
        hidden = {"hidden": p.hidden} if p.hidden else {}
        return self.logic.start_fit(
            None if in_scene else p.manifest, scene_cases() if in_scene else None, pre, ft, p.outputFolder,
            finetune=p.finetuneFolder if p.encoderSource is EncoderSource.RUN else None,
            task=p.taskName.strip(), layer=p.layer.strip(),
            preset=p.preset.value, modalities=list(readiness.chosen_modalities(p, cohort)), roi=p.roi,
            params=readiness.params_of(p), sweep=p.sweep, fit_on=p.fitOn.value, permutations=p.permutations,
            bootstraps=p.bootstraps, missing=p.missing.value, device=p.device.value, seed=p.seed,
            resume=not p.startOver, **hidden, **callbacks,
        )  # fmt: skip

    def onInstallOffline(self, checked: bool = False) -> None:
        """Install the packages from a folder of wheels that the user chooses."""
        self.install_offline("lens")
