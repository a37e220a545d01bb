"""The choices the panel offers, as enumerations: what is stored in the scene, and the words the user reads."""

from slicer.i18n import tr as _

from deepradiomics.fingerprint.model import config
from deepradiomics.scene.panel.choices import Choice
from deepradiomics.scene.panel.choices import Device as Device

VIEWS = ("sagittal", "coronal", "axial")


class ReferenceView(Choice):
    """The view whose grid carries the region; `None` leaves it to the model."""

    AS_TRAINED = None, lambda: _("As the model was trained")
    SAGITTAL = "sagittal", lambda: _("Sagittal")
    CORONAL = "coronal", lambda: _("Coronal")
    AXIAL = "axial", lambda: _("Axial")


class Registration(Choice):
    """Whether and where the views are aligned; `None` leaves it to the model."""

    AS_TRAINED = None, lambda: _("As the model was trained")
    OFF = "off", lambda: _("Off")
    CPU = "cpu", lambda: _("On the CPU")
    GPU = "gpu", lambda: _("On the GPU")


class RoiSource(Choice):
    """Where the region of interest comes from."""

    AUTOMATIC = "automatic", lambda: _("Automatic (centre of the image)")
    BOX = "box", lambda: _("ROI box")
    SEGMENT = "segment", lambda: _("Segment")


class PatchGrid(Choice):
    """Patches along (z, y, x) of the region; `None` leaves it to the model."""

    AS_TRAINED = None, lambda: _("As the model was trained")
    ONE = (1, 1, 1), lambda: _("1 × 1 × 1 (one patch)")
    TWO = (2, 2, 2), lambda: _("2 × 2 × 2 (8 patches)")
    THREE = (3, 3, 3), lambda: _("3 × 3 × 3 (27 patches)")


class BundleSource(Choice):
    """The model that comes with the module, or one in a folder."""

    SAMPLE = "sample", lambda: _("Sample (synthetic knees)")
    FOLDER = "folder", lambda: _("From a folder")


class Inference(Choice):
    """How relevance enters the prediction (docs: Fingerprint)."""

    PAPER = "paper", lambda: _("paper (mask)")
    MASKED = "masked", lambda: _("masked (mask and weight)")
    SOFT = "soft", lambda: _("soft (weight)")


class HeatMap(Choice):
    """What is drawn over the anatomy."""

    RELEVANCE = "relevance", lambda: _("Relevance of the patches")
    GRADCAM = "gradcam", lambda: _("Grad-CAM of the network")


class TrainPreset(Choice, of=config.Preset):
    """Size of the model that is trained."""

    TINY = "tiny", lambda: _("tiny (to try out)")
    PAPER = "paper", lambda: _("paper (full size)")


class BatchSource(Choice):
    """Where the cases of a batch are."""

    FOLDER = "folder", lambda: _("Folder of cases")
    SCENE = "scene", lambda: _("Volumes in the scene")
