"""The choices the panel offers, as enumerations: what is stored in the scene, and the words the user reads."""

from slicer.i18n import tr as _

from deepradiomics.scene.panel.choices import LABELS, Choice
from deepradiomics.scene.panel.choices import Device as Device


class BundleSource(Choice):
    """The model that comes with the module, or one in a folder."""

    SAMPLE = "sample"
    FOLDER = "folder"


class Outline(Choice):
    """Who outlines the haematoma."""

    MODEL = "model"
    NETWORK = "network"
    SEGMENT = "segment"


class Lesions(Choice):
    """What becomes of several haematomas; `None` leaves it to the model."""

    AS_TRAINED = None
    ALL = "all"
    LARGEST = "largest"
    EACH = "each"


class Preset(Choice):
    """Where the experiment's values come from that are not chosen here (`deepradiomics.ich.experiment_config`)."""

    PAPER = "paper"
    TINY = "tiny"


class Search(Choice):
    """How the classifiers' settings are found."""

    FIXED = "fixed"
    NESTED = "nested"


LABELS |= {
    BundleSource.SAMPLE: lambda: _("Sample (synthetic heads)"),
    BundleSource.FOLDER: lambda: _("From a folder"),
    Outline.MODEL: lambda: _("Outlined by the model's network"),
    Outline.NETWORK: lambda: _("Outlined by another network"),
    Outline.SEGMENT: lambda: _("A segment"),
    Lesions.AS_TRAINED: lambda: _("As the model was trained"),
    Lesions.ALL: lambda: _("All as one region"),
    Lesions.LARGEST: lambda: _("The largest alone"),
    Lesions.EACH: lambda: _("Each measured by itself"),
    Preset.PAPER: lambda: _("paper (128 components, 1000 trees)"),
    Preset.TINY: lambda: _("tiny (to try out)"),
    Search.FIXED: lambda: _("The paper's settings"),
    Search.NESTED: lambda: _("Settings searched inside each fold"),
}
