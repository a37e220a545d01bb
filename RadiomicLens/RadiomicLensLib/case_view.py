"""The case view's section: which case, which images; the chosen feature's map over its modality."""

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.scene.panel.lists import ComboList, Following, show_rows
from deepradiomics.scene.panel.segments import SegmentChoice

from . import result_text as text
from .choices import CaseSource
from .cohorts import scene_cases
from .readiness import why_not_case


class CaseSection:
    """Starts the map of the chosen row in the chosen case, and shows it."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self.selectors: dict = {}  # volume selector by modality
        self._labels: list = []
        self._following = Following()
        self.cases = ComboList(self.ui.caseSelector, self.onCaseChosen)
        self.segment = SegmentChoice(panel, self.ui.caseSegmentSelector, "caseSegmentation", "caseSegmentId")
        self.ui.showCaseButton.connect("clicked(bool)", self.onShow)
        self.ui.shiftTable.connect("cellDoubleClicked(int,int)", self.onDoubleClick)

    def refresh(self) -> None:
        """Bring the section up to date with the parameters."""
        p = self.panel.parameters
        table = p.resultTable
        modalities, folder = text.lens_modalities(table), text.lens_folder(table)
        cases = text.lens_cases(folder)
        self.cases.show([(name, f"{name} ({split})" if split else name) for name, split in cases], p.caseId)
        with self._following:
            self._follow_volumes(modalities)
        if not self.segment.refresh():
            return  # the panel has been refreshed by the segment that was chosen
        show_rows(
            self.ui,
            caseOfLensArea=p.caseSource is not CaseSource.SCENE,
            caseOfSceneArea=p.caseSource is CaseSource.SCENE,
        )
        if not self.panel.idle:
            return
        has_feature = self.panel.results.has(p.chosenModality, p.chosenFeature)
        reason = why_not_case(p, folder, has_feature, modalities, text.lens_roi(table), tuple(self.cases.keys))
        tip = _("Map the chosen feature in this case.")
        why_not = self.panel.set_ready(self.ui.showCaseButton, reason, tip, "lens-case")
        self.ui.caseStatusLabel.text = why_not or text.feature_text(p.chosenModality, p.chosenFeature)

    def guess(self) -> None:
        """When images of the scene are to be looked at, choose those of the first case that has all modalities."""
        p = self.panel.parameters
        modalities = text.lens_modalities(p.resultTable)
        if p.caseSource is not CaseSource.SCENE or not modalities or p.caseVolumes:
            return
        try:
            fitting = [case for case in scene_cases() if set(modalities) <= set(case.volumes)]
        except DeepRadiomicsError:
            return
        if fitting:
            p.caseVolumes = {modality: fitting[0].volumes[modality] for modality in modalities}
            roi = fitting[0].rois.get(text.lens_roi(p.resultTable))
            if roi is not None:
                p.caseSegmentation, p.caseSegmentId = roi

    # --- what there is to choose from ------------------------------------------------------------------------------

    def _follow_volumes(self, modalities: tuple[str, ...]) -> None:
        """One selector per modality of the lens."""
        if tuple(self.selectors) != modalities:
            layout = self.ui.caseVolumesArea.layout()
            for widget in (*self._labels, *self.selectors.values()):
                layout.removeWidget(widget)
                widget.setParent(None)
                widget.deleteLater()
            self.selectors, self._labels = {}, []
            for modality in modalities:
                self._add_selector(modality, layout)
        chosen = self.panel.parameters.caseVolumes
        for modality, selector in self.selectors.items():
            selector.setCurrentNode(chosen.get(modality))

    def _add_selector(self, modality: str, layout) -> None:
        label, selector = qt.QLabel(_("{modality}:").format(modality=modality)), slicer.qMRMLNodeComboBox()
        label.setMinimumWidth(self.ui.caseSegmentLabel.minimumWidth)  # as wide as the labels below
        selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        selector.showChildNodeTypes = False
        selector.noneEnabled = True
        selector.addEnabled = selector.removeEnabled = False
        selector.setMRMLScene(slicer.mrmlScene)
        selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: self.onVolumeChosen(modality, node))
        layout.addRow(label, selector)
        self._labels.append(label)
        self.selectors[modality] = selector

    def onCaseChosen(self, case_id: str) -> None:
        """The user chose a case of the lens."""
        self.panel.parameters.caseId = case_id

    def onVolumeChosen(self, modality: str, node) -> None:
        """The user chose a volume."""
        p = self.panel.parameters
        if self._following or p is None:
            return
        chosen = {name: volume for name, volume in p.caseVolumes.items() if volume is not None and name != modality}
        p.caseVolumes = chosen | ({modality: node} if node is not None else {})

    # --- showing ---------------------------------------------------------------------------------------------------

    def onDoubleClick(self, row: int, column: int) -> None:
        """A row of the table was clicked twice."""
        if self.panel.idle and self.ui.showCaseButton.enabled:
            self.onShow()

    def onShow(self, checked: bool = False) -> None:
        """Map the chosen feature, or cancel."""
        self.panel.run(self.ui.showCaseButton, "lens-case", self._start, self._show)

    def _start(self, callbacks: dict):
        p = self.panel.parameters
        options: dict = {}
        case_id = p.caseId
        if p.caseSource is CaseSource.SCENE:
            options["volumes"] = {modality: p.caseVolumes[modality] for modality in self.selectors}
            if p.caseSegmentation is not None:
                options["roi"] = (p.caseSegmentation, p.caseSegmentId)
            case_id = options["volumes"][p.chosenModality].GetName()
        return self.panel.logic.start_show_feature(
            case_id, p.chosenModality, p.chosenFeature, result=p.resultTable, **options, **callbacks
        )

    def _show(self, nodes) -> None:
        for sentence in nodes.missing:
            self.panel.log(sentence)
        if nodes.note:
            self.panel.log(_("Region: {note}.").format(note=nodes.note))
        self.panel.log(
            _("{feature} of {case} is over {modality}.").format(
                feature=nodes.feature, case=nodes.case_id, modality=nodes.modality
            )
        )
