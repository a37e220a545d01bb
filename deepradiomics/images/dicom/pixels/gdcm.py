"""Compressed frames unpacked by GDCM, which SimpleITK brings: one frame at a time, from a file that holds pixels only.

GDCM is told size and bits alone. Slope, sign, geometry and everything that names a person stay out, so that it can
neither rescale nor guess.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import UID, generate_uid

from deepradiomics.errors import InputError
from deepradiomics.images.dicom.pixels.layout import PixelLayout

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


class FrameUnpacker:
    """Unpacks the frames of one compression; a temporary file is kept between them. Use it as a context."""

    def __init__(self, syntax: str, layout: PixelLayout) -> None:
        self._syntax, self._layout = syntax, layout
        self._folder = tempfile.TemporaryDirectory(prefix="deepradiomics-dicom-")
        self._file = Path(self._folder.name) / "frame.dcm"
        self._reader = sitk.ImageFileReader()
        self._reader.SetImageIO("GDCMImageIO")
        self._reader.SetFileName(str(self._file))
        self._start = self._head()
        self._warnings = sitk.ProcessObject.GetGlobalWarningDisplay()

    def __enter__(self) -> FrameUnpacker:
        sitk.ProcessObject.GlobalWarningDisplayOff()
        return self

    def __exit__(self, *_: object) -> None:
        sitk.ProcessObject.SetGlobalWarningDisplay(self._warnings)
        self._folder.cleanup()

    def unpack(self, code: bytes) -> np.ndarray:
        """Return one frame (rows, columns) of unsigned values as many bits wide as are allocated.

        Raises:
            InputError: the code is damaged, or not of the size that the header says.
        """
        self._file.write_bytes(self._start + _element(code))
        try:
            image = self._reader.Execute()
        except RuntimeError as error:
            raise InputError(f"its compressed pixels ({_called(self._syntax)}) could not be unpacked.") from error
        frame = sitk.GetArrayFromImage(image)
        expected = (self._layout.rows, self._layout.columns)
        if frame.size != expected[0] * expected[1] or frame.shape[-2:] != expected or frame.dtype.kind not in "iu":
            raise InputError(
                f"its compressed pixels unpack to {frame.shape} of {frame.dtype}, not to {expected} as the header says."
            )
        width = self._layout.allocated // 8
        frame = frame.reshape(expected)
        if frame.dtype.itemsize != width:
            frame = frame.astype(f"i{width}" if frame.dtype.kind == "i" else f"u{width}")
        return frame.view(f"u{width}")

    def _head(self) -> bytes:
        """The file up to its pixels, which is the same for all frames."""
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = UID(_SECONDARY_CAPTURE)
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = UID(self._syntax)
        meta.ImplementationClassUID = generate_uid()
        meta.FileMetaInformationVersion = b"\x00\x01"
        dataset = Dataset()
        dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.Rows, dataset.Columns = self._layout.rows, self._layout.columns
        dataset.BitsAllocated, dataset.BitsStored = self._layout.allocated, self._layout.stored
        dataset.HighBit, dataset.PixelRepresentation = self._layout.high, int(self._layout.signed)
        stream = DicomBytesIO()
        stream.is_little_endian, stream.is_implicit_VR = True, False
        stream.write(bytes(128) + b"DICM")
        write_file_meta_info(stream, meta)
        write_dataset(stream, dataset)
        return stream.getvalue()


def _element(code: bytes) -> bytes:
    """The pixel element: an empty offset table and one fragment, of even length."""
    code += b"\0" * (len(code) % 2)
    item = b"\xfe\xff\x00\xe0"
    start = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + item + bytes(4)
    return start + item + len(code).to_bytes(4, "little") + code + b"\xfe\xff\xdd\xe0" + bytes(4)


def _called(syntax: str) -> str:
    return UID(syntax).name
