"""Field: one (filtered) image and its ROI as flat arrays that a window can be laid over anywhere."""

from dataclasses import dataclass

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.radiomics.features.directions import norms
from deepradiomics.radiomics.maps.window import Window, window
from deepradiomics.radiomics.region.region import usable_edges
from deepradiomics.radiomics.settings.settings import Settings


@dataclass(frozen=True, eq=False)
class Field:
    """What the windows are laid over. Flat arrays of one padded box, so that no window leaves them.

    Args:
        values: grey values, float64.
        levels: grey levels, int32, 0 outside the region that windows see.
        value_levels: grey levels of the values as doubles, for the entropy of first order: PyRadiomics bins them so,
            and an image of single precision may have other bin edges then.
        centres: (n,) places of the ROI's voxels, in (z, y, x) order.
        steps: (K,) steps from a voxel to its window.
        highest, highest_value: the highest of ``levels`` and of ``value_levels``.
        one_level: only one grey level occurs in the whole region.
        window: its positions, pairs and lines.
        spacing_mm: voxel spacing (z, y, x).
        settings: those of the image type.
    """

    values: np.ndarray
    levels: np.ndarray
    value_levels: np.ndarray
    centres: np.ndarray
    steps: np.ndarray
    highest: int
    highest_value: int
    one_level: bool
    window: Window
    spacing_mm: tuple[float, float, float]
    settings: Settings

    @property
    def merged(self) -> bool:
        """Whether directions are put together by weights instead of averaged."""
        return self.settings.weighting_norm is not None

    @property
    def pair_weights(self) -> np.ndarray:
        """(A,) weights of GLCM's directions: exp(-length²), or one."""
        norm = self.settings.weighting_norm
        if norm is None or norm == "no_weighting":
            return np.ones(len(self.window.offsets))
        return np.exp(-(norms(self.window.offsets, self.spacing_mm, norm) ** 2))

    @property
    def run_weights(self) -> np.ndarray:
        """(D,) weights of GLRLM's directions: their length, or one."""
        norm = self.settings.weighting_norm
        offsets = self.window.run_offsets
        return np.ones(len(offsets)) if norm is None else norms(offsets, self.spacing_mm, norm)


def make_field(
    voxels: np.ndarray, roi: np.ndarray, spacing_mm: tuple[float, float, float], radius: int, settings: Settings
) -> Field:
    """Return the field of an image cropped to its ROI and ``radius`` voxels more.

    Args:
        voxels: grey values (z, y, x) in their own number type.
        roi: bool (z, y, x).
        spacing_mm: voxel spacing (z, y, x).
        radius: of the window.
        settings: those of the image type.

    Raises:
        InputError: NaN where windows look, or too many grey levels.
    """
    region = roi if settings.masked_kernel else np.ones(roi.shape, bool)
    inside = voxels[region]
    if inside.dtype.kind == "f" and not np.isfinite(inside).all():
        raise InputError(
            f"image: {int((~np.isfinite(inside)).sum())} voxels that the windows see are NaN or infinite. Replace "
            "them, leave them out of the mask, or set maskedKernel to true so that windows end at the ROI."
        )
    flat = settings.force_2d_dimension if settings.force_2d else None
    layout = window(radius, tuple(sorted(set(settings.distances))), flat)
    padded_shape = [n + 2 * radius for n in voxels.shape]
    strides = (padded_shape[1] * padded_shape[2], padded_shape[2], 1)
    levels = _digitised(inside, settings)
    as_doubles = inside.astype(float)
    value_levels = levels if inside.dtype not in (np.float16, np.float32) else _digitised(as_doubles, settings)
    return Field(
        values=_padded(as_doubles, region, radius, float),
        levels=_padded(levels, region, radius, np.int32),
        value_levels=_padded(value_levels, region, radius, np.int32),
        centres=(np.argwhere(roi) + radius) @ np.array(strides),
        steps=layout.steps(strides),
        highest=int(levels.max()),
        highest_value=int(value_levels.max()),
        one_level=bool(levels.min() == levels.max()),
        window=layout,
        spacing_mm=spacing_mm,
        settings=settings,
    )


def _digitised(values: np.ndarray, settings: Settings) -> np.ndarray:
    return np.digitize(values, usable_edges("image", values, settings))


def _padded(values: np.ndarray, where: np.ndarray, border: int, kind: type) -> np.ndarray:
    """Put the values of some voxels into a flat box of zeros with a border."""
    box: np.ndarray = np.zeros([n + 2 * border for n in where.shape], kind)
    box[tuple(slice(border, border + n) for n in where.shape)][where] = values
    return box.ravel()
