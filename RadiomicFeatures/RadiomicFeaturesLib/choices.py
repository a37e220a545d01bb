"""The choices the panel offers, as enumerations: what is stored in the scene, and the words the user reads."""

from slicer.i18n import tr as _

from deepradiomics.scene.panel.choices import Choice
from deepradiomics.scene.panel.choices import Device as Device

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

    FEATURES = "features", lambda: _("Features of regions")
    MAPS = "maps", lambda: _("Feature maps, voxel by voxel")


class RoiSource(Choice):
    """Where the region comes from."""

    SEGMENTS = "segments", lambda: _("Segments")
    BOX = "box", lambda: _("ROI box")
    CENTRE = "centre", lambda: _("Centre of the image")


class PatchGrid(Choice):
    """Patches along (z, y, x) of a box."""

    ONE = (1, 1, 1), lambda: _("1 × 1 × 1 (one region)")
    TWO = (2, 2, 2), lambda: _("2 × 2 × 2 (8 regions)")
    THREE = (3, 3, 3), lambda: _("3 × 3 × 3 (27 regions)")


class BinBy(Choice):
    """How grey values are put into levels."""

    WIDTH = "width", lambda: _("Bin width")
    COUNT = "count", lambda: _("Number of bins")


class BatchSource(Choice):
    """Where the cases of a batch are."""

    FOLDER = "folder", lambda: _("Folder of cases")
    SCENE = "scene", lambda: _("Segmentations of the scene")
    DICOM = "dicom", lambda: _("Series of the DICOM database")
