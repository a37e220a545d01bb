"""prepare_exam and the way back: every painted voxel is checked against an independent, slow computation."""

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Case, Geometry, Mask, Volume
from deepradiomics.prepare import (
    AffineTransform,
    Box,
    PreparedExam,
    Recipe,
    Templates,
    build_templates,
    canonical_grid,
    paint_map,
    paint_patches,
    patch_boxes,
    patch_labels,
    prepare_exam,
    resample,
)

SMALL = Recipe(resized_shape=(6, 10, 12), roi_fractions=(0.7, 0.6, 0.8), patch_grid=(2, 2, 3))


def rotation(seed: int, degrees: float = 180.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=3)
    axis = axis / np.linalg.norm(axis)
    angle = np.deg2rad(degrees)
    return np.array(sitk.VersorTransform(axis.tolist(), float(angle)).GetMatrix()).reshape(3, 3)


def tilted(size, spacing, centre, seed, degrees=15.0, columns=(0, 1, 2), signs=(1, 1, 1)) -> Geometry:
    axes = rotation(seed, degrees)[:, list(columns)] * signs
    spacing, size = np.array(spacing, float), np.array(size)
    origin = np.array(centre) - axes @ ((size - 1) * spacing / 2)
    return Geometry(tuple(size), tuple(spacing), tuple(origin), tuple(axes.ravel()))


def case_of_three_oblique_views(seed: int = 0) -> Case:
    rng = np.random.default_rng(seed)
    grids = {
        "axial": tilted((14, 13, 6), (1.0, 1.1, 2.7), (2, 3, 4), 1),
        "coronal": tilted((12, 14, 7), (1.2, 1.0, 2.1), (1, 3, 4), 2, columns=(0, 2, 1), signs=(1, -1, 1)),
        "sagittal": tilted((13, 12, 6), (1.1, 1.0, 2.5), (2, 3, 4), 3, columns=(1, 2, 0), signs=(-1, -1, 1)),
    }
    views = {n: Volume(rng.normal(100, 20, g.shape).astype(np.float32), g, n) for n, g in grids.items()}
    return Case("case7", views)


def slow_paint(values, exam: PreparedExam, target: Geometry, view: str) -> np.ndarray:
    """The definition, one voxel at a time, with SimpleITK's own index arithmetic."""
    roi = sitk.Image(exam.roi_grid.size, sitk.sitkUInt8)
    roi.SetSpacing(exam.roi_grid.spacing_mm)
    roi.SetOrigin(exam.roi_grid.origin_mm)
    roi.SetDirection(exam.roi_grid.direction)
    image = sitk.Image(target.size, sitk.sitkUInt8)
    image.SetSpacing(target.spacing_mm)
    image.SetOrigin(target.origin_mm)
    image.SetDirection(target.direction)
    back = exam.to_view[view].to_sitk().GetInverse()
    result = np.zeros(target.shape, np.float32)
    for z, y, x in np.ndindex(target.shape):
        point = back.TransformPoint(image.TransformIndexToPhysicalPoint((x, y, z)))
        cell = [int(np.floor(c + 0.5)) for c in roi.TransformPhysicalPointToContinuousIndex(point)]
        if all(0 <= c < n for c, n in zip(cell, exam.roi_grid.size, strict=True)):
            patch = exam.patches[cell[2], cell[1], cell[0]]
            if exam.foreground is None or exam.foreground[cell[2], cell[1], cell[0]]:
                result[z, y, x] = values[patch - 1]
    return result


def some_affine(seed: int) -> AffineTransform:
    rng = np.random.default_rng(seed)
    linear = np.eye(3) + rng.normal(scale=0.08, size=(3, 3))
    return AffineTransform.about(linear, (2.0, 3.0, 4.0), rng.normal(size=3) * 2)


def with_transforms(exam: PreparedExam, make) -> PreparedExam:
    return PreparedExam(
        exam.case_id,
        exam.image,
        exam.views,
        exam.roi_grid,
        exam.patches,
        exam.foreground,
        {v: make(n) for n, v in enumerate(exam.views)},
    )


@pytest.mark.parametrize("registered", [False, True])
def test_painted_patches_agree_voxel_by_voxel_with_the_definition_on_every_grid(registered):
    case = case_of_three_oblique_views()
    exam = prepare_exam(case, SMALL)
    if registered:
        exam = with_transforms(exam, some_affine)
    values = np.arange(1, 13) * 1.5
    targets = [(v, case.views[v].geometry) for v in exam.views]
    flipped = tilted((15, 16, 17), (0.8, 0.9, 0.7), (2, 3, 4), 9, degrees=70, columns=(2, 0, 1), signs=(-1, 1, -1))
    left_handed = tilted((15, 14, 13), (0.9, 0.9, 1.0), (2, 3, 4), 10, signs=(1, -1, 1))
    for view, target in [*targets, ("axial", flipped), ("coronal", left_handed)]:
        painted = paint_patches(values, exam, target, view)
        assert painted.voxels.dtype == np.float32
        assert painted.geometry == target
        np.testing.assert_array_equal(painted.voxels, slow_paint(values, exam, target, view))
        assert len(np.unique(painted.voxels)) > 10  # background and nearly every patch


def test_a_shifted_convention_would_be_noticed():
    case = case_of_three_oblique_views()
    exam = with_transforms(prepare_exam(case, SMALL), some_affine)
    wrong = with_transforms(exam, lambda n: some_affine(n).inverse())
    target = case.views["axial"].geometry
    values = np.arange(1, 13)
    assert (paint_patches(values, wrong, target, "axial").voxels != slow_paint(values, exam, target, "axial")).any()


@pytest.mark.parametrize("seed", range(3))
def test_patch_boxes_hold_exactly_the_painted_voxels(seed):
    case = case_of_three_oblique_views()
    exam = prepare_exam(case, SMALL)
    exam = with_transforms(
        exam, lambda n: AffineTransform.about(rotation(20 + n + seed, 12) * 1.07, (2, 3, 4), (1.0, -0.5, 0.3))
    )
    boxes = patch_boxes(exam)
    for view in exam.views:
        target = case.views[view].geometry
        painted = paint_patches(np.arange(1, 13), exam, target, view).voxels
        points = target.index_to_physical(np.argwhere(np.ones(target.shape))[:, ::-1]).reshape(*target.shape, 3)
        for number, box in enumerate(boxes[view], start=1):
            np.testing.assert_array_equal(box.contains(points, 0.0), painted == number)


def test_patch_boxes_enclose_their_voxels_when_registration_sheared_them():
    case = case_of_three_oblique_views()
    exam = with_transforms(prepare_exam(case, SMALL), some_affine)
    target = case.views["coronal"].geometry
    painted = paint_patches(np.arange(1, 13), exam, target, "coronal").voxels
    for number, box in enumerate(patch_boxes(exam)["coronal"], start=1):
        points = target.index_to_physical(np.argwhere(painted == number)[:, ::-1])
        assert box.contains(points).all()


def test_voxels_on_the_border_of_two_patches_go_to_the_upper_one_whatever_the_rounding():
    for shift in (0.0, 1e-9, -1e-9):
        roi = Geometry((4, 4, 4), origin_mm=(shift, shift, shift))
        exam = PreparedExam(
            "c", np.zeros((1, 4, 4, 4)), ("v",), roi, patch_labels((4, 4, 4), (1, 1, 2)), None,
            {"v": AffineTransform.identity()},
        )  # fmt: skip
        target = Geometry((9, 1, 1), (0.5, 1.0, 1.0), (-0.5, 0.0, 0.0))
        painted = paint_patches([1, 2], exam, target, "v").voxels[0, 0]
        np.testing.assert_array_equal(painted, [1, 1, 1, 1, 2, 2, 2, 2, 0])  # x = -0.5, 0, ... 1.5 | 3.5


def test_a_map_is_painted_where_simpleitk_resamples_it():
    case = case_of_three_oblique_views()
    exam = with_transforms(prepare_exam(case, SMALL), some_affine)
    array = np.random.default_rng(0).random(exam.roi_grid.shape)
    target = case.views["sagittal"].geometry
    painted = paint_map(array, exam, target, "sagittal")
    back = exam.to_view["sagittal"].inverse()
    for index in list(np.ndindex(target.shape))[::5]:
        point = back.apply(target.index_to_physical(index[::-1]))
        x, y, z = exam.roi_grid.physical_to_index(point)
        size = exam.roi_grid.size
        if not (-0.5 <= x < size[0] - 0.5 and -0.5 <= y < size[1] - 0.5 and -0.5 <= z < size[2] - 0.5):
            assert painted.voxels[index] == 0
            continue
        x, y, z = np.clip([x, y, z], 0, np.array(size) - 1)
        expected = 0.0
        for a, b, c in np.ndindex(size):
            expected += max(0, 1 - abs(x - a)) * max(0, 1 - abs(y - b)) * max(0, 1 - abs(z - c)) * array[c, b, a]
        assert painted.voxels[index] == pytest.approx(expected, abs=1e-5)


def test_painting_refuses_the_wrong_number_of_values_a_wrong_shape_and_an_unknown_view():
    exam = prepare_exam(case_of_three_oblique_views(), SMALL)
    with pytest.raises(InputError, match="12 patches"):
        paint_patches([1.0], exam, exam.roi_grid, "axial")
    with pytest.raises(InputError, match="shape"):
        paint_map(np.zeros((2, 2, 2)), exam, exam.roi_grid, "axial")
    with pytest.raises(InputError, match="axial, coronal, sagittal"):
        paint_patches(np.ones(12), exam, exam.roi_grid, "oblique")


def test_the_automatic_region_is_the_centre_of_the_resized_reference_view_normalised_as_a_whole():
    case = case_of_three_oblique_views()
    exam = prepare_exam(case, SMALL)
    grid = canonical_grid(case.views["sagittal"].geometry, "sagittal").resized((12, 10, 6))
    whole = resample(case.views["sagittal"], grid).voxels.astype(float)
    normal = (whole - whole.mean()) / whole.std()
    start, shape = SMALL.roi_start, SMALL.roi_shape
    part = tuple(slice(a, a + n) for a, n in zip(start, shape, strict=True))
    assert exam.image.dtype == np.float32
    assert exam.image.shape == (3, *shape)
    np.testing.assert_allclose(exam.image[2], normal[part], atol=1e-5)
    assert exam.roi_grid.is_close(grid.crop(start[::-1], shape[::-1]))
    assert exam.volumes(100.0)[2].voxels.max() == pytest.approx(exam.image[2].max() * 100)


def test_other_views_are_normalised_over_their_own_field_of_view_only():
    case = case_of_three_oblique_views()
    small = case.views["axial"]
    cropped = Volume(small.voxels[1:-1, 3:-3, 3:-3], small.geometry.crop((3, 3, 1), (8, 7, 4)))
    exam = prepare_exam(Case("c", {**case.views, "axial": cropped}), SMALL)
    grid = canonical_grid(case.views["sagittal"].geometry, "sagittal").resized((12, 10, 6))
    marked = resample(cropped, grid, fill=np.nan).voxels.astype(float)
    seen = np.isfinite(marked)
    assert 0.05 < seen.mean() < 0.9
    part = tuple(slice(a, a + n) for a, n in zip(SMALL.roi_start, SMALL.roi_shape, strict=True))
    normal = (marked - marked[seen].mean()) / marked[seen].std()
    np.testing.assert_allclose(exam.image[0][seen[part]], normal[part][seen[part]], atol=1e-5)
    assert (exam.image[0][~seen[part]] == normal[seen].min().astype(np.float32)).all()
    assert any("axial" in note and "darkest" in note for note in exam.notes)


def test_a_drawn_oblique_box_becomes_the_region_with_edges_named_as_the_plane_names_them():
    case = case_of_three_oblique_views()
    axes = rotation(31, 8)  # columns near L, P, S as a person would draw them
    box = Box((2.0, 3.0, 4.0), (7.0, 6.0, 5.0), axes)
    exam = prepare_exam(case, SMALL, roi=box)
    assert exam.roi_grid.shape == SMALL.roi_shape
    np.testing.assert_allclose(exam.roi_grid.axes, np.stack([axes[:, 1], -axes[:, 2], axes[:, 0]], axis=1))
    assert exam.roi_box.size_mm == pytest.approx((6.0, 5.0, 7.0))
    reference = resample(case.views["coronal"], exam.roi_grid).voxels
    correlation = np.corrcoef(reference.ravel(), exam.image[1].ravel())[0, 1]
    assert correlation > 0.999


def test_a_segment_on_another_grid_gives_the_region_and_the_foreground():
    case = case_of_three_oblique_views()
    geometry = tilted((20, 20, 20), (0.6, 0.6, 0.6), (2, 3, 4), 40, degrees=40)
    points = geometry.index_to_physical(np.argwhere(np.ones(geometry.shape))[:, ::-1]).reshape(*geometry.shape, 3)
    ball = (np.linalg.norm(points - (2, 3, 4), axis=-1) < 3.5).astype(np.uint8) * 5
    mask = Mask(ball, geometry)
    exam = prepare_exam(Case("c", case.views, mask), SMALL, roi_label=5)
    assert exam.foreground is not None
    reference = canonical_grid(case.views["sagittal"].geometry, "sagittal")
    np.testing.assert_allclose(exam.roi_grid.axes, reference.axes, atol=1e-9)
    for index in list(np.ndindex(exam.roi_grid.shape))[::3]:
        point = exam.roi_grid.index_to_physical(index[::-1])
        x, y, z = np.floor(geometry.physical_to_index(point) + 0.5).astype(int)
        inside = all(0 <= c < 20 for c in (x, y, z))
        assert exam.foreground[index] == (inside and ball[z, y, x] == 5)
    marked = geometry.index_to_physical(np.argwhere(ball)[:, ::-1])
    assert exam.roi_box.contains(marked).all()
    target = case.views["axial"].geometry
    painted = paint_patches(np.arange(1, 13), exam, target, "axial")
    np.testing.assert_array_equal(painted.voxels, slow_paint(np.arange(1, 13), exam, target, "axial"))
    whole = paint_patches(np.arange(1, 13), exam, target, "axial", foreground_only=False)
    assert (whole.voxels > 0).sum() > (painted.voxels > 0).sum()


def test_every_way_a_case_can_be_unusable_has_its_own_message():
    case = case_of_three_oblique_views()

    def spoiled(change):
        volume = case.views["coronal"]
        voxels = volume.voxels.copy()
        change(voxels)
        return Case("case7", {**case.views, "coronal": Volume(voxels, volume.geometry)})

    with pytest.raises(InputError, match=r"case7, coronal view: 1 of \d+ voxels are NaN"):
        prepare_exam(spoiled(lambda v: v.__setitem__((0, 0, 0), np.nan)), SMALL)
    with pytest.raises(InputError, match=r"case7, coronal view: the image is constant"):
        prepare_exam(spoiled(lambda v: v.__setitem__(..., 3)), SMALL)
    with pytest.raises(InputError, match=r"case7: the coronal view is missing"):
        prepare_exam(Case("case7", {v: case.views[v] for v in ("axial", "sagittal")}), SMALL)
    with pytest.raises(InputError, match=r"case7: the region of interest .* lies outside the sagittal view"):
        prepare_exam(case, SMALL, roi=Box((90, 0, 0), (4, 4, 4)))
    with pytest.raises(MaskError, match=r"case7: .* the case has no mask"):
        prepare_exam(case, SMALL, roi_label=1)
    far = Volume(case.views["axial"].voxels, Geometry((14, 13, 6), origin_mm=(500, 0, 0)))
    with pytest.raises(InputError, match=r"case7, axial view: no voxel lies inside the field of view"):
        prepare_exam(Case("case7", {**case.views, "axial": far}), SMALL)
    with pytest.raises(InputError, match=r"case7: registration='template' needs templates"):
        prepare_exam(case, Recipe(**{**SMALL.to_dict(), "registration": "template"}))


def test_a_patch_without_foreground_is_named_and_a_coarser_grid_suggested():
    case = case_of_three_oblique_views()
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[2:18, 8:12, 8:12] = 1
    labels[8:12, 2:18, 8:12] = 1
    labels[8:12, 8:12, 2:18] = 1  # three crossed bars leave the corners of their box empty
    mask = Mask(labels, tilted((20, 20, 20), (0.4, 0.4, 0.4), (2, 3, 4), 3))
    recipe = Recipe(**{**SMALL.to_dict(), "patch_grid": (3, 3, 3)})
    with pytest.raises(InputError, match=r"case7: patch 1, .* 3 x 3 x 3 grid .* coarser"):
        prepare_exam(Case("case7", case.views, mask), recipe, roi_label=1)
    exam = prepare_exam(
        Case("case7", case.views, mask), Recipe(**{**SMALL.to_dict(), "patch_grid": (1, 1, 1)}), roi_label=1
    )
    assert exam.foreground is not None
    assert 0.05 < exam.foreground.mean() < 0.5


def test_views_named_otherwise_than_planes_share_axial_axes():
    case = case_of_three_oblique_views()
    t2 = Case("c", {"t2": case.views["axial"], "adc": case.views["coronal"]})
    exam = prepare_exam(t2, Recipe(**{**SMALL.to_dict(), "views": ["t2", "adc"], "reference_view": "t2"}))
    assert (np.diag(exam.roi_grid.axes) > 0.8).all()
    assert exam.views == ("t2", "adc")


def test_templates_average_the_cases_and_survive_their_folder(tmp_path):
    cases = [case_of_three_oblique_views(s) for s in range(3)]
    templates = build_templates(iter(cases), SMALL, iterations=0)
    assert templates.grid.shape == (6, 10, 12)
    expected = []
    for case in cases:
        voxels = resample(case.views["sagittal"], templates.grid).voxels.astype(float)
        expected.append((voxels - voxels.mean()) / voxels.std())
    np.testing.assert_allclose(templates.view("sagittal").voxels, np.mean(expected, axis=0), atol=1e-5)
    templates.write(tmp_path / "templates")
    again = Templates.read(tmp_path / "templates")
    assert again.grid == templates.grid
    for view in SMALL.views:
        np.testing.assert_array_equal(again.view(view).voxels, templates.view(view).voxels)
    with pytest.raises(InputError, match="there is no t2 template"):
        templates.view("t2")
    with pytest.raises(InputError, match="no case"):
        build_templates([], SMALL)
    flat = {v: Volume(np.zeros(image.voxels.shape), image.geometry) for v, image in cases[0].views.items()}
    with pytest.raises(InputError, match="Case c9, axial view: the image is constant"):
        build_templates([*cases, Case("c9", flat)], SMALL)
