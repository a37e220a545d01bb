"""The binary header of NIfTI-1 and NIfTI-2 (https://nifti.nimh.nih.gov), each field checked before it is used."""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.headers.regular import printable

# code: (numpy type, bits)
_TYPES = {
    2: ("u1", 8), 4: ("i2", 16), 8: ("i4", 32), 16: ("f4", 32), 64: ("f8", 64), 256: ("i1", 8), 512: ("u2", 16),
    768: ("u4", 32), 1024: ("i8", 64), 1280: ("u8", 64),
}  # fmt: skip
_OTHER_TYPES = {
    0: "unknown",
    1: "single bits",
    32: "complex",
    128: "RGB colours",
    1536: "128-bit floats",
    1792: "complex",
    2048: "complex",
    2304: "RGBA colours",
}
_TO_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # unknown, metre, millimetre, micrometre
_UNIT_NAMES = {0: "unknown", 1: "metres", 2: "millimetres", 3: "micrometres"}
_MOST_VOXELS = 1 << 62
VECTOR = 1007  # the intent whose fifth axis holds components


@dataclass(frozen=True)
class NiftiHeader:
    """A header whose fields are possible, each by itself.

    Attributes
    ----------
    dtype
        Type of the stored values, with its byte order.
    shape
        Number of voxels along the stored axes (x, y, z, t, u, v, w), trailing ones kept.
    slope, intercept
        What a stored value is multiplied by and what is added; 1 and 0 where the header says none.
    qform_code, sform_code
        What the two matrices claim; 0: nothing.
    pixdim
        qfac, then the distances of voxels along the axes, as stored.
    quaternion, offset
        The qform's rotation (b, c, d) and translation.
    rows
        The sform's three rows.
    to_mm
        Millimetres in one of the header's units of length.
    voxel_offset
        Where the voxels begin; 0 in a pair's second file.
    texts
        ``descrip``, ``intent_name`` and ``aux_file``.
    notes
        What was assumed.
    """

    dtype: str
    shape: tuple[int, ...]
    slope: float
    intercept: float
    qform_code: int
    sform_code: int
    pixdim: tuple[float, ...]
    quaternion: tuple[float, float, float]
    offset: tuple[float, float, float]
    rows: tuple[tuple[float, ...], ...]
    to_mm: float
    voxel_offset: int
    intent: int
    paired: bool
    texts: dict[str, str]
    notes: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of stored values."""
        return math.prod(self.shape)

    @property
    def promised(self) -> int:
        """Bytes of all stored values."""
        return self.count * int(self.dtype[2:])


def parse_nifti(head: bytes, path: Path) -> NiftiHeader:
    """Read and check the first 348 (NIfTI-1) or 540 bytes (NIfTI-2).

    Raises:
        InputError: no NIfTI, or a field that cannot be: offset, type, sizes, scaling; or colours, complex numbers.
        GeometryError: codes, quaternion or matrix that cannot be.
    """
    name = printable(path)
    order, second = _order(head, name)
    raw = _unpack(head, order, second)
    start = _voxel_offset(raw, second, name)
    dtype = _dtype(raw, order, name)
    shape = _shape(raw, name)
    slope, intercept, notes = _scaling(raw, name)
    for field in ("qform_code", "sform_code"):
        if not 0 <= raw[field] <= 5:
            raise GeometryError(f"{name}: its {field} is {raw[field]}; NIfTI knows 0 to 5. Its header is damaged.")
    units = raw["xyzt_units"] & 7
    if units not in _TO_MM:
        raise GeometryError(f"{name}: its unit of length (xyzt_units {raw['xyzt_units']}) is none that NIfTI knows.")
    if units in (1, 3):
        notes += (f"The header's unit of length, {_UNIT_NAMES[units]} (xyzt_units), was turned into millimetres.",)
    return NiftiHeader(
        dtype, shape, slope, intercept, raw["qform_code"], raw["sform_code"], raw["pixdim"], raw["quatern"],
        raw["qoffset"], (raw["srow"][:4], raw["srow"][4:8], raw["srow"][8:]), _TO_MM[units], start, raw["intent_code"],
        raw["magic"].startswith(b"ni"), raw["texts"], notes,
    )  # fmt: skip


def _order(head: bytes, name: str) -> tuple[str, bool]:
    for order in "<>":
        size = struct.unpack(order + "i", head[:4])[0] if len(head) >= 4 else 0
        if size == 348 and len(head) >= 348:
            if head[344:348] not in (b"n+1\0", b"ni1\0"):
                raise InputError(
                    f"{name}: this is an Analyze 7.5 file or a damaged NIfTI file: its mark is "
                    f"{head[344:348]!r}, not 'n+1'. Analyze stores no orientation: convert it to NIfTI where it is "
                    "known."
                )
            return order, False
        if size == 540 and len(head) >= 540:
            if head[4:12] not in (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n"):
                raise InputError(f"{name}: this NIfTI-2 file is damaged: its mark is {head[4:12]!r}.")
            return order, True
    raise InputError(f"{name}: this file could not be read as NIfTI: its header is damaged, or it is no image at all.")


def _unpack(head: bytes, order: str, second: bool) -> dict[str, Any]:
    def at(kind: str, place: int) -> tuple[Any, ...]:
        return struct.unpack_from(order + kind, head, place)

    if second:
        raw = {
            "magic": head[4:8], "datatype": at("h", 12)[0], "bitpix": at("h", 14)[0], "dim": at("8q", 16),
            "pixdim": at("8d", 104), "vox_offset": at("q", 168)[0], "scl_slope": at("d", 176)[0],
            "scl_inter": at("d", 184)[0], "qform_code": at("i", 344)[0], "sform_code": at("i", 348)[0],
            "quatern": at("3d", 352), "qoffset": at("3d", 376), "srow": at("12d", 400),
            "xyzt_units": at("i", 500)[0], "intent_code": at("i", 504)[0],
        }  # fmt: skip
        texts = {"descrip": head[240:320], "aux_file": head[320:344], "intent_name": head[508:524]}
    else:
        raw = {
            "magic": head[344:348], "datatype": at("h", 70)[0], "bitpix": at("h", 72)[0], "dim": at("8h", 40),
            "pixdim": at("8f", 76), "vox_offset": at("f", 108)[0], "scl_slope": at("f", 112)[0],
            "scl_inter": at("f", 116)[0], "qform_code": at("h", 252)[0], "sform_code": at("h", 254)[0],
            "quatern": at("3f", 256), "qoffset": at("3f", 268), "srow": at("12f", 280),
            "xyzt_units": head[123], "intent_code": at("h", 68)[0],
        }  # fmt: skip
        texts = {"descrip": head[148:228], "aux_file": head[228:252], "intent_name": head[328:344]}
    raw["texts"] = {key: text.split(b"\0")[0].decode("latin-1") for key, text in texts.items()}
    return raw


def _voxel_offset(raw: dict[str, Any], second: bool, name: str) -> int:
    start, least = raw["vox_offset"], 544 if second else 352
    paired = raw["magic"].startswith(b"ni")
    if not math.isfinite(start) or start != int(start) or not (0 if paired else least) <= start <= 1 << 31:
        raise InputError(
            f"{name}: its voxels begin at byte {start} (vox_offset); expected a whole number of at least "
            f"{0 if paired else least}. Its header is damaged: write the file again."
        )
    return int(start)


def _dtype(raw: dict[str, Any], order: str, name: str) -> str:
    code = raw["datatype"]
    if code not in _TYPES:
        what = _OTHER_TYPES.get(code, "none that NIfTI knows")
        raise InputError(
            f"{name}: expected one grey value per voxel, its type is {what} (datatype {code}). "
            "Convert it to grey values."
        )
    kind, bits = _TYPES[code]
    if raw["bitpix"] != bits:
        raise InputError(
            f"{name}: its header contradicts itself: datatype {code} has {bits} bits a voxel, bitpix says "
            f"{raw['bitpix']}. Write the file again."
        )
    return order + kind


def _shape(raw: dict[str, Any], name: str) -> tuple[int, ...]:
    number = raw["dim"][0]
    if not 1 <= number <= 7:
        raise InputError(f"{name}: its header gives {number} axes (dim[0]); NIfTI has 1 to 7. It is damaged.")
    shape = raw["dim"][1 : number + 1]
    if min(shape) < 1 or math.prod(shape) > _MOST_VOXELS:
        raise InputError(f"{name}: its header gives the sizes {shape} (dim); each must be at least 1. It is damaged.")
    return tuple(shape)


def _scaling(raw: dict[str, Any], name: str) -> tuple[float, float, tuple[str, ...]]:
    slope, intercept = raw["scl_slope"], raw["scl_inter"]
    if math.isnan(slope) or slope == 0:
        if (math.isnan(slope) and math.isnan(intercept)) or intercept == 0:
            return 1.0, 0.0, ()
        return (
            1.0,
            0.0,
            (
                f"The stored values are used as they are: scl_slope is {slope:g}, which means no scaling; scl_inter "
                f"({intercept:g}) is not added.",
            ),
        )
    if math.isinf(slope) or not math.isfinite(intercept):
        raise InputError(
            f"{name}: its scaling cannot be: scl_slope is {slope}, scl_inter {intercept}. Correct the header, or write "
            "the file again from its source."
        )
    if (slope, intercept) == (1.0, 0.0):
        return 1.0, 0.0, ()
    return (
        slope,
        intercept,
        (f"The stored values were multiplied by {slope:g} (scl_slope) and {intercept:g} (scl_inter) was added.",),
    )
