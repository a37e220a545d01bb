"""Everything the panel can be set to, as one parameter node, so that a saved scene restores the panel."""

from typing import Annotated

from slicer import vtkMRMLMarkupsROINode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTableNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from deepradiomics.reports.palettes import MAP_OPACITY
from deepradiomics.scene.panel.image_tools import ImageToolParameters

from .choices import (
    BatchSource,
    BundleSource,
    Device,
    HeatMap,
    Inference,
    PatchGrid,
    ReferenceView,
    Registration,
    RoiSource,
    TrainPreset,
)


@parameterNodeWrapper
class RadiomicFingerprintParameterNode(ImageToolParameters):
    """One attribute per control. Paths are plain text (empty: not chosen); an empty `caseId` is the volume's name."""

    sagittal: vtkMRMLScalarVolumeNode
    coronal: vtkMRMLScalarVolumeNode
    axial: vtkMRMLScalarVolumeNode
    referenceView: ReferenceView = ReferenceView.AS_TRAINED
    registration: Registration = Registration.AS_TRAINED
    bundleSource: BundleSource = BundleSource.SAMPLE
    bundleFolder: str
    inference: Inference = Inference.PAPER
    # region of interest
    roiSource: RoiSource = RoiSource.AUTOMATIC
    roiNode: vtkMRMLMarkupsROINode
    segmentation: vtkMRMLSegmentationNode
    segmentId: str
    patchGrid: PatchGrid = PatchGrid.AS_TRAINED
    # how and where
    device: Device = Device.AUTO
    caseId: str
    outputFolder: str
    # results on show
    resultTable: vtkMRMLTableNode
    task: str
    heatMap: HeatMap = HeatMap.RELEVANCE
    overlayOpacity: Annotated[float, WithinRange(0, 1)] = MAP_OPACITY
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
