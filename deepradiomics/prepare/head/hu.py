"""Whether a head CT is in Hounsfield units, and what else about it a reader should know.

Everything about haemorrhages rests on HU: air −1000, water 0, brain 20 to 45, fresh blood 50 to 90, bone above 300. An
image whose grey levels cannot be HU is refused; what merely weakens the results is said as a note.
"""

from __future__ import annotations

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images import Volume
from deepradiomics.prepare.head.brain import Brain, find_brain
from deepradiomics.prepare.orientation import PLANE_AXES, match_axes

AIR_HU = -500.0  # some voxel of a CT is darker than this
THICK_MM = 5.0
_BRAIN_HU = (10.0, 55.0)  # median inside the skull, beyond which the scale is doubtful
_CONTRAST_HU, _CONTRAST_ML = 110.0, 2.0  # more of this far from bone is neither fresh blood nor the usual calcium
_BONE_HU, _FROM_BONE_MM = 250.0, 8.0
_TILT_DEGREES = 3.0
_TOP_CM2, _BOTTOM_CM2 = 8.0, 60.0  # brain in the outermost slice: more says that the image ends inside it
_LEVELS = 15  # fewer different grey levels between 0 and 100 HU come from a picture


def check_hu(volume: Volume, *, case: str = "") -> tuple[str, ...]:
    """Check that a head CT is in HU and return notes on it, one sentence each (first those of the reader).

    Args:
        volume: the CT.
        case: how messages call it.

    Raises:
        InputError: voxels are not finite, or the grey levels cannot be HU: a picture (0 to 255), normalised values,
            stored values without their intercept, a window that was applied, no air, no soft tissue.
    """
    who = f"Case {case}: " if case else f"{volume.name}: " if volume.name else ""
    try:
        volume.require_finite()
    except InputError as error:
        raise InputError(f"{who}{error}" if case else str(error)) from error
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    _refuse_other_scales(low, high, who)
    brain = find_brain(volume)
    soft = float(((volume.voxels > -50) & (volume.voxels < 130)).mean())
    if brain is None and soft < 0.005:
        raise InputError(
            f"{who}only {soft:.1%} of the voxels lie between -50 and 130 HU, where brain and blood lie. This is not a "
            "head CT in HU (another scale, another body part, or an empty reconstruction)."
        )
    notes = [*volume.notes, *_grid_notes(volume)]
    if high < _BONE_HU:
        notes.append(f"No bone: the brightest voxel has {high:.0f} HU. Was the image windowed or the skull removed?")
    if brain is None:
        notes.append("No brain was found in the image; is it a head CT? Crops are centred on the head instead.")
        return tuple(notes)
    return (*notes, *_scale_notes(volume, brain), *_coverage_notes(brain))


def _refuse_other_scales(low: float, high: float, who: str) -> None:
    if low == high:
        raise InputError(f"{who}the image is constant (every voxel {low:g}). Was it exported completely?")
    if low <= AIR_HU:
        if high < 50:
            raise InputError(
                f"{who}the grey levels end at {high:g}: nothing is as bright as blood or bone in HU. Export the CT "
                "with its rescale slope and intercept."
            )
        return
    got = f"{who}grey levels from {low:g} to {high:g} cannot be HU: no voxel is as dark as air (-1000). "
    if low >= -1.5 and high <= 1.5:
        raise InputError(f"{got}They look normalised; give the CT as it was scanned.")
    if low >= 0 and high <= 255:
        raise InputError(
            f"{got}They look like a picture (PNG, JPEG: 0 to 255), whose window cannot be undone; convert the original "
            "DICOM series instead."
        )
    if low >= 0:
        raise InputError(
            f"{got}They look like stored values without their rescale intercept (often -1024); convert the DICOM "
            "series with its rescale slope and intercept applied."
        )
    raise InputError(
        f"{got}Was a window applied, the skull removed with another background, or is it no CT? Give the CT as it was "
        "scanned, in HU."
    )


def _grid_notes(volume: Volume) -> list[str]:
    grid, notes = volume.geometry, []
    pairs = match_axes(grid.axes, PLANE_AXES["axial"])
    thickness = grid.spacing_mm[pairs[2][0]]
    if thickness > THICK_MM + 0.01:
        notes.append(
            f"Thick slices: {thickness:.3g} mm between slices (5 mm or less is usual). Volume, shape and texture are "
            "coarse along the body axis."
        )
    normal = grid.axes[:, pairs[2][0]]
    tilt = float(np.degrees(np.arccos(min(1.0, abs(normal[2])))))
    if tilt > _TILT_DEGREES:
        notes.append(
            f"The slices are tilted by {tilt:.0f}° (gantry or head). The crop follows the slices; volumes and places "
            "are right as long as the file says where each slice lies."
        )
    return notes


def _scale_notes(volume: Volume, brain: Brain) -> list[str]:
    from scipy import ndimage

    notes = []
    inside = brain.voxels[brain.region]
    median = float(np.median(inside))
    if not _BRAIN_HU[0] <= median <= _BRAIN_HU[1]:
        notes.append(
            f"Half of the voxels inside the skull exceed {median:.0f} HU; 20 to 45 is usual. Check the rescale slope "
            "and intercept, the calibration, and whether contrast was given."
        )
    levels = np.unique(np.rint(volume.voxels[(volume.voxels >= 0) & (volume.voxels <= 100)]))
    if len(levels) < _LEVELS:
        notes.append(
            f"Only {len(levels)} different grey levels between 0 and 100 HU: the image seems to come from a picture of "
            "few grey levels, and texture features mean little."
        )
    sampling = brain.geometry.spacing_mm[::-1]
    bone = brain.voxels > _BONE_HU
    far = ndimage.distance_transform_edt(~bone, sampling) > _FROM_BONE_MM if bone.any() else np.ones_like(bone)
    hull = ndimage.binary_closing(brain.region, iterations=2) | brain.region
    bright = hull & far & (brain.voxels > _CONTRAST_HU)
    ml = float(bright.sum() * np.prod(sampling) / 1000)
    if ml > _CONTRAST_ML:
        notes.append(
            f"Contrast? {ml:.1f} mL inside the brain and away from bone exceed {_CONTRAST_HU:.0f} HU, brighter than "
            "fresh blood. The models are made for CT without contrast: do not trust their results on this image."
        )
    return notes


def _coverage_notes(brain: Brain) -> list[str]:
    pairs = match_axes(brain.geometry.axes, PLANE_AXES["axial"])
    column, sign = pairs[2]
    slices = np.moveaxis(brain.region, 2 - column, 0)[::sign]  # from below upwards
    spacing = [step for axis, step in enumerate(brain.geometry.spacing_mm) if axis != column]
    areas = slices.reshape(len(slices), -1).sum(axis=1) * float(np.prod(spacing)) / 100  # cm²
    notes = []
    if areas[-1] > _TOP_CM2:
        notes.append("Small field of view: the image ends below the top of the brain. Blood above it is not seen.")
    if areas[0] > _BOTTOM_CM2:
        notes.append("Small field of view: the image begins inside the brain. Blood below it is not seen.")
    return notes
