"""Every filtered image equals PyRadiomics' own: names, order, number type and all bits."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.images import Geometry, Volume, volume_from_sitk
from deepradiomics.radiomics import Settings
from deepradiomics.radiomics.filters import FilterFailure, filtered
from deepradiomics.radiomics.settings.image_prefixes import image_prefixes
from Testing.reference.parity.filter_oracle import pyradiomics_images

TYPES = ("Wavelet", "LoG", "Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "LBP2D", "LBP3D")


def compare(
    image_type: str, image: sitk.Image, mask: sitk.Image, setting: dict[str, Any], box: tuple[slice, ...]
) -> float:
    """Compare whole images and boxes; return the worst difference as a part of the image's range."""
    settings = Settings.from_params({"imageType": {image_type: {}}, "setting": setting})
    volume, roi = volume_from_sitk(image), sitk.GetArrayFromImage(mask) == 1
    theirs = pyradiomics_images(image_type, image, mask, setting)
    ours = list(filtered(image_type, volume, settings, mask=roi))
    part = list(filtered(image_type, volume, settings, mask=roi, box=box, threads=2))
    assert tuple(name for name, _ in ours) == tuple(name for name, _ in part) == image_prefixes(image_type, settings)
    made = {name: (whole, cut) for (name, whole), (_, cut) in zip(ours, part, strict=True)}
    made = {name: pair for name, pair in made.items() if not isinstance(pair[0], FilterFailure)}
    assert list(made) == [name for name, _ in theirs]
    where = roi if image_type == "LBP3D" else np.ones(roi.shape, bool)  # theirs is not set outside the ROI
    worst = 0.0
    for name, reference in theirs:
        whole, cut = made[name][0].voxels, made[name][1]
        assert whole.dtype == reference.dtype, name
        assert np.array_equal(cut.voxels, whole[box], equal_nan=True), f"{name}: the box differs from the whole"
        assert np.allclose(cut.geometry.index_to_physical([0, 0, 0]), _corner(volume, box)), name
        a, b = whole[where].astype(float), reference[where].astype(float)
        assert np.array_equal(np.isnan(a), np.isnan(b)), name
        a, b = np.nan_to_num(a), np.nan_to_num(b)
        worst = max(worst, float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-300)))
    return worst


def _corner(volume: Volume, box: tuple[slice, ...]) -> np.ndarray:
    first = [side.indices(n)[0] for side, n in zip(box, volume.voxels.shape, strict=True)]
    return volume.geometry.index_to_physical(first[::-1])


def random_case(rng: np.random.Generator) -> tuple[sitk.Image, sitk.Image, dict[str, Any], tuple[slice, ...]]:
    """Make an image of any number type, with flat areas, a box-shaped mask, settings, and that box."""
    shape = tuple(int(n) for n in rng.integers(4, 20, 3))
    if rng.random() < 0.15:
        shape = (1, *shape[1:])
    voxels = rng.normal(size=shape) * 50 + rng.choice([0, 100])
    kind = str(rng.choice(["u1", "u2", "i2", "i4", "f4", "f8"]))
    if rng.random() < 0.3:
        voxels = np.round(voxels / 40) * 40
    if rng.random() < 0.3:
        voxels[: shape[0] // 2] = 7
    if kind[0] == "u":
        voxels = np.abs(voxels)
    image = sitk.GetImageFromArray(voxels.astype(kind))
    image.SetSpacing([float(v) for v in rng.uniform(0.4, 4, 3)])
    low = [int(rng.integers(0, n)) for n in shape]
    box = tuple(slice(a, int(rng.integers(a + 1, n + 1))) for a, n in zip(low, shape, strict=True))
    inside = np.zeros(shape, np.uint8)
    inside[box] = 1
    mask = sitk.GetImageFromArray(inside)
    mask.CopyInformation(image)
    setting = {
        "sigma": [float(rng.choice([0.7, 1, 2.5])), 3],
        "wavelet": str(rng.choice(["coif1", "haar", "db5", "sym8", "bior1.5", "rbio3.1"])),
        "level": int(rng.integers(1, 3)),
        "start_level": int(rng.integers(0, 2)),
        "gradientUseSpacing": bool(rng.random() < 0.5),
        "lbp2DRadius": float(rng.choice([1, 1.3, 2, 3.7])),
        "lbp2DSamples": int(rng.integers(4, 17)),
        "lbp2DMethod": str(rng.choice(["default", "ror", "uniform", "var"])),
        "lbp3DLevels": int(rng.integers(2, 4)),
        "lbp3DIcosphereRadius": float(rng.choice([1, 1.5, 2])),
        "lbp3DIcosphereSubdivision": int(rng.integers(0, 2)),
        "force2D": bool(rng.random() < 0.4),
        "force2Ddimension": int(rng.integers(0, 3)),
    }
    return image, mask, setting, box


@pytest.mark.parametrize("image_type", TYPES)
def test_random_images_are_filtered_as_pyradiomics_filters_them(image_type: str) -> None:
    rng = np.random.default_rng(20)
    worst = max(compare(image_type, *random_case(rng)) for _ in range(25))
    assert worst == 0


@pytest.mark.slow
@pytest.mark.parametrize("image_type", TYPES)
def test_many_random_images_are_filtered_as_pyradiomics_filters_them(image_type: str) -> None:
    rng = np.random.default_rng(21)
    worst = max(compare(image_type, *random_case(rng)) for _ in range(500))
    print(f"\n{image_type}: worst difference {worst:.1e} of the range in 500 images")
    assert worst == 0


@pytest.mark.parametrize("image_type", [t for t in TYPES if t != "LBP3D"])
def test_a_flat_image_is_filtered_as_pyradiomics_filters_it_in_two_dimensions(image_type: str) -> None:
    rng = np.random.default_rng(22)
    for kind in ("i2", "f4"):
        voxels = (rng.normal(size=(15, 18)) * 50).astype(kind)
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing((1.3, 0.8))
        setting = {"sigma": [1.0, 2, 30], "level": 2, "lbp2DSamples": 12}
        settings = Settings.from_params({"imageType": {image_type: {}}, "setting": setting})
        volume = Volume(voxels[None], Geometry((18, 15, 1), (1.3, 0.8, 1.0)))
        found = list(filtered(image_type, volume, settings, dimensions=2))
        assert tuple(name for name, _ in found) == image_prefixes(image_type, settings, dimensions=2)
        ours = [(name, made) for name, made in found if not isinstance(made, FilterFailure)]
        theirs = pyradiomics_images(image_type, image, image, setting)
        assert [name for name, _ in ours] == [name for name, _ in theirs]
        for (name, made), (_, reference) in zip(ours, theirs, strict=True):
            assert made.voxels.dtype == reference.dtype, name
            assert np.array_equal(made.voxels[0], reference), name


@pytest.mark.parametrize("image_type", TYPES)
def test_brain1_is_filtered_as_pyradiomics_filters_it(image_type: str, data_dir: Path) -> None:
    image = sitk.ReadImage(str(data_dir / "pyradiomics" / "brain1_image.nrrd"))
    mask = sitk.ReadImage(str(data_dir / "pyradiomics" / "brain1_label.nrrd"))
    inside = np.argwhere(sitk.GetArrayFromImage(mask) == 1)
    box = tuple(slice(int(a), int(b) + 1) for a, b in zip(inside.min(axis=0), inside.max(axis=0), strict=True))
    worst = compare(image_type, image, mask, {"sigma": [1, 3.0, 5.0]}, box)
    assert worst == 0


def test_the_icosphere_is_that_of_trimesh() -> None:
    creation = pytest.importorskip("trimesh.creation")
    from deepradiomics.radiomics.filters.sphere import icosphere

    for subdivision in (0, 1, 2):
        for radius in (1, 1.7):
            theirs = np.array(creation.icosphere(subdivision, radius).vertices)
            assert np.array_equal(icosphere(subdivision, radius), theirs)


def test_spherical_harmonics_follow_their_recurrence() -> None:
    from deepradiomics.radiomics.filters.sphere import spherical_harmonic

    azimuth, polar = np.linspace(0, 6, 40), np.linspace(0.1, 3, 40)
    for degree in range(5):
        for order in range(-degree, degree + 1):
            expected = harmonic_by_recurrence(degree, order, azimuth, polar)
            assert np.allclose(spherical_harmonic(degree, order, azimuth, polar), expected, rtol=0, atol=1e-14)


def harmonic_by_recurrence(degree: int, order: int, azimuth: np.ndarray, polar: np.ndarray) -> np.ndarray:
    """Return a spherical harmonic in plain numpy, with Condon and Shortley's phase."""
    m = abs(order)
    scale = math.sqrt((2 * degree + 1) / (4 * math.pi) * math.factorial(degree - m) / math.factorial(degree + m))
    value = scale * _legendre(degree, m, np.cos(polar)) * np.exp(1j * m * azimuth)
    return (-1) ** m * value.conj() if order < 0 else value


def _legendre(degree: int, order: int, x: np.ndarray) -> np.ndarray:
    """Return the associated Legendre function, by the recurrence in its degree."""
    lower = np.zeros_like(x)
    value = (-1.0) ** order * math.prod(range(1, 2 * order, 2)) * np.sqrt(np.maximum(1 - x * x, 0)) ** order
    for n in range(order + 1, degree + 1):
        lower, value = value, ((2 * n - 1) * x * value - (n + order - 1) * lower) / (n - order)
    return value
