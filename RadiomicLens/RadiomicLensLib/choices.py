"""The choices the panel offers, as enumerations: what is stored in the scene, and the words the user reads."""

from slicer.i18n import tr as _

from deepradiomics.scene.panel.choices import LABELS, Choice
from deepradiomics.scene.panel.choices import Device as Device


class CasesSource(Choice):
    """Where the cohort comes from."""

    MANIFEST = "manifest"
    SCENE = "scene"


class EncoderSource(Choice):
    """The sample that comes with the module; a fine-tuning's folder, which holds both; or each by itself."""

    SAMPLE = "sample"
    RUN = "run"
    EACH = "each"


class FeatureSet(Choice):
    """Presets of the engine, or the user's PyRadiomics parameter file."""

    LENS = "lens"
    FINGERPRINT_107 = "fingerprint-107"
    PAPER_110 = "paper-110"
    PYRADIOMICS_DEFAULT = "pyradiomics-default"
    ICH_1688 = "ich-1688"
    FILE = "file"


class Preset(Choice):
    """Where what is not chosen here comes from (`deepradiomics.lens.config`)."""

    PAPER = "paper"
    TINY = "tiny"


class FitOn(Choice):
    """The embeddings on which the shared layer is trained."""

    PRE = "pre"
    FT = "ft"
    BOTH = "both"


class Missing(Choice):
    """What becomes of a case that lacks a modality or the region."""

    REFUSE = "refuse"
    DROP = "drop"


class CaseSource(Choice):
    """The case to look at: one that the lens was fitted on, or what is in the scene."""

    RESULT = "result"
    SCENE = "scene"


LABELS |= {
    CasesSource.MANIFEST: lambda: _("Manifest (CSV)"),
    CasesSource.SCENE: lambda: _("Volumes in the scene"),
    EncoderSource.SAMPLE: lambda: _("Sample (synthetic prostates)"),
    EncoderSource.RUN: lambda: _("A fine-tuning's folder"),
    EncoderSource.EACH: lambda: _("Two encoders"),
    FeatureSet.LENS: lambda: _("Lens, 837 features (wavelet)"),
    FeatureSet.FINGERPRINT_107: lambda: _("Fingerprint, 107 features"),
    FeatureSet.PAPER_110: lambda: _("Fingerprint paper, 110 features"),
    FeatureSet.PYRADIOMICS_DEFAULT: lambda: _("PyRadiomics' defaults, 107 features"),
    FeatureSet.ICH_1688: lambda: _("Haemorrhage, 1,688 features (filters)"),
    FeatureSet.FILE: lambda: _("Parameter file"),
    Preset.PAPER: lambda: _("paper (0.5 × 0.5 × 1 mm, 256 units)"),
    Preset.TINY: lambda: _("tiny (to try out)"),
    FitOn.PRE: lambda: _("before fine-tuning (the paper)"),
    FitOn.FT: lambda: _("after fine-tuning"),
    FitOn.BOTH: lambda: _("both"),
    Missing.REFUSE: lambda: _("Stop and name them"),
    Missing.DROP: lambda: _("Leave them out"),
    CaseSource.RESULT: lambda: _("A case of this lens"),
    CaseSource.SCENE: lambda: _("Volumes in the scene"),
}
