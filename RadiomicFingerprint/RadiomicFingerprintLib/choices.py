"""The choices the panel offers, as enumerations: what is stored in the scene, and the words the user reads."""

from slicer.i18n import tr as _

from deepradiomics.scene.panel.choices import LABELS, Choice
from deepradiomics.scene.panel.choices import Device as Device

VIEWS = ("sagittal", "coronal", "axial")


class Mode(Choice):
    """With a model, or the features alone: of whole regions, or around each voxel."""

    FINGERPRINT = "fingerprint"
    FEATURES = "features"
    MAPS = "maps"


class ReferenceView(Choice):
    """The view whose grid carries the region; `None` leaves it to the model."""

    AS_TRAINED = None
    SAGITTAL = "sagittal"
    CORONAL = "coronal"
    AXIAL = "axial"


class Registration(Choice):
    """Whether and where the views are aligned; `None` leaves it to the model."""

    AS_TRAINED = None
    OFF = "off"
    CPU = "cpu"
    GPU = "gpu"


class RoiSource(Choice):
    """Where the region of interest comes from."""

    AUTOMATIC = "automatic"
    BOX = "box"
    SEGMENT = "segment"


class PatchGrid(Choice):
    """Patches along (z, y, x) of the region; `None` leaves it to the model (or one patch, for features only)."""

    AS_TRAINED = None
    ONE = (1, 1, 1)
    TWO = (2, 2, 2)
    THREE = (3, 3, 3)


class BundleSource(Choice):
    """The model that comes with the module, or one in a folder."""

    SAMPLE = "sample"
    FOLDER = "folder"


class FeatureSet(Choice):
    """Presets of the engine, or the user's PyRadiomics parameter file."""

    FINGERPRINT_107 = "fingerprint-107"
    PAPER_110 = "paper-110"
    PYRADIOMICS_DEFAULT = "pyradiomics-default"
    LENS = "lens"
    ICH_1688 = "ich-1688"
    PAPER_1693 = "paper-1693"
    FILE = "file"


class Inference(Choice):
    """How relevance enters the prediction (docs: Fingerprint)."""

    PAPER = "paper"
    MASKED = "masked"
    SOFT = "soft"


class HeatMap(Choice):
    """What is drawn over the anatomy."""

    RELEVANCE = "relevance"
    GRADCAM = "gradcam"


class TrainPreset(Choice):
    """Size of the model that is trained."""

    TINY = "tiny"
    PAPER = "paper"


class BatchSource(Choice):
    """Where the cases of a batch are."""

    FOLDER = "folder"
    SCENE = "scene"


LABELS |= {
    Mode.FINGERPRINT: lambda: _("Fingerprint with a trained model"),
    Mode.FEATURES: lambda: _("Features only, without a model"),
    Mode.MAPS: lambda: _("Feature maps, voxel by voxel"),
    ReferenceView.AS_TRAINED: lambda: _("As the model was trained"),
    ReferenceView.SAGITTAL: lambda: _("Sagittal"),
    ReferenceView.CORONAL: lambda: _("Coronal"),
    ReferenceView.AXIAL: lambda: _("Axial"),
    Registration.AS_TRAINED: lambda: _("As the model was trained"),
    Registration.OFF: lambda: _("Off"),
    Registration.CPU: lambda: _("On the CPU"),
    Registration.GPU: lambda: _("On the GPU"),
    RoiSource.AUTOMATIC: lambda: _("Automatic (centre of the image)"),
    RoiSource.BOX: lambda: _("ROI box"),
    RoiSource.SEGMENT: lambda: _("Segment"),
    PatchGrid.AS_TRAINED: lambda: _("As the model was trained"),
    PatchGrid.ONE: lambda: _("1 × 1 × 1 (one patch)"),
    PatchGrid.TWO: lambda: _("2 × 2 × 2 (8 patches)"),
    PatchGrid.THREE: lambda: _("3 × 3 × 3 (27 patches)"),
    BundleSource.SAMPLE: lambda: _("Sample (synthetic knees)"),
    BundleSource.FOLDER: lambda: _("From a folder"),
    FeatureSet.FINGERPRINT_107: lambda: _("Fingerprint, 107 features"),
    FeatureSet.PAPER_110: lambda: _("Paper, 110 features"),
    FeatureSet.PYRADIOMICS_DEFAULT: lambda: _("PyRadiomics' defaults, 107 features"),
    FeatureSet.LENS: lambda: _("Lens, 837 features (wavelet)"),
    FeatureSet.ICH_1688: lambda: _("Haemorrhage, 1,688 features (filters)"),
    FeatureSet.PAPER_1693: lambda: _("Haemorrhage paper, 1,693 features"),
    FeatureSet.FILE: lambda: _("Parameter file"),
    Inference.PAPER: lambda: _("paper (mask)"),
    Inference.MASKED: lambda: _("masked (mask and weight)"),
    Inference.SOFT: lambda: _("soft (weight)"),
    HeatMap.RELEVANCE: lambda: _("Relevance of the patches"),
    HeatMap.GRADCAM: lambda: _("Grad-CAM of the network"),
    TrainPreset.TINY: lambda: _("tiny (to try out)"),
    TrainPreset.PAPER: lambda: _("paper (full size)"),
    BatchSource.FOLDER: lambda: _("Folder of cases"),
    BatchSource.SCENE: lambda: _("Volumes in the scene"),
}
