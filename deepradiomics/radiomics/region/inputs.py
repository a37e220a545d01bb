"""From what a caller gives (paths, SimpleITK images, our own objects) to one image and one label map, normalised.

A two-dimensional image becomes a volume of one slice; features then stay within the plane.
"""

import os
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import SimpleITK as sitk

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import ImageLike, Mask, MaskLike, MaskOptions, Volume, as_mask, as_volume, to_sitk
from deepradiomics.images.formats.stored import StoredImage
from deepradiomics.images.masks.slicer import describes_segments
from deepradiomics.images.pairing import check_pair
from deepradiomics.images.read import is_stored, read_stored
from deepradiomics.images.reading import Reading
from deepradiomics.images.sitk import plain_pixels
from deepradiomics.radiomics.settings.settings import Settings

OpenedImage = Volume | sitk.Image | StoredImage
OpenedMask = Mask | sitk.Image | StoredImage
_Opened = TypeVar("_Opened")


@dataclass(frozen=True, eq=False)
class Inputs:
    """An image and a label map, before any label is chosen; the work on them is shared by all labels.

    Args:
        image: grey values, normalised where the settings say so.
        mask: the labels; they may lie on another grid.
        original: the image as it was read.
        dimensions: 3, or 2 for a flat image (a volume of one slice).
        notes: what was assumed or done while image and mask were read, one sentence each.
        cache: what was computed once for all labels.
    """

    image: Volume
    mask: Mask
    original: Volume
    dimensions: int = 3
    notes: tuple[str, ...] = ()
    cache: dict[str, Any] = field(default_factory=dict)


def load(
    image: ImageLike | StoredImage, mask: MaskLike | StoredImage, settings: Settings, reading: Reading | None = None
) -> Inputs:
    """Read and normalise.

    Args:
        image, mask: paths, SimpleITK images or our own objects; 3-D, or both 2-D.
        settings: normalisation, and the channel of a mask with several.
        reading: how files are read; None: as they say. Which labels it names is not asked here.

    Raises:
        InputError: an unreadable file, a colour image, NaN or a constant image where it should be normalised.
        GeometryError: image and mask differ in the number of dimensions, or cannot show the same anatomy.
        MaskError: labels that are not whole numbers, or a channel that is not there.
    """
    return normalised_inputs(read_pair(image, mask, settings, reading), settings)


def read_pair(
    image: ImageLike | StoredImage, mask: MaskLike | StoredImage, settings: Settings, reading: Reading | None = None
) -> Inputs:
    """Read without normalising; see :func:`load`."""
    reading = reading or Reading()
    opened = opened_image(image, reading)
    labelled = opened_mask(mask, opened, reading, channel=settings.label_channel)
    flat = [_is_flat(source) for source in (opened, labelled)]
    if flat[0] and not flat[1]:
        raise GeometryError("mask: the image is two-dimensional, so the mask must be too. Take one slice of it.")
    if flat[1] and not flat[0]:
        raise GeometryError("mask: it is two-dimensional, the image is not. Give a mask of the image's size.")
    opened = opened.volume(flat=True) if isinstance(opened, StoredImage) else _as_one_slice(opened)
    plain, channel_notes = one_channel(_as_one_slice(labelled), settings.label_channel)
    original, labels = as_volume(opened), as_mask(plain)
    notes = (*original.notes, *labels.notes, *channel_notes, *pair_notes(original, labels, reading.mask))
    return Inputs(original, labels, original, 2 if flat[0] else 3, tuple(dict.fromkeys(notes)))


def normalised_inputs(inputs: Inputs, settings: Settings) -> Inputs:
    """The inputs with the image normalised where the settings say so.

    Raises:
        InputError: NaN or a constant image where it should be normalised.
    """
    if not settings.normalize:
        return inputs
    return replace(inputs, image=normalised(inputs.original.require_finite(), settings), cache={})


def opened_image(image: ImageLike | StoredImage, reading: Reading | None = None) -> OpenedImage:
    """Read an image where it is a path: a Volume, or a StoredImage that is two-dimensional.

    Raises:
        InputError: the file is missing, unreadable or no grey-level image.
    """
    stored = _stored_file(image)
    if stored is not None:
        return stored if stored.dimensions == 2 else stored.volume()
    if isinstance(image, sitk.Image):
        return plain_pixels(image)
    return (reading or Reading()).read_volume(image) if isinstance(image, str | os.PathLike) else image


def opened_mask(
    mask: MaskLike | StoredImage,
    image: OpenedImage | None = None,
    reading: Reading | None = None,
    *,
    channel: int = 0,
) -> OpenedMask:
    """Read a mask where it is a path: a Mask, or a StoredImage that is two-dimensional or has several channels.

    Args:
        mask: a path, or what is read already.
        image: what :func:`opened_image` gave; contours are drawn on its grid.
        reading: how the mask is read.
        channel: which channel is meant; the layers of a Slicer segmentation are its segments unless one is named.

    Raises:
        InputError: the file is missing or unreadable.
        MaskError: labels that are not whole numbers.
    """
    reading = reading or Reading()
    stored = _stored_file(mask)
    if stored is not None:
        # The layers of a segmentation of Slicer are read as its segments; other components are channels.
        channels = stored.components > 1 and (channel > 0 or not describes_segments(stored.header))
        return stored if stored.dimensions == 2 or channels else reading.named(stored.mask())
    if isinstance(mask, sitk.Image):
        return plain_pixels(mask, labels=True)
    if not isinstance(mask, str | os.PathLike):
        return mask
    return reading.read_mask(mask, reference=image if isinstance(image, Volume) else None)


def pair_notes(image: Volume, mask: Mask, options: MaskOptions) -> tuple[str, ...]:
    """Compare the grids and frames of reference of image and mask before anything is resampled.

    Raises:
        GeometryError: they cannot show the same anatomy.
    """
    return tuple(check_pair(image, mask, options))


def plane_settings(settings: Settings, dimensions: int) -> Settings:
    """Return settings that keep to the plane when the image is two-dimensional; IBSI's aggregations do that alone."""
    return settings.in_plane() if dimensions == 2 and settings.standard != "ibsi" else settings


def normalised(volume: Volume, settings: Settings) -> Volume:
    """Centre the whole image at its mean, scale it to its standard deviation, cut outliers off, multiply.

    Raises:
        InputError: the image is constant.
    """
    if volume.voxels.min() == volume.voxels.max():
        raise InputError(
            f"{volume.name or 'image'}: it is constant ({volume.voxels.flat[0]}), so it cannot be normalised. "
            "Is it the right file? Otherwise set normalize to false."
        )
    image = sitk.Normalize(to_sitk(volume))
    voxels = sitk.GetArrayFromImage(image)
    if settings.remove_outliers is not None:
        limit = settings.remove_outliers
        voxels[voxels > limit] = limit
        voxels[voxels < -limit] = -limit
    return replace(volume, voxels=voxels * voxels.dtype.type(settings.normalize_scale))


def one_channel(mask: OpenedMask, channel: int) -> tuple[Mask | sitk.Image, tuple[str, ...]]:
    """Take one component of a vector mask (PyRadiomics' ``label_channel``), with a note that says which.

    Raises:
        MaskError: the mask has no such channel.
    """
    if isinstance(mask, StoredImage):
        if mask.components == 1:
            return mask.mask(flat=True), ()
        return mask.mask(channel=channel, flat=True), (_channel_note(channel, mask.components),)
    mask = plain_pixels(mask, labels=True) if isinstance(mask, sitk.Image) else mask
    if not isinstance(mask, sitk.Image) or mask.GetNumberOfComponentsPerPixel() == 1:
        return mask, ()
    count = mask.GetNumberOfComponentsPerPixel()
    if channel >= count:
        raise MaskError(f"label_channel {channel}: the mask has {count} channels, 0 to {count - 1}.")
    return sitk.VectorIndexSelectionCast(mask, channel), (_channel_note(channel, count),)


def _as_one_slice(source: _Opened) -> _Opened | sitk.Image:
    """A two-dimensional SimpleITK image as a volume of one slice; what is none stays."""
    flat = isinstance(source, sitk.Image) and source.GetDimension() == 2
    return sitk.JoinSeries([source]) if flat else source


def _channel_note(channel: int, count: int) -> str:
    return f"mask: channel {channel} of {count} (0 to {count - 1}) was taken; label_channel names another."


def _stored_file(source: Any) -> StoredImage | None:
    """An image file as it is stored; None for what is no path, a folder, a DICOM file or a bare array."""
    if not isinstance(source, str | os.PathLike) or not is_stored(source):
        return None
    return read_stored(source)


def _is_flat(source: Any) -> bool:
    if isinstance(source, StoredImage):
        return source.dimensions == 2
    return isinstance(source, sitk.Image) and source.GetDimension() == 2
