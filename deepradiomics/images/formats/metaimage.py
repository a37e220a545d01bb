"""MetaImage (.mha, .mhd): voxels as stored, on the grid of ElementSpacing, TransformMatrix and Offset."""

import re
from pathlib import Path

import numpy as np

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.headers.data_files import named_files
from deepradiomics.headers.metaimage import MetaImageHeader, read_metaimage_header
from deepradiomics.headers.regular import printable
from deepradiomics.headers.voxel_bytes import read_voxels
from deepradiomics.images.formats.stored import StoredImage, flat_matrix, native, numbers_of, placed, scaled
from deepradiomics.images.formats.text_voxels import text_voxels
from deepradiomics.images.geometry import Geometry

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
_TO_MM = {"": 1.0, "?": 1.0, "mm": 1.0, "cm": 10.0, "um": 1e-3}


def read_metaimage(path: Path) -> StoredImage:
    """Read a MetaImage, attached (``.mha``) or with its voxels in other files of its folder (``.mhd``).

    Raises:
        InputError: damaged, shorter or longer than its header promises, above the limit, a type that is not read, or
            a data file outside its folder.
        GeometryError: sheared, or no spacing.
    """
    header = read_metaimage_header(path)
    name = printable(path)
    files = named_files(path, "" if header.data_file.upper() == "LOCAL" else header.data_file, header.listed)
    if header.fields.get("ObjectType", "Image").lower() != "image":
        raise InputError(f"{name}: expected an image, got a MetaObject of type {header.fields['ObjectType']!r}.")
    sizes = _whole(header, "DimSize", name)
    (dimension,) = _whole(header, "NDims", name)
    if len(sizes) != dimension or dimension not in (2, 3, 4) or min(sizes) < 1:
        raise GeometryError(
            f"{name}: expected a 3-D image, got NDims = {dimension} and DimSize = {header.fields['DimSize'][:80]}."
        )
    (components,) = _whole(header, "ElementNumberOfChannels", name, "1")
    if components < 1:
        raise InputError(f"{name}: its ElementNumberOfChannels is {components}; expected at least 1.")
    geometry, notes = _geometry(header, sizes, path)
    values = native(_values(header, path, files, int(np.prod(sizes, dtype=object)) * components))
    slope, intercept = (
        numbers_of(header.fields.get(f"ElementToIntensityFunction{part}", default), 1, f"{name}: {part}")[0]
        for part, default in (("Slope", "1"), ("Offset", "0"))
    )
    if not (np.isfinite([slope, intercept]).all() and slope != 0):
        raise InputError(f"{name}: its ElementToIntensityFunction (slope {slope}, offset {intercept}) cannot be.")
    if (slope, intercept) != (1.0, 0.0):
        notes += (
            f"The stored values were multiplied by {slope:g} and {intercept:g} was added (ElementToIntensityFunction).",
        )
    frames = sizes[3] if dimension == 4 else 1
    voxels = scaled(values, slope, intercept).reshape(frames, *geometry.shape, components)
    return StoredImage(voxels, geometry, 2 if dimension == 2 else 3, path, notes, header.fields)


def _values(header: MetaImageHeader, path: Path, files: tuple[Path, ...], count: int) -> np.ndarray:
    name, fields = printable(path), header.fields
    kind = fields.get("ElementType", "").removesuffix("_ARRAY")
    if kind not in _TYPES:
        raise InputError(f"{name}: its ElementType {kind or 'missing'!r} is none that is read ({', '.join(_TYPES)}).")
    dtype = np.dtype((">" if _flag(fields, "BinaryDataByteOrderMSB", name) else "<") + _TYPES[kind])
    offset = 0 if files else header.offset
    (skip,) = _whole(header, "HeaderSize", name, "0")
    if skip < -1 or (skip and not files):
        raise InputError(
            f"{name}: its HeaderSize is {skip}; expected -1, or the bytes before the voxels of another file."
        )
    packed = _flag(fields, "CompressedData", name)
    if fields.get("BinaryData", "True").lower() in ("false", "0"):
        if packed or skip:
            raise InputError(f"{name}: its voxels are text, and yet compressed or behind bytes to skip. It is damaged.")
        return text_voxels(files or (path,), dtype, count, offset=offset)
    if packed and skip:
        raise InputError(f"{name}: its voxels are compressed and have a HeaderSize of {skip}, which is not read.")
    if packed and len(files) <= 1:
        (size,) = _whole(header, "CompressedDataSize", name, "0")
        held = (files[0] if files else path).stat().st_size - offset
        if size and size != held:
            raise InputError(
                f"{name}: this file is damaged or cut short: its CompressedDataSize is {size}, it holds {held} bytes. "
                "Copy or export it again."
            )
    if skip > 0:
        offset += skip
    return read_voxels(
        files or (path,), count * dtype.itemsize, "zlib" if packed else "raw", offset=offset, skip=min(skip, 0)
    ).view(dtype)


def _geometry(header: MetaImageHeader, sizes: tuple[int, ...], path: Path) -> tuple[Geometry, tuple[str, ...]]:
    name, fields, dimension = printable(path), header.fields, len(sizes)
    notes: tuple[str, ...] = ()
    spacing_field = "ElementSpacing" if "ElementSpacing" in fields else "ElementSize"
    if spacing_field not in fields:
        raise GeometryError(
            f"{name}: its header gives no ElementSpacing (distances of voxels). Nothing is guessed: add it in "
            "millimetres."
        )
    if spacing_field == "ElementSize":
        notes += ("The header gives no ElementSpacing; its ElementSize is taken for the distances of voxels.",)
    spacing = np.array(numbers_of(fields[spacing_field], dimension, f"{name}: {spacing_field}"))
    if not (np.isfinite(spacing).all() and spacing.min() > 0):
        raise GeometryError(
            f"{name}: its {spacing_field} is {fields[spacing_field][:80]!r}; expected positive distances."
        )
    if "TransformMatrix" in fields:
        rows = np.array(numbers_of(fields["TransformMatrix"], dimension**2, f"{name}: TransformMatrix"))
        axes = rows.reshape(dimension, dimension).T  # a row is the direction of an index axis
    else:
        axes = np.eye(dimension)
        notes += (
            "The header gives no TransformMatrix (orientation): the grid is laid along the patient's axes, and which "
            "side "
            "is left is not known.",
        )
    if "Offset" in fields:
        origin = np.array(numbers_of(fields["Offset"], dimension, f"{name}: Offset"))
    else:
        origin = np.zeros(dimension)
        notes += ("The header gives no Offset (position): the first voxel is laid at (0, 0, 0).",)
    if any(numbers_of(fields.get("CenterOfRotation", ""), None, f"{name}: CenterOfRotation")):
        notes += ("CenterOfRotation is not applied: the Offset is the first voxel's place, as in ITK.",)
    unit = fields.get("DistanceUnits", "").lower()
    if unit not in _TO_MM:
        raise GeometryError(f"{name}: its DistanceUnits {unit!r} are not read; expected mm, cm or um.")
    if _TO_MM[unit] != 1:
        notes += (f"The header's DistanceUnits ({unit}) were turned into millimetres.",)
    lengths = np.linalg.norm(axes, axis=0)
    if not np.allclose(lengths, 1, atol=1e-3):
        raise GeometryError(f"{name}: the rows of its TransformMatrix must have length 1, got {lengths.tolist()}.")
    if dimension == 4:
        if np.abs(axes[3, :3]).max() > 0:
            raise GeometryError(f"{name}: its axes in space lead into time as well. Resample the image first.")
        axes, origin, spacing = axes[:3, :3], origin[:3], spacing[:3]
    matrix = axes / np.linalg.norm(axes, axis=0) * spacing * _TO_MM[unit]
    if dimension == 2:
        matrix = flat_matrix(*np.vstack([matrix, np.zeros(2)]).T)
        origin = np.append(origin, 0.0)
    size = (*sizes, 1)[:3]
    geometry, rounded = placed(path, matrix, origin * _TO_MM[unit], size, "TransformMatrix")
    return geometry, notes + rounded


def _whole(header: MetaImageHeader, field: str, name: str, default: str | None = None) -> tuple[int, ...]:
    text = header.fields.get(field, default)
    if text is None or not re.fullmatch(r"-?\d{1,15}(\s+-?\d{1,15})*", text):
        raise InputError(
            f"{name}: its {field} is {'missing' if text is None else repr(text[:80])}; expected whole numbers."
        )
    return tuple(int(word) for word in text.split())


def _flag(fields: dict[str, str], field: str, name: str) -> bool:
    text = fields.get(field, "False").lower()
    if text not in ("true", "false", "1", "0"):
        raise InputError(f"{name}: its {field} is {text[:40]!r}; expected True or False.")
    return text in ("true", "1")
