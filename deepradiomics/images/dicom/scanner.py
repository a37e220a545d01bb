"""What a series says of the scanner and its settings, as columns of a table: never who was scanned, or when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from deepradiomics.errors import InputError
from deepradiomics.images.dicom.elements import decimal, quiet_pydicom
from deepradiomics.images.dicom.folder import one_series
from deepradiomics.images.dicom.frames import Frame, frames_of
from deepradiomics.images.dicom.headers import Header, is_dicom
from deepradiomics.images.dicom.series import naming, stack_of
from deepradiomics.images.options import ReadOptions

_SEQUENCE = ("ScanningSequence", "SequenceVariant", "PulseSequenceName", "SequenceName")
_TEXTS = {
    "modality": ("Modality",),
    "manufacturer": ("Manufacturer",),
    "scanner_model": ("ManufacturerModelName",),
    "convolution_kernel": ("ConvolutionKernel",),
    "sequence": _SEQUENCE,
}
_NUMBERS = {
    "slice_thickness_mm": ("SliceThickness",),
    "kvp_kv": ("KVP",),
    "exposure_mas": ("ExposureInmAs", "Exposure"),
    "field_strength_t": ("MagneticFieldStrength",),
    "echo_time_ms": ("EffectiveEchoTime", "EchoTime"),
    "repetition_time_ms": ("RepetitionTime",),
    "reconstruction_diameter_mm": ("ReconstructionDiameter",),
}
SCANNER_COLUMNS = (
    "modality", "manufacturer", "scanner_model", "convolution_kernel", "slice_thickness_mm", "pixel_spacing_mm",
    "slice_spacing_mm", "kvp_kv", "exposure_mas", "field_strength_t", "echo_time_ms", "repetition_time_ms", "sequence",
    "reconstruction_diameter_mm",
)  # fmt: skip
"""Names of the columns, with units, in the order of a table."""


def scanner_columns(path: Path, options: ReadOptions | None = None) -> dict[str, str | float]:
    """Return scanner and settings of the series that :func:`read_dicom` would read.

    An attribute that is absent gives an empty cell. Numbers that differ within the series give ``"first to last"``
    (smallest and largest), texts that differ are joined by `` | ``. Pixel spacing is ``row x column`` if they differ.

    Args:
        path: a folder, or one file of a series; anything else gives empty cells, as it says nothing of a scanner.
        options: which stack.

    Raises:
        InputError: as :func:`read_dicom`, for the headers.
    """
    empty: dict[str, str | float] = dict.fromkeys(SCANNER_COLUMNS, "")
    if not path.is_dir() and not (path.is_file() and is_dicom(path)):
        return empty
    with quiet_pydicom():
        headers, _ = one_series(path)
        with naming(path):
            frames = _frames(headers, options or ReadOptions())
            columns: dict[str, str | float] = {n: _text(frames, keys) for n, keys in _TEXTS.items()}
            columns |= {name: _number(frames, keywords) for name, keywords in _NUMBERS.items()}
            columns["pixel_spacing_mm"] = _joined([_spacing(frame) for frame in frames])
            columns["slice_spacing_mm"] = _number(frames, ("SpacingBetweenSlices",))
    return {name: columns[name] for name in SCANNER_COLUMNS}


def _frames(headers: Sequence[Header], options: ReadOptions) -> list[Frame]:
    """The frames of the stack that is read; all of the series where no stack can be made of it."""
    try:
        return list(stack_of(headers, options)[0].frames)
    except InputError:
        return [frame for header in headers for frame in frames_of(header)]


def _text(frames: Sequence[Frame], keywords: Sequence[str]) -> str:
    def content(frame: Frame) -> str:
        return " ".join(part for keyword in keywords if (part := "/".join(frame.texts(keyword))))

    return _joined([content(frame) for frame in frames])


def _number(frames: Sequence[Frame], keywords: Sequence[str]) -> str | float:
    def amount(frame: Frame) -> float | None:
        texts: Callable[[str], tuple[str, ...]] = frame.texts
        return next((decimal(values[0]) for keyword in keywords if (values := texts(keyword))), None)

    amounts = [value for frame in frames if (value := amount(frame)) is not None]
    if not amounts:
        return ""
    low, high = min(amounts), max(amounts)
    return low if low == high else f"{low:g} to {high:g}"


def _spacing(frame: Frame) -> str:
    if frame.spacing is None:
        return ""
    row, column = frame.spacing
    return f"{row:g}" if row == column else f"{row:g} x {column:g}"


def _joined(values: Sequence[str]) -> str:
    return " | ".join(sorted({value for value in values if value}))
