"""The choices the panel offers, as enumerations: what is stored in the scene, and the words the user reads."""

from slicer.i18n import tr as _

from deepradiomics.lens import config
from deepradiomics.scene.panel.choices import Choice, preset_choice
from deepradiomics.scene.panel.choices import Device as Device


class CasesSource(Choice):
    """Where the cohort comes from."""

    MANIFEST = "manifest", lambda: _("Manifest (CSV)")
    SCENE = "scene", lambda: _("Volumes in the scene")


class EncoderSource(Choice):
    """The sample that comes with the module; a fine-tuning's folder, which holds both; or each by itself."""

    SAMPLE = "sample", lambda: _("Sample (synthetic prostates)")
    RUN = "run", lambda: _("A fine-tuning's folder")
    EACH = "each", lambda: _("Two encoders")


FeatureSet = preset_choice("FeatureSet", module=__name__)
"""Presets of the engine, or the user's PyRadiomics parameter file."""


class Preset(Choice, of=config.Preset):
    """Where what is not chosen here comes from (`deepradiomics.lens.config`)."""

    PAPER = "paper", lambda: _("paper (0.5 × 0.5 × 1 mm, 256 units)")
    TINY = "tiny", lambda: _("tiny (to try out)")


class FitOn(Choice, of=config.FitOn):
    """The embeddings on which the shared layer is trained."""

    PRE = "pre", lambda: _("before fine-tuning (the paper)")
    FT = "ft", lambda: _("after fine-tuning")
    BOTH = "both", lambda: _("both")


class Missing(Choice, of=config.Missing):
    """What becomes of a case that lacks a modality or the region."""

    REFUSE = "refuse", lambda: _("Stop and name them")
    DROP = "drop", lambda: _("Leave them out")


class CaseSource(Choice):
    """The case to look at: one that the lens was fitted on, or what is in the scene."""

    RESULT = "result", lambda: _("A case of this lens")
    SCENE = "scene", lambda: _("Volumes in the scene")
