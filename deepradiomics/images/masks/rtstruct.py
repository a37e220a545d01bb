"""Read an RTSTRUCT: the regions of a radiotherapy plan, closed planar contours, as voxels of the image they lie on.

::

    StructureSetROI ─ names, numbers, frame of reference          image ─ grid ─┐
    RTROIObservations ─ what a region is                                        │
    ROIContour ─ colours, contours ─ which slice each lies on ─ pixels inside ──┴─ LabelCanvas ─ Mask

Source: DICOM PS3.3, C.8.8.5 (Structure Set), C.8.8.6 (ROI Contour), C.8.8.8 (RT ROI Observations).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.masks.axes import Order, inverse_order, reordered_geometry, reordered_mask
from deepradiomics.images.masks.canvas import LabelCanvas
from deepradiomics.images.masks.contour_slices import PlanarContours, contours_on_slices, slice_axis
from deepradiomics.images.masks.contours import cross, rasterised
from deepradiomics.images.masks.dicom_file import dataset_of, faults_in_words, required
from deepradiomics.images.masks.segment_terms import Colour, code_of, nameless_note, segment_name
from deepradiomics.images.options import MaskOptions
from deepradiomics.images.segment import Code, Segment
from deepradiomics.images.volume import Mask, Volume

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR", "CLOSEDPLANAR")
_LARGEST_LABEL = (1 << 16) - 1
_ANOTHER_WAY = {1: ((0, 1), (2, 1), (1, 1)), 0: ((1, 1), (2, 1), (0, 1))}  # slices along y, and along x
_RULE = "Contours became voxels: those whose centre lies inside them belong to the region, by the even-odd rule."


@dataclass(frozen=True, eq=False)
class Roi:
    """A region of the structure set: its number, what is known of it, its frame of reference, its closed contours."""

    number: int
    segment: Segment
    frame: str
    contours: tuple[np.ndarray, ...]
    left_out: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """What messages call it."""
        return f"ROI {self.number} ({self.segment.name})" if self.segment.name else f"ROI {self.number}"


def read_rtstruct(path: Path, *, reference: Volume | None, options: MaskOptions | None = None) -> Mask:
    """Read an RTSTRUCT as a mask on the grid of its image, its labels being the ROIs' numbers.

    Args:
        path: the file.
        reference: the image that the contours were drawn on.
        options: whether another frame of reference is accepted.

    Raises:
        InputError: no image was given, or the file is damaged.
        MaskError: the file lacks what a reader needs, or its regions lie in several frames of reference.
        GeometryError: a contour is not planar, or lies in no slice of the image.
    """
    if reference is None:
        raise InputError(
            f"{path}: an RTSTRUCT holds contours, no voxels. Give the image that they were drawn on, whose slices tell "
            "where the voxels lie."
        )
    with faults_in_words(path, "RTSTRUCT"):
        rois = _rois(dataset_of(path), str(path))
        frame, notes = _frame(rois, reference, options or MaskOptions(), str(path))
        contours = {roi.number: roi.contours for roi in rois}
        axis = slice_axis(contours, reference.geometry)
        if axis == 2:
            return _mask(rois, reference.geometry, frame, notes, str(path))
        order: Order = _ANOTHER_WAY[axis]
        mask = _mask(rois, reordered_geometry(reference.geometry, order), frame, notes, str(path))
        return reordered_mask(mask, inverse_order(order), reference.geometry)


def _mask(rois: list[Roi], grid: Geometry, frame: str, frame_notes: tuple[str, ...], where: str) -> Mask:
    labels, more = _labels(rois)
    canvas = LabelCanvas(grid, max(labels.values(), default=1), where)
    notes = [_RULE, *frame_notes, *more]
    painted = 0
    for roi in rois:
        notes += [f"{roi.called}: {reason}" for reason in roi.left_out]
        slices = contours_on_slices(roi.contours, grid, f"{where}, {roi.called}")
        notes += [f"{roi.called}: {reason}" for reason in slices.notes]
        painted += _paint(canvas, labels[roi.number], slices, notes, roi)
    if not painted and any(roi.contours for roi in rois):
        raise GeometryError(
            f"{where}: no voxel centre of the image lies inside the contours: they lie outside the image, or are "
            "smaller than a voxel. Give the image that they were drawn on."
        )
    segments = {
        label: roi.segment if label == roi.number else replace(roi.segment, number=roi.number)
        for roi, label in ((roi, labels[roi.number]) for roi in rois)
    }
    notes += nameless_note(segments, "ROIName")
    return canvas.mask("RTSTRUCT", f"RTSTRUCT of {len(rois)} ROIs", segments, tuple(notes), frame)


def _paint(canvas: LabelCanvas, label: int, slices: PlanarContours, notes: list[str], roi: Roi) -> int:
    """Paint a region slice by slice; the number of its voxels."""
    shape = canvas.geometry.shape[1:]
    voxels = cut = crossing = 0
    edges = np.array(shape[::-1]) - 0.5
    for k, contours in slices.by_slice.items():
        region, (rows, columns) = rasterised(contours, shape)
        cut += any((contour < -0.5 - 1e-3).any() or (contour > edges + 1e-3).any() for contour in contours)
        crossing += len(contours) > 1 and cross(contours, shape)
        if region.any():
            canvas.paint(label, region, (k, rows, columns))
            voxels += int(region.sum())
    if crossing:
        notes.append(
            f"{roi.called}: contours cross each other on {crossing} slices; what two of them enclose was left out."
        )
    if cut:
        notes.append(f"{roi.called}: its contours on {cut} slices reach beyond the image and were cut there.")
    if slices.by_slice and not voxels:
        notes.append(f"{roi.called}: no voxel centre lies inside its contours; it is empty here.")
    return voxels


def _labels(rois: list[Roi]) -> tuple[dict[int, int], tuple[str, ...]]:
    """The label of each ROI: its number where a label can be that number."""
    fit = {roi.number for roi in rois if 1 <= roi.number <= _LARGEST_LABEL}
    free = iter(number for number in range(1, _LARGEST_LABEL + 1) if number not in fit)
    labels = {roi.number: roi.number if roi.number in fit else next(free) for roi in rois}
    notes = tuple(
        f"{roi.called} has label {labels[roi.number]} here: labels run from 1 to {_LARGEST_LABEL}."
        for roi in rois
        if labels[roi.number] != roi.number
    )
    return labels, notes


def _frame(rois: list[Roi], reference: Volume, options: MaskOptions, where: str) -> tuple[str, tuple[str, ...]]:
    """The frame of reference of all regions.

    Raises:
        MaskError: they have several, and the options do not accept any.
    """
    frames = sorted({roi.frame for roi in rois if roi.contours and roi.frame})
    if len(frames) < 2:
        return (frames[0] if frames else ""), ()
    other = [roi.called for roi in rois if roi.contours and roi.frame and roi.frame != reference.frame_of_reference]
    if not options.any_frame:
        raise MaskError(
            f"{where}: its regions lie in {len(frames)} frames of reference; not in the image's are "
            f"{', '.join(other[:5])}. Export the regions of one image, or accept any frame of reference (--any-frame)."
        )
    return "", (f"The regions lie in {len(frames)} frames of reference, which was accepted as asked for.",)


def _rois(dataset: Any, where: str) -> list[Roi]:
    structures = required(dataset, "StructureSetROISequence", where)
    drawn: dict[int, Any] = {}
    for item in dataset.get("ROIContourSequence") or []:
        number = int(required(item, "ReferencedROINumber", f"{where}, ROIContourSequence"))
        if number in drawn:
            raise MaskError(f"{where}: contours of ROI {number} stand there twice. Export it again.")
        drawn[number] = item
    observed = {}
    for item in dataset.get("RTROIObservationsSequence") or []:
        if item.get("ReferencedROINumber") is not None:
            observed[int(item.ReferencedROINumber)] = item
    rois: list[Roi] = []
    for item in structures:
        number = int(required(item, "ROINumber", f"{where}, StructureSetROISequence"))
        if any(roi.number == number for roi in rois):
            raise MaskError(f"{where}: two ROIs have the number {number}. Export it again.")
        name = segment_name(item.get("ROIName"))
        contours = drawn.pop(number, None)
        colour = None if contours is None else _colour(contours.get("ROIDisplayColor"))
        closed, left_out = _contours(contours, f"{where}, ROI {number} ({name})")
        segment = Segment(name, colour, None, _type(observed.get(number)))
        frame = str(item.get("ReferencedFrameOfReferenceUID", "") or "")
        rois.append(Roi(number, segment, frame, closed, left_out))
    if drawn:
        raise MaskError(f"{where}: it has contours of ROI {min(drawn)}, which its StructureSetROISequence lacks.")
    return rois


def _type(observation: Any) -> Code | None:
    """The term of a region: its identification code, else its interpreted type (GTV, ORGAN…)."""
    if observation is None:
        return None
    code = code_of(observation, "RTROIIdentificationCodeSequence")
    interpreted = str(observation.get("RTROIInterpretedType", "") or "").strip()
    return code or (Code(interpreted, "99RTROITYPE", interpreted) if interpreted else None)


def _colour(stored: Any) -> Colour | None:
    values = [] if stored is None else [int(value) for value in stored]
    if len(values) != 3 or not all(0 <= value <= 255 for value in values):
        return None
    red, green, blue = (round(value / 255, 4) for value in values)
    return red, green, blue


def _contours(item: Any, where: str) -> tuple[tuple[np.ndarray, ...], tuple[str, ...]]:
    """The closed contours of a region, (points, 3) each in LPS, and what was left out."""
    closed: list[np.ndarray] = []
    others: Counter[str] = Counter()
    short = 0
    for number, contour in enumerate((item.get("ContourSequence") or []) if item is not None else [], start=1):
        kind = str(contour.get("ContourGeometricType", "") or "").strip().upper()
        if kind not in _CLOSED:
            others[kind or "unnamed"] += 1
            continue
        points = _points(contour, f"{where}, contour {number}")
        if len(points) > 1 and np.array_equal(points[0], points[-1]):
            points = points[:-1]
        if len(points) < 3:
            short += 1
        else:
            closed.append(points)
    left_out = [
        f"{count} contours of type {kind} were left out: they enclose nothing." for kind, count in others.items()
    ]
    if short:
        left_out.append(f"{short} closed contours of fewer than 3 points were left out.")
    return tuple(closed), tuple(left_out)


def _points(contour: Any, where: str) -> np.ndarray:
    element = contour.get_item("ContourData")
    stored = None if element is None else element.value
    if isinstance(stored, bytes):  # not yet turned into numbers one by one, which takes long
        text = stored.decode("ascii").strip(" \0")
        values = np.array(text.split("\\"), float) if text else np.zeros(0)
    else:
        values = np.array([] if stored is None else stored, float).ravel()
    if not len(values) or len(values) % 3:
        raise MaskError(f"{where}: expected x, y and z of each point, got {len(values)} numbers.")
    if not np.isfinite(values).all():
        raise MaskError(f"{where}: a coordinate is not a finite number.")
    promised = contour.get("NumberOfContourPoints")
    if promised is not None and int(promised) != len(values) // 3:
        raise MaskError(
            f"{where}: {promised} points are promised, {len(values) // 3} are there. Is the file cut short?"
        )
    return values.reshape(-1, 3)
