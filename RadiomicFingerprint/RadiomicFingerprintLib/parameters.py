"""Everything the panel can be set to, as one parameter node, so that a saved scene restores the panel."""

from typing import Annotated

import ctk
import slicer
from slicer import vtkMRMLMarkupsROINode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTableNode
from slicer.parameterNodeWrapper import GuiConnector, WithinRange, parameterNodeGuiConnector, parameterNodeWrapper

from .choices import (
    BatchSource,
    BundleSource,
    Device,
    FeatureSet,
    HeatMap,
    Inference,
    Mode,
    PatchGrid,
    ReferenceView,
    Registration,
    RoiSource,
    TrainPreset,
)

MODULE_NAME = "RadiomicFingerprint"


@parameterNodeWrapper
class RadiomicFingerprintParameterNode:
    """One attribute a control. Paths are plain text (empty: not chosen); `segmentId` is empty for all segments."""

    mode: Mode = Mode.FINGERPRINT
    # fingerprint
    sagittal: vtkMRMLScalarVolumeNode
    coronal: vtkMRMLScalarVolumeNode
    axial: vtkMRMLScalarVolumeNode
    referenceView: ReferenceView = ReferenceView.AS_TRAINED
    registration: Registration = Registration.AS_TRAINED
    bundleSource: BundleSource = BundleSource.SAMPLE
    bundleFolder: str
    inference: Inference = Inference.PAPER
    # features only
    featureVolume: vtkMRMLScalarVolumeNode
    featureSet: FeatureSet = FeatureSet.FINGERPRINT_107
    parameterFile: str
    # feature maps
    mapFeatures: list[str]
    kernelRadius: Annotated[int, WithinRange(1, 5)] = 1
    # region of interest
    roiSource: RoiSource = RoiSource.AUTOMATIC
    roiNode: vtkMRMLMarkupsROINode
    segmentation: vtkMRMLSegmentationNode
    segmentId: str
    patchGrid: PatchGrid = PatchGrid.AS_TRAINED
    # how and where
    device: Device = Device.AUTO
    caseId: str = "case"
    outputFolder: str
    # results on show
    resultTable: vtkMRMLTableNode
    task: str
    heatMap: HeatMap = HeatMap.RELEVANCE
    overlayOpacity: Annotated[float, WithinRange(0, 1)] = 0.5
    overlayThreshold: Annotated[float, WithinRange(0, 1)] = 0.0
    # batch
    batchSource: BatchSource = BatchSource.FOLDER
    batchFolder: str
    batchVolumes: list[vtkMRMLScalarVolumeNode]
    batchOutput: str
    # training
    trainManifest: str
    trainTasks: str
    trainPreset: TrainPreset = TrainPreset.TINY
    trainOutput: str


@parameterNodeGuiConnector
class PathLineEditToStr(GuiConnector):
    """Connects a path edit to plain text: Slicer's own connector would show an empty path as a dot."""

    @staticmethod
    def canRepresent(widget, datatype) -> bool:
        return type(widget) is ctk.ctkPathLineEdit and datatype is str

    @staticmethod
    def create(widget, datatype):
        return PathLineEditToStr(widget) if PathLineEditToStr.canRepresent(widget, datatype) else None

    def __init__(self, widget) -> None:
        super().__init__()
        self._widget = widget

    def _connect(self) -> None:
        self._widget.currentPathChanged.connect(self.changed)

    def _disconnect(self) -> None:
        self._widget.currentPathChanged.disconnect(self.changed)

    def widget(self):
        return self._widget

    def read(self) -> str:
        return self._widget.currentPath

    def write(self, value: str) -> None:
        if value != self._widget.currentPath:
            self._widget.currentPath = value


def parameter_node() -> RadiomicFingerprintParameterNode:
    """The scene's parameter node of this module; made when there is none."""
    node = slicer.mrmlScene.GetSingletonNode(MODULE_NAME, "vtkMRMLScriptedModuleNode")
    if node is None:
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)  # owned by this variable now
        node.SetSingletonTag(MODULE_NAME)
        node.SetName(MODULE_NAME)
        node = slicer.mrmlScene.AddNode(node)
    node.SetAttribute("ModuleName", MODULE_NAME)  # closing a scene may remove it
    return RadiomicFingerprintParameterNode(node)
