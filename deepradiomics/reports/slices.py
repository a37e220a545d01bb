"""Slices as a radiologist reads them: the patient's right at the viewer's left, superior or anterior on top.

Arrays are (rows, columns); nothing is interpolated, the voxels keep their own spacing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepradiomics.images import Volume
from deepradiomics.images.geometry import Geometry
from deepradiomics.prepare import Box, reformat
from deepradiomics.prepare.orientation import match_axes

_LETTERS = (("L", "R"), ("P", "A"), ("S", "I"))  # positive and negative end of the LPS axes
_WORDS = (("left", "right"), ("posterior", "anterior"), ("superior", "inferior"))
_OBLIQUE = 0.35  # a second letter is shown when the direction leans this much towards another axis


@dataclass(frozen=True, eq=False)
class Slice:
    """One slice, ready to be drawn.

    Args:
        pixels: (rows, columns); the first row is the upper edge.
        extent_mm: width and height from outer voxel edge to outer voxel edge.
        left, right, top, bottom: where the image's edges lie in the patient (R, L, A, P, S, I).
        plane: axial, coronal or sagittal, the nearest for an oblique image.
    """

    pixels: np.ndarray
    extent_mm: tuple[float, float]
    left: str
    right: str
    top: str
    bottom: str
    plane: str


def take_slice(volume: Volume, plane: str, through_mm: Sequence[float] | np.ndarray) -> Slice:
    """Return the slice of ``volume`` in the plane nearest to ``plane`` that runs through a point (LPS)."""
    stack = reformat(volume, plane)
    geometry = stack.geometry
    number = int(np.clip(np.rint(geometry.physical_to_index(through_mm)[2]), 0, geometry.size[2] - 1))
    return Slice(
        stack.voxels[number],
        (geometry.extent_mm[0], geometry.extent_mm[1]),
        left=letters(-geometry.axes[:, 0]),
        right=letters(geometry.axes[:, 0]),
        top=letters(-geometry.axes[:, 1]),
        bottom=letters(geometry.axes[:, 1]),
        plane=plane,
    )


def own_plane(geometry: Geometry) -> str:
    """Return the plane an image was acquired in: the one whose normal is nearest to its coarsest axis."""
    coarsest = int(np.argmax(geometry.spacing_mm))
    if np.ptp(geometry.spacing_mm) < 1e-3 * max(geometry.spacing_mm):
        coarsest = 2
    normal = np.abs(geometry.axes[:, coarsest])
    return ("sagittal", "coronal", "axial")[int(np.argmax(normal))]


def letters(direction: np.ndarray) -> str:
    """Return where a direction (3,) in LPS leads: ``"A"``, or ``"AS"`` when it leans clearly towards superior.

    >>> letters(np.array([0.0, -1.0, 0.0]))
    'A'
    """
    order = np.argsort(-np.abs(direction), kind="stable")
    chosen = [axis for place, axis in enumerate(order) if place == 0 or abs(direction[axis]) >= _OBLIQUE]
    return "".join(_LETTERS[axis][0 if direction[axis] > 0 else 1] for axis in chosen)


def place_in_words(box: Box, boxes: Sequence[Box]) -> str:
    """Say where a patch lies among all patches: ``"superior anterior left"``, or ``"centre"``.

    Directions are counted along the patches' own edges, each named by the patient's axis nearest to it, so that the
    words of a tilted grid are those of the same grid upright.
    """
    axes = box.axes_array
    local = np.array([other.centre_mm for other in boxes]) @ axes
    offset, reach = np.array(box.centre_mm) @ axes - local.mean(axis=0), np.ptp(local, axis=0) / 2
    places = {}
    for patient, (edge, sign) in enumerate(match_axes(axes, np.eye(3))):
        if reach[edge] > 1e-3 and abs(offset[edge]) > 0.5 * reach[edge]:
            places[patient] = _WORDS[patient][0 if sign * offset[edge] > 0 else 1]
    return " ".join(places[patient] for patient in (2, 1, 0) if patient in places) or "centre"
