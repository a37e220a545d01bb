"""Paint what belongs to patches back onto an image: the patch's number becomes its place."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.volume import Volume
from deepradiomics.prepare.affine import AffineTransform
from deepradiomics.prepare.exam.box import Box
from deepradiomics.prepare.resample import Interpolation, index_map, resample, take_nearest

if TYPE_CHECKING:
    from deepradiomics.prepare.exam.exam import PreparedExam


def patch_boxes(exam: "PreparedExam") -> dict[str, list[Box]]:
    """Return each patch as a block in each view's own physical space: ``boxes[view][patch - 1]``.

    The blocks hold exactly the voxels that :func:`paint_patches` paints (before a foreground narrows them), unless
    registration slanted them: then each is the smallest block around its patch (see :meth:`Box.transformed`).
    """
    blocks = []
    for number in range(1, exam.patch_count + 1):
        where = np.argwhere(exam.patches == number)[:, ::-1]  # (N, 3) x, y, z
        low, high = where.min(axis=0), where.max(axis=0)
        blocks.append(Box.from_geometry(exam.roi_grid.crop(low.tolist(), (high - low + 1).tolist())))
    return {view: [block.transformed(exam.to_view[view]) for block in blocks] for view in exam.views}


def paint_patches(
    values: Sequence[float] | np.ndarray,
    exam: "PreparedExam",
    target: Geometry,
    view: str,
    *,
    foreground_only: bool = True,
) -> Volume:
    """Return an image on ``target`` in which every voxel has the value of the patch that its centre lies in.

    Args:
        values: (J,) one number per patch.
        exam: says where the patches are.
        target: a grid in the physical space of ``view``'s own scan; usually its own grid.
        view: whose space ``target`` is in.
        foreground_only: where a segment is the region, paint its voxels alone.

    Returns:
        float32, 0 outside the region. Nothing is interpolated: the centre of each target voxel is carried through
        the inverse of ``exam.to_view[view]`` and takes the cell of ``roi_grid`` in which it lands.

    Raises:
        InputError: the view is unknown, or there are not J values.
    """
    values = np.asarray(values, np.float32)
    if values.shape != (exam.patch_count,):
        raise InputError(
            f"Case {exam.case_id}: expected one value for each of {exam.patch_count} patches, got shape {values.shape}."
        )
    labels = exam.patches
    if foreground_only and exam.foreground is not None:
        labels = np.where(exam.foreground, labels, 0)
    painted = np.concatenate([[np.float32(0)], values])[labels]
    matrix = index_map(target, exam.roi_grid, _from_view(exam, view))
    return Volume(take_nearest(painted, matrix, target.shape), target, "patches")


def paint_map(
    array: np.ndarray, exam: "PreparedExam", target: Geometry, view: str, interpolation: Interpolation = "linear"
) -> Volume:
    """Return a map given on ``exam.roi_grid`` (z, y, x), such as Grad-CAM, as an image on ``target``; 0 outside.

    Arguments as in :func:`paint_patches`.
    """
    array = np.asarray(array, np.float32)
    if array.shape != exam.roi_grid.shape:
        raise InputError(
            f"Case {exam.case_id}: expected a map (z, y, x) of shape {exam.roi_grid.shape}, got {array.shape}."
        )
    return resample(
        Volume(array, exam.roi_grid, "map"), target, transform=_from_view(exam, view), interpolation=interpolation
    )


def _from_view(exam: "PreparedExam", view: str) -> AffineTransform:
    if view not in exam.to_view:
        raise InputError(f"view: expected one of {', '.join(exam.to_view)}, got {view!r}.")
    return exam.to_view[view].inverse()
