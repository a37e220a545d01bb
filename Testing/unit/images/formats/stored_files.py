"""Image files written by hand, byte by byte, so that one field at a time can be wrong."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np

VOXELS = np.arange(24, dtype=np.int16).reshape(4, 3, 2)  # (z, y, x)
SPACING = (0.5, 0.75, 3.0)
ORIGIN = (-7.0, 8.0, 9.0)

_PLACES = {
    "dim": ("8h", 40), "intent_code": ("h", 68), "datatype": ("h", 70), "bitpix": ("h", 72), "pixdim": ("8f", 76),
    "vox_offset": ("f", 108), "scl_slope": ("f", 112), "scl_inter": ("f", 116), "xyzt_units": ("B", 123),
    "qform_code": ("h", 252), "sform_code": ("h", 254), "quatern": ("3f", 256), "qoffset": ("3f", 268),
    "srow": ("12f", 280), "magic": ("4s", 344),
}  # fmt: skip


def nifti_bytes(voxels: np.ndarray = VOXELS, order: str = "<", **fields: Any) -> bytes:
    """A NIfTI-1 file of int16 voxels (z, y, x) whose sform is LPS-aligned; any field of the header can be replaced."""
    kinds = {"i2": (4, 16), "u1": (2, 8), "f4": (16, 32), "f8": (64, 64), "u2": (512, 16)}
    datatype, bitpix = kinds[voxels.dtype.str[1:]]
    matrix = np.zeros((3, 4))
    matrix[:, :3] = np.diag([-1, -1, 1]) * SPACING
    matrix[:, 3] = np.array([-1, -1, 1]) * ORIGIN
    values: dict[str, Any] = {
        "dim": (3, *voxels.shape[::-1], 1, 1, 1, 1), "intent_code": 0, "datatype": datatype, "bitpix": bitpix,
        "pixdim": (1.0, *SPACING, 0, 0, 0, 0), "vox_offset": 352.0, "scl_slope": 1.0, "scl_inter": 0.0,
        "xyzt_units": 2, "qform_code": 0, "sform_code": 1, "quatern": (0.0, 0.0, 1.0),
        "qoffset": tuple(matrix[:, 3]), "srow": tuple(matrix.ravel()), "magic": b"n+1\0",
    }  # fmt: skip
    head = bytearray(352)
    struct.pack_into(order + "i", head, 0, 348)
    for name, value in {**values, **fields}.items():
        kind, place = _PLACES[name]
        struct.pack_into(order + kind, head, place, *(value if isinstance(value, tuple) else (value,)))
    return bytes(head) + voxels.astype(voxels.dtype.newbyteorder(order)).tobytes()


def nifti_file(path: Path, voxels: np.ndarray = VOXELS, **fields: Any) -> Path:
    """:func:`nifti_bytes` as a file, packed where its name ends in ``.gz``."""
    data = nifti_bytes(voxels, **fields)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def nrrd_bytes(*lines: str, without: tuple[str, ...] = (), data: bytes | None = None, **fields: str | None) -> bytes:
    """An NRRD of the same voxels; fields by name (``_`` for a space), further lines, and fields to leave out."""
    named: dict[str, str | None] = {
        "type": "short", "dimension": "3", "space": "left-posterior-superior", "sizes": "2 3 4",
        "space directions": "(0.5,0,0) (0,0.75,0) (0,0,3)", "kinds": "domain domain domain", "endian": "little",
        "encoding": "raw", "space origin": "(-7,8,9)",
    }  # fmt: skip
    named |= {name.replace("_", " "): value for name, value in fields.items()}
    shown = [f"{name}: {value}" for name, value in named.items() if name not in without and value is not None]
    text = "\n".join(["NRRD0004", "# by hand", *shown, *lines]) + "\n\n"
    return text.encode() + (VOXELS.astype("<i2").tobytes() if data is None else data)


def metaimage_bytes(*lines: str, without: tuple[str, ...] = (), data: bytes | None = None, **fields: str) -> bytes:
    """A MetaImage of the same voxels; keys by name, further lines, and keys to leave out."""
    named = {
        "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False", "TransformMatrix": "1 0 0 0 1 0 0 0 1", "Offset": "-7 8 9",
        "CenterOfRotation": "0 0 0", "AnatomicalOrientation": "RAI", "ElementSpacing": "0.5 0.75 3", "DimSize": "2 3 4",
        "ElementType": "MET_SHORT",
    }  # fmt: skip
    file = fields.pop("ElementDataFile", "LOCAL")
    named |= fields
    shown = [f"{name} = {value}" for name, value in named.items() if name not in without]
    text = "\n".join([*shown, *lines, f"ElementDataFile = {file}"]) + "\n"
    return text.encode() + (VOXELS.astype("<i2").tobytes() if data is None else data)
