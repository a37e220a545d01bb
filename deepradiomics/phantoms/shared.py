"""What all phantoms share: files that say that they are synthetic, and rotations."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepradiomics.images import Mask, Volume, to_sitk, write_image


def write_labelled(image: Volume | Mask, path: Path, what: str) -> None:
    """Write NIfTI whose header's description says that it is synthetic; ``what`` is the phantom, such as ``knee``.

    Raises:
        InputError: the file cannot be written.
    """
    labelled = to_sitk(image)
    labelled.SetMetaData("ITK_FileNotes", f"SYNTHETIC - DeepRadiomics {what} phantom")
    write_image(labelled, path, compression_level=1)


def turn(angles: tuple[float, float, float]) -> NDArray[np.float64]:
    """(3, 3): rotation by three angles (radians) about x, y and z."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        rotation, (i, j) = np.eye(3), [(1, 2), (0, 2), (0, 1)][axis]
        rotation[i, i] = rotation[j, j] = math.cos(angle)
        rotation[i, j], rotation[j, i] = -math.sin(angle), math.sin(angle)
        matrix = matrix @ rotation
    return matrix
