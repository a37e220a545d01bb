"""Prepared stacks: every channel shows the same place, whatever grid its modality came on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume, read_volume
from deepradiomics.prepare import StackRecipe, prepare_stack
from deepradiomics.prepare.head.ellipsoid import central_ellipsoid

SIZE = (26, 60, 74)  # wider than each image
RAW = StackRecipe(size_zyx=SIZE, spacing_mm=(0.9, 1.1, 2.0), fixed_scale=(("t2", 2), ("highb", 1), ("adc", 4)))


def rotation(about_x: float, about_z: float) -> np.ndarray:
    a, b = np.deg2rad([about_x, about_z])
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return x @ z


def oblique(
    size: tuple[int, int, int], spacing: tuple[float, float, float], angles: tuple[float, float], middle: Any
) -> Geometry:
    axes = rotation(*angles)
    origin = np.asarray(middle, float) - axes @ ((np.array(size) - 1) / 2 * np.array(spacing))
    return Geometry(size, spacing, tuple(origin), tuple(axes.ravel()))


GRIDS = {
    "t2": oblique((64, 60, 14), (0.8, 0.9, 3.0), (17, 5), (10, -20, 30)),
    "highb": oblique((30, 28, 12), (2.0, 2.1, 3.5), (9, -12), (13, -18, 29)),
    "adc": oblique((26, 30, 16), (2.2, 1.9, 2.8), (0, 0), (6, -22, 31)),
}


def painted(value: Callable[[np.ndarray], np.ndarray]) -> dict[str, Volume]:
    """The same anatomy, a function of the place in the patient, as each modality's grid samples it."""
    return {name: Volume(value(places(grid)).astype(np.float32), grid, name) for name, grid in GRIDS.items()}


def places(grid: Geometry) -> np.ndarray:
    """LPS of every voxel centre (z, y, x, 3), from the affine alone."""
    z, y, x = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    return np.stack([x, y, z, np.ones_like(x)], axis=-1) @ grid.affine[:3].T


def ball(grid: Geometry, middle: Any, radius: float) -> Mask:
    return Mask(np.linalg.norm(places(grid) - middle, axis=-1) <= radius, grid, "ball")


GLAND = ball(GRIDS["t2"], (12, -19, 30), 12)
LINEAR = np.array([0.7, -0.4, 1.3])


def test_each_channel_holds_the_anatomy_at_the_world_position_of_its_voxel() -> None:
    stack = prepare_stack(painted(lambda p: p @ LINEAR + 100), {"gland": GLAND}, RAW, roi="gland")
    world = places(stack.geometry)
    for channel, name, scale in zip(stack.image, RAW.modalities, (2, 1, 4), strict=True):
        grid = GRIDS[name]
        index = np.linalg.solve(grid.affine[:3, :3], (world - grid.affine[:3, 3]).reshape(-1, 3).T).T
        index = index.reshape(world.shape)
        last = np.array(grid.size) - 1
        within = ((index > 1e-3) & (index < last - 1e-3)).all(-1)  # between voxel centres a linear function is exact
        beyond = ((index < -0.5 - 1e-3) | (index > last + 0.5 + 1e-3)).any(-1)
        assert within.sum() > 2000
        assert beyond.sum() > 100
        np.testing.assert_allclose(channel[within], ((world @ LINEAR + 100) / scale)[within], rtol=1e-5)
        assert (channel[beyond] == 0).all()


def test_a_marker_lies_at_the_same_place_of_the_patient_in_every_channel() -> None:
    marker = np.array([14.0, -17.0, 27.0])
    images = painted(lambda p: np.exp(-((p - marker) ** 2).sum(-1) / (2 * 4.0**2)))
    stack = prepare_stack(images, {"gland": GLAND}, RAW, roi="gland")
    for channel in stack.image:
        weight = np.where(channel > 0.05 * channel.max(), channel, 0)
        found = (places(stack.geometry) * weight[..., None]).sum(axis=(0, 1, 2)) / weight.sum()
        assert np.linalg.norm(found - marker) < 0.35, found


def test_a_region_has_the_label_of_the_mask_voxel_it_falls_into() -> None:
    mask = ball(GRIDS["adc"], (9, -20, 31), 14)  # drawn on another grid than the reference
    stack = prepare_stack(painted(lambda p: p @ LINEAR), {"gland": mask}, RAW, roi="gland")
    grid = mask.geometry
    world = places(stack.geometry)
    index = np.linalg.solve(grid.affine[:3, :3], (world - grid.affine[:3, 3]).reshape(-1, 3).T).T
    cell = np.rint(index).astype(int)
    clear = (np.abs(index - np.floor(index) - 0.5) > 1e-4).all(-1)  # not on the border of two voxels
    inside = ((cell >= 0) & (cell < np.array(grid.size))).all(-1)
    expected = np.zeros(len(cell), np.uint8)
    expected[inside] = mask.labels[cell[inside, 2], cell[inside, 1], cell[inside, 0]]
    got = stack.masks["gland"].ravel()
    assert got.dtype == np.uint8
    assert expected.sum() > 500
    np.testing.assert_array_equal(got[clear], expected[clear])


def test_the_stack_lies_around_the_middle_of_the_region_or_of_the_reference_image() -> None:
    images = painted(lambda p: p @ LINEAR)
    stack = prepare_stack(images, {"gland": GLAND}, RAW, roi="gland")
    assert np.linalg.norm(np.array(stack.geometry.centre_mm) - (12, -19, 30)) < 1.6  # half a slice of the mask
    np.testing.assert_allclose(stack.geometry.axes, GRIDS["t2"].axes, atol=1e-12)
    assert stack.geometry.spacing_mm == RAW.spacing_mm
    assert stack.image.shape == (3, *SIZE)
    other = StackRecipe(**{**RAW.to_dict(), "centre": "image", "reference": "adc"})
    stack = prepare_stack(images, {}, other)
    np.testing.assert_allclose(stack.geometry.centre_mm, (6, -22, 31), atol=1e-9)
    np.testing.assert_allclose(stack.geometry.axes, np.eye(3), atol=1e-12)


def test_modalities_without_a_unit_are_z_scored_where_they_were_imaged_and_clipped() -> None:
    rng = np.random.default_rng(0)
    images = painted(lambda p: 300 + 40 * rng.normal(size=p.shape[:-1]))
    voxels = np.array(images["highb"].voxels)
    voxels[6, 14, 15] = 1e4
    images["highb"] = Volume(voxels, GRIDS["highb"])
    recipe = StackRecipe(size_zyx=SIZE, spacing_mm=(0.9, 1.1, 2.0), fixed_scale=(("adc", 100),))
    t2, highb, adc = prepare_stack(images, {"gland": GLAND}, recipe, roi="gland").image
    seen = t2 != 0
    assert 0.4 < seen.mean() < 0.9
    assert abs(t2[seen].mean()) < 1e-3
    assert abs(t2[seen].std() - 1) < 1e-3
    assert highb.max() == 5
    assert adc[adc != 0].min() > 1
    assert adc.max() < 6


def test_an_image_stored_with_slices_and_rows_reversed_gives_the_same_stack() -> None:
    images = painted(lambda p: np.sin(p / 5).sum(-1))
    before = prepare_stack(images, {"gland": GLAND}, RAW, roi="gland")
    grid = GRIDS["t2"]
    flip = np.diag([1.0, -1.0, -1.0, 1.0])
    flip[1, 3], flip[2, 3] = grid.size[1] - 1, grid.size[2] - 1
    turned = Geometry.from_affine(grid.affine @ flip, grid.size)
    images["t2"] = Volume(images["t2"].voxels[::-1, ::-1], turned)
    after = prepare_stack(images, {"gland": GLAND}, RAW, roi="gland")
    assert after.geometry.is_close(before.geometry)
    np.testing.assert_allclose(after.image, before.image, atol=1e-4)


def test_a_region_partly_outside_is_noted_with_how_much() -> None:
    images = painted(lambda p: p @ LINEAR)
    small = StackRecipe(**{**RAW.to_dict(), "size_zyx": (6, 40, 44)})  # 12 mm of a ball of 24 mm
    notes = " ".join(prepare_stack(images, {"gland": GLAND}, small, roi="gland", case="P7").notes)
    # Caps of a ball beyond half its radius: 2 · π h²(3r − h)/3 with h = r/2 is 31 % of it.
    assert "Case P7: " in notes
    assert "of region 'gland' lie outside the stack" in notes
    assert 25 <= int(notes.split("%")[0].split()[-1]) <= 37
    adc_half = Geometry((13, 30, 16), GRIDS["adc"].spacing_mm, GRIDS["adc"].origin_mm)
    images["adc"] = Volume(np.arange(13 * 30 * 16).reshape(16, 30, 13).astype(float), adc_half)
    notes = " ".join(prepare_stack(images, {"gland": GLAND}, RAW, roi="gland").notes)
    assert "of region 'gland' lie outside modality adc" in notes
    assert "t2" not in notes


def test_every_label_of_a_mask_belongs_to_the_region_and_an_empty_second_region_stays_empty() -> None:
    zones = Mask(GLAND.labels * (1 + (np.arange(14)[:, None, None] > 7)), GRIDS["t2"])
    empty = Mask(np.zeros(GRIDS["t2"].shape, np.uint8), GRIDS["t2"])
    images = painted(lambda p: p @ LINEAR)
    stack = prepare_stack(images, {"gland": zones, "lesion": empty}, RAW, roi="gland")
    whole = prepare_stack(images, {"gland": GLAND}, RAW, roi="gland")
    np.testing.assert_array_equal(stack.masks["gland"], whole.masks["gland"])
    assert not stack.masks["lesion"].any()


def far(name: str) -> Volume:
    grid = GRIDS[name]
    moved = Geometry(grid.size, grid.spacing_mm, tuple(np.add(grid.origin_mm, 500)), grid.direction)
    return Volume(np.random.default_rng(0).normal(size=grid.shape), moved)


def with_nan(name: str) -> Volume:
    voxels = np.random.default_rng(0).normal(size=GRIDS[name].shape)
    voxels[3, 4, 5] = np.nan
    return Volume(voxels, GRIDS[name])


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"images": {"adc": None}}, InputError, ["Case P7", "no image of adc", "t2, highb"]),
        ({"images": {"adc": far("adc")}}, GeometryError, ["Case P7", "region 'gland'", "outside modality adc", "L 4"]),
        ({"images": {"highb": with_nan("highb")}}, InputError, ["Case P7", "modality highb", "1 of 10080 voxels"]),
        ({"masks": {"gland": None}}, InputError, ["Case P7", "no region 'gland'", "none"]),
        ({"masks": {"gland": Mask(np.zeros((2, 2, 2), int), Geometry((2, 2, 2)))}}, MaskError, ["gland", "empty"]),
        (
            {"masks": {"lesion": ball(Geometry((5, 5, 5), origin_mm=(80, 80, 80)), (82, 82, 82), 2)}},
            GeometryError,
            ["Case P7", "'lesion'", "outside the stack", "L 80 to 84"],
        ),
        ({"roi": None}, InputError, ["Case P7", "centred on a region", "centre='image'"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(
    changes: dict[str, Any], error: type[Exception], words: list[str]
) -> None:
    images: dict[str, Any] = {**painted(lambda p: p @ LINEAR), **changes.get("images", {})}
    masks: dict[str, Any] = {"gland": GLAND, **changes.get("masks", {})}
    images = {name: image for name, image in images.items() if image is not None}
    masks = {name: mask for name, mask in masks.items() if mask is not None}
    with pytest.raises(error) as caught:
        prepare_stack(images, masks, RAW, roi=changes.get("roi", "gland"), case="P7")
    assert type(caught.value) is error
    for word in words:
        assert word in str(caught.value)


def test_a_constant_modality_and_one_beside_the_stack_are_refused() -> None:
    images = painted(lambda p: p @ LINEAR)
    images["t2"] = Volume(np.full(GRIDS["t2"].shape, 7.0), GRIDS["t2"])
    recipe = StackRecipe(size_zyx=SIZE, spacing_mm=(0.9, 1.1, 2.0))
    with pytest.raises(InputError, match=r"Case P7: modality t2: .* constant"):
        prepare_stack(images, {"gland": GLAND}, recipe, roi="gland", case="P7")
    centred = StackRecipe(**{**RAW.to_dict(), "centre": "image"})
    with pytest.raises(GeometryError, match="modality adc: no part of the stack lies inside this image"):
        prepare_stack({**images, "adc": far("adc")}, {}, centred)


def test_a_region_smaller_than_a_voxel_of_the_stack_is_refused_when_it_is_the_centre_and_noted_otherwise() -> None:
    speck = Mask(np.ones((2, 2, 2), int), Geometry((2, 2, 2), (0.1, 0.1, 0.1), (12.3, -19.2, 30.4)), "speck")
    images = painted(lambda p: p @ LINEAR)
    stack = prepare_stack(images, {"gland": GLAND, "lesion": speck}, RAW, roi="gland")
    assert any("'lesion' is so small" in note for note in stack.notes)
    with pytest.raises(MaskError, match=r"'lesion' is so small .* smaller spacing_mm"):
        prepare_stack(images, {"lesion": speck}, RAW, roi="lesion")


def test_a_recipe_survives_json_and_refuses_what_it_does_not_know() -> None:
    import json

    recipe = StackRecipe(("a", "b"), (16, 32, 48), (1, 1.5, 3), "b", "image", (("b", 10),))
    assert StackRecipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert recipe.for_modalities(("a",)).reference_modality == "a"
    assert recipe.for_modalities(("b", "c")).reference == "b"
    for wrong, words in (
        ({"sizes": 1}, "'sizes' is unknown"),
        ({"modalities": "t2"}, "list of names"),
        ({"modalities": ["a", "a"]}, "comes twice"),
        ({"size_zyx": [1, 2]}, "size_zyx"),
        ({"size_zyx": [0, 2, 2]}, "size_zyx"),
        ({"spacing_mm": [1, 1, float("nan")]}, "spacing_mm"),
        ({"reference": "x"}, "reference: expected one of"),
        ({"centre": "middle"}, "one of roi, image"),
        ({"fixed_scale": [["adc", 0]]}, "positive number for 'adc'"),
        ({"fixed_scale": 3}, "modality, number"),
    ):
        with pytest.raises(InputError, match=words):
            StackRecipe.from_dict(wrong)


def test_a_real_prostate_on_three_grids_is_shown_at_the_same_place(data_dir: Path) -> None:
    files = {"t2": "t2w", "highb": "hbv", "adc": "adc"}
    images = {name: read_volume(data_dir / f"prostatex/ProstateX-0000_{end}.nii.gz") for name, end in files.items()}
    ellipsoid = central_ellipsoid(images["t2"].geometry)
    stack = prepare_stack(images, {"ellipsoid": ellipsoid}, StackRecipe(), roi="ellipsoid")
    assert stack.image.shape == (3, 64, 192, 192)
    assert np.isfinite(stack.image).all()
    assert not any("outside" in note for note in stack.notes)
    # Each channel at a few voxels: trilinear by hand from the modality's own file.
    rng = np.random.default_rng(0)
    for z, y, x in rng.integers((20, 60, 60), (44, 132, 132), size=(20, 3)):
        world = stack.geometry.index_to_physical((x, y, z))
        volume = images["adc"]
        index = volume.geometry.physical_to_index(world)
        low = np.floor(index).astype(int)
        part = index - low
        value = sum(
            float(volume.voxels[low[2] + c, low[1] + b, low[0] + a])
            * np.prod(np.where((a, b, c), part, 1 - part))
            for a in (0, 1) for b in (0, 1) for c in (0, 1)
        )  # fmt: skip
        assert stack.image[2, z, y, x] == pytest.approx(value / 1000, abs=1e-5)
