"""MRNet's bare ``.npy`` arrays: voxels alone, to which the plane gives an assumed place."""

from pathlib import Path

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.headers.regular import printable, require_regular
from deepradiomics.headers.voxel_bytes import VoxelSource
from deepradiomics.images.case import VIEWS
from deepradiomics.images.formats.stored import native
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.volume import Volume

# MRNet's arrays are (slices, rows, columns) and carry neither spacing nor directions. Assumed: 160 mm in plane over
# 256 pixels, 4 mm between slices, all three stacks centred on the same point, rows and columns as radiologists read.
MRNET_SPACING_MM = (0.625, 0.625, 4.0)
_MRNET_AXES = {  # where columns (x), rows (y) and slices (z) lead, LPS
    "axial": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "coronal": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
}


def read_mrnet(path: Path, plane: str | None) -> Volume:
    """Read an array (slices, rows, columns) of numbers.

    Raises:
        InputError: no plane, no array of real numbers, a pickle, or another length than its header promises.
    """
    if plane not in VIEWS:
        raise InputError(
            f"{printable(path)}: a .npy array carries no directions, so its plane must be given as one of "
            f"{', '.join(VIEWS)}; got {plane!r}."
        )
    voxels = _array(path)
    if voxels.ndim != 3:
        raise InputError(f"{printable(path)}: expected an array (slices, rows, columns), got shape {voxels.shape}.")
    size = voxels.shape[::-1]
    direction = np.array(_MRNET_AXES[plane], float).T
    half = (np.array(size) - 1) / 2 * np.array(MRNET_SPACING_MM)
    geometry = Geometry(size, MRNET_SPACING_MM, tuple(-(direction @ half)), tuple(direction.ravel()))
    note = (
        f"{plane}: the array carries no spacing or directions; canonical {plane} axes, spacing "
        f"{MRNET_SPACING_MM} mm and a centred field of view are assumed."
    )
    return Volume(voxels, geometry, name=f"{plane} {printable(path.stem)}", source=printable(path.name), notes=(note,))


def _array(path: Path) -> np.ndarray:
    require_regular(path)
    with open(path, "rb") as stream:
        try:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, by_columns, dtype = read(stream)
        except (ValueError, OSError, EOFError, TypeError, KeyError, SyntaxError, RecursionError, MemoryError) as error:
            raise InputError(f"{printable(path)}: this is not a readable NumPy array ({error}).") from error
        if dtype.kind not in "fiub" or any(length < 0 for length in shape):
            raise InputError(
                f"{printable(path)}: this is not a readable NumPy array of numbers: its type is {dtype}, its shape "
                f"{shape}. Objects (pickles) are never read."
            )
        promised = int(np.prod(shape, dtype=object)) * dtype.itemsize
        source = VoxelSource(path, stream)
        values = source.voxels(promised).view(dtype)
        source.require_end(promised)
    array = values.reshape(shape[::-1]).T if by_columns else values.reshape(shape)
    return native(array)
