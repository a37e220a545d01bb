"""Everything the panel can be set to, as one parameter node, so that a saved scene restores the panel."""

from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTableNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from deepradiomics.scene.panel.image_tools import ImageToolParameters

from .choices import CaseSource, CasesSource, Device, EncoderSource, FeatureSet, FitOn, Missing, Preset


@parameterNodeWrapper
class RadiomicLensParameterNode(ImageToolParameters):
    """One attribute per control. Paths are plain text (empty: not chosen)."""

    # the cohort
    casesSource: CasesSource = CasesSource.MANIFEST
    manifest: str
    modalities: list[str]  # empty: all there are
    roi: str = "gland"
    # the encoders
    encoderSource: EncoderSource = EncoderSource.SAMPLE
    finetuneFolder: str
    preEncoder: str
    ftEncoder: str
    taskName: str
    # the features
    featureSet: FeatureSet = FeatureSet.LENS
    parameterFile: str
    # how
    preset: Preset = Preset.PAPER
    hidden: Annotated[int, WithinRange(0, 4096)] = 0  # 0: the preset's
    sweep: bool = False
    fitOn: FitOn = FitOn.PRE
    permutations: Annotated[int, WithinRange(0, 100_000)] = 0
    bootstraps: Annotated[int, WithinRange(0, 100_000)] = 1000
    layer: str
    missing: Missing = Missing.REFUSE
    device: Device = Device.AUTO
    seed: Annotated[int, WithinRange(0, 999_999)] = 0
    outputFolder: str
    startOver: bool = False
    # results on show
    resultTable: vtkMRMLTableNode
    shiftFilter: str
    sortColumn: str = "delta_explained"
    sortDescending: bool = True
    chosenModality: str
    chosenFeature: str
    # the case view
    caseSource: CaseSource = CaseSource.RESULT
    caseId: str
    caseVolumes: dict[str, vtkMRMLScalarVolumeNode]  # by modality
    caseSegmentation: vtkMRMLSegmentationNode
    caseSegmentId: str
