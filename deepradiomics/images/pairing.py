"""Whether a mask belongs to an image: one frame of reference, and grids that lie on each other."""

from __future__ import annotations

import numpy as np

from deepradiomics.errors import MaskError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.options import MaskOptions
from deepradiomics.images.volume import Mask, Volume

_TO_RAS = np.diag([-1.0, -1.0, 1.0])


def check_pair(image: Volume, mask: Mask, options: MaskOptions | None = None) -> tuple[str, ...]:
    """Compare the mask's frame of reference and grid with the image's, before anything is resampled.

    Returns:
        Notes: another grid, axes counted the other way, a grid that is like the image's but for its place or spacing,
        a part of the mask outside the image. None where both have one grid.

    Raises:
        MaskError: another frame of reference, unless ``options.any_frame``; or no voxel of the mask lies in the image.
    """
    notes = check_frame(image, mask, options)
    if mask.geometry.is_close(image.geometry):
        return notes
    return (*notes, *_grid_notes(image.geometry, mask), *_outside(image, mask))


def check_frame(image: Volume, mask: Mask, options: MaskOptions | None = None) -> tuple[str, ...]:
    """Compare frames of reference; a note where another one is accepted. Unknown ones are not compared.

    Raises:
        MaskError: they differ, and ``options.any_frame`` is not set.
    """
    frames = image.frame_of_reference, mask.frame_of_reference
    if not all(frames) or frames[0] == frames[1]:
        return ()
    if options is not None and options.any_frame:
        return (f"{mask.called}: it has another frame of reference than the image, which was accepted as asked for.",)
    raise MaskError(
        f"{mask.called}: it was drawn in another frame of reference than the image: positions in the one mean nothing "
        "in the other. Give the image that it was drawn on, or register the two; where you know that they agree, "
        "accept any frame of reference (--any-frame)."
    )


def _grid_notes(image: Geometry, mask: Mask) -> tuple[str, ...]:
    grid = mask.geometry
    if _same_box(image, grid):
        if sorted(grid.size) == sorted(image.size) and _parallel(image, grid):
            return ()  # the same voxels, their axes in another order: nothing changes by resampling
        return (f"{mask.called}: {_described(grid)} in the space of the image, which has {_described(image)}.",)
    same_size = grid.size == image.size
    same_spacing = np.allclose(grid.spacing_mm, image.spacing_mm, rtol=1e-3)
    if same_size and not same_spacing:
        return (
            f"{mask.called}: as many voxels as the image, but another spacing ({_mm(grid.spacing_mm)}, not "
            f"{_mm(image.spacing_mm)} mm). Is the header of one of them wrong?",
        )
    if same_size and _same_corners(_turned(grid), image):
        return (
            f"{mask.called}: it has the image's grid turned by 180° about the body's axis, as if x and y had been "
            "written with the other sign (LPS and RAS mistaken for each other). Look at both together.",
        )
    if same_size and np.allclose(grid.direction, image.direction, atol=1e-3):
        shift = np.subtract(grid.origin_mm, image.origin_mm)
        return (
            f"{mask.called}: it has the image's grid, but {_mm(np.abs(shift))} mm aside (x, y, z). Does it belong to "
            "another examination?",
        )
    return (f"{mask.called}: it has another grid than the image ({_described(grid)}, not {_described(image)}).",)


def _outside(image: Volume, mask: Mask) -> tuple[str, ...]:
    """A note where a part of the mask lies outside the image.

    Raises:
        MaskError: all of it does.
    """
    total = inside = 0
    size = np.array(image.geometry.size)
    union = mask.union()
    for z in np.flatnonzero(union.any(axis=(1, 2))):
        points = np.argwhere(union[z])[:, ::-1]
        points = np.column_stack([points, np.full(len(points), z)])
        index = image.geometry.physical_to_index(mask.geometry.index_to_physical(points))
        total += len(points)
        inside += int(((index >= -0.5 - 1e-6) & (index < size - 0.5 + 1e-6)).all(axis=1).sum())
    if not total or inside == total:
        return ()
    if not inside:
        turned = _TO_RAS @ np.array(mask.geometry.centre_mm)
        low, high = image.geometry.corners_mm().min(axis=0), image.geometry.corners_mm().max(axis=0)
        hint = (
            " With x and y of the other sign it would: were LPS and RAS mistaken for each other?"
            if ((turned >= low) & (turned <= high)).all()
            else ""
        )
        raise MaskError(
            f"{mask.called}: none of its {total} voxels lies inside the image: its grid is centred on "
            f"({_mm(mask.geometry.centre_mm)}) mm, the image on ({_mm(image.geometry.centre_mm)}) mm, LPS.{hint} "
            "Give the image that it was drawn on."
        )
    share = 100 * (total - inside) / total
    return (f"{mask.called}: {share:.2g} % of its voxels lie outside the image and are left out.",)


def _same_box(first: Geometry, second: Geometry) -> bool:
    """Whether two grids fill the same box: each outer corner of the one is a corner of the other."""
    tolerance = 0.01 * min(*first.spacing_mm, *second.spacing_mm)
    apart = np.linalg.norm(first.corners_mm()[:, None] - second.corners_mm()[None], axis=-1)
    return bool((apart.min(axis=1) <= tolerance).all() and (apart.min(axis=0) <= tolerance).all())


def _parallel(first: Geometry, second: Geometry) -> bool:
    """Whether axes that run together have as many voxels."""
    cosines = np.abs(first.axes.T @ second.axes)
    partner = cosines.argmax(axis=0)
    return all(first.size[int(axis)] == count for axis, count in zip(partner, second.size, strict=True))


def _turned(grid: Geometry) -> Geometry:
    origin = _TO_RAS @ np.array(grid.origin_mm)
    return Geometry(grid.size, grid.spacing_mm, tuple(origin.tolist()), tuple((_TO_RAS @ grid.axes).ravel().tolist()))


def _same_corners(first: Geometry, second: Geometry) -> bool:
    return first.is_close(second, 0.01 * min(second.spacing_mm))


def _described(grid: Geometry) -> str:
    return f"{' x '.join(map(str, grid.size))} voxels of {_mm(grid.spacing_mm, ' x ')} mm"


def _mm(values: object, between: str = ", ") -> str:
    return between.join(f"{value:.4g}" for value in np.ravel(values))  # type: ignore[call-overload]
