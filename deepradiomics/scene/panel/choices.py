"""Choices that the panels share, as enumerations: what is stored in the scene, and the words the user reads."""

from collections.abc import Callable
from enum import Enum

from slicer.i18n import tr as _

LABELS: dict[Enum, Callable[[], str]] = {}
"""Words of each choice; called when shown, so that each appears in the language that Slicer has by then."""


class Choice(Enum):
    """An enumeration whose `label` is shown in combo boxes; the scene stores the member's name.

    A module adds its words to `LABELS`.
    """

    def label(self) -> str:
        return LABELS[self]()


class Device(Choice):
    """Where networks run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Backend(Choice):
    """Where a registration runs."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


class TransformKind(Choice):
    """What a registration may do to the moving image."""

    RIGID = "rigid"
    AFFINE = "affine"


LABELS |= {
    Device.AUTO: lambda: _("Automatic"),
    Device.CPU: lambda: _("CPU"),
    Device.CUDA: lambda: _("NVIDIA GPU (CUDA)"),
    Device.MPS: lambda: _("Apple GPU (MPS)"),
    Backend.AUTO: lambda: _("Automatic"),
    Backend.CPU: lambda: _("CPU (SimpleITK)"),
    Backend.GPU: lambda: _("GPU (PyTorch)"),
    TransformKind.RIGID: lambda: _("Rigid"),
    TransformKind.AFFINE: lambda: _("Affine"),
}
