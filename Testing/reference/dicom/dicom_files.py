"""DICOM files written plainly with pydicom 2.4 and 3, in every transfer syntax that a writer is at hand for."""

import importlib.util
import struct
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

SYNTAXES = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": "1.2.840.10008.1.2.1",
    "deflated": "1.2.840.10008.1.2.1.99",
    "big-endian": "1.2.840.10008.1.2.2",
    "RLE": "1.2.840.10008.1.2.5",
    "JPEG lossless": "1.2.840.10008.1.2.4.70",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
}
PACKED = ("RLE", "JPEG lossless", "JPEG-LS", "JPEG 2000")


def writable() -> tuple[str, ...]:
    """Names of the transfer syntaxes that can be written here: JPEG-LS needs pyjpegls."""
    return tuple(name for name in SYNTAXES if name != "JPEG-LS" or importlib.util.find_spec("jpeg_ls"))


def new_dataset(sop_class: str, uid: str) -> Dataset:
    """An object with its identity and no more."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(uid)
    return dataset


def put_pixels(dataset: Dataset, frames: np.ndarray, syntax: str) -> None:
    """Store frames (frames, rows, columns) of whole numbers in a transfer syntax; bits and sign are the dataset's."""
    dataset.file_meta.TransferSyntaxUID = UID(SYNTAXES[syntax])
    wide = frames.dtype.itemsize > 1
    if syntax in PACKED:
        codes = [packed(frame, syntax, int(dataset.BitsStored)) for frame in frames]
        dataset.add_new(0x7FE00010, "OB", encapsulate(codes, has_bot=len(codes) > 1))
        dataset["PixelData"].is_undefined_length = True
        return
    content = frames.astype(frames.dtype.newbyteorder(">" if syntax == "big-endian" else "<")).tobytes()
    content += b"\0" * (len(content) % 2)
    dataset.add_new(0x7FE00010, "OW" if wide or syntax == "implicit" else "OB", content)


def save(dataset: Dataset, path: Path) -> Path:
    """Write a whole file, with preamble and meta header, in the dataset's transfer syntax."""
    syntax = dataset.file_meta.TransferSyntaxUID
    implicit, little = syntax == SYNTAXES["implicit"], syntax != SYNTAXES["big-endian"]
    if pydicom.__version__.startswith("2"):
        dataset.is_implicit_VR, dataset.is_little_endian = implicit, little
        dataset.save_as(path, write_like_original=False)
    else:
        pydicom.dcmwrite(path, dataset, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
    return path


def packed(frame: np.ndarray, syntax: str, stored: int = 16) -> bytes:
    """The code of one frame, of even length; JPEG-LS with as many bits as are stored."""
    if syntax == "RLE":
        code = _rle(frame)
    elif syntax == "JPEG-LS":
        code = _jpeg_ls(frame, stored)
    else:
        code = _by_gdcm(frame.tobytes(), frame.shape, frame.dtype.str, syntax)
    return code + b"\0" * (len(code) % 2)


def _rle(frame: np.ndarray) -> bytes:
    """PackBits of each byte plane, the most significant first (PS3.5 annex G): runs where bytes repeat."""
    planes = frame.astype(frame.dtype.newbyteorder(">")).reshape(-1, 1).view(np.uint8).reshape(frame.size, -1).T
    width = frame.shape[1]
    segments = []
    for plane in planes:
        code = b"".join(_runs(bytes(plane[row * width : (row + 1) * width])) for row in range(frame.shape[0]))
        segments.append(code + b"\0" * (len(code) % 2))
    offsets = np.cumsum([64, *[len(segment) for segment in segments]])[:-1].tolist()
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(offsets))) + b"".join(segments)


def _runs(row: bytes) -> bytes:
    code, at = bytearray(), 0
    while at < len(row):
        run = 1
        while run < 128 and at + run < len(row) and row[at + run] == row[at]:
            run += 1
        if run > 1:
            code += bytes([257 - run, row[at]])
            at += run
            continue
        end = at + 1
        while end < len(row) and end - at < 128 and not (end + 1 < len(row) and row[end] == row[end + 1]):
            end += 1
        code += bytes([end - at - 1]) + row[at:end]
        at = end
    return bytes(code)


def _jpeg_ls(frame: np.ndarray, stored: int) -> bytes:
    import jpeg_ls

    rows, columns = frame.shape
    return bytes(
        jpeg_ls.encode_pixel_data(frame.tobytes(), rows=rows, columns=columns, samples_per_pixel=1, bits_stored=stored)
    )


@cache
def _by_gdcm(content: bytes, shape: tuple[int, int], dtype: str, syntax: str) -> bytes:
    """JPEG lossless and JPEG 2000, as GDCM packs them."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "frame.dcm")
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.SetUseCompression(True)
        writer.SetCompressor("JPEG" if syntax == "JPEG lossless" else "JPEG2000")
        writer.SetFileName(path)
        writer.Execute(sitk.GetImageFromArray(np.frombuffer(content, dtype).reshape(1, *shape)))
        with open(path, "rb") as stream:
            dataset = pydicom.dcmread(stream)
        if dataset.file_meta.TransferSyntaxUID != SYNTAXES[syntax]:
            raise ValueError(f"{syntax}: GDCM wrote {dataset.file_meta.TransferSyntaxUID.name}")
        return first_item(dataset.PixelData)


def first_item(content: bytes) -> bytes:
    """The fragments after the offset table, joined."""
    at, code, table = 0, b"", True
    while content[at : at + 4] == b"\xfe\xff\x00\xe0":
        (length,) = struct.unpack_from("<I", content, at + 4)
        if not table:
            code += content[at + 8 : at + 8 + length]
        at, table = at + 8 + length, False
    return code
