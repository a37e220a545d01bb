"""What all phantoms share: files that say that they are synthetic, and rotations."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.files import atomic_file
from deepradiomics.images import Mask, Volume, to_sitk
from deepradiomics.images.nifti import require_written


def write_labelled(image: Volume | Mask, path: Path, what: str) -> None:
    """Write NIfTI whose header's description says that it is synthetic; ``what`` is the phantom, such as ``knee``.

    Raises:
        InputError: the file cannot be written.
    """
    labelled = to_sitk(image)
    labelled.SetMetaData("ITK_FileNotes", f"SYNTHETIC - DeepRadiomics {what} phantom")
    with atomic_file(path) as temporary:
        try:
            sitk.WriteImage(labelled, str(temporary), useCompression=True, compressionLevel=1)
        except RuntimeError as error:
            raise InputError(
                f"{path}: the image could not be written; is there space, and may you write here?"
            ) from error
        require_written(temporary, path)


def turn(angles: tuple[float, float, float]) -> NDArray[np.float64]:
    """(3, 3): rotation by three angles (radians) about x, y and z."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        one, (i, j) = np.eye(3), [(1, 2), (0, 2), (0, 1)][axis]
        one[i, i] = one[j, j] = math.cos(angle)
        one[i, j], one[j, i] = -math.sin(angle), math.sin(angle)
        matrix = matrix @ one
    return matrix
