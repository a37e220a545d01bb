"""Choices of the panels as enumerations: what the scene stores, and what the user reads.

class Search(Choice, of=config.Search):
    FIXED = "fixed", lambda: _("The paper's settings")
    NESTED = "nested", lambda: _("Settings searched inside each fold")
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, get_args

from slicer.i18n import tr as _

from deepradiomics import devices
from deepradiomics.prepare.exam.recipe import RegistrationBackend
from deepradiomics.radiomics.settings.parameters import PRESET_TITLES


class Choice(Enum):
    """A member has a value, and a label that is called when it is shown, in the language that Slicer has by then.

    The scene stores the member's name. `of` is the library's `Literal` of the same option: a value that the library
    does not know, or that is not offered, raises ValueError when the class is made. None, "as trained", is no value.
    """

    _label: Callable[[], str]

    def __new__(cls, value: Any, label: Callable[[], str]) -> Choice:
        member = object.__new__(cls)
        member._value_, member._label = value, label
        return member

    def __init_subclass__(cls, of: Any = None) -> None:
        values = [member.value for member in cls if member.value is not None]
        if of is not None and set(values) != set(get_args(of)):
            raise ValueError(f"{cls.__name__}: expected the values {get_args(of)}, got {values}")

    def label(self) -> str:
        """What the user reads."""
        return self._label()


class Device(Choice, of=devices.Device):
    """Where networks run."""

    AUTO = "auto", lambda: _("Automatic")
    CPU = "cpu", lambda: _("CPU")
    CUDA = "cuda", lambda: _("NVIDIA GPU (CUDA)")
    MPS = "mps", lambda: _("Apple GPU (MPS)")


class Backend(Choice, of=RegistrationBackend):
    """Where a registration runs."""

    AUTO = "auto", lambda: _("Automatic")
    CPU = "cpu", lambda: _("CPU (SimpleITK)")
    GPU = "gpu", lambda: _("GPU (PyTorch)")


class TransformKind(Choice):
    """What a registration may do to the moving image."""

    RIGID = "rigid", lambda: _("Rigid")
    AFFINE = "affine", lambda: _("Affine")


def preset_titles() -> dict[str, str]:
    """What all panels call the engine's presets, by name, and the user's own parameter file under "file"."""
    return {name: _(title) for name, title in PRESET_TITLES.items()} | {"file": _("Parameter file")}


def preset_choice(name: str, module: str) -> Any:
    """An enumeration of the engine's presets and FILE: the preset "paper-110" is the member PAPER_110."""
    members = {
        value.upper().replace("-", "_"): (value, lambda value=value: preset_titles()[value])
        for value in preset_titles()
    }
    make: Any = Choice  # mypy takes the call for that of a member
    return make(name, members, module=module)
