"""Affine, box, patches, planes, intensity, recipe: small truths worked by hand or by another program."""

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.prepare import (
    AffineTransform,
    Box,
    Recipe,
    canonical_grid,
    normalise,
    patch_labels,
    patch_slices,
    reformat,
    resample,
    resample_mask,
)


def rotation(seed: int) -> np.ndarray:
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q


def oblique(seed: int, size=(6, 5, 4), flip: bool = False) -> Geometry:
    axes = rotation(seed)
    if flip:
        axes = axes * [1, -1, 1]
    return Geometry(size, (1.0, 1.5, 2.5), (3.0, -7.0, 11.0), tuple(axes.ravel()))


def random_affine(seed: int) -> AffineTransform:
    rng = np.random.default_rng(seed)
    linear = np.eye(3) + rng.normal(scale=0.1, size=(3, 3))
    return AffineTransform.about(linear, (1.0, 2.0, 3.0), rng.normal(size=3) * 4)


def test_a_transform_and_its_inverse_cancel_and_then_means_first_this_then_the_other():
    a, b = random_affine(0), random_affine(1)
    points = np.random.default_rng(2).normal(size=(7, 3))
    np.testing.assert_allclose(a.inverse().apply(a.apply(points)), points, atol=1e-12)
    np.testing.assert_allclose(a.then(b).apply(points), b.apply(a.apply(points)), atol=1e-12)


@pytest.mark.parametrize("suffix", [".tfm", ".txt", ".h5"])
def test_a_written_transform_is_the_same_to_itk_and_when_read_again(tmp_path, suffix):
    transform = random_affine(3)
    transform.write(tmp_path / f"t{suffix}")
    itk = sitk.ReadTransform(str(tmp_path / f"t{suffix}"))
    point = (4.0, -5.0, 6.0)
    np.testing.assert_allclose(itk.TransformPoint(point), transform.apply(point), atol=1e-12)
    np.testing.assert_allclose(AffineTransform.read(tmp_path / f"t{suffix}").array, transform.array, atol=1e-12)
    assert AffineTransform.from_dict(transform.to_dict()) == transform
    if suffix != ".h5":  # the class by which Slicer knows that this is a linear transform node
        assert "Transform: AffineTransform_double_3_3" in (tmp_path / f"t{suffix}").read_text()


def test_a_rigid_transform_of_itk_is_read_and_a_deformable_one_is_refused(tmp_path):
    rigid = sitk.Euler3DTransform((1.0, 2.0, 3.0), 0.1, 0.2, 0.3, (4.0, 5.0, 6.0))
    sitk.WriteTransform(rigid, str(tmp_path / "r.tfm"))
    point = (7.0, 8.0, 9.0)
    np.testing.assert_allclose(
        AffineTransform.read(tmp_path / "r.tfm").apply(point), rigid.TransformPoint(point), atol=1e-12
    )
    sitk.WriteTransform(sitk.BSplineTransform(3), str(tmp_path / "b.tfm"))
    with pytest.raises(InputError, match="linear"):
        AffineTransform.read(tmp_path / "b.tfm")
    with pytest.raises(InputError, match="not found"):
        AffineTransform.read(tmp_path / "absent.tfm")
    with pytest.raises(GeometryError, match="inverted"):
        AffineTransform(np.diag([1.0, 0.0, 1.0, 1.0]))


@pytest.mark.parametrize("seed", range(4))
def test_resampling_follows_itk_and_the_brute_force_definition(seed):
    volume = Volume(np.random.default_rng(seed).normal(size=(4, 5, 6)), oblique(seed, flip=seed % 2 == 1))
    grid = Geometry((7, 6, 5), (0.9, 1.1, 1.3), volume.geometry.centre_mm, tuple(rotation(seed + 9).ravel()))
    transform = random_affine(seed)
    result = resample(volume, grid, transform=transform, fill=-9.0).voxels
    for index in np.ndindex(grid.shape):
        point = transform.apply(grid.index_to_physical(index[::-1]))
        x, y, z = volume.geometry.physical_to_index(point)
        inside = -0.5 <= x < 5.5 and -0.5 <= y < 4.5 and -0.5 <= z < 3.5
        if not inside:
            assert result[index] == -9.0
            continue
        x, y, z = np.clip([x, y, z], 0, [5, 4, 3])
        expected = 0.0
        for i, j, k in np.ndindex(2, 2, 2):
            a, b, c = int(x) + i, int(y) + j, int(z) + k
            weight = (1 - abs(x - a)) * (1 - abs(y - b)) * (1 - abs(z - c))
            if weight > 0:
                expected += weight * volume.voxels[c, b, a]
        assert result[index] == pytest.approx(expected, abs=1e-9)


def test_a_mask_on_another_grid_takes_the_label_of_the_voxel_the_centre_lies_in():
    mask = Mask(np.random.default_rng(5).integers(0, 4, (4, 5, 6)), oblique(5))
    grid = Geometry((9, 8, 7), (0.7, 0.7, 0.7), mask.geometry.origin_mm, tuple(rotation(6).ravel()))
    labels = resample_mask(mask, grid).labels
    for index in np.ndindex(grid.shape):
        x, y, z = np.floor(mask.geometry.physical_to_index(grid.index_to_physical(index[::-1])) + 0.5).astype(int)
        inside = 0 <= x < 6 and 0 <= y < 5 and 0 <= z < 4
        assert labels[index] == (mask.labels[z, y, x] if inside else 0)
    assert (labels > 0).any()


def test_resampling_onto_the_same_grid_changes_nothing_and_unknown_interpolation_is_refused():
    volume = Volume(np.arange(120, dtype=np.int16).reshape(4, 5, 6), oblique(1))
    np.testing.assert_array_equal(resample(volume, volume.geometry).voxels, volume.voxels)
    with pytest.raises(InputError, match="nearest"):
        resample(volume, volume.geometry, interpolation="cubic")


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("seed", range(3))
def test_a_canonical_grid_keeps_the_physical_lattice_and_reformatting_keeps_every_voxel(plane, seed):
    geometry = oblique(seed, flip=seed == 1)
    grid = canonical_grid(geometry, plane)
    indices = np.array(list(np.ndindex(geometry.size)))
    back = geometry.physical_to_index(grid.index_to_physical(np.array(list(np.ndindex(grid.size)))))
    np.testing.assert_allclose(back, np.rint(back), atol=1e-9)
    assert {tuple(p) for p in np.rint(back).astype(int)} == {tuple(p) for p in indices}
    volume = Volume(np.random.default_rng(seed).normal(size=geometry.shape), geometry, "T1")
    view = reformat(volume, plane)
    assert view.geometry == grid
    assert "T1" in view.notes[-1]
    for x, y, z in indices[::7]:
        i, j, k = np.rint(grid.physical_to_index(geometry.index_to_physical((x, y, z)))).astype(int)
        assert view.voxels[k, j, i] == volume.voxels[z, y, x]


@pytest.mark.parametrize(
    ("plane", "wanted"),
    [
        ("axial", [(1, 0, 0), (0, 1, 0), (0, 0, 1)]),
        ("coronal", [(1, 0, 0), (0, 0, -1), (0, 1, 0)]),
        ("sagittal", [(0, 1, 0), (0, 0, -1), (1, 0, 0)]),
    ],
)
def test_canonical_axes_run_left_posterior_superior_as_radiologists_read_them(plane, wanted):
    tilt = rotation(0)
    tilt = np.linalg.svd(np.eye(3) + 0.15 * (tilt - tilt.T))
    tilt = tilt[0] @ tilt[2]  # a small rotation
    for permutation in ([0, 1, 2], [2, 0, 1], [1, 0, 2]):
        axes = (tilt * [1, -1, -1])[:, permutation]
        grid = canonical_grid(Geometry((3, 4, 5), direction=tuple(axes.ravel())), plane)
        cosines = np.sum(grid.axes * np.array(wanted, float).T, axis=0)
        assert (cosines > 0.8).all()
    with pytest.raises(InputError, match="coronal"):
        canonical_grid(Geometry((2, 2, 2)), "frontal")


def test_patches_have_rounded_even_edges_and_z_changes_slowest():
    assert [s[0] for s in patch_slices((16, 38, 64), (3, 1, 1))] == [slice(0, 5), slice(5, 11), slice(11, 16)]
    labels = patch_labels((2, 2, 2), (2, 2, 2))
    np.testing.assert_array_equal(labels.ravel(), np.arange(1, 9))
    labels = patch_labels((16, 38, 64), (3, 3, 3))
    counts = np.bincount(labels.ravel())
    assert counts[0] == 0
    assert len(counts) == 28
    assert counts[1:].sum() == labels.size


def test_a_patch_without_voxels_is_refused_with_advice():
    with pytest.raises(InputError, match="coarser grid, at most 2 along y"):
        patch_slices((4, 2, 4), (1, 3, 1))
    with pytest.raises(InputError, match="positive"):
        patch_slices((4, 2, 4), (1, 0, 1))


def test_a_box_and_its_grid_share_their_outer_edges():
    box = Box((1.0, 2.0, 3.0), (4.0, 6.0, 9.0), rotation(3))
    grid = box.grid((3, 4, 5))
    assert grid.shape == (3, 4, 5)
    np.testing.assert_allclose(np.sort(grid.corners_mm(), axis=0), np.sort(box.corners_mm(), axis=0), atol=1e-9)
    again = Box.from_geometry(grid)
    np.testing.assert_allclose(again.centre_mm, box.centre_mm)
    np.testing.assert_allclose(again.size_mm, box.size_mm)
    assert Box.from_dict(box.to_dict()) == box


def test_the_central_box_is_the_paper_s_sixteen_by_thirty_eight_by_sixty_four():
    grid = oblique(2, size=(128, 128, 32))
    box = Box.from_fractions(grid, (0.5, 0.3, 0.5))
    assert box.grid((16, 38, 64)).is_close(grid.crop((32, 45, 8), (64, 38, 16)), 1e-6)
    assert Recipe().roi_shape == (16, 38, 64)


@pytest.mark.parametrize("own_axes", [True, False])
def test_the_box_of_a_segment_is_the_smallest_around_its_voxels(own_axes):
    rng = np.random.default_rng(8)
    labels = (rng.random((7, 8, 9)) < 0.04).astype(np.int16) * 3
    mask = Mask(labels, oblique(8, size=(9, 8, 7)))
    axes = None if own_axes else rotation(77)
    box = Box.from_mask(mask, 3, axes=axes)
    corners = []
    for z, y, x in np.argwhere(labels == 3):
        for i, j, k in np.ndindex(2, 2, 2):
            corners.append(mask.geometry.index_to_physical((x + i - 0.5, y + j - 0.5, z + k - 0.5)))
    assert box.contains(corners).all()
    local = np.array(corners) @ box.axes_array
    np.testing.assert_allclose(np.ptp(local, axis=0), box.size_mm)
    wider = Box.from_mask(mask, 3, 2.0, axes=axes)
    np.testing.assert_allclose(np.array(wider.size_mm) - box.size_mm, 4.0)


def test_a_segment_of_one_voxel_or_an_absent_label_is_refused():
    labels = np.zeros((3, 3, 3), np.uint8)
    labels[1, 1, 1] = 1
    mask = Mask(labels, Geometry((3, 3, 3)), name="lesion")
    with pytest.raises(MaskError, match="one voxel"):
        Box.from_mask(mask, 1)
    with pytest.raises(MaskError, match="labels present: 1"):
        Box.from_mask(mask, 2)


def test_a_box_moved_rigidly_is_exact_and_one_that_is_sheared_is_enclosed():
    box = Box((1.0, 2.0, 3.0), (4.0, 6.0, 9.0), rotation(3))
    rigid = AffineTransform.about(rotation(4), (9.0, 8.0, 7.0), (1.0, 1.0, 1.0))
    moved = box.transformed(rigid)
    np.testing.assert_allclose(moved.corners_mm(), rigid.apply(box.corners_mm()), atol=1e-9)
    affine = random_affine(4)
    assert box.transformed(affine).contains(affine.apply(box.corners_mm()), 1e-6).all()


def test_renaming_the_edges_of_a_box_keeps_the_block():
    box = Box((1.0, 2.0, 3.0), (4.0, 6.0, 9.0), rotation(3)[:, [2, 0, 1]] * [1, -1, 1])
    aligned = box.aligned_to(rotation(3))
    np.testing.assert_allclose(aligned.axes_array, rotation(3))
    assert aligned.size_mm == (6.0, 9.0, 4.0)
    assert box.contains(aligned.corners_mm()).all()
    assert aligned.contains(box.corners_mm()).all()


def test_overlap_is_found_where_sampled_points_of_one_box_lie_in_the_other():
    rng = np.random.default_rng(0)
    found = set()
    for seed in range(60):
        geometry = oblique(seed)
        box = Box(np.array(geometry.centre_mm) + rng.normal(size=3) * 6, rng.uniform(1, 6, 3), rotation(seed + 100))
        local = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 15)] * 3), axis=-1).reshape(-1, 3)
        points = np.array(box.centre_mm) + (local * box.size_mm) @ box.axes_array.T
        sampled = Box.from_geometry(geometry).contains(points).any()
        if sampled:
            assert box.overlaps(geometry)
        found.add((bool(sampled), box.overlaps(geometry)))
    assert {(True, True), (False, False)} <= found
    assert not Box((100.0, 0.0, 0.0), (1.0, 1.0, 1.0)).overlaps(Geometry((4, 4, 4)))


def test_an_impossible_box_is_refused():
    with pytest.raises(GeometryError, match="longer than 0"):
        Box((0, 0, 0), (1, 0, 1))
    with pytest.raises(GeometryError, match="orthonormal"):
        Box((0, 0, 0), (1, 1, 1), np.eye(3) * 2)
    with pytest.raises(InputError, match="above 0 and at most 1"):
        Box.from_fractions(Geometry((4, 4, 4)), (0.5, 1.5, 0.5))
    with pytest.raises(InputError, match="centre_mm"):
        Box.from_dict({"centre": [0, 0, 0]})


def test_normalising_by_hand_on_four_voxels():
    np.testing.assert_allclose(normalise(np.array([1.0, 1.0, 3.0, 3.0])), [-1, -1, 1, 1])
    inside = np.array([True, True, False])
    np.testing.assert_allclose(normalise(np.array([1.0, 3.0, 99.0]), inside=inside)[:2], [-1, 1])
    values = normalise(np.arange(101, dtype=np.int16), "percentile")
    assert values.dtype == np.float32
    assert values[1] == pytest.approx(0)
    assert values[99] == pytest.approx(1)
    np.testing.assert_array_equal(normalise(np.array([5, 6]), "none"), [5, 6])


def test_constant_nan_or_unseen_images_cannot_be_normalised():
    with pytest.raises(InputError, match=r"knee.*constant"):
        normalise(np.full(5, 7.0), name="knee")
    with pytest.raises(InputError, match="1 of 2 voxels are NaN"):
        normalise(np.array([1.0, np.nan]))
    with pytest.raises(InputError, match="field of view"):
        normalise(np.ones(3), inside=np.zeros(3, bool))
    with pytest.raises(InputError, match="zscore"):
        normalise(np.array([1.0, 2.0]), "minmax")


def test_a_recipe_survives_its_dictionary_and_names_what_is_wrong():
    recipe = Recipe(resized_shape=[16, 64, 64], patch_grid=[3, 3, 3], views=["axial", "sagittal"])
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert recipe.patches == 27
    with pytest.raises(InputError, match="patchgrid"):
        Recipe.from_dict({"patchgrid": [1, 1, 1]})
    with pytest.raises(InputError, match="reference_view"):
        Recipe(views=("axial",))
    with pytest.raises(InputError, match="registration: expected one of off, reference, template"):
        Recipe(registration="rigid")
    with pytest.raises(InputError, match="too fine"):
        Recipe(resized_shape=(4, 64, 64), patch_grid=(3, 1, 1))
    with pytest.raises(InputError, match="bin_width"):
        Recipe(bin_width=0)
