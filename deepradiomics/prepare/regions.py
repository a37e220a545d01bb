"""New regions from a region of a mask: each of its connected parts by itself, or a ring around it.

::

    . . . . . .        . . . . . .        o o o o . .
    . # # . # .   →    . 1 1 . 2 .        o # # o . .      # region, o ring around its first part
    . . . . . .        . . . . . .        o o o o . .
"""

from __future__ import annotations

import math

import numpy as np

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Mask, Segment
from deepradiomics.prepare.components import Connectivity, components
from deepradiomics.prepare.resample import resample_mask

_ROUNDING_MM = 1e-6  # distances that are equal but for rounding are equal


def connected_parts(mask: Mask, label: int = 1, *, connectivity: Connectivity = 26, minimum_mm3: float = 0.0) -> Mask:
    """Return the connected parts of a label as labels 1 (the largest), 2, ….

    Args:
        mask: the mask.
        label: the label whose parts are wanted; of a segment that others cover, all of its voxels.
        connectivity: 26 (voxels that touch by a corner belong together), 18 or 6.
        minimum_mm3: parts smaller than this are left out, with a note.

    Returns:
        Mask on the same grid; its segments are called "<name of the segment> 1", "<name> 2", …

    Raises:
        MaskError: no voxel has the label, or every part is smaller than the minimum.
        InputError: the minimum is not a number from 0 on, or an unknown connectivity.

    Example:
        >>> from deepradiomics.images import Geometry
        >>> mask = Mask(np.array([[[1, 0, 1, 1]]]), Geometry((4, 1, 1)), segments={1: "lesion"})
        >>> parts = connected_parts(mask)
        >>> parts.labels.tolist(), parts.segment_names
        ([[[2, 0, 1, 1]]], {1: 'lesion 1', 2: 'lesion 2'})
    """
    if not (math.isfinite(minimum_mm3) and minimum_mm3 >= 0):
        raise InputError(f"minimum_mm3: expected a number from 0 on, got {minimum_mm3!r}.")
    parts, counts = components(mask.region(label), connectivity)
    voxel_mm3 = float(np.prod(mask.geometry.spacing_mm))
    large = int((counts * voxel_mm3 >= minimum_mm3 * (1 - 1e-9)).sum())
    segment = mask.segments.get(label, Segment(""))
    name = segment.name or f"label {label}"
    if not large:
        raise MaskError(
            f"{mask.called}, {name}: none of its {len(counts)} parts has {minimum_mm3:g} mm³; the largest has "
            f"{counts[0] * voxel_mm3:.4g} mm³. Lower the minimum."
        )
    notes = mask.notes
    if large < len(counts):
        parts[parts > large] = 0
        notes += (f"{name}: {len(counts) - large} parts smaller than {minimum_mm3:g} mm³ were left out.",)
    segments = {
        number: Segment(f"{name} {number}", segment.colour, segment.category, segment.type)
        for number in range(1, large + 1)
    }
    return Mask(
        parts, mask.geometry, mask.name, mask.source, segments, notes=notes, frame_of_reference=mask.frame_of_reference
    )


def ring(mask: Mask, label: int = 1, *, outer_mm: float, inner_mm: float = 0.0, within: Mask | None = None) -> Mask:
    """Return the voxels around a region that lie farther than ``inner_mm`` from it and at most ``outer_mm``.

    Distances are Euclidean, in millimetres, from a voxel's centre to the centre of the region's nearest voxel; spacing
    may differ between the axes. The region itself never belongs to its ring; other labels are no obstacle.

    Args:
        mask: the mask.
        label: the label around which the ring lies.
        outer_mm: where the ring ends.
        inner_mm: where it begins.
        within: a second mask that cuts the ring, such as the organ: only voxels of one of its labels remain.

    Returns:
        Mask on the same grid with one label, the region's own, called "<name of the segment> ring 0-5 mm".

    Raises:
        MaskError: no voxel has the label, or none lies in the ring.
        InputError: not 0 <= inner_mm < outer_mm.

    Example:
        >>> from deepradiomics.images import Geometry
        >>> mask = Mask(np.array([[[0, 0, 1, 0, 0, 0]]]), Geometry((6, 1, 1), (2.0, 1.0, 1.0)))
        >>> ring(mask, outer_mm=4).labels.tolist()
        [[[1, 1, 0, 1, 1, 0]]]
    """
    if not (math.isfinite(inner_mm) and math.isfinite(outer_mm) and 0 <= inner_mm < outer_mm):
        raise InputError(f"ring: expected 0 <= inner_mm < outer_mm, got inner {inner_mm!r} and outer {outer_mm!r}.")
    region = mask.region(label)
    segment = mask.segments.get(label, Segment(""))
    name = f"{segment.name or f'label {label}'} ring {inner_mm:g}-{outer_mm:g} mm"
    box, cut = _box(region, mask.geometry.spacing_mm, outer_mm)
    distance_mm = _distance_mm(region[box], mask.geometry.spacing_mm)
    around = np.zeros(region.shape, bool)
    around[box] = (distance_mm > inner_mm + _ROUNDING_MM) & (distance_mm <= outer_mm + _ROUNDING_MM)
    around &= ~region
    notes = mask.notes
    if cut:
        notes += (f"{name}: it reaches beyond the image and is cut at its border.",)
    if within is not None:
        if not within.geometry.is_close(mask.geometry):
            notes += (f"{name}: the mask that cuts it has another grid and was resampled.",)
            within = resample_mask(within, mask.geometry)
        around &= within.union()
    if not around.any():
        raise MaskError(
            f"{mask.called}: no voxel lies in the {name}. Voxels are {_spacing(mask)} mm apart"
            + ("; does the mask that cuts the ring lie around the region?" if within is not None else ".")
        )
    labels = around.astype(np.min_scalar_type(label)) * np.min_scalar_type(label).type(label)
    return Mask(
        labels,
        mask.geometry,
        mask.name,
        mask.source,
        {label: Segment(name, segment.colour)},
        notes=notes,
        frame_of_reference=mask.frame_of_reference,
    )


def _box(
    region: np.ndarray, spacing_mm: tuple[float, float, float], reach_mm: float
) -> tuple[tuple[slice, slice, slice], bool]:
    """A box (z, y, x) of the grid that holds all within reach of a region, and whether the grid cuts it."""
    box, cut = [], False
    for axis, step_mm in enumerate(reversed(spacing_mm)):
        where = np.flatnonzero(region.any(axis=tuple({0, 1, 2} - {axis})))
        reach = int((reach_mm + _ROUNDING_MM) / step_mm)
        first, last = int(where[0]) - reach, int(where[-1]) + reach + 1
        cut |= first < 0 or last > region.shape[axis]
        box.append(slice(max(first, 0), min(last, region.shape[axis])))
    return tuple(box), cut  # type: ignore[return-value]


def _distance_mm(region: np.ndarray, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Distance of each voxel's centre from the centre of the nearest voxel of the region; 0 inside it."""
    from scipy import ndimage

    return np.asarray(ndimage.distance_transform_edt(~region, sampling=spacing_mm[::-1]))


def _spacing(mask: Mask) -> str:
    return ", ".join(f"{value:.4g}" for value in mask.geometry.spacing_mm)
