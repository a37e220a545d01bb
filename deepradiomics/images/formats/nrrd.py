"""NRRD: voxels as stored, on the grid of its space directions, or of its spacings where it has no space."""

from pathlib import Path

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.headers.data_files import named_files
from deepradiomics.headers.nrrd import NrrdHeader, read_nrrd_header
from deepradiomics.headers.regular import printable
from deepradiomics.headers.voxel_bytes import Packing, read_voxels
from deepradiomics.images.formats.nrrd_grid import nrrd_grid
from deepradiomics.images.formats.stored import StoredImage, native
from deepradiomics.images.formats.text_voxels import text_voxels

_NAMES = {
    "i1": "int8 int8_t|signed char",
    "u1": "uint8 uint8_t uchar|unsigned char",
    "i2": "int16 int16_t short|short int|signed short|signed short int",
    "u2": "uint16 uint16_t ushort|unsigned short|unsigned short int",
    "i4": "int32 int32_t int|signed int",
    "u4": "uint32 uint32_t uint|unsigned int",
    "i8": "int64 int64_t longlong|long long|long long int|signed long long|signed long long int",
    "u8": "uint64 uint64_t ulonglong|unsigned long long|unsigned long long int",
    "f4": "float",
    "f8": "double",
}
_TYPES = {
    alias: kind for kind, names in _NAMES.items() for alias in (*names.split("|")[0].split(" "), *names.split("|")[1:])
}
_PACKINGS: dict[str, Packing] = {"raw": "raw", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_TEXTS = ("txt", "text", "ascii", "hex")


def nrrd_header(path: Path) -> dict[str, str]:
    """Everything that an NRRD header says: the format's fields, and the pairs that programs add (Slicer's segments).

    Raises:
        InputError: no plain file, no NRRD, or a damaged header.
    """
    header = read_nrrd_header(path)
    return {**header.fields, **header.keys}


def read_nrrd(path: Path) -> StoredImage:
    """Read an NRRD file, attached (``.nrrd``) or with its voxels in other files of its folder (``.nhdr``).

    An axis that is no direction in space, such as the layers of a Slicer segmentation, becomes the components.

    Raises:
        InputError: damaged, shorter or longer than its header promises, above the limit, a type or encoding that is
            not read, or a data file outside its folder.
        GeometryError: sheared, no spacing, or axes that are no image.
    """
    header = read_nrrd_header(path)
    files = named_files(path, header.fields.get("data file", ""), header.listed)
    sizes = _sizes(header, path)
    dtype = np.dtype(_byte_order(header, path) + _kind(header, path))
    grid = nrrd_grid(header, sizes, path)
    values = _values(header, path, files, dtype, int(np.prod(sizes, dtype=object)))
    voxels = native(values).reshape(sizes[::-1]).transpose(grid.transposed(len(sizes))).reshape(grid.shape)
    return StoredImage(voxels, grid.geometry, grid.dimensions, path, grid.notes, header.keys)


def _sizes(header: NrrdHeader, path: Path) -> tuple[int, ...]:
    text = _needed(header, "sizes", path)
    number = _needed(header, "dimension", path)
    try:
        sizes = tuple(int(word.replace("_", "?")) for word in text.split())
        dimension = int(number)
    except ValueError as error:
        raise InputError(
            f"{printable(path)}: its dimension {number!r} or sizes {text[:80]!r} are no numbers."
        ) from error
    if len(sizes) != dimension or not 1 <= dimension <= 16 or min(sizes) < 1 or max(sizes) > 1 << 40:
        raise InputError(
            f"{printable(path)}: its sizes {text[:80]!r} do not fit its dimension {number}; each axis has at least one "
            "sample. Its header is damaged."
        )
    return sizes


def _kind(header: NrrdHeader, path: Path) -> str:
    text = " ".join(_needed(header, "type", path).lower().split())
    if text not in _TYPES:
        raise InputError(
            f"{printable(path)}: its type {text!r} is none that is read ({', '.join(_NAMES)} and their names)."
        )
    return _TYPES[text]


def _byte_order(header: NrrdHeader, path: Path) -> str:
    endian = header.fields.get("endian", "").lower()
    if endian in ("little", "big"):
        return "<" if endian == "little" else ">"
    wide = _kind(header, path)[1] != "1" and header.fields.get("encoding", "").lower() not in _TEXTS
    if endian or wide:
        raise InputError(f"{printable(path)}: its field endian must say little or big, got {endian or 'nothing'!r}.")
    return "<"


def _values(header: NrrdHeader, path: Path, files: tuple[Path, ...], dtype: np.dtype, count: int) -> np.ndarray:
    encoding = _needed(header, "encoding", path).lower()
    lines, skip = (_skip(header, field, path) for field in ("line skip", "byte skip"))
    offset = 0 if files else header.offset
    if encoding in _TEXTS:
        return text_voxels(files or (path,), dtype, count, offset=offset, lines=lines, hexadecimal=encoding == "hex")
    if encoding not in _PACKINGS or (skip < 0 and encoding != "raw") or skip < -1 or lines < 0:
        raise InputError(
            f"{printable(path)}: its encoding {encoding!r} with line skip {lines} and byte skip {skip} is not read. "
            f"Write it as one of {', '.join(_PACKINGS)}."
        )
    packing = _PACKINGS[encoding]
    return read_voxels(files or (path,), count * dtype.itemsize, packing, offset=offset, lines=lines, skip=skip).view(
        dtype
    )


def _skip(header: NrrdHeader, field: str, path: Path) -> int:
    text = header.fields.get(field, "0")
    try:
        return int(text)
    except ValueError as error:
        raise InputError(f"{printable(path)}: its {field} {text[:40]!r} is no whole number.") from error


def _needed(header: NrrdHeader, field: str, path: Path) -> str:
    if field not in header.fields:
        raise InputError(f"{printable(path)}: its header has no field {field!r}: it is damaged.")
    return header.fields[field]
