"""The cohort's part of the inputs: modalities to tick, the region to choose, the cohort in a line."""

from slicer.i18n import tr as _

from deepradiomics.scene.panel.lists import ComboList, TickList, show_text

from .cohorts import ELLIPSOID, Cohort, cohort_text
from .readiness import chosen_modalities


class CohortSection:
    """Shows what the cohort offers, ticked and chosen as the parameters say."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self.modalities = TickList(self.ui.modalitiesList, self.onTicked)
        self.rois = ComboList(self.ui.roiSelector, self.onRoiChosen)

    def refresh(self, cohort: Cohort) -> None:
        """Show this cohort."""
        p = self.panel.parameters
        chosen = chosen_modalities(p, cohort)
        show_text(self.ui.cohortLabel, cohort_text(cohort, chosen, p.roi))
        self.modalities.show([(name, name, "") for name in cohort.modalities], chosen)
        ellipsoid = _("ellipsoid (not a reader's contour)")
        self.rois.show([(name, ellipsoid if name == ELLIPSOID else name) for name in cohort.rois], p.roi)

    def onTicked(self, ticked: list[str]) -> None:
        """The user ticked or unticked a modality; all of them are kept as none, so that new ones are taken too."""
        self.panel.parameters.modalities = [] if len(ticked) == len(self.modalities.keys) else ticked
        self.panel.refresh()  # unticking the last one means all of them

    def onRoiChosen(self, roi: str) -> None:
        """The user chose the region."""
        self.panel.parameters.roi = roi
