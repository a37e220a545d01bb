"""Read one DICOM series as a volume: what was stored, where it lay, or a refusal in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images.dicom.choice import chosen_stack
from deepradiomics.images.dicom.elements import PYDICOM_ERRORS, integer, numbers, quiet_pydicom, text
from deepradiomics.images.dicom.folder import one_series
from deepradiomics.images.dicom.frames import Frame, frames_of
from deepradiomics.images.dicom.geometry import grid_of, require_places
from deepradiomics.images.dicom.headers import Header
from deepradiomics.images.dicom.stacks import Stack, require_uniform, sort_into_stacks
from deepradiomics.images.dicom.suv import with_suv
from deepradiomics.images.dicom.values import assemble, layouts_of
from deepradiomics.images.options import ReadOptions
from deepradiomics.images.tilt import straighten
from deepradiomics.images.volume import Volume


def read_dicom(path: Path, options: ReadOptions | None = None) -> Volume:
    """Read the one series in a folder, or the series that a file belongs to.

    Voxels are stored value × slope + intercept of their own slice or frame; the grid is that of the headers, slices in
    the order of their positions. A series that holds several images at each position gives the stack that ``options``
    names, or the one that is plainly meant, and a note says which. The result names neither files nor patient.

    Args:
        path: a folder, or one file of a series.
        options: which stack, what stands in for missing positions, uptake values.

    Raises:
        InputError: no series, several series, several stacks none of which is plainly meant, an unreadable file, or
            colour.
        GeometryError: position, orientation or spacing missing or changing; slices missing or unevenly spaced.
    """
    options = options or ReadOptions()
    with quiet_pydicom():
        headers, notes = one_series(path)
        with naming(path):
            return _read(headers, options, notes)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the path before what is wrong with its series; what pydicom raises becomes a sentence.

    Raises:
        InputError: or a kind of it, as it was raised inside.
    """
    try:
        yield
    except InputError as error:
        raise type(error)(f"{path}: {error}") from error
    except PYDICOM_ERRORS as error:
        raise InputError(
            f"{path}: this DICOM series could not be read ({type(error).__name__}); it may be damaged."
        ) from error


def _read(headers: Sequence[Header], options: ReadOptions, notes: tuple[str, ...]) -> Volume:
    stack, frames, stack_notes = stack_of(headers, options)
    space = _one_space(stack.frames)
    layouts = layouts_of(stack.frames)
    grid, positions, grid_notes = grid_of(stack.frames, options.slice_spacing)
    voxels, value_notes = assemble(stack.frames, layouts)
    notes = (*stack_notes, *grid_notes, *value_notes, *_missing(frames, headers), *notes)
    files = len({id(frame.header) for frame in stack.frames})
    source = f"DICOM series of {files} file{'' if files == 1 else 's'}"
    volume = Volume(voxels, grid, "DICOM series", source, notes, space)
    if options.suv:
        volume = with_suv(volume, stack.frames)
    return straighten(volume, positions)


def stack_of(headers: Sequence[Header], options: ReadOptions) -> tuple[Stack, list[Frame], tuple[str, ...]]:
    """Return the stack that is meant of a series, all frames of the series, and notes.

    Raises:
        InputError: it is not plain which, or a file does not fit.
        GeometryError: position, orientation or spacing is missing.
    """
    headers, double_notes = _without_doubles(headers)
    _require_parts(headers)
    frames: list[Frame] = []
    for header in headers:
        try:
            frames += frames_of(header)
        except InputError as error:
            raise InputError(f"{header.path.name}: {error}") from error
    frames, place_notes = require_places(frames, options.slice_spacing)
    stack, choice_notes = chosen_stack(sort_into_stacks(frames), options.stack)
    uniform_notes = require_uniform(stack)
    return stack, frames, (*choice_notes, *uniform_notes, *place_notes, *double_notes)


def _without_doubles(headers: Sequence[Header]) -> tuple[list[Header], tuple[str, ...]]:
    """Leave out copies of a file that is there already; refuse two that claim to be one and differ."""
    first: dict[str, Header] = {}
    result: list[Header] = []
    for header in headers:
        uid = text(header.dataset, "SOPInstanceUID")
        other = first.setdefault(uid, header) if uid else header
        if other is header:
            result.append(header)
        elif header.path.read_bytes() != other.path.read_bytes():
            raise InputError(
                f"{other.path.name} and {header.path.name} claim to be the same image and differ. Remove one of them."
            )
    copies = len(headers) - len(result)
    return result, (f"{copies} cop{'y' if copies == 1 else 'ies'} of files that are there already left out.",) * (
        copies > 0
    )


def _require_parts(headers: Sequence[Header]) -> None:
    """Refuse a multi-frame object that was divided into several files (a concatenation) of which some are not there."""
    parts: dict[str, list[Header]] = {}
    for header in headers:
        uid = text(header.dataset, "ConcatenationUID")
        if uid:
            parts.setdefault(uid, []).append(header)
    for files in parts.values():
        promised = max(integer(header.dataset, "InConcatenationTotalNumber") or 0 for header in files)
        ordinals = {integer(header.dataset, "InConcatenationNumber") or 0 for header in files}
        promised = max(promised, *ordinals)
        if len(ordinals) < promised:
            raise InputError(
                f"this object was divided into {promised} files (a concatenation), {len(ordinals)} of them are there. "
                "Export the series again."
            )


def _one_space(frames: Sequence[Frame]) -> str:
    spaces = {text(frame.header.dataset, "FrameOfReferenceUID") for frame in frames}
    if len(spaces) > 1:
        raise GeometryError(
            f"the slices of this series lie in {len(spaces)} frames of reference (or some in none), so their positions "
            "cannot be compared. Export the series again."
        )
    return spaces.pop()


def _missing(frames: Sequence[Frame], headers: Sequence[Header]) -> list[str]:
    """Notes where the headers speak of more images than are there."""
    notes = []
    counts = [numbers(frame.header.dataset, "ImagesInAcquisition") for frame in frames]
    promised = max((values[0] for values in counts if values), default=0)
    if promised > len(frames):
        notes.append(f"ImagesInAcquisition promises {promised:.0f} images, {len(frames)} are there.")
    if len(headers) == len(frames) > 2:
        values = Counter(frame.number("InstanceNumber") for frame in frames)
        known = [value for value in values if value is not None]
        gaps = max(known, default=0) - min(known, default=0) + 1 - len(known)
        if len(known) == len(frames) and 0 < gaps <= max(1, len(frames) // 4):
            notes.append(f"InstanceNumber leaves out {gaps:.0f} between the first and the last: images may be missing.")
    return notes
