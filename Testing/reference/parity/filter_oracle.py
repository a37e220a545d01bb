"""PyRadiomics' own filters as the oracle, with the two things that newer SciPy took away from it."""

import sys
import types
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk


def sph_harm(m: int, n: int, theta: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """SciPy's function of this name, removed in 1.17: theta is the azimuth, phi enters by its cosine."""
    from scipy import special

    if hasattr(special, "sph_harm_y"):  # since 1.15
        return special.sph_harm_y(n, m, phi, theta)
    return special.sph_harm(m, n, theta, phi)


@contextmanager
def _old_scipy() -> Iterator[None]:
    import scipy.ndimage
    import scipy.special

    old = types.ModuleType("scipy.ndimage.interpolation")
    old.map_coordinates = scipy.ndimage.map_coordinates  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setitem(sys.modules, "scipy.ndimage.interpolation", old)
        if not hasattr(scipy.special, "sph_harm"):
            patch.setattr(scipy.special, "sph_harm", sph_harm, raising=False)
        yield


def pyradiomics_images(
    image_type: str, image: sitk.Image, mask: sitk.Image, setting: Mapping[str, Any]
) -> list[tuple[str, np.ndarray]]:
    """Return what PyRadiomics filters: prefix and voxels, in its order. Skips where it is not installed."""
    pytest.importorskip("radiomics")
    for name in {"LBP2D": ("skimage",), "LBP3D": ("trimesh",)}.get(image_type, ()):
        pytest.importorskip(name)
    with _old_scipy():
        import radiomics
        from radiomics import imageoperations

        radiomics.setVerbosity(60)
        images = getattr(imageoperations, f"get{image_type}Image")(image, mask, **setting)
        return [(name, sitk.GetArrayFromImage(made)) for made, name, _ in images]
