"""The grid of a stack, as its headers say it; what they do not say is refused, or taken from where the user says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepradiomics.errors import GeometryError
from deepradiomics.images.dicom.frames import Frame
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.options import SliceSpacing
from deepradiomics.images.tilt import STRAIGHT_DEGREES

_ORTHONORMAL = 1e-3  # as far as Geometry accepts; the nearest rotation is taken
_NOTED = 1e-4  # deviations of directions from here on are told
_UNEVEN = 0.01  # of the median distance, that slice distances may differ by
_ROUNDED_MM, _ROUNDED = 0.0101, 0.05  # positions of two decimals: so far, and so much of it, distances may differ
_BENT = 0.1  # of a slice distance or a pixel, that a slice may lie off the straight line


def require_places(frames: Sequence[Frame], slice_spacing: SliceSpacing | None) -> tuple[list[Frame], tuple[str, ...]]:
    """Return frames that all have spacing, orientation and position; positions are filled in where the user says so.

    Raises:
        GeometryError: spacing, orientation or position is missing, or directions that are not at right angles. The
            message names the files.
    """
    frames = list(frames)
    for missing, name in (
        (lambda f: f.spacing is None, "PixelSpacing"),
        (lambda f: f.orientation is None, "ImageOrientationPatient"),
    ):
        without = [frame for frame in frames if missing(frame)]
        if without:
            raise GeometryError(f"{_without(without, frames, name)}{_detector(without)} Geometry is never made up.")
    for frame in frames:
        _require_right_angles(frame)
    without = [frame for frame in frames if frame.position is None]
    if not without:
        return frames, ()
    if slice_spacing is None or len(without) < len(frames):
        hint = (
            " If the slices are known to lie evenly in the order of their numbers, let SliceThickness or "
            "SpacingBetweenSlices stand in (--slice-spacing)."
            if len(without) == len(frames)
            else ""
        )
        raise GeometryError(f"{_without(without, frames, 'ImagePositionPatient')} Geometry is never made up.{hint}")
    return _filled(frames, slice_spacing)


def _require_right_angles(frame: Frame) -> None:
    a, b, c, d, e, f = (frame.orientation if frame.orientation is not None else np.zeros(6)).tolist()
    rows, columns, cosine = a * a + b * b + c * c, d * d + e * e + f * f, a * d + b * e + c * f
    if max(abs(rows - 1), abs(columns - 1), abs(cosine)) > _ORTHONORMAL:
        raise GeometryError(
            f"{frame.file}: ImageOrientationPatient holds no two directions at right angles "
            f"(lengths {rows**0.5:.4f}, {columns**0.5:.4f}, cosine {cosine:.4f})."
        )


def _without(without: Sequence[Frame], frames: Sequence[Frame], name: str) -> str:
    if len(without) == len(frames):
        return f"none of the {len(frames)} slices has {name}." if len(frames) > 1 else f"the image has no {name}."
    shown = ", ".join(frame.file for frame in without[:5]) + (", …" if len(without) > 5 else "")
    return f"{len(without)} of {len(frames)} slices have no {name}: {shown}."


def _detector(frames: Sequence[Frame]) -> str:
    if any(frame.texts("ImagerPixelSpacing") for frame in frames):
        return " ImagerPixelSpacing is measured at the detector, not in the patient."
    return ""


def _filled(frames: list[Frame], slice_spacing: SliceSpacing) -> tuple[list[Frame], tuple[str, ...]]:
    """Positions along the normal, in the order of InstanceNumber."""
    distance = distance_of(frames, slice_spacing)
    numbers = [frame.number("InstanceNumber") for frame in frames]
    if len(frames) > 1 and (None in numbers or len(set(numbers)) < len(frames)):
        raise GeometryError(
            "the slices have no position, and their InstanceNumber does not order them: it is missing or doubled."
        )
    if len(frames) > 1 and np.ptp(np.array(numbers, float)) != len(frames) - 1:
        raise GeometryError("the slices have no position, and their InstanceNumber leaves gaps: slices are missing.")
    frames = [frame for _, frame in sorted(zip(numbers, frames, strict=True), key=lambda pair: pair[0] or 0)]
    orientation = frames[0].orientation
    assert orientation is not None
    normal = np.cross(orientation[:3], orientation[3:])
    for k, frame in enumerate(frames):
        frame.position = normal * distance * k
    note = (
        f"The slices have no position: they are laid {distance:g} mm apart ({slice_spacing}) in the order of their "
        "InstanceNumber, from the origin along the normal. Order, place and side are assumptions."
    )
    return frames, (note,)


def distance_of(frames: Sequence[Frame], header: SliceSpacing) -> float:
    """Return the one distance that a header gives for all slices, mm.

    Raises:
        GeometryError: it is missing, not positive, or differs.
    """
    values = {frame.number(header) for frame in frames}
    value = values.pop()
    if values or value is None or value <= 0:
        raise GeometryError(f"{header} cannot stand in for positions: it is missing, not positive, or differs.")
    return value


def grid_of(
    frames: Sequence[Frame], slice_spacing: SliceSpacing | None
) -> tuple[Geometry, np.ndarray, tuple[str, ...]]:
    """Return the grid of the frames of one stack, in order along the normal, and where each begins (slices, 3), LPS mm.

    Raises:
        GeometryError: spacing or size that changes, slices that are missing, unevenly spaced or aside, or a single
            slice without a distance.
    """
    first = frames[0]
    assert first.spacing is not None and first.orientation is not None
    rows, columns = _one_size(frames)
    row_mm, column_mm = _one_spacing(frames)
    axes, notes = _axes(frames)
    positions = np.array([frame.position for frame in frames])
    relative = (positions - positions[0]) @ axes  # (slices, 3): along rows, columns and normal
    if len(frames) == 1:
        distance, note = _single(frames, slice_spacing)
        notes.append(note)
    else:
        distance, rounding = _even_distance(relative[:, 2])
        notes += rounding
        notes += _aside(relative, min(row_mm, column_mm))
        notes += _slip(relative, min(row_mm, column_mm))
        notes += _contradictions(frames, distance)
    grid = Geometry((columns, rows, len(frames)), (column_mm, row_mm, distance), positions[0], tuple(axes.ravel()))  # type: ignore[arg-type]
    return grid, positions, tuple(notes)


def _one_size(frames: Sequence[Frame]) -> tuple[int, int]:
    sizes = {(int(f.header.dataset.Rows), int(f.header.dataset.Columns)) for f in frames}
    if len(sizes) > 1:
        shown = ", ".join(f"{columns}×{rows}" for rows, columns in sorted(sizes))
        raise GeometryError(f"the slices of this series differ in size ({shown} pixels). Export one stack per series.")
    return sizes.pop()


def _one_spacing(frames: Sequence[Frame]) -> tuple[float, float]:
    spacing = np.array([frame.spacing for frame in frames])
    if spacing.min() <= 0:
        raise GeometryError(f"PixelSpacing should be positive, it is {spacing.min():g}.")
    if (np.ptp(spacing, axis=0) > 1e-4 * spacing[0]).any():
        shown = ", ".join(f"{y:g}×{x:g}" for y, x in sorted({tuple(pair) for pair in spacing.tolist()})[:4])
        raise GeometryError(f"PixelSpacing changes within this series ({shown} mm). Export one stack per series.")
    return float(spacing[0, 0]), float(spacing[0, 1])


def _axes(frames: Sequence[Frame]) -> tuple[np.ndarray, list[str]]:
    """(3, 3): directions of rows, columns and normal in the columns; the nearest rotation to what the header says."""
    first = frames[0].orientation
    assert first is not None
    row, column = first[:3], first[3:]
    product = np.array([row @ row - 1, column @ column - 1, row @ column])
    u, _, v = np.linalg.svd(np.stack([row, column], axis=1), full_matrices=False)
    plane = u @ v if np.abs(product).max() > 1e-12 else np.stack([row, column], axis=1)
    axes = np.column_stack([plane, np.cross(plane[:, 0], plane[:, 1])])
    notes = []
    off = float(np.abs(plane - np.stack([row, column], axis=1)).max())
    drift = max(float(np.abs(frame.orientation - first).max()) for frame in frames)  # type: ignore[operator]
    if max(off, drift) > _NOTED:
        notes.append(
            f"ImageOrientationPatient is off by up to {max(off, drift):.1g}, more than rounding: "
            "the nearest directions at right angles, those of the first slice, are used."
        )
    return axes, notes


def _single(frames: Sequence[Frame], slice_spacing: SliceSpacing | None) -> tuple[float, str]:
    if slice_spacing is None:
        raise GeometryError(
            "a single slice has no neighbour that would give its distance. Let SliceThickness or "
            "SpacingBetweenSlices stand in (--slice-spacing) if the slice is to be read alone."
        )
    distance = distance_of(frames, slice_spacing)
    return distance, f"A single slice: {slice_spacing} ({distance:g} mm) is taken as its depth."


def _even_distance(heights: np.ndarray) -> tuple[float, list[str]]:
    """The distance of neighbours, mm, and a note where it differs by more than positions of two decimals do."""
    gaps = np.diff(heights)
    distance = float(heights[-1] - heights[0]) / (len(heights) - 1)
    off = np.abs(heights - np.arange(len(heights)) * distance).max()
    spread, median = float(np.ptp(gaps)), float(np.median(gaps))
    rounding = min(2 * _ROUNDED_MM, _ROUNDED * median)
    if spread > max(_UNEVEN * median + 1e-3, rounding) or off > _BENT * distance:
        raise GeometryError(
            f"slice distances range from {gaps.min():.3f} to {gaps.max():.3f} mm: slices are "
            "missing or unevenly spaced. Export the series again, or resample it onto an even grid."
        )
    if spread > max(_UNEVEN * median + 1e-3, _ROUNDED_MM):
        return distance, [
            f"Slice distances range from {gaps.min():.3f} to {gaps.max():.3f} mm, within rounding of the positions; "
            f"{distance:.4g} mm is used for all."
        ]
    return distance, []


def _aside(relative: np.ndarray, pixel_mm: float) -> list[str]:
    """Slices that lie beside the straight line from the first to the last."""
    steps = np.arange(len(relative))[:, None] / (len(relative) - 1)
    off = float(np.abs(relative[:, :2] - steps * relative[-1, :2]).max())
    if off > _BENT * pixel_mm + 1e-3:
        raise GeometryError(
            f"slices of this series lie up to {off:.3g} mm beside the others (they slip sideways by uneven amounts). "
            "Export the series again, or resample it onto a regular grid."
        )
    return [f"Slices lie up to {off:.2g} mm beside the straight line, within rounding."] if off > 2e-3 else []


def _slip(relative: np.ndarray, pixel_mm: float) -> list[str]:
    """What slices slip sideways by less than a tilted gantry does, and are left where they are."""
    slip = float(np.hypot(*relative[-1, :2]))
    degrees = float(np.degrees(np.arctan2(slip, relative[-1, 2])))
    if degrees >= STRAIGHT_DEGREES or slip <= _BENT * pixel_mm:
        return []
    return [f"From the first slice to the last they slip sideways by {slip:.2g} mm ({degrees:.2f}°), which is ignored."]


def _contradictions(frames: Sequence[Frame], distance: float) -> list[str]:
    notes = []
    thickness, between = frames[0].number("SliceThickness") or 0.0, frames[0].number("SpacingBetweenSlices") or 0.0
    if 0 < thickness < 0.8 * distance:
        notes.append(
            f"Slice gap: slices of {thickness:.3g} mm lie {distance:.3g} mm apart; what is between was not scanned."
        )
    if between and abs(abs(between) - distance) > 0.01 * distance + 1e-3:
        notes.append(
            f"SpacingBetweenSlices says {abs(between):.4g} mm, the positions are {distance:.4g} mm apart; "
            "the positions are used."
        )
    return notes
