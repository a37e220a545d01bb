"""How large a haematoma is: its volume, its parts, and the ABC/2 estimate that clinicians make with a ruler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deepradiomics.errors import MaskError
from deepradiomics.images import Mask
from deepradiomics.prepare.components import components
from deepradiomics.prepare.orientation import PLANE_AXES, match_axes
from deepradiomics.prepare.regions import connected_parts

TINY_ML = 0.5  # below this texture and shape mean little


@dataclass(frozen=True)
class Lesion:
    """A connected part of the mask.

    Args:
        number: 1 is the largest.
        ml: volume, mL.
        voxels: number of voxels.
        centre_mm: middle of its voxels, LPS.
    """

    number: int
    ml: float
    voxels: int
    centre_mm: tuple[float, float, float]


@dataclass(frozen=True)
class Abc2:
    """The ABC/2 estimate.

    Args:
        a_mm: largest diameter on the slice where the lesion is largest.
        b_mm: largest diameter at right angles to it, on the same slice.
        c_mm: slices, weighted by their area, times the distance between slices.
        ml: A·B·C/2, mL.
    """

    a_mm: float
    b_mm: float
    c_mm: float
    ml: float


def volume_ml(mask: Mask, label: int = 1) -> float:
    """Return the volume of a label in mL: voxels times their size; 0 where no voxel has it.

    Example:
        >>> import numpy as np
        >>> from deepradiomics.images import Geometry
        >>> volume_ml(Mask(np.ones((2, 5, 10), np.uint8), Geometry((10, 5, 2), (1.0, 2.0, 5.0))))
        1.0
    """
    return float(_voxels(mask, label).sum() * np.prod(mask.geometry.spacing_mm) / 1000)


def lesions(mask: Mask, label: int = 1, minimum_ml: float = 0.0) -> tuple[Lesion, ...]:
    """Return the connected parts (26 neighbours) of a label from ``minimum_ml`` on, the largest first."""
    parts, counts = components(_voxels(mask, label))
    if not len(counts):
        return ()
    where = np.argwhere(parts)
    owner = parts[tuple(where.T)]
    ml = counts * float(np.prod(mask.geometry.spacing_mm)) / 1000
    found = []
    for number, (count, size) in enumerate(zip(counts.tolist(), ml.tolist(), strict=True), start=1):
        if size < minimum_ml:
            break
        middle = mask.geometry.index_to_physical(where[owner == number][:, ::-1].mean(axis=0))
        found.append(Lesion(number, size, count, tuple(middle.tolist())))  # type: ignore[arg-type]
    return tuple(found)


def lesion_mask(mask: Mask, label: int = 1) -> Mask:
    """Return the parts of a label as labels 1 (the largest), 2, …, numbered as :func:`lesions` numbers them."""
    if label not in mask.labels_present():
        return Mask(np.zeros_like(mask.labels), mask.geometry, mask.name, mask.source)
    return connected_parts(mask, label)


def abc2(mask: Mask, label: int = 1) -> Abc2:
    """Estimate the volume of the largest connected part of a label as A·B·C/2.

    On the axial slice where the lesion's area is largest, A is its largest diameter and B the largest diameter at right
    angles to A, both from edge to edge. C is the distance between slices times the number of slices, a slice counting 1
    where its area is above 75 % of the largest area, ½ from 25 % to 75 %, and 0 below.

    Axial slices are those along the grid's axis that is nearest to the body's. In thin slices the estimate is that of
    the same rule; readers measure on slices of about 5 mm.

    Source: Kothari et al., The ABCs of measuring intracerebral hemorrhage volumes, Stroke 27, 1996.

    Raises:
        MaskError: no voxel has the label.
    """
    region = mask.region(label)
    largest = components(region)[0] == 1
    pairs = match_axes(mask.geometry.axes, PLANE_AXES["axial"])
    across = pairs[2][0]  # index axis (x, y, z) that runs along the body
    slices = np.moveaxis(largest, 2 - across, 0)
    spacing = mask.geometry.spacing_mm
    rows, columns = (spacing[axis] for axis in (2, 1, 0) if axis != across)  # of what is left of (z, y, x)
    areas = slices.reshape(len(slices), -1).sum(axis=1)
    a_mm, b_mm = _diameters(np.argwhere(slices[int(areas.argmax())]) * (rows, columns), (rows, columns))
    share = areas / areas.max()
    weights = np.where(share > 0.75, 1.0, np.where(share >= 0.25, 0.5, 0.0))
    c_mm = float(weights.sum() * spacing[across])
    return Abc2(a_mm, b_mm, c_mm, a_mm * b_mm * c_mm / 2 / 1000)


def check_lesion_size(mask: Mask, label: int = 1) -> tuple[str, ...]:
    """Return notes on a mask that is small or in several parts.

    Raises:
        MaskError: no voxel has the label.
    """
    if not _voxels(mask, label).any():
        raise MaskError(f"{mask.name or 'mask'}: the mask of the haematoma is empty (no voxel has label {label}).")
    ml, notes = volume_ml(mask, label), []
    if ml < TINY_ML:
        notes.append(f"Tiny haematoma: {ml:.2f} mL, below {TINY_ML} mL. Radiomic shape and texture mean little.")
    parts = len(components(_voxels(mask, label))[1])
    if parts > 1:
        notes.append(f"The haematoma has {parts} separate parts; volumes count all of them, ABC/2 the largest.")
    return tuple(notes)


def sizes_by_label(mask: Mask) -> list[dict[str, Any]]:
    """Return number, name and volume of each label of a mask; segments that overlap count their common voxels each."""
    names = mask.segment_names
    return [
        {"label": label, "name": names.get(label, ""), "volume_ml": volume_ml(mask, label)}
        for label in mask.labels_present()
    ]


def _voxels(mask: Mask, label: int) -> np.ndarray:
    """Where a label is, bool (z, y, x); nowhere where no voxel has it."""
    there = label in mask.labels_present()
    return mask.region(label) if there else np.zeros(mask.geometry.shape, bool)


def size_record(mask: Mask, label: int = 1) -> dict[str, Any]:
    """Return volume, ABC/2, parts and notes of a label, JSON-able; of an empty mask 0 mL and no ABC/2."""
    parts = [
        {"label": one.number, "ml": one.ml, "voxels": one.voxels, "centre_mm": list(one.centre_mm)}
        for one in lesions(mask, label)
    ]
    estimate = abc2(mask, label) if parts else None
    return {
        "volume_ml": volume_ml(mask, label),
        "abc2_ml": None if estimate is None else estimate.ml,
        "abc": None if estimate is None else {key: getattr(estimate, key) for key in ("a_mm", "b_mm", "c_mm")},
        "lesions": parts,
        "notes": list(check_lesion_size(mask, label)) if parts else [],
    }


def _diameters(points: np.ndarray, pixel: tuple[float, float]) -> tuple[float, float]:
    """Largest diameter of pixels with centres ``points`` (n, 2), and the largest at right angles to it."""
    step = float(np.sqrt(np.prod(pixel)))  # a diameter between centres lacks half a pixel at both ends
    if len(points) == 1:
        return step, step
    outline = _hull(points)
    apart = outline[:, None] - outline[None]
    distances = np.hypot(apart[..., 0], apart[..., 1])
    first, second = np.unravel_index(int(distances.argmax()), distances.shape)
    a_mm = float(distances[first, second])
    along = (outline[second] - outline[first]) / a_mm
    position, height = points @ along, points @ np.array([-along[1], along[0]])
    strip = np.floor((position - position.min()) / (1.5 * step)).astype(int)  # lines across A, 1½ pixels wide
    low, high = np.full(strip.max() + 1, np.inf), np.full(strip.max() + 1, -np.inf)
    np.minimum.at(low, strip, height)
    np.maximum.at(high, strip, height)
    return a_mm + step, float((high - low)[np.isfinite(low)].max()) + step


def _hull(points: np.ndarray) -> np.ndarray:
    """Corners of the convex hull (n, 2); all points where they lie on one line."""
    if len(points) < 4 or np.linalg.matrix_rank(points - points[0], tol=1e-6) < 2:
        return points
    from scipy.spatial import ConvexHull

    return np.asarray(points[ConvexHull(points).vertices])
