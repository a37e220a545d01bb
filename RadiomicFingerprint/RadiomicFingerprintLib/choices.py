"""The choices the panel offers, as enumerations: what is stored in the scene, and the words the user reads."""

from slicer.i18n import tr as _

from deepradiomics.scene.panel.choices import LABELS, Choice
from deepradiomics.scene.panel.choices import Device as Device

VIEWS = ("sagittal", "coronal", "axial")


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
    """Patches along (z, y, x) of the region; `None` leaves it to the model."""

    AS_TRAINED = None
    ONE = (1, 1, 1)
    TWO = (2, 2, 2)
    THREE = (3, 3, 3)


class BundleSource(Choice):
    """The model that comes with the module, or one in a folder."""

    SAMPLE = "sample"
    FOLDER = "folder"


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
