"""The check of Hounsfield units: what is refused, what is noted, and what passes without a word."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry, Volume, read_volume
from deepradiomics.prepare.head.brain import find_brain
from deepradiomics.prepare.head.hu import check_hu
from Testing.unit.ich.ball_head import CENTRE, ball_head, grid, points


@pytest.fixture(scope="module")
def head() -> Volume:
    return ball_head()[0]


def of(volume: Volume, voxels: np.ndarray) -> Volume:
    return dataclasses.replace(volume, voxels=voxels)


def test_a_head_ct_in_hu_passes_without_a_word(head: Volume) -> None:
    assert check_hu(head) == ()


def test_the_readers_notes_come_first(head: Volume) -> None:
    assert check_hu(dataclasses.replace(head, notes=("a note",))) == ("a note",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: np.clip((v + 20) * 255 / 120, 0, 255).astype(np.uint8), "look like a picture (PNG, JPEG: 0 to 255)"),
        (lambda v: (v + 1024) / 4095, "They look normalised"),
        (lambda v: v + 1024, "without their rescale intercept"),
        (lambda v: np.clip(v, -20, 120), "Was a window applied"),
        (lambda v: v * 0.1, "Was a window applied"),
        (lambda v: np.full_like(v, 40), "the image is constant (every voxel 40)"),
        (lambda v: np.minimum(v, -700), "nothing is as bright as blood or bone"),
        (lambda v: np.where(v < -500, -1000, 900), "of the voxels lie between -50 and 130 HU"),
        (lambda v: np.where(np.arange(v.size).reshape(v.shape) == 7, np.nan, v.astype(float)), "1 of 126208 voxels"),
    ],
)
def test_what_cannot_be_hu_is_refused_and_the_message_says_what_it_looks_like(
    head: Volume, change: object, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_hu(of(head, change(head.voxels)), case="p7")  # type: ignore[operator]
    assert message in str(caught.value)
    assert "p7" in str(caught.value)


def test_contrast_is_noted_and_a_calcified_pineal_gland_is_not(head: Volume) -> None:
    at = points(head.geometry) - CENTRE
    vessels = (np.abs(at[..., 0] - 10) < 6) & (np.abs(at[..., 1]) < 40) & (np.abs(at[..., 2]) < 6)
    calcium = np.linalg.norm(at - [0, 15, 0], axis=-1) < 5
    assert not [note for note in check_hu(of(head, np.where(calcium, 300, head.voxels))) if "Contrast" in note]
    (note,) = [note for note in check_hu(of(head, np.where(vessels, 250, head.voxels))) if "Contrast" in note]
    assert "do not trust" in note


def test_fresh_blood_is_no_contrast() -> None:
    assert not [note for note in check_hu(ball_head(radius_mm=40)[0]) if "Contrast" in note]


def test_thick_slices_are_noted() -> None:
    (note,) = check_hu(ball_head(geometry=grid((3.0, 3.0, 8.0), (20, 68, 58)))[0])
    assert note.startswith("Thick slices: 8 mm")


def test_tilted_slices_are_noted_and_the_brain_is_found_in_its_place() -> None:
    angle = np.radians(18)
    c, s = np.cos(angle), np.sin(angle)
    axes = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    size, spacing = (58, 70, 40), (3.0, 3.0, 5.0)
    origin = -axes @ ((np.array(size) - 1) / 2 * spacing)
    tilted = Geometry(size, spacing, tuple(origin), tuple(axes.ravel()))
    volume, _ = ball_head(geometry=tilted)
    assert [note for note in check_hu(volume) if "tilted by 18°" in note]
    found = find_brain(volume)
    assert found is not None
    assert np.allclose(found.points_mm().mean(axis=0), CENTRE, atol=4)


def test_an_image_that_ends_inside_the_brain_is_noted(head: Volume) -> None:
    cut = Volume(head.voxels[11:22], head.geometry.crop((0, 0, 11), (58, 68, 11)))
    notes = " ".join(check_hu(cut))
    assert "ends below the top of the brain" in notes
    assert "begins inside the brain" in notes


def test_few_grey_levels_and_a_missing_skull_are_noted(head: Volume) -> None:
    steps = of(head, np.where(head.voxels > -500, np.rint(head.voxels / 20) * 20, -1000))
    assert [note for note in check_hu(steps) if "different grey levels" in note]
    stripped = of(head, np.where(head.voxels > 200, -1000, head.voxels))
    assert [note for note in check_hu(stripped) if note.startswith("No bone")]


def test_a_doubtful_scale_is_noted(head: Volume) -> None:
    (note,) = [note for note in check_hu(of(head, head.voxels * 2)) if "20 to 45 is usual" in note]
    assert 62 <= int(note.split("exceed ")[1].split(" HU")[0]) <= 67


def test_an_image_without_a_brain_is_noted(head: Volume) -> None:
    rod = np.where(np.linalg.norm(points(head.geometry), axis=-1) < 20, 40, -1000)
    assert "No brain was found in the image; is it a head CT? Crops are centred on the head instead." in check_hu(
        of(head, np.where(np.arange(rod.size).reshape(rod.shape) % 97 == 0, 400, rod))
    )


def test_a_real_head_ct_passes(data_dir: Path) -> None:
    volume = read_volume(data_dir / "head_ct_invesalius" / "head_ct_cranium_cropped.nii.gz")
    assert check_hu(volume) == (  # its lowest slices are cropped away
        "Small field of view: the image begins inside the brain. Blood below it is not seen.",
    )
    found = find_brain(volume)
    assert found is not None
    assert 1000 < found.region.sum() * np.prod(found.geometry.spacing_mm) / 1000 < 1500  # mL
