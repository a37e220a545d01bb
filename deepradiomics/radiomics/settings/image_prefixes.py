"""The prefixes of the keys that each image type gives (``wavelet-LLH`` …): known before anything is computed."""

from difflib import get_close_matches
from itertools import product

from deepradiomics.errors import InputError
from deepradiomics.radiomics.settings.rules import IMAGE_TYPES
from deepradiomics.radiomics.settings.settings import Settings

POINTWISE = {
    "Square": "square",
    "SquareRoot": "squareroot",
    "Logarithm": "logarithm",
    "Exponential": "exponential",
}


def image_prefixes(image_type: str, settings: Settings, dimensions: int = 3) -> tuple[str, ...]:
    """Return the prefixes of an image type's keys, in PyRadiomics' order.

    Args:
        image_type: such as ``Wavelet``.
        settings: the image type's own.
        dimensions: of the image, 3 or 2. A flat image has no LBP3D.

    Raises:
        InputError: there is no such image type.
    """
    if image_type == "Wavelet":
        return wavelet_names(settings.level, len(wavelet_axes(settings, dimensions)))
    if image_type == "LoG":
        flat = settings.standard == "ibsi" and ibsi_dimension(settings, dimensions) == 2
        return tuple(f"log-sigma-{str(s).replace('.', '-')}-mm-{2 if flat else 3}D" for s in settings.sigma_mm)
    if image_type == "LBP3D":
        return lbp3d_names(settings.lbp3d_levels) if dimensions == 3 else ()
    single = {
        "Original": "original",
        "Gradient": "gradient",
        "LBP2D": "lbp-2D",
        "Mean": f"mean-{settings.mean_support}",
        "Laws": f"laws-{settings.laws_kernel}",
        **POINTWISE,
    }
    if image_type not in single:
        near = get_close_matches(image_type, IMAGE_TYPES, 3, 0.5) or IMAGE_TYPES
        raise InputError(f"image type {image_type!r}: there is no such filter; known: {', '.join(near)}.")
    return (single[image_type],)


def wavelet_axes(settings: Settings, dimensions: int) -> tuple[int, ...]:
    """Return the numpy axes that a wavelet filters, x first; with force2D the stacking axis is left out."""
    if settings.standard == "ibsi":
        return (2, 1, 0)[: ibsi_dimension(settings, dimensions)]
    axes = (2, 1, 0)[:dimensions]
    if settings.force_2d and dimensions == 3:
        axes = tuple(axis for axis in axes if axis != settings.force_2d_dimension)
    return axes


def ibsi_dimension(settings: Settings, dimensions: int) -> int:
    """Return whether IBSI's filters work in 3-D or within slices, as a flat image does by itself."""
    return min(settings.filter_dimension, dimensions)


def wavelet_names(level: int, dimensions: int = 3) -> tuple[str, ...]:
    """Return the prefixes of all sub-bands in order; the approximation comes last.

    The first letter is the x axis, L for low-pass and H for high-pass. Only levels above the first stand in the name.

    >>> wavelet_names(1, 2)
    ('wavelet-LH', 'wavelet-HL', 'wavelet-HH', 'wavelet-LL')
    """
    bands = ["".join(letters) for letters in product("LH", repeat=dimensions)]
    heads = [f"wavelet{k + 1 if k else ''}-" for k in range(level)]
    return (*(head + band for head in heads for band in bands[1:]), heads[-1] + bands[0])


def lbp3d_names(levels: int) -> tuple[str, ...]:
    """Return the prefixes: one a degree of the harmonics, and the kurtosis.

    >>> lbp3d_names(2)
    ('lbp-3D-m1', 'lbp-3D-m2', 'lbp-3D-k')
    """
    return (*(f"lbp-3D-m{k + 1}" for k in range(levels)), "lbp-3D-k")
