"""The panel: controls bound to the parameter node, Apply that becomes Cancel, progress, log, results, the case view."""

import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.panel.lists import show_rows
from deepradiomics.scene.panel.module_panel import ModulePanel
from deepradiomics.scene.panel.parameter_node import options_of
from deepradiomics.scene.views.layouts import register_layouts

from . import costs, readiness
from .case_view import CaseSection
from .choices import CaseSource, CasesSource, EncoderSource, FeatureSet
from .cohort_view import CohortSection
from .cohorts import Cohort, CohortReader, scene_cases
from .encoders import chosen_encoders
from .logic import RadiomicLensLogic
from .parameters import RadiomicLensParameterNode
from .results import ResultsSection
from .samples import choose_sample, open_sample_lens

FIT_PARAMETERS = (
    "preset", "roi", "sweep", "fit_on", "permutations", "bootstraps", "missing", "task_name", "layer", "device", "seed",
)  # fmt: skip


class LensPanel(ModulePanel):
    """The module's widget: what is chosen, in the parameter node; what it means, in the functions it calls."""

    title = _("Radiomic Lens")
    logic: RadiomicLensLogic
    parameter_type = RadiomicLensParameterNode
    offline_feature = "lens"

    def build(self) -> None:
        """Make the logic and the sections, connect the controls."""
        register_layouts(slicer.mrmlScene)
        self.logic = RadiomicLensLogic()
        self.cohortReader = CohortReader()
        self.cohort = CohortSection(self)
        self.results = ResultsSection(self)
        self.caseView = CaseSection(self)

    def run_buttons(self) -> tuple:
        return (self.ui.applyButton, self.ui.showCaseButton)

    def locked_sections(self) -> tuple:
        return (self.ui.inputsSection, self.ui.encodersSection, self.ui.optionsSection)

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
        show_rows(
            self.ui,
            manifestArea=p.casesSource is CasesSource.MANIFEST,
            parameterFileArea=p.featureSet is FeatureSet.FILE,
            finetuneFolderArea=p.encoderSource is EncoderSource.RUN,
            eachEncoderArea=p.encoderSource is EncoderSource.EACH,
        )
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
        self.ui.estimateLabel.text = why_not or costs.text(costs.seconds(p, cohort))

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
        options = options_of(p, FIT_PARAMETERS)
        if p.hidden:
            options["hidden"] = p.hidden
        return self.logic.start_fit(
            None if in_scene else p.manifest,
            scene_cases() if in_scene else None,
            pre,
            ft,
            p.outputFolder,
            finetune=p.finetuneFolder if p.encoderSource is EncoderSource.RUN else None,
            modalities=list(readiness.chosen_modalities(p, cohort)),
            params=readiness.params_of(p),
            resume=not p.startOver,
            **options,
            **callbacks,
        )
