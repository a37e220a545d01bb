"""Everything the panel can be set to, as one parameter node, so that a saved scene restores the panel."""

from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTableNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from deepradiomics.reports.palettes import MAP_OPACITY
from deepradiomics.scene.panel.image_tools import ImageToolParameters

from .choices import BundleSource, Device, Lesions, Outline, Preset, Search


@parameterNodeWrapper
class ICHLatentFeaturesParameterNode(ImageToolParameters):
    """One attribute per control. Paths are plain text (empty: not chosen); an empty `caseId` is the CT's name."""

    # the patient
    ct: vtkMRMLScalarVolumeNode
    bundleSource: BundleSource = BundleSource.SAMPLE
    bundleFolder: str
    outline: Outline = Outline.MODEL
    segmenterFolder: str
    segmentation: vtkMRMLSegmentationNode
    segmentId: str
    followup: vtkMRMLScalarVolumeNode
    followupSegmentation: vtkMRMLSegmentationNode
    followupSegmentId: str
    # how and where
    lesions: Lesions = Lesions.AS_TRAINED
    flips: bool = False
    largest: bool = False
    clinical: str
    caseId: str
    device: Device = Device.AUTO
    outputFolder: str
    # results on show
    resultTable: vtkMRMLTableNode
    outcome: str
    overlayOpacity: Annotated[float, WithinRange(0, 1)] = MAP_OPACITY
    overlayThreshold: Annotated[float, WithinRange(0, 1)] = 0.3
    showRing: bool = True
    showExpansion: bool = False
    featureFilter: str
    # the experiment
    manifest: str
    external: str
    encoder: str
    autoencoder: str
    preset: Preset = Preset.PAPER
    search: Search = Search.FIXED
    covariates: str
    seed: Annotated[int, WithinRange(0, 999_999)] = 0
    workers: Annotated[int, WithinRange(1, 64)] = 1
    allowLeakage: bool = False
    experimentOutput: str
