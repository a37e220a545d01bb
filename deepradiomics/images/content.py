"""What an image is, whatever file or scene it lies in: a hash of its voxels, by which a result knows its image."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepradiomics.images.volume import Volume

SCHEME = "voxels1"  # raised when the way of hashing changes: hashes of another scheme are never equal


@dataclass(frozen=True)
class ImageContent:
    """An image's voxels as a hash.

    Attributes
    ----------
    hash
        Of size and values, with each index axis turned so that the greater values lie towards its end.
    flipped
        Which index axes (x, y, z) were turned for that.
    """

    hash: str
    flipped: tuple[bool, bool, bool]


def image_content(volume: Volume) -> ImageContent:
    """Hash an image's size and voxel values.

    The hash does not depend on the number type that holds the values (they are compared as float32), on where the image
    lies, nor on the direction in which its axes are counted: 3D Slicer turns axes round when it reads some files.

    >>> from deepradiomics.images import Geometry
    >>> voxels = np.arange(8).reshape(2, 2, 2)
    >>> here, moved = (Geometry((2, 2, 2), origin_mm=(x, 0.0, 0.0)) for x in (0.0, 9.0))
    >>> turned = image_content(Volume(voxels[:, ::-1].astype(float), moved))
    >>> turned.hash == image_content(Volume(voxels, here)).hash, turned.flipped
    (True, (False, True, False))
    """
    flipped = [_falls(volume.voxels, axis) for axis in range(3)]  # of z, y, x
    turned = volume.voxels[tuple(slice(None, None, -1 if flip else 1) for flip in flipped)]
    digest = hashlib.blake2b(f"{SCHEME} {volume.geometry.size}".encode(), digest_size=16)
    for plane in turned:  # slice by slice: no second copy of the image
        values = np.asarray(plane, dtype="<f4") + np.float32(0.0)  # -0.0 becomes 0.0
        values[np.isnan(values)] = np.nan  # one NaN for all
        digest.update(np.ascontiguousarray(values).tobytes())
    return ImageContent(f"{SCHEME}-{digest.hexdigest()}", (flipped[2], flipped[1], flipped[0]))


def _falls(voxels: np.ndarray, axis: int) -> bool:
    """Whether the values are greater towards the beginning of an axis: the first moment about its middle."""
    others = tuple({0, 1, 2} - {axis})
    profile = np.nansum(np.where(np.isfinite(voxels), voxels, 0), axis=others, dtype=np.float64)
    profile -= profile.mean()
    return bool(profile @ (np.arange(len(profile)) - (len(profile) - 1) / 2) < 0)


def image_record(volume: Volume) -> dict[str, Any]:
    """What a result keeps of an image it was computed on; nothing in it tells whose image it is.

    ``content`` (hash) and ``flipped`` as in `ImageContent`; ``geometry``: where the image lay, LPS.
    """
    content = image_content(volume)
    return {"content": content.hash, "flipped": list(content.flipped), "geometry": volume.geometry.to_dict()}
