"""The cohort's part of the inputs: modalities to tick, the region to choose, the cohort in a line."""

import qt
from slicer.i18n import tr as _

from .cohorts import ELLIPSOID, Cohort, cohort_words
from .readiness import chosen_modalities


class CohortSection:
    """Shows what the cohort offers, ticked and chosen as the parameters say."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._modalities: tuple[str, ...] = ()
        self._rois: tuple[str, ...] = ()
        self._items: list = []  # PythonQt lets go of an item that nobody else holds
        self._following = False
        self.ui.modalitiesList.connect("itemChanged(QListWidgetItem*)", self.onTicked)
        self.ui.roiSelector.connect("currentIndexChanged(int)", self.onRoiChosen)

    def refresh(self, cohort: Cohort) -> None:
        """Show this cohort."""
        p = self.panel.parameters
        self.ui.cohortLabel.text = cohort_words(cohort, chosen_modalities(p, cohort), p.roi)
        self.ui.cohortLabel.visible = bool(self.ui.cohortLabel.text)
        self._following = True
        try:
            self._follow_modalities(cohort.modalities)
            self._follow_rois(cohort.rois)
        finally:
            self._following = False

    def _follow_modalities(self, modalities: tuple[str, ...]) -> None:
        widget = self.ui.modalitiesList
        if modalities != self._modalities:
            self._modalities, self._items = modalities, []
            widget.clear()
            for name in modalities:
                item = qt.QListWidgetItem(name)
                item.setCheckState(qt.Qt.Unchecked)
                widget.addItem(item)
                self._items.append(item)
        chosen = set(self.panel.parameters.modalities) & set(modalities) or set(modalities)
        for name, item in zip(modalities, self._items, strict=True):
            state = qt.Qt.Checked if name in chosen else qt.Qt.Unchecked
            if item.checkState() != state:
                item.setCheckState(state)

    def _follow_rois(self, rois: tuple[str, ...]) -> None:
        if rois != self._rois:
            self._rois = rois
            self.ui.roiSelector.clear()
            for name in rois:
                self.ui.roiSelector.addItem(_("ellipsoid (not a reader's contour)") if name == ELLIPSOID else name)
        roi = self.panel.parameters.roi
        self.ui.roiSelector.currentIndex = rois.index(roi) if roi in rois else -1

    def onTicked(self, item) -> None:
        """The user ticked or unticked a modality; all of them are kept as none, so that new ones are taken too."""
        if self._following:
            return
        pairs = zip(self._modalities, self._items, strict=True)
        ticked = [name for name, each in pairs if each.checkState() == qt.Qt.Checked]
        self.panel.parameters.modalities = [] if len(ticked) == len(self._modalities) else ticked
        self.panel.refresh()  # unticking the last one means all of them

    def onRoiChosen(self, index: int) -> None:
        """The user chose the region."""
        if not self._following and 0 <= index < len(self._rois):
            self.panel.parameters.roi = self._rois[index]
