"""The choices the panel offers, as enumerations: what is stored in the scene, and the words the user reads."""

from slicer.i18n import tr as _

from deepradiomics.scene.panel.choices import LABELS, Choice
from deepradiomics.scene.panel.choices import Device as Device

PRESETS = {
    "fingerprint-107": lambda: _("Standard (107 features)"),
    "pyradiomics-default": lambda: _("PyRadiomics' defaults (107)"),
    "lens": lambda: _("With wavelets, no shape (837)"),
    "ich-1688": lambda: _("With all filters, CT (1,688)"),
    "paper-110": lambda: _("Knee paper (110)"),
    "paper-1693": lambda: _("Haemorrhage paper (1,693)"),
}
"""The engine's presets and their titles; called when shown."""

IMAGE_TYPES = {
    "Original": lambda: _("Original image"),
    "Wavelet": lambda: _("Wavelet (8 images)"),
    "LoG": lambda: _("Laplacian of Gaussian"),
    "Square": lambda: _("Square"),
    "SquareRoot": lambda: _("Square root"),
    "Logarithm": lambda: _("Logarithm"),
    "Exponential": lambda: _("Exponential"),
    "Gradient": lambda: _("Gradient"),
    "LBP2D": lambda: _("Binary pattern 2D"),
    "LBP3D": lambda: _("Binary pattern 3D"),
    "Mean": lambda: _("Mean filter"),
    "Laws": lambda: _("Laws filter"),
}
FEATURE_CLASSES = {
    "shape": lambda: _("Shape"),
    "firstorder": lambda: _("First order"),
    "glcm": lambda: _("GLCM (co-occurrence)"),
    "glrlm": lambda: _("GLRLM (run length)"),
    "glszm": lambda: _("GLSZM (size zone)"),
    "gldm": lambda: _("GLDM (dependence)"),
    "ngtdm": lambda: _("NGTDM (tone difference)"),
}


class Mode(Choice):
    """Of whole regions, or around each voxel."""

    FEATURES = "features"
    MAPS = "maps"


class RoiSource(Choice):
    """Where the region comes from."""

    SEGMENTS = "segments"
    BOX = "box"
    CENTRE = "centre"


class PatchGrid(Choice):
    """Patches along (z, y, x) of a box."""

    ONE = (1, 1, 1)
    TWO = (2, 2, 2)
    THREE = (3, 3, 3)


class BinBy(Choice):
    """How grey values are put into levels."""

    WIDTH = "width"
    COUNT = "count"


class BatchSource(Choice):
    """Where the cases of a batch are."""

    FOLDER = "folder"
    SCENE = "scene"


LABELS |= {
    Mode.FEATURES: lambda: _("Features of regions"),
    Mode.MAPS: lambda: _("Feature maps, voxel by voxel"),
    RoiSource.SEGMENTS: lambda: _("Segments"),
    RoiSource.BOX: lambda: _("ROI box"),
    RoiSource.CENTRE: lambda: _("Centre of the image"),
    PatchGrid.ONE: lambda: _("1 × 1 × 1 (one region)"),
    PatchGrid.TWO: lambda: _("2 × 2 × 2 (8 regions)"),
    PatchGrid.THREE: lambda: _("3 × 3 × 3 (27 regions)"),
    BinBy.WIDTH: lambda: _("Bin width"),
    BinBy.COUNT: lambda: _("Number of bins"),
    BatchSource.FOLDER: lambda: _("Folder of cases"),
    BatchSource.SCENE: lambda: _("Segmentations of the scene"),
}
