"""Image types: their names, what they cannot do, and that a part of an image has the numbers of the whole."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry, Volume
from deepradiomics.radiomics import Settings
from deepradiomics.radiomics.filters import FilterFailure, filtered
from deepradiomics.radiomics.filters.pointwise import pointwise_image
from deepradiomics.radiomics.settings.image_prefixes import image_prefixes
from deepradiomics.radiomics.settings.rules import IMAGE_TYPES

SETTINGS = replace(Settings.from_params(), sigma_mm=(1, 2.5))
SHAPE = (9, 12, 15)


def volume(voxels: np.ndarray) -> Volume:
    return Volume(voxels, Geometry(voxels.shape[::-1], (0.8, 1.1, 2.0), (10.0, 20.0, 30.0)))


@pytest.fixture
def image() -> Volume:
    return volume((np.random.default_rng(0).normal(size=SHAPE) * 40 + 20).astype(np.float32))


def test_prefixes_are_pyradiomics_names_in_its_order() -> None:
    bands = ["LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL"]
    assert image_prefixes("Wavelet", SETTINGS) == tuple(f"wavelet-{band}" for band in bands)
    two = image_prefixes("Wavelet", replace(SETTINGS, level=2))
    assert two[6:9] == ("wavelet-HHH", "wavelet2-LLH", "wavelet2-LHL")
    assert two[-1] == "wavelet2-LLL"
    assert len(two) == 15
    assert image_prefixes("Wavelet", replace(SETTINGS, force_2d=True)) == (
        "wavelet-LH",
        "wavelet-HL",
        "wavelet-HH",
        "wavelet-LL",
    )
    assert image_prefixes("LoG", SETTINGS) == ("log-sigma-1-mm-3D", "log-sigma-2-5-mm-3D"), (
        "1 and 1.0 have different names"
    )
    assert image_prefixes("LBP3D", SETTINGS) == ("lbp-3D-m1", "lbp-3D-m2", "lbp-3D-k")
    singles = ("Original", "Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "LBP2D", "Mean", "Laws")
    assert [image_prefixes(name, SETTINGS) for name in singles] == [
        ("original",), ("square",), ("squareroot",), ("logarithm",), ("exponential",), ("gradient",), ("lbp-2D",),
        ("mean-5",), ("laws-L5E5E5",),
    ]  # fmt: skip


def test_a_flat_image_has_wavelets_of_two_letters_and_no_lbp3d() -> None:
    assert image_prefixes("Wavelet", SETTINGS, dimensions=2) == ("wavelet-LH", "wavelet-HL", "wavelet-HH", "wavelet-LL")
    assert image_prefixes("LBP3D", SETTINGS, dimensions=2) == ()


def test_an_unknown_image_type_names_its_near_matches() -> None:
    with pytest.raises(InputError, match="'Wavelets': there is no such filter; known: Wavelet"):
        image_prefixes("Wavelets", SETTINGS)


@pytest.mark.parametrize("image_type", IMAGE_TYPES)
@pytest.mark.parametrize("standard", ["pyradiomics", "ibsi"])
def test_every_part_of_an_image_has_the_numbers_and_the_place_of_the_whole(
    image_type: str, standard: str, image: Volume
) -> None:
    settings = replace(SETTINGS, standard=standard, level=2, wavelet="db3")
    whole = dict(filtered(image_type, image, settings))
    assert tuple(whole) == image_prefixes(image_type, settings)
    sides = ((0, 2), (4, 6), (-3, None), (None, None))
    for z, y, x in [*product(sides[:3], repeat=3), sides[1:]]:
        box = (slice(*z), slice(*y), slice(*x))
        for name, part in filtered(image_type, image, settings, box=box, threads=2):
            assert np.array_equal(part.voxels, whole[name].voxels[box], equal_nan=True), (name, box)
            first = [side.indices(n)[0] for side, n in zip(box, SHAPE, strict=True)][::-1]
            there = image.geometry.index_to_physical(first)
            assert np.allclose(part.geometry.index_to_physical([0, 0, 0]), there)
            assert part.geometry.spacing_mm == image.geometry.spacing_mm


@pytest.mark.parametrize("boundary", ["mirror", "zero", "nearest", "periodic"])
@pytest.mark.parametrize("image_type", ["Mean", "Laws", "LoG", "Wavelet"])
@pytest.mark.parametrize("dimension", [2, 3])
def test_a_part_near_any_border_has_the_numbers_of_the_whole(
    image_type: str, boundary: str, dimension: int, image: Volume
) -> None:
    settings = replace(
        SETTINGS, standard="ibsi", filter_boundary=boundary, filter_dimension=dimension, laws_energy_delta=2,
        laws_kernel="L5E5W5"[: 2 * dimension],
    )  # fmt: skip
    whole = dict(filtered(image_type, image, settings))
    for box in (np.s_[0:1, 0:3, 5:9], np.s_[3:5, 9:12, 14:15], np.s_[8:9, :, 0:15]):
        for name, part in filtered(image_type, image, settings, box=box):
            assert np.array_equal(part.voxels, whole[name].voxels[box]), (name, box)


@pytest.mark.parametrize("image_type", IMAGE_TYPES)
def test_numbers_do_not_depend_on_the_threads(image_type: str, image: Volume) -> None:
    one = [made.voxels for _, made in filtered(image_type, image, SETTINGS, threads=1)]
    for threads in (2, 5, 40):
        many = [made.voxels for _, made in filtered(image_type, image, SETTINGS, threads=threads)]
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, many, strict=True))


@pytest.mark.parametrize("image_type", IMAGE_TYPES)
def test_an_image_of_truth_values_or_half_floats_can_be_filtered(image_type: str, image: Volume) -> None:
    for voxels, same in ((image.voxels > 20, np.uint8), (image.voxels.astype(np.float16), np.float32)):
        ours = list(filtered(image_type, volume(voxels), SETTINGS))
        theirs = list(filtered(image_type, volume(voxels.astype(same)), SETTINGS))
        for (_, a), (_, b) in zip(ours, theirs, strict=True):
            assert np.array_equal(a.voxels, b.voxels, equal_nan=True)


def test_images_come_one_at_a_time(image: Volume) -> None:
    images = filtered("Wavelet", image, SETTINGS)
    assert next(images)[0] == "wavelet-LLH"
    assert next(images)[0] == "wavelet-LHL"


def test_lbp3d_is_zero_outside_the_mask_and_the_same_inside(image: Volume) -> None:
    mask = np.zeros(SHAPE, bool)
    mask[2:5, 3:9, 4:8] = True
    mask[4, 5, 5] = False
    for (_, part), (_, whole) in zip(
        filtered("LBP3D", image, SETTINGS, mask=mask), filtered("LBP3D", image, SETTINGS), strict=True
    ):
        assert np.array_equal(part.voxels[mask], whole.voxels[mask])
        assert not part.voxels[~mask].any()


def test_the_four_formulas_of_single_voxels_by_hand() -> None:
    voxels = np.array([-4.0, 0.0, 1.0, 16.0]).reshape(1, 1, 4)
    by_hand = {
        "square": [1.0, 0.0, 1 / 16, 16.0],
        "squareroot": [-8.0, 0.0, 4.0, 16.0],
        "logarithm": [v * 16 / math.log(17) for v in (-math.log(5), 0, math.log(2), math.log(17))],
        "exponential": [16 ** (v / 16) for v in (-4, 0, 1, 16)],
    }
    for kind, expected in by_hand.items():
        assert np.allclose(pointwise_image(kind, voxels).ravel(), expected, rtol=1e-14, atol=0), kind


@pytest.mark.parametrize("kind", ["Square", "Logarithm", "Exponential"])
def test_an_image_of_zeros_has_no_scaled_image_and_says_why(kind: str) -> None:
    ((_, found),) = filtered(kind, volume(np.zeros(SHAPE)), SETTINGS)
    assert isinstance(found, FilterFailure)
    assert "zero everywhere" in found.reason


def test_the_square_root_of_zeros_is_zero() -> None:
    ((_, found),) = filtered("SquareRoot", volume(np.zeros(SHAPE, np.int16)), SETTINGS)
    assert not found.voxels.any()


@pytest.mark.parametrize("image_type", ["Square", "SquareRoot", "Logarithm", "Exponential", "LoG", "LBP3D"])
def test_nan_is_refused_where_it_would_spread(image_type: str, image: Volume) -> None:
    voxels = image.voxels.copy()
    voxels[0, 0, 0] = np.nan
    with pytest.raises(InputError, match=r"1 of 1620 voxels are NaN or infinite\. Replace them"):
        list(filtered(image_type, volume(voxels), SETTINGS))


@pytest.mark.parametrize("image_type", ["Wavelet", "Gradient", "Mean", "Laws"])
def test_nan_stays_where_a_finite_filter_meets_it(image_type: str, image: Volume) -> None:
    voxels = image.voxels.copy()
    voxels[4, 6, 1] = np.nan
    for (name, spoilt), (_, sound) in zip(
        filtered(image_type, volume(voxels), replace(SETTINGS, wavelet="haar")),
        filtered(image_type, image, replace(SETTINGS, wavelet="haar")),
        strict=True,
    ):
        assert np.isnan(spoilt.voxels).any(), name
        assert np.array_equal(spoilt.voxels[:, :, 5:-2], sound.voxels[:, :, 5:-2]), name


def test_too_small_an_image_has_no_laplacian_and_says_why(image: Volume) -> None:
    ((name, found),) = filtered("LoG", volume(image.voxels[:3]), replace(SETTINGS, sigma_mm=(1,)))
    assert (name, type(found)) == ("log-sigma-1-mm-3D", FilterFailure)
    assert "needs at least 4 along each axis" in found.reason
    ((_, found),) = filtered("LoG", image, replace(SETTINGS, sigma_mm=(17,)))
    assert "less than sigma 17 mm and one voxel along each axis" in found.reason
