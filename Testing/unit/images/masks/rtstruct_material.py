"""RTSTRUCT files written by pydicom, and the contours of a region of voxels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from deepradiomics.images import Geometry
from Testing.unit.images.masks.seg_material import FRAME, base, ds

Contour = np.ndarray | tuple[str, np.ndarray]
"""(points, 3) in LPS, of type CLOSED_PLANAR; or another type and its points."""


def rtstruct_dataset(
    rois: Mapping[int, Sequence[Contour]],
    *,
    names: Mapping[int, str] | None = None,
    frames: Mapping[int, str] | None = None,
) -> Dataset:
    dataset = base("1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT")
    dataset.StructureSetLabel = "test"
    structures, drawn, observed = [], [], []
    for number, contours in rois.items():
        structure, roi, observation = Dataset(), Dataset(), Dataset()
        structure.ROINumber, structure.ROIName = number, (names or {}).get(number, f"ROI {number}")
        structure.ReferencedFrameOfReferenceUID = (frames or {}).get(number, FRAME)
        roi.ReferencedROINumber, roi.ROIDisplayColor = number, [255, 0, 51]
        roi.ContourSequence = Items([contour_item(contour) for contour in contours])
        observation.ObservationNumber, observation.ReferencedROINumber = number, number
        observation.RTROIInterpretedType = "GTV"
        structures.append(structure), drawn.append(roi), observed.append(observation)
    dataset.StructureSetROISequence, dataset.ROIContourSequence = Items(structures), Items(drawn)
    dataset.RTROIObservationsSequence = Items(observed)
    return dataset


def contour_item(contour: Contour) -> Dataset:
    kind, points = contour if isinstance(contour, tuple) else ("CLOSED_PLANAR", contour)
    item = Dataset()
    item.ContourGeometricType, item.NumberOfContourPoints = kind, len(points)
    item.ContourData = ds(points)
    return item


def polygon(geometry: Geometry, k: float, corners: Sequence[tuple[float, float]]) -> np.ndarray:
    """Corners (column, row) of a slice as points in LPS."""
    return geometry.index_to_physical([(x, y, k) for x, y in corners])


def outlines(region: np.ndarray, geometry: Geometry) -> list[np.ndarray]:
    """The pixel edges around a region, slice by slice, as closed contours in LPS; holes are contours of their own."""
    return [
        geometry.index_to_physical(np.column_stack([loop, np.full(len(loop), k)]))
        for k in range(len(region))
        for loop in pixel_loops(region[k])
    ]


def pixel_loops(slice_: np.ndarray) -> list[np.ndarray]:
    """Closed loops (points, 2; column, row) along the pixel edges, the region on their left hand."""
    padded = np.pad(slice_, 1)
    following: dict[tuple[float, float], list[tuple[float, float]]] = {}
    steps = {(0, -1): ((-0.5, -0.5), (-0.5, 0.5)), (0, 1): ((0.5, 0.5), (0.5, -0.5)),
             (-1, 0): ((0.5, -0.5), (-0.5, -0.5)), (1, 0): ((-0.5, 0.5), (0.5, 0.5))}  # fmt: skip
    for y, x in np.argwhere(slice_).tolist():
        for (dy, dx), ((x0, y0), (x1, y1)) in steps.items():
            if not padded[y + 1 + dy, x + 1 + dx]:
                following.setdefault((x + x0, y + y0), []).append((x + x1, y + y1))
    loops = []
    while following:
        start = point = next(iter(following))
        loop = []
        while True:
            loop.append(point)
            following_point = following[point].pop()
            if not following[point]:
                del following[point]
            point = following_point
            if point == start:
                break
        loops.append(np.array(loop))
    return loops
