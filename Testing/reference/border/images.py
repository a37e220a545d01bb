"""Mutants of image files: NIfTI, NRRD, MetaImage, NumPy."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from Testing.reference.border.bytes import cut, flipped, lengthened, line_mutated
from Testing.reference.border.mutant import Mutant

FORMATS = ("nii", "nii.gz", "nrrd", "raw.nrrd", "nhdr", "mha", "z.mha", "mhd")
SIZE, SPACING = (7, 6, 5), (0.7, 0.9, 2.5)
NIFTI_FIELDS = {  # name: offset, format
    "sizeof_hdr": (0, "i"), "dim[0]": (40, "h"), "dim[1]": (42, "h"), "dim[3]": (46, "h"), "dim[4]": (48, "h"),
    "datatype": (70, "h"), "bitpix": (72, "h"), "pixdim[0]": (76, "f"), "pixdim[1]": (80, "f"), "pixdim[3]": (88, "f"),
    "vox_offset": (108, "f"), "scl_slope": (112, "f"), "scl_inter": (116, "f"), "xyzt_units": (123, "b"),
    "qform_code": (252, "h"), "sform_code": (254, "h"), "quatern_b": (256, "f"), "qoffset_x": (268, "f"),
    "srow_x[0]": (280, "f"), "srow_y[0]": (296, "f"), "srow_z[3]": (324, "f"),
}  # fmt: skip
VALUES = (0, -1, 1, 2, 3, 4, 8, 16, 32, 64, 88, 348, 352, 353, 512, 30000, -30000)
FLOATS = (*VALUES, 0.5, 1e-30, 1e30, 1e38, float("nan"), float("inf"), float("-inf"))


def image(seed: int = 0) -> sitk.Image:
    """A small image with an oblique grid."""
    voxels = np.random.default_rng(seed).integers(-900, 1200, SIZE[::-1]).astype(np.int16)
    made = sitk.GetImageFromArray(voxels)
    turn = sitk.Euler3DTransform()
    turn.SetRotation(0.2, -0.1, 0.3)
    made.SetSpacing(SPACING)
    made.SetOrigin((-11.5, 7.25, 31.0))
    made.SetDirection(turn.GetMatrix())
    return made


def write(folder: Path, kind: str, content: sitk.Image | None = None, stem: str = "image") -> Path:
    """An intact file of a format."""
    path = folder / f"{stem}.{kind.split('.', 1)[1] if kind in ('raw.nrrd', 'z.mha') else kind}"
    sitk.WriteImage(content if content is not None else image(), str(path), kind in ("nii.gz", "nrrd", "z.mha"))
    return path


def mutant(rng: np.random.Generator, folder: Path) -> Mutant:
    """One image file, broken."""
    kind = FORMATS[int(rng.integers(0, len(FORMATS)))]
    path = write(folder, kind)
    intact = product(path)[0]
    field = broken(path, kind, rng)
    other = nibabel_reading if kind.startswith("nii") else sitk_reading
    return Mutant(f"image {kind}", field, lambda: product(path), intact, same, lambda: other(path))


def broken(path: Path, kind: str, rng: np.random.Generator) -> str:
    """Break the file (or its data file) in one way; says which."""
    data = path.read_bytes()
    body = next(
        (p for p in (path.with_suffix(".raw"), path.with_suffix(".zraw"), path.with_suffix(".raw.gz")) if p.exists()),
        None,
    )
    way = ("cut", "lengthened", "header", "header", "field", "field", "field")[int(rng.integers(0, 7))]
    if way in ("cut", "lengthened"):
        target = body if body is not None and rng.random() < 0.6 else path
        change = cut if way == "cut" else lengthened
        target.write_bytes(change(target.read_bytes(), rng))
        return f"{way} {target.suffix}"
    if kind.startswith("nii"):
        packed = kind == "nii.gz"
        plain = gzip.decompress(data) if packed else data
        if way == "header":
            if packed and rng.random() < 0.5:
                path.write_bytes(flipped(data, rng, 0, len(data)))
                return "compressed bytes"
            plain = flipped(plain, rng, 0, 348, int(rng.integers(1, 3)))
            name = "header bytes"
        else:
            name = list(NIFTI_FIELDS)[int(rng.integers(0, len(NIFTI_FIELDS)))]
            offset, code = NIFTI_FIELDS[name]
            value: Any = (FLOATS if code == "f" else VALUES)[int(rng.integers(0, len(VALUES)))]
            value = value if code == "f" else int(np.clip(value, -128, 127)) if code == "b" else int(value)
            plain = plain[:offset] + struct.pack("<" + code, value) + plain[offset + struct.calcsize(code) :]
            name = f"{name} = {value}"
        path.write_bytes(gzip.compress(plain) if packed else plain)
        return name
    end = b"\n\n" if kind.endswith(("nrrd", "nhdr")) else b"ElementDataFile"
    split = data.index(end) if end in data else len(data)
    if way == "header" and len(data) > split + 40 and kind in ("nrrd", "z.mha") and rng.random() < 0.5:
        path.write_bytes(flipped(data, rng, split + 30, len(data)))
        return "compressed bytes"
    if way == "header":
        path.write_bytes(flipped(data, rng, 0, split))
        return "header bytes"
    text, name = line_mutated(data[:split].decode("latin-1"), rng)
    path.write_bytes(text.encode("utf-8", "replace") + data[split:])
    return f"line {name!r}"


def product(path: Path) -> tuple[Any, tuple[str, ...]]:
    """Voxels, index-to-LPS matrix and notes as the product reads them."""
    from deepradiomics.images import read_volume

    volume = read_volume(path)
    return (np.asarray(volume.voxels, np.float64), volume.geometry.affine), volume.notes


def nibabel_reading(path: Path) -> Any:
    """The same by nibabel."""
    import nibabel

    content = nibabel.load(path)
    voxels = np.asarray(content.dataobj, np.float64)
    while voxels.ndim > 3 and voxels.shape[-1] == 1:
        voxels = voxels[..., 0]
    unit = {1: 1000.0, 3: 0.001}.get(int(content.header["xyzt_units"]) & 7, 1.0)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ content.affine
    affine[:3] *= unit
    return voxels.T, affine


def sitk_reading(path: Path) -> Any:
    """The same by SimpleITK."""
    content = sitk.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.array(content.GetDirection()).reshape(3, 3) * np.array(content.GetSpacing())
    affine[:3, 3] = content.GetOrigin()
    return sitk.GetArrayFromImage(content).astype(np.float64), affine


def same(one: Any, other: Any) -> bool:
    """Equal voxels, and corners within a thousandth of a millimetre."""
    if one[0].shape != other[0].shape or not np.array_equal(one[0], other[0], equal_nan=True):
        scale = np.nanmax(np.abs(other[0])) if other[0].size else 0
        if one[0].shape != other[0].shape or not np.allclose(
            one[0], other[0], rtol=1e-6, atol=1e-6 * scale, equal_nan=True
        ):
            return False
    corner = np.array([*one[0].shape[::-1], 1.0])
    return bool(np.allclose(one[1] @ corner, other[1] @ corner, atol=1e-3) and np.allclose(one[1], other[1], atol=1e-3))
