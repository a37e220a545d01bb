"""Case: the images of one examination."""

from collections.abc import Mapping
from dataclasses import dataclass

from deepradiomics.errors import InputError
from deepradiomics.images.volume import Mask, Volume
from deepradiomics.public import one_line

VIEWS = ("axial", "coronal", "sagittal")
"""The planes a knee examination is read in, in the order networks see them."""


@one_line
@dataclass(frozen=True, eq=False)
class Case:
    """One examination: its views by name, and an optional mask on any grid.

    Args:
        id: the name the user gave; never a patient's identifier read from a file.
        views: images by view name; each keeps its own grid.
        mask: labels in the same physical space, on the grid of a view or any other.

    Raises:
        InputError: no view was given.
    """

    id: str
    views: Mapping[str, Volume]
    mask: Mask | None = None

    def __post_init__(self) -> None:
        if not self.views:
            raise InputError(f"Case {self.id}: at least one view is needed.")
