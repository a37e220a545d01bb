"""The pixels of a DICOM SEG, frame by frame, so that a hundred segments need no hundred volumes of memory."""

from __future__ import annotations

import zlib
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images.itk_files import read_itk
from deepradiomics.images.masks.canvas import MOST_VOXELS
from deepradiomics.images.masks.dicom_file import required

_DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_LOSSLESS = (
    "1.2.840.10008.1.2.5",
    _DEFLATED_FRAMES,
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.92",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
)


class FramePixels:
    """Frames of stored values (rows, columns), unsigned; ``pixels[i]`` decodes one.

    Args:
        path: the file, for messages and for the decoder of SimpleITK.
        dataset: its pydicom dataset.
        count: number of frames that are described.

    Raises:
        MaskError: number of frames, size and pixel data do not agree.
        InputError: no decoder for its compression.
    """

    def __init__(self, path: Path, dataset: Any, count: int) -> None:
        self.path, self.count, self._dataset = path, count, dataset
        self.shape = int(required(dataset, "Rows", str(path))), int(required(dataset, "Columns", str(path)))
        self.bits = int(required(dataset, "BitsAllocated", str(path)))
        samples = int(dataset.get("SamplesPerPixel", 1) or 1)
        if self.bits not in (1, 8, 16) or samples != 1 or min(self.shape) < 1 or dataset.get("PixelRepresentation"):
            raise MaskError(
                f"{path}: expected pixels of 1, 8 or 16 unsigned bits and one sample, got {self.bits} bits, {samples} "
                f"samples, {self.shape[0]} rows and {self.shape[1]} columns."
            )
        if count * self.shape[0] * self.shape[1] > MOST_VOXELS * 64:
            raise MaskError(f"{path}: {count} frames of {self.shape[0]} x {self.shape[1]} pixels are more than fits.")
        meta = getattr(dataset, "file_meta", None)
        self.syntax = str(meta.get("TransferSyntaxUID", "") or "") if meta is not None else ""
        self.encapsulated = self.syntax not in ("", *(f"1.2.840.10008.1.2{end}" for end in ("", ".1", ".1.99", ".2")))
        required(dataset, "PixelData", str(path))
        if not self.encapsulated:
            self._check_length()

    @property
    def notes(self) -> tuple[str, ...]:
        """Says that compression changed values."""
        lossy = str(self._dataset.get("LossyImageCompression", "") or "") == "01"
        if not lossy and (not self.encapsulated or self.syntax in _LOSSLESS):
            return ()
        return ("The segmentation was compressed with loss: its edges may have moved.",)

    def __getitem__(self, index: int) -> np.ndarray:
        if self.encapsulated:
            return self._decoded[index]
        return self._cut(self._bytes, index, index * self.shape[0] * self.shape[1] * self.bits)

    def _check_length(self) -> None:
        bits = self.count * self.shape[0] * self.shape[1] * self.bits
        expected, stored = -(-bits // 8), len(self._dataset.PixelData)
        if stored not in (expected, expected + expected % 2):
            raise MaskError(
                f"{self.path}: {self.count} frames of {self.shape[0]} x {self.shape[1]} pixels and {self.bits} bits "
                f"are {expected} bytes, but its pixel data has {stored}. It is cut short, or its header is wrong."
            )

    @cached_property
    def _bytes(self) -> np.ndarray:
        stored = np.frombuffer(self._dataset.PixelData, np.uint8)
        as_words = self.bits < 16 and self._dataset["PixelData"].VR == "OW"
        if self.syntax == _BIG_ENDIAN and as_words and len(stored) % 2 == 0:  # bytes are swapped in pairs
            stored = stored.reshape(-1, 2)[:, ::-1].reshape(-1)
        return stored

    def _cut(self, stored: np.ndarray, index: int, first_bit: int) -> np.ndarray:
        """A frame that begins at a bit of the stored bytes: frames of single bits need not begin with a byte."""
        pixels = self.shape[0] * self.shape[1]
        first, last = first_bit // 8, -(-(first_bit + pixels * self.bits) // 8)
        part = stored[first:last]
        if self.bits == 1:
            skip = first_bit % 8
            return np.unpackbits(part, bitorder="little")[skip : skip + pixels].reshape(self.shape)
        order = ">" if self.syntax == _BIG_ENDIAN else "<"
        return part.view(np.uint8 if self.bits == 8 else order + "u2").reshape(self.shape)

    @cached_property
    def _decoded(self) -> Any:
        if self.syntax == _DEFLATED_FRAMES:
            return self._inflated()
        try:
            frames = np.asarray(self._dataset.pixel_array)
        except Exception as error:  # pydicom's decoders raise whatever their packages raise
            frames = self._by_itk(error)
        frames = frames.reshape(-1, *frames.shape[-2:])
        if frames.shape != (self.count, *self.shape):
            raise MaskError(
                f"{self.path}: expected {self.count} frames of {self.shape[0]} x {self.shape[1]} pixels, its pixel "
                f"data holds {frames.shape[0]} of {frames.shape[1]} x {frames.shape[2]}."
            )
        if frames.dtype.kind not in "bu" and frames.min() < 0:
            raise MaskError(f"{self.path}: expected pixels from 0 on, got {frames.min()}.")
        return frames.astype(np.uint8 if self.bits <= 8 else np.uint16)

    def _inflated(self) -> list[np.ndarray]:
        size = -(-self.shape[0] * self.shape[1] * self.bits // 8)
        frames: list[np.ndarray] = []
        for packed in self._fragments():
            unpacked = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size + 2)
            if not size <= len(unpacked) <= size + 1:
                raise MaskError(f"{self.path}: frame {len(frames) + 1} unpacks to {len(unpacked)} bytes, not {size}.")
            frames.append(self._cut(np.frombuffer(unpacked, np.uint8), len(frames), 0))
        if len(frames) != self.count:
            raise MaskError(f"{self.path}: {self.count} frames are described, its pixel data holds {len(frames)}.")
        return frames

    def _fragments(self) -> list[bytes]:
        from pydicom import encaps

        stored = self._dataset.PixelData
        if hasattr(encaps, "generate_frames"):  # pydicom 3
            return list(encaps.generate_frames(stored, number_of_frames=self.count))
        return list(encaps.generate_pixel_data_frame(stored, self.count))

    def _by_itk(self, reason: Exception) -> np.ndarray:
        import SimpleITK as sitk

        try:
            image = read_itk(self.path)
        except InputError as error:
            raise InputError(
                f"{self.path}: no decoder was found for its compression (transfer syntax {self.syntax}). Export it "
                "uncompressed, RLE, or as JPEG 2000 without loss."
            ) from error
        if image.GetNumberOfComponentsPerPixel() != 1:
            raise InputError(f"{self.path}: its pixels could not be decoded ({reason}).") from reason
        return np.asarray(sitk.GetArrayFromImage(image))
