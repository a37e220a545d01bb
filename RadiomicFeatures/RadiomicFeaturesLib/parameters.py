"""Everything the panel can be set to, as one parameter node, so that a saved scene restores the panel."""

from typing import Annotated

from slicer import vtkMRMLMarkupsROINode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTableNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from deepradiomics.reports.palettes import MAP_OPACITY
from deepradiomics.scene.panel.image_tools import ImageToolParameters

from .choices import FEATURE_CLASSES, BatchSource, BinBy, Device, Mode, PatchGrid, RoiSource

OWN, FILE, SAVED = "own", "file", "saved/"  # of `featureSettings`, besides the names of presets; the last takes a name


@parameterNodeWrapper
class RadiomicFeaturesParameterNode(ImageToolParameters):
    """One attribute per control.

    Paths are plain text (empty: not chosen). Names of segments, image types and feature classes are separated by
    blanks; `skippedSegments` are those that are not ticked, so that a new segment is. `batchSeries` are the keys of
    `batch.dicom_series.SeriesPair`.
    """

    mode: Mode = Mode.FEATURES
    volume: vtkMRMLScalarVolumeNode
    # region
    roiSource: RoiSource = RoiSource.SEGMENTS
    segmentation: vtkMRMLSegmentationNode
    skippedSegments: list[str]
    roiNode: vtkMRMLMarkupsROINode
    patchGrid: PatchGrid = PatchGrid.ONE
    # settings: a preset's name, `own`, `file`, or `saved/` and a name
    featureSettings: str = "fingerprint-107"
    parameterFile: str
    binBy: BinBy = BinBy.WIDTH
    binWidth: Annotated[float, WithinRange(0.001, 100000)] = 25.0
    binCount: Annotated[int, WithinRange(2, 2048)] = 32
    spacingX: Annotated[float, WithinRange(0, 100)] = 0.0
    spacingY: Annotated[float, WithinRange(0, 100)] = 0.0
    spacingZ: Annotated[float, WithinRange(0, 100)] = 0.0
    normalize: bool = False
    normalizeScale: Annotated[float, WithinRange(0.01, 100000)] = 100.0
    imageTypes: str = "Original"
    sigmas: str = "1, 3, 5"
    featureClasses: str = " ".join(FEATURE_CLASSES)
    # maps
    mapFeatures: list[str]
    kernelRadius: Annotated[int, WithinRange(1, 5)] = 1
    # how and where
    device: Device = Device.AUTO
    outputFolder: str
    # result on show
    resultTable: vtkMRMLTableNode
    overlayOpacity: Annotated[float, WithinRange(0, 1)] = MAP_OPACITY
    # batch
    batchSource: BatchSource = BatchSource.FOLDER
    batchFolder: str
    batchVolumes: list[vtkMRMLScalarVolumeNode]
    batchSegmentations: list[vtkMRMLSegmentationNode]
    batchSeries: list[str]
    batchScanner: bool = False
    batchMaskGrid: bool = True
    batchOutput: str
