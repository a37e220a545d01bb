"""NIfTI: voxels × scl_slope + scl_inter, on the grid of the sform where it is set, else of the qform.

The rule is nibabel's and the standard's; where both matrices claim the same space and lie apart, the file is refused.
A file without either has spacing alone: it is laid along the patient's axes, as 3D Slicer does, and a note says so.
"""

from pathlib import Path
from typing import IO

import numpy as np

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.headers.data_files import nifti_pair
from deepradiomics.headers.nifti import VECTOR, NiftiHeader, parse_nifti
from deepradiomics.headers.regular import GZIP, printable
from deepradiomics.headers.voxel_bytes import VoxelSource
from deepradiomics.images.formats.stored import StoredImage, flat_matrix, native, placed, scaled
from deepradiomics.images.geometry import Geometry

_TO_LPS = np.diag([-1.0, -1.0, 1.0])
_SAME = 0.1  # of a voxel between both matrices' corners: rounding of their 32-bit numbers
_NEAR = 2e-3  # of the grid's diagonal: rounding of printed numbers; farther apart the matrices contradict each other


def read_nifti(path: Path) -> StoredImage:
    """Read a NIfTI-1 or NIfTI-2 file, or a pair ``.hdr`` and ``.img``.

    Raises:
        InputError: damaged, shorter or longer than its header promises, above the limit, or no grey values.
        GeometryError: sheared, no spacing, or two matrices that contradict each other.
    """
    header_file, voxel_file = nifti_pair(path) if path.suffix.lower() in (".hdr", ".img") else (path, path)
    with open(header_file, "rb") as stream:
        source = _source(header_file, stream)
        head = source.take(348)
        if head[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c"):
            head += source.take(540 - 348)
        header = parse_nifti(head, header_file)
        if header.paired is (header_file == voxel_file):
            raise InputError(
                f"{printable(path)}: its mark says that its voxels lie "
                f"{'in a second file (.img)' if header.paired else 'in the same file'}, its name says otherwise. "
                "Name the file as its header means it."
            )
        geometry, dimensions, notes = _geometry(header, path)
        if not header.paired:
            stored = _voxels(header, source, header.voxel_offset - len(head))
    if header.paired:
        with open(voxel_file, "rb") as stream:
            stored = _voxels(header, _source(voxel_file, stream), header.voxel_offset)
    components, frames = _layout(header, path)
    voxels = stored.reshape(components, frames, *geometry.shape).transpose(1, 2, 3, 4, 0)
    return StoredImage(
        scaled(native(voxels), header.slope, header.intercept),
        geometry,
        dimensions,
        path,
        header.notes + notes,
        header.texts,
    )


def nifti_texts(path: Path) -> dict[str, str]:
    """The texts of a NIfTI header: ``descrip``, ``aux_file``, ``intent_name``.

    Raises:
        InputError: damaged, or no NIfTI.
    """
    with open(path, "rb") as stream:
        return parse_nifti(_source(path, stream).take(540), path).texts


def _source(path: Path, stream: IO[bytes]) -> VoxelSource:
    packed = stream.read(2) == GZIP
    stream.seek(0)
    return VoxelSource(path, stream, "gzip" if packed else "raw")


def _voxels(header: NiftiHeader, source: VoxelSource, skip: int) -> np.ndarray:
    source.require_room(skip + header.promised)
    source.take(skip)
    values = source.voxels(header.promised)
    source.require_end(header.promised)
    return values.view(header.dtype)


def _layout(header: NiftiHeader, path: Path) -> tuple[int, int]:
    """Number of components and frames behind the axes x, y and z."""
    frames, components, *rest = (*header.shape[3:], 1, 1)[: max(2, len(header.shape) - 3)]
    if any(length > 1 for length in rest):
        raise GeometryError(
            f"{printable(path)}: expected a 3-D image, got {len(header.shape)}-D of size {header.shape}. Take one "
            "volume."
        )
    if components > 1 and header.intent != VECTOR and frames == 1:
        frames, components = components, 1
    return components, frames


def _geometry(header: NiftiHeader, path: Path) -> tuple[Geometry, int, tuple[str, ...]]:
    name = printable(path)
    if len(header.shape) < 2:
        raise GeometryError(f"{name}: expected a 3-D image, got 1-D of size {header.shape}.")
    dimensions = 2 if len(header.shape) == 2 else 3
    size = (*header.shape, 1)[:3]
    notes: tuple[str, ...] = ()
    if header.sform_code > 0:
        affine, what = np.array(header.rows, float), f"sform (code {header.sform_code})"
    elif header.qform_code > 0:
        affine, what = _qform(header, name), f"qform (code {header.qform_code})"
    else:
        spacing = _spacing(header, dimensions, name)
        affine, what = np.zeros((3, 4)), "pixdim"
        affine[:, :3] = _TO_LPS @ np.diag(spacing)
        notes = (
            "The header stores no position and no orientation (sform_code and qform_code are 0): the grid is laid "
            "along "
            "the patient's axes as 3D Slicer does, and which side is left is not known.",
        )
    matrix, origin = _TO_LPS @ affine[:, :3] * header.to_mm, _TO_LPS @ affine[:, 3] * header.to_mm
    if dimensions == 2:
        matrix = flat_matrix(matrix[:, 0], matrix[:, 1])
    geometry, rounded = placed(path, matrix, origin, size, what)
    if header.sform_code > 0:
        notes = _compared(header, affine, size, name)
    return geometry, dimensions, notes + rounded


def _spacing(header: NiftiHeader, dimensions: int, name: str) -> np.ndarray:
    spacing = np.array(header.pixdim[1:4])
    if dimensions == 2 and not spacing[2] > 0:
        spacing[2] = 1.0
    if not (np.isfinite(spacing).all() and spacing.min() > 0):
        raise GeometryError(
            f"{name}: its header gives the distances {spacing.tolist()} between voxels (pixdim); each must be "
            "positive. "
            "Nothing is guessed: correct the header."
        )
    return spacing


def _qform(header: NiftiHeader, name: str) -> np.ndarray:
    """(3, 4): the quaternion's rotation with the spacing, RAS."""
    spacing = _spacing(header, min(3, len(header.shape)), name)
    b, c, d = header.quaternion
    squared = 1.0 - (b * b + c * c + d * d)
    if header.pixdim[0] not in (-1.0, 0.0, 1.0) or not squared > -_NEAR:
        raise GeometryError(
            f"{name}: its qform is no rotation: quaternion {header.quaternion}, qfac (pixdim[0]) {header.pixdim[0]:g}. "
            "Its header is damaged."
        )
    if squared < 1e-7:  # a half turn: b, c and d alone
        b, c, d = np.array([b, c, d]) / np.sqrt(b * b + c * c + d * d)
        squared = 0.0
    a = np.sqrt(squared)
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    rotation[:, 2] *= -1.0 if header.pixdim[0] < 0 else 1.0
    return np.column_stack([rotation * spacing, header.offset])


def _compared(header: NiftiHeader, sform: np.ndarray, size: tuple[int, ...], name: str) -> tuple[str, ...]:
    """What is to be said where sform and qform, or sform and pixdim, are not the same."""
    notes: tuple[str, ...] = ()
    if header.qform_code > 0:
        apart = _apart_mm(sform, _qform(header, name), size) * header.to_mm
        same = _SAME * float(np.linalg.norm(sform[:, :3], axis=0).min()) * header.to_mm
        diagonal = float(np.linalg.norm(sform[:, :3] @ np.array(size))) * header.to_mm
        if header.qform_code == header.sform_code and not apart <= max(same, _NEAR * diagonal):
            raise GeometryError(
                f"{name}: its sform and its qform contradict each other: both claim code {header.sform_code}, and "
                "their "
                f"grids lie up to {apart:.3g} mm apart. Which is right? Set the code of the other one to 0."
            )
        if not apart <= same:
            notes = (
                f"sform (code {header.sform_code}) and qform (code {header.qform_code}) place the image up to "
                f"{apart:.3g} "
                "mm apart; the sform is used.",
            )
    lengths = np.linalg.norm(sform[:, :3], axis=0)[: len(header.shape)]
    stored = np.array(header.pixdim[1:4])[: len(lengths)]
    if not np.allclose(lengths, stored, rtol=1e-3, atol=1e-6):
        notes += (
            f"pixdim gives the distances {stored.tolist()} between voxels, the sform "
            f"{np.round(lengths, 6).tolist()}; the sform is used.",
        )
    return notes


def _apart_mm(first: np.ndarray, second: np.ndarray, size: tuple[int, ...]) -> float:
    """The largest distance of the same corner on both grids, in the header's unit."""
    corners = np.array([[x, y, z, 1] for x in (0, size[0] - 1) for y in (0, size[1] - 1) for z in (0, size[2] - 1)])
    return float(np.linalg.norm(corners @ (first - second).T, axis=1).max())
