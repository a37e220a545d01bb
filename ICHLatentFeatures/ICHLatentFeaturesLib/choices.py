"""The choices the panel offers, as enumerations: what is stored in the scene, and the words the user reads."""

from slicer.i18n import tr as _

from deepradiomics.ich.experiment import config
from deepradiomics.scene.panel.choices import Choice
from deepradiomics.scene.panel.choices import Device as Device


class BundleSource(Choice):
    """The model that comes with the module, or one in a folder."""

    SAMPLE = "sample", lambda: _("Sample (synthetic heads)")
    FOLDER = "folder", lambda: _("From a folder")


class Outline(Choice):
    """Who outlines the haematoma."""

    MODEL = "model", lambda: _("Outlined by the model's network")
    NETWORK = "network", lambda: _("Outlined by another network")
    SEGMENT = "segment", lambda: _("A segment")


class Lesions(Choice, of=config.Lesions):
    """What becomes of several haematomas; `None` leaves it to the model."""

    AS_TRAINED = None, lambda: _("As the model was trained")
    ALL = "all", lambda: _("All as one region")
    LARGEST = "largest", lambda: _("The largest alone")
    EACH = "each", lambda: _("Each measured by itself")


class Preset(Choice, of=config.Preset):
    """Where the experiment's values come from that are not chosen here (`deepradiomics.ich.experiment.config`)."""

    PAPER = "paper", lambda: _("paper (128 components, 1000 trees)")
    TINY = "tiny", lambda: _("tiny (to try out)")


class Search(Choice, of=config.Search):
    """How the classifiers' settings are found."""

    FIXED = "fixed", lambda: _("The paper's settings")
    NESTED = "nested", lambda: _("Settings searched inside each fold")
